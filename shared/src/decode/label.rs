//! Labels: the numbers in a PNG file, unscaled and with the palette not applied.
//! Not train ids: a descriptor maps values to those. JPEG is refused, for it changes values.
//! The `png` crate is used directly, since the `image` crate expands palettes and scales small depths.

use std::path::Path;

use png::{BitDepth, ColorType, Transformations};

use super::check::{self, Format, bad, damaged};
use crate::error::{Error, Result};

/// Where a label file keeps its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelEncoding {
    /// One number a pixel: a grey PNG of 1 to 16 bits, or the indices of a palette PNG.
    Index,
    /// One channel (0 is the first) of a PNG of 8 or 16 bits a channel.
    Channel(u8),
    /// A colour stands for a class: an RGB PNG of 8 bits a channel (alpha is not looked at), or a
    /// palette PNG, of which the colours are taken.
    Rgb,
}

/// What a label file holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLabel {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The values, row by row.
    pub values: Values,
    /// What kind of file it is: "palette of 8 bits".
    pub kind: String,
    /// The colours that a palette gives the numbers, where the file has one.
    pub palette: Option<Vec<[u8; 3]>>,
}

/// The values of a label, one a pixel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Numbers of at most 8 bits.
    Bytes(Vec<u8>),
    /// Numbers of 16 bits.
    Words(Vec<u16>),
    /// Colours, (R, G, B).
    Colors(Vec<[u8; 3]>),
}

/// Reads a label file, [height, width] values.
///
/// Errors name the file: unreadable, no PNG, of another kind than `encoding` says, cut off, damaged, out
/// of bounds.
pub fn label(path: impl AsRef<Path>, encoding: LabelEncoding) -> Result<RawLabel> {
    let path = path.as_ref();
    let bytes = check::read(path)?;
    if check::format(path, &bytes)? == Format::Jpeg {
        return Err(bad(path, "expected a label in a PNG file, got JPEG")
            .hint("JPEG changes values: labels need PNG"));
    }
    let mut reader = check::png(path, &bytes, Transformations::IDENTITY)?;
    let (width, height) = reader.info().size();
    let (color, depth) = (reader.info().color_type, reader.info().bit_depth);
    let kind =
        kind(encoding, color, depth).ok_or_else(|| mismatch(path, encoding, color, depth))?;
    let raw = check::png_pixels(path, &mut reader)?;
    let palette: Option<Vec<[u8; 3]>> = match (color, &reader.info().palette) {
        (ColorType::Indexed, Some(p)) => {
            Some(p.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect())
        }
        _ => None,
    };
    let values = match kind {
        Kind::Bytes => Values::Bytes(raw),
        Kind::Packed(bits) => Values::Bytes(unpack(&raw, bits, width as usize)),
        Kind::ByteOf { channel, channels } => {
            Values::Bytes(raw[channel..].iter().step_by(channels).copied().collect())
        }
        Kind::WordOf { channel, channels } => {
            let word = |p: &[u8]| u16::from_be_bytes([p[2 * channel], p[2 * channel + 1]]);
            Values::Words(raw.chunks_exact(2 * channels).map(word).collect())
        }
        Kind::Color { channels } => {
            Values::Colors(raw.chunks_exact(channels).map(|p| [p[0], p[1], p[2]]).collect())
        }
        Kind::Palette(bits) => {
            let Some(palette) = &palette else {
                return Err(damaged(path, "a palette PNG without palette"));
            };
            let indices = if bits == 8 { raw } else { unpack(&raw, bits, width as usize) };
            let colors: Option<Vec<_>> =
                indices.iter().map(|&i| palette.get(usize::from(i)).copied()).collect();
            Values::Colors(colors.ok_or_else(|| damaged(path, "an index beyond the palette"))?)
        }
    };
    Ok(RawLabel { width, height, values, kind: words(color, depth), palette })
}

/// How to get from a PNG's bytes to values.
enum Kind {
    Bytes,
    Packed(usize),
    ByteOf { channel: usize, channels: usize },
    WordOf { channel: usize, channels: usize },
    Color { channels: usize },
    Palette(usize),
}

fn kind(encoding: LabelEncoding, color: ColorType, depth: BitDepth) -> Option<Kind> {
    use BitDepth::{Eight, Sixteen};
    use ColorType::{Grayscale, Indexed, Rgb, Rgba};
    let channels = color.samples();
    Some(match (encoding, color, depth) {
        (LabelEncoding::Index, Grayscale | Indexed, Eight) => Kind::Bytes,
        (LabelEncoding::Index, Grayscale, Sixteen) => Kind::WordOf { channel: 0, channels },
        (LabelEncoding::Index, Grayscale | Indexed, small) => Kind::Packed(small as usize),
        (LabelEncoding::Channel(c), color, depth)
            if color != Indexed && usize::from(c) < channels =>
        {
            match depth {
                Eight => Kind::ByteOf { channel: c.into(), channels },
                Sixteen => Kind::WordOf { channel: c.into(), channels },
                _ => return None,
            }
        }
        (LabelEncoding::Rgb, Rgb | Rgba, Eight) => Kind::Color { channels },
        (LabelEncoding::Rgb, Indexed, bits) => Kind::Palette(bits as usize),
        _ => return None,
    })
}

fn mismatch(path: &Path, encoding: LabelEncoding, color: ColorType, depth: BitDepth) -> Error {
    let expected = match encoding {
        LabelEncoding::Index => "one number a pixel (a grey or palette PNG)".to_string(),
        LabelEncoding::Channel(c) => format!("a PNG with a channel {c} of 8 or 16 bits"),
        LabelEncoding::Rgb => "colours (an RGB PNG of 8 bits a channel)".to_string(),
    };
    let error = bad(path, format!("expected {expected}, got {}", words(color, depth)));
    match (encoding, color) {
        (LabelEncoding::Index, _) => error.hint(
            "if colours stand for classes, describe the data set with encoding = \"rgb\"; \
             if one channel holds the value, with encoding = \"channel\"",
        ),
        _ => error.hint(
            "if it holds one number a pixel, describe the data set with encoding = \"index\"",
        ),
    }
}

/// A kind of PNG, such as "palette of 8 bits".
fn words(color: ColorType, depth: BitDepth) -> String {
    let kind = match color {
        ColorType::Grayscale => "grey",
        ColorType::GrayscaleAlpha => "grey with alpha",
        ColorType::Indexed => "palette",
        ColorType::Rgb => "RGB",
        ColorType::Rgba => "RGB with alpha",
    };
    format!("{kind} of {} bits", depth as u8)
}

/// Values of 1, 2 or 4 bits, the first in the highest bits; each row begins a byte.
fn unpack(raw: &[u8], bits: usize, width: usize) -> Vec<u8> {
    let each = 8 / bits;
    let mask = 0xFF >> (8 - bits);
    let value = |row: &[u8], x: usize| (row[x / each] >> (8 - bits - bits * (x % each))) & mask;
    raw.chunks_exact(width.div_ceil(each))
        .flat_map(|row| (0..width).map(move |x| value(row, x)))
        .collect()
}
