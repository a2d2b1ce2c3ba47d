//! JPEG to RGB, strictly: a damaged or cut off file is an error and not a picture with a grey half.
//! Not for labels, whose values JPEG changes. It has no checksums, so two kinds of damage pass: changed data that can
//! still be read, and a progressive file without its last scans that has an end marker all the same.
//! Marker codes are those of ITU-T T.81, table B.1.

use std::path::Path;

use image::RgbImage;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::MAX_SIDE;
use super::check::{bad, bounds, damaged, length};
use crate::error::Result;

const EOI: u8 = 0xD9; // end of the image

/// Compressed data of one bits alone, a byte of them at a time: 0xFF is followed by 0 there.
const ONES: [[u8; 2]; 16] = [[0xFF, 0]; 16];

/// Width and height, after checking that the file goes on to its end.
pub(super) fn size(path: &Path, bytes: &[u8]) -> Result<(u32, u32)> {
    Ok(check(path, bytes)?.0)
}

pub(super) fn rgb(path: &Path, bytes: &[u8]) -> Result<RgbImage> {
    let ((width, height), end) = check(path, bytes)?;
    // Past an end marker that comes too early, the decoder would take zeros for pixels. Ones are no code (T.81,
    // annex C), so that it refuses them if it needs more than there is, and does not mind if it only looks ahead.
    let guarded = [&bytes[..end], ONES.as_flattened(), &[0xFF, EOI]].concat();
    let pixels = decoder(&guarded).decode().map_err(|e| damaged(path, e))?;
    RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| damaged(path, "fewer pixels than promised"))
}

fn decoder(bytes: &[u8]) -> JpegDecoder<ZCursor<&[u8]>> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX)) // all that the format can say: `bounds` has the better message
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    JpegDecoder::new_with_options(ZCursor::new(bytes), options)
}

/// Width and height, and where the end marker stands.
fn check(path: &Path, bytes: &[u8]) -> Result<((u32, u32), usize)> {
    let mut decoder = decoder(bytes);
    decoder.decode_headers().map_err(|e| damaged(path, e))?;
    let (width, height) = decoder.dimensions().unwrap_or((0, 0));
    let side = |s: usize| u32::try_from(s).unwrap_or(MAX_SIDE + 1);
    let (width, height) = (side(width), side(height));
    bounds(path, width, height)?;
    // A block of 8 x 8 pixels takes a bit at the very least.
    length(path, u64::from(width) * u64::from(height), 512, bytes)?;
    match decoder.input_colorspace() {
        Some(ColorSpace::RGB | ColorSpace::YCbCr | ColorSpace::Luma) => {}
        other => {
            let got = other.map_or("none".into(), |c| format!("{c:?}"));
            return Err(bad(path, format!("expected an RGB or grey JPEG, got {got}"))
                .hint("convert it to RGB"));
        }
    }
    let end = end(bytes).ok_or_else(|| damaged(path, "the JPEG data end too early"))?;
    Ok(((width, height), end))
}

/// Where the image's end marker stands. (Thumbnails have one too, but in segments; some cameras append pictures.)
fn end(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xFF)?;
        at += match *bytes.get(at + 1)? {
            0xFF => 1,                      // padding
            0x00 | 0x01 | 0xD0..=0xD7 => 2, // compressed data; markers within, without a length
            EOI => return Some(at),
            _ => 2 + usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?])),
        };
    }
}
