//! WebP. Lossless files may be labels, lossy ones are pictures only. Not animations.

use std::io::Cursor;
use std::path::Path;

use image_webp::WebPDecoder;

use super::check::{bad, bounds, damaged, room};
use super::exif;
use super::raster::{Channels, Header, Purpose, Raster, Samples};
use crate::error::Result;

type Reader<'a> = WebPDecoder<Cursor<&'a [u8]>>;

pub(super) fn header(path: &Path, bytes: &[u8]) -> Result<Header> {
    let mut decoder = opened(path, bytes)?;
    let (width, height) = decoder.dimensions();
    Ok(Header { width, height, orientation: orientation(&mut decoder), deep: false })
}

pub(super) fn raster(path: &Path, bytes: &[u8], purpose: Purpose) -> Result<Raster> {
    let mut decoder = opened(path, bytes)?;
    if purpose == Purpose::Label && decoder.is_lossy() {
        return Err(bad(path, "expected a label in a lossless format, got lossy WebP")
            .hint("it changes values: labels need PNG, or WebP saved as lossless"));
    }
    let (width, height) = decoder.dimensions();
    let channels = if decoder.has_alpha() { Channels::Rgba } else { Channels::Rgb };
    let count = channels.count() as u64 * u64::from(width) * u64::from(height);
    let mut pixels = room(path, count)?;
    decoder.read_image(&mut pixels).map_err(|e| damaged(path, e))?;
    let orientation = orientation(&mut decoder);
    Ok(Raster { width, height, channels, bits: 8, samples: Samples::Bytes(pixels), orientation })
}

fn opened<'a>(path: &Path, bytes: &'a [u8]) -> Result<Reader<'a>> {
    let decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|e| damaged(path, e))?;
    let (width, height) = decoder.dimensions();
    bounds(path, width, height)?;
    if decoder.is_animated() {
        return Err(bad(path, "expected a single picture, got an animated WebP")
            .hint("save each picture as a file of its own"));
    }
    Ok(decoder)
}

fn orientation(decoder: &mut Reader) -> image::metadata::Orientation {
    exif::orientation(decoder.exif_metadata().ok().flatten().as_deref())
}
