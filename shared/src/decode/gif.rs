//! GIF of one frame: indices into a palette, for pictures and labels alike. Not animations.

use std::path::Path;

use gif::{ColorOutput, DecodeOptions, MemoryLimit};
use image::metadata::Orientation;

use super::check::{bad, bounds, damaged};
use super::raster::{Channels, Header, Raster, Samples, colors};
use crate::error::Result;

/// The header, from the file's first bytes.
pub(super) fn header(path: &Path, head: &[u8]) -> Result<Header> {
    let side =
        |at: usize| head.get(at..at + 2).map(|b| u32::from(u16::from_le_bytes([b[0], b[1]])));
    let (Some(width), Some(height)) = (side(6), side(8)) else {
        return Err(damaged(path, "no GIF header"));
    };
    bounds(path, width, height)?;
    Ok(Header { width, height, orientation: Orientation::NoTransforms, deep: false })
}

pub(super) fn raster(path: &Path, bytes: &[u8]) -> Result<Raster> {
    let Header { width, height, orientation, .. } = header(path, bytes)?;
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.set_memory_limit(MemoryLimit::Unlimited); // `bounds` has looked
    let mut decoder = options.read_info(bytes).map_err(|e| damaged(path, e))?;
    let frame = decoder.read_next_frame().map_err(|e| damaged(path, e))?;
    let frame = frame.ok_or_else(|| damaged(path, "a GIF without a picture"))?.clone();
    let covered = (u32::from(frame.left), u32::from(frame.top)) == (0, 0)
        && (u32::from(frame.width), u32::from(frame.height)) == (width, height);
    if !covered {
        return Err(bad(path, "expected a GIF whose picture fills it, got one with gaps")
            .hint("convert it to PNG"));
    }
    let palette = frame.palette.as_deref().or(decoder.global_palette());
    let palette = palette.ok_or_else(|| damaged(path, "a GIF without a palette"))?;
    let channels = match frame.transparent {
        Some(clear) if frame.buffer.contains(&clear) => {
            return Err(bad(path, "expected an opaque image, got one with transparent pixels")
                .hint("put it on a background, or save it without transparency"));
        }
        _ => Channels::Palette(colors(palette)),
    };
    if decoder.next_frame_info().map_err(|e| damaged(path, e))?.is_some() {
        return Err(bad(path, "expected a single picture, got an animated GIF")
            .hint("save each picture as a file of its own"));
    }
    let samples = Samples::Bytes(frame.buffer.into_owned());
    Ok(Raster { width, height, channels, bits: 8, samples, orientation })
}
