//! JPEG to RGB, strictly: a damaged or cut off file is an error and not a picture with a grey half.
//! Not for labels, whose values JPEG changes. It has no checksums, so two kinds of damage pass: changed data that can
//! still be read, and a progressive file without its last scans that has an end marker all the same.
//! Marker codes are those of ITU-T T.81, table B.1. CMYK becomes RGB as Pillow has it: values stored inverted, as Adobe
//! does, each times black.

use std::borrow::Cow;
use std::path::Path;

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::MAX_SIDE;
use super::check::{bad, bounds, damaged, length};
use super::exif;
use super::raster::{Channels, Header, Purpose, Raster, Samples};
use crate::error::Result;

mod tables;

const EOI: u8 = 0xD9; // end of the image

/// Compressed data of one bits alone, a byte of them at a time: 0xFF is followed by 0 there.
const ONES: [[u8; 2]; 16] = [[0xFF, 0]; 16];

/// The header, after checking that the file goes on to its end.
pub(super) fn header(path: &Path, bytes: &[u8]) -> Result<Header> {
    Ok(check(path, bytes)?.0)
}

pub(super) fn raster(path: &Path, bytes: &[u8], purpose: Purpose) -> Result<Raster> {
    if purpose == Purpose::Label {
        return Err(bad(path, "expected a label in a lossless format, got JPEG")
            .hint("JPEG changes values: labels need PNG"));
    }
    let (header, end) = check(path, bytes)?;
    // Past an end marker that comes too early, the decoder would take zeros for pixels. Ones are no code (T.81,
    // annex C), so that it refuses them if it needs more than there is, and does not mind if it only looks ahead.
    let start = tables::completed(&bytes[..end]);
    let guarded = [&start, ONES.as_flattened(), &[0xFF, EOI]].concat();
    let pixels = decoder(&guarded).decode().map_err(|e| damaged(path, e))?;
    let Header { width, height, orientation, .. } = header;
    Ok(Raster {
        width,
        height,
        channels: Channels::Rgb,
        bits: 8,
        samples: Samples::Bytes(pixels),
        orientation,
    })
}

fn decoder(bytes: &[u8]) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX)) // all that the format can say: `bounds` has the better message
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

/// The header, and where the end marker stands.
fn check(path: &Path, bytes: &[u8]) -> Result<(Header, usize)> {
    let mut decoder = decoder(bytes);
    decoder.decode_headers().map_err(|e| damaged(path, e))?;
    let (width, height) = decoder.dimensions().unwrap_or((0, 0));
    let side = |s: usize| u32::try_from(s).unwrap_or(MAX_SIDE + 1);
    let (width, height) = (side(width), side(height));
    bounds(path, width, height)?;
    // A block of 8 x 8 pixels takes a bit at the very least.
    length(path, u64::from(width) * u64::from(height), 512, bytes)?;
    match decoder.input_colorspace() {
        Some(
            ColorSpace::RGB
            | ColorSpace::YCbCr
            | ColorSpace::Luma
            | ColorSpace::CMYK
            | ColorSpace::YCCK,
        ) => {}
        other => {
            let got = other.map_or("none".into(), |c| format!("{c:?}"));
            return Err(bad(path, format!("expected an RGB, grey or CMYK JPEG, got {got}"))
                .hint("convert it to RGB"));
        }
    }
    let end = end(bytes).ok_or_else(|| damaged(path, "the JPEG data end too early"))?;
    let orientation = exif::orientation(decoder.exif().map(Vec::as_slice));
    Ok((Header { width, height, orientation, deep: false }, end))
}

/// Where the image's end marker stands. (Thumbnails have one too, but in segments; some cameras append pictures.)
fn end(bytes: &[u8]) -> Option<usize> {
    markers(bytes).find(|&(_, code)| code == EOI).map(|(at, _)| at)
}

/// Places and codes of the markers behind the first, over the segments that they begin.
fn markers(bytes: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    let mut at = 2;
    std::iter::from_fn(move || {
        loop {
            at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
            let (here, code) = (at, *bytes.get(at + 1)?);
            match code {
                0xFF => at += 1,                      // padding
                0x00 | 0x01 | 0xD0..=0xD7 => at += 2, // compressed data; markers within, without a length
                EOI => {
                    at += 2;
                    return Some((here, code));
                }
                _ => {
                    let length = [*bytes.get(at + 2)?, *bytes.get(at + 3)?];
                    at += 2 + usize::from(u16::from_be_bytes(length));
                    return Some((here, code));
                }
            }
        }
    })
}

/// Borrowed where nothing is to be added.
type Completed<'a> = Cow<'a, [u8]>;
