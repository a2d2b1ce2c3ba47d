//! BMP, PNM and QOI, which the `image` crate reads.
//! Labels need more: the indices of a BMP with a palette, and PNM values as the file has them.

use std::io::Cursor;
use std::path::Path;

use image::codecs::{bmp::BmpDecoder, pnm::PnmDecoder, qoi::QoiDecoder};
use image::metadata::Orientation;
use image::{ColorType, ImageDecoder};

use super::check::{bad, bounds, damaged, length, room};
use super::format::Format;
use super::raster::{Channels, Header, Purpose, Raster, Samples, unpack};
use crate::error::Result;

pub(super) fn header(path: &Path, format: Format, bytes: &[u8]) -> Result<Header> {
    let (decoder, _) = opened(path, format, bytes)?;
    let (width, height) = decoder.dimensions();
    let deep = decoder.color_type().bytes_per_pixel() / decoder.color_type().channel_count() == 2;
    Ok(Header { width, height, orientation: Orientation::NoTransforms, deep })
}

pub(super) fn raster(
    path: &Path,
    format: Format,
    bytes: &[u8],
    purpose: Purpose,
) -> Result<Raster> {
    if format == Format::Bmp
        && purpose == Purpose::Label
        && let Some(raster) = indices(path, bytes)?
    {
        return Ok(raster);
    }
    let (decoder, most) = opened(path, format, bytes)?;
    let (width, height) = decoder.dimensions();
    let color = decoder.color_type();
    let channels = match color {
        ColorType::L8 | ColorType::L16 => Channels::Grey,
        ColorType::Rgb8 | ColorType::Rgb16 => Channels::Rgb,
        ColorType::Rgba8 => Channels::Rgba,
        other => return Err(bad(path, format!("expected grey or RGB, got {other:?}"))),
    };
    let mut raw = room(path, decoder.total_bytes())?;
    decoder.read_image(&mut raw).map_err(|e| damaged(path, e))?;
    // The decoder scales to the full range; a label's values are brought back, which is exact for so few.
    let back = |value: u16, full: u32| match purpose {
        Purpose::Label => ((2 * u32::from(value) * most + full) / (2 * full)) as u16,
        Purpose::Picture => value,
    };
    let bits = (most + 1).next_power_of_two().ilog2().max(1) as u8;
    let samples = match color {
        ColorType::L16 | ColorType::Rgb16 => {
            let words = raw.chunks_exact(2).map(|w| u16::from_ne_bytes([w[0], w[1]]));
            Samples::Words(words.map(|v| back(v, 65535)).collect())
        }
        _ if most == 255 => Samples::Bytes(raw),
        _ => Samples::Bytes(raw.into_iter().map(|v| back(v.into(), 255) as u8).collect()),
    };
    Ok(Raster { width, height, channels, bits, samples, orientation: Orientation::NoTransforms })
}

/// A decoder that has read the header, found within bounds, and the value that means white.
fn opened<'a>(
    path: &Path,
    format: Format,
    bytes: &'a [u8],
) -> Result<(Box<dyn ImageDecoder + 'a>, u32)> {
    let file = Cursor::new(bytes);
    let (decoder, most): (Box<dyn ImageDecoder + 'a>, u32) = match format {
        Format::Bmp => (Box::new(BmpDecoder::new(file).map_err(|e| damaged(path, e))?), 255),
        Format::Pnm => {
            let decoder = PnmDecoder::new(file).map_err(|e| damaged(path, e))?;
            let most = decoder.header().maximal_sample();
            (Box::new(decoder), most)
        }
        _ => (Box::new(QoiDecoder::new(file).map_err(|e| damaged(path, e))?), 255),
    };
    let (width, height) = decoder.dimensions();
    bounds(path, width, height)?;
    // QOI repeats a pixel 62 times with a byte; BMP and PNM hold at most eight pixels in one.
    let at_most = if format == Format::Qoi { 62 } else { 8 };
    if !is_run_length(format, bytes) {
        length(path, u64::from(width) * u64::from(height), at_most, bytes)?;
    }
    Ok((decoder, most))
}

/// Whether a BMP's rows are run lengths, which may skip what they do not name.
fn is_run_length(format: Format, bytes: &[u8]) -> bool {
    format == Format::Bmp && matches!(number(bytes, 30), Some(1 | 2))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]))
}

/// The indices of an uncompressed BMP with a palette; `None` if it has none.
fn indices(path: &Path, bytes: &[u8]) -> Result<Option<Raster>> {
    let mut decoder = BmpDecoder::new(Cursor::new(bytes)).map_err(|e| damaged(path, e))?;
    let Some(palette) = decoder.get_palette().map(<[[u8; 3]]>::to_vec) else { return Ok(None) };
    let (width, height) = decoder.dimensions();
    bounds(path, width, height)?;
    decoder.set_indexed_color(true);
    let (start, bits) = (number(bytes, 10), bytes.get(28).copied());
    let (Some(start), Some(bits @ (1 | 2 | 4 | 8)), Some(0)) = (start, bits, number(bytes, 30))
    else {
        return Err(bad(path, "expected a label in a BMP without compression, got run lengths")
            .hint("save it as PNG"));
    };
    let row = (usize::from(bits) * width as usize).div_ceil(32) * 4;
    let rows = bytes.get(start as usize..).unwrap_or_default();
    let Some(rows) = rows.get(..row * height as usize) else {
        return Err(damaged(path, "fewer pixels than promised"));
    };
    // A height below zero: the first row is the upper one.
    let upward = number(bytes, 22).is_some_and(|height| height as i32 >= 0);
    let row_of = |raw: &[u8]| match bits {
        8 => raw[..width as usize].to_vec(),
        _ => unpack(
            &raw[..(usize::from(bits) * width as usize).div_ceil(8)],
            bits.into(),
            width as usize,
        ),
    };
    let mut lines: Vec<Vec<u8>> = rows.chunks_exact(row).map(row_of).collect();
    if upward {
        lines.reverse();
    }
    Ok(Some(Raster {
        width,
        height,
        channels: Channels::Palette(palette),
        bits,
        samples: Samples::Bytes(lines.concat()),
        orientation: Orientation::NoTransforms,
    }))
}
