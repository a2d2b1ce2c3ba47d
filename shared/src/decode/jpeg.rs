//! JPEG to RGB, strictly: a damaged or cut off file is an error and not a picture with a grey half.
//! Not for labels, whose values JPEG changes.
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

const SOS: u8 = 0xDA; // start of a scan
const EOI: [u8; 2] = [0xFF, 0xD9]; // end of the image

/// Width and height, after checking that the file goes on to its end.
pub(super) fn size(path: &Path, bytes: &[u8]) -> Result<(u32, u32)> {
    Ok(open(path, bytes)?.1)
}

pub(super) fn rgb(path: &Path, bytes: &[u8]) -> Result<RgbImage> {
    let (mut decoder, (width, height)) = open(path, bytes)?;
    let pixels = decoder.decode().map_err(|e| damaged(path, e))?;
    RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| damaged(path, "fewer pixels than promised"))
}

type Opened<'a> = (JpegDecoder<ZCursor<&'a [u8]>>, (u32, u32));

fn open<'a>(path: &Path, bytes: &'a [u8]) -> Result<Opened<'a>> {
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX)) // all that the format can say: `bounds` has the better message
        .set_max_height(usize::from(u16::MAX))
        .jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
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
    if !is_whole(bytes) {
        return Err(damaged(path, "the JPEG data end too early"));
    }
    Ok((decoder, (width, height)))
}

/// Whether the end marker follows the first scan. (Thumbnails have one too, but in the segments before.)
fn is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xFF, marker]) = bytes.get(at..at + 2) {
        if marker == SOS {
            // In compressed data 0xFF is followed by 0, so this is no accident. Some cameras append more.
            return bytes[at..].windows(2).rev().any(|w| w == EOI);
        }
        if marker == 0xFF {
            at += 1; // padding
            continue;
        }
        let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return false };
        at += 2 + usize::from(u16::from_be_bytes([high, low]));
    }
    false
}
