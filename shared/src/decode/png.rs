//! PNG. The `png` crate is used directly, since the `image` crate expands palettes and scales small depths.

use std::fs::File;
use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Transformations};

use super::check::{bounds, damaged, length};
use super::exif;
use super::raster::{Channels, Header, Purpose, Raster, Samples, colors, unpack};
use crate::error::{Context, Result};

pub(super) fn raster(path: &Path, bytes: &[u8], purpose: Purpose) -> Result<Raster> {
    let mut reader = reader(path, bytes, purpose)?;
    let (width, height) = reader.info().size();
    let size = reader.output_buffer_size().ok_or_else(|| damaged(path, "more than memory"))?;
    let mut raw = vec![0; size];
    reader.next_frame(&mut raw).map_err(|e| damaged(path, e))?;
    let bits = reader.info().bit_depth as u8;
    let (color, depth) = reader.output_color_type();
    let channels = match color {
        ColorType::Grayscale => Channels::Grey,
        ColorType::GrayscaleAlpha => Channels::GreyAlpha,
        ColorType::Rgb => Channels::Rgb,
        ColorType::Rgba => Channels::Rgba,
        ColorType::Indexed => {
            let palette = reader.info().palette.as_ref();
            let palette = palette.ok_or_else(|| damaged(path, "a palette PNG without palette"))?;
            Channels::Palette(colors(palette))
        }
    };
    let samples = match depth {
        BitDepth::Eight => Samples::Bytes(raw),
        BitDepth::Sixteen => {
            let words = raw.chunks_exact(2).map(|w| u16::from_be_bytes([w[0], w[1]]));
            Samples::Words(words.collect())
        }
        small => Samples::Bytes(unpack(&raw, small as usize, width as usize)),
    };
    let chunks = exif::in_png(&mut Cursor::new(bytes), bytes.len() as u64);
    let orientation = chunks.map_err(|e| damaged(path, e))?.orientation;
    Ok(Raster { width, height, channels, bits, samples, orientation })
}

/// A decoder that has read the header, and found it within bounds.
fn reader<'a>(
    path: &Path,
    bytes: &'a [u8],
    purpose: Purpose,
) -> Result<png::Reader<Cursor<&'a [u8]>>> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(match purpose {
        Purpose::Picture => Transformations::EXPAND,
        Purpose::Label => Transformations::IDENTITY,
    });
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info().map_err(|e| damaged(path, e))?;
    let (width, height) = info.size();
    let raw = info.raw_row_length() as u64 * u64::from(height);
    bounds(path, width, height)?;
    length(path, raw, 1032, bytes)?; // deflate's best: 258 bytes for two bits
    decoder.read_info().map_err(|e| damaged(path, e))
}

/// The header, after stepping through the file without reading its pixels.
pub(super) fn header(path: &Path, head: &[u8], mut file: File) -> Result<Header> {
    // Signature, then length and type of a chunk: IHDR comes first, and begins with the size.
    let number =
        |at: usize| head.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let (Some(width), Some(height), Some(b"IHDR"), Some(depth)) =
        (number(16), number(20), head.get(12..16), head.get(24))
    else {
        return Err(damaged(path, "no PNG header"));
    };
    bounds(path, width, height)?;
    let cannot = || format!("{}: cannot read", path.display());
    let end = file.metadata().request(cannot)?.len();
    let chunks = exif::in_png(&mut file, end).request(cannot)?;
    if !chunks.whole {
        return Err(damaged(path, "the PNG data end too early"));
    }
    Ok(Header { width, height, orientation: chunks.orientation, deep: *depth == 16 })
}
