//! Labels: the numbers in an image file, unscaled, with the palette not applied, and never turned.
//! Not train ids: a descriptor maps values to those. Lossy formats are refused, for they change values.

use std::path::Path;

use super::check::{self, bad, damaged};
use super::picture::raster;
use super::raster::{Channels, Purpose, Samples};
use crate::error::{Error, Result};

/// Where a label file keeps its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelEncoding {
    /// One number a pixel: grey of 1 to 16 bits, the indices of a palette, or RGB of 8 bits whose
    /// channels are equal (lossless WebP and QOI have no grey).
    Index,
    /// One channel (0 is the first) of an image of 8 or 16 bits a channel.
    Channel(u8),
    /// A colour stands for a class: RGB of 8 bits a channel (alpha is not looked at), or a
    /// palette, of which the colours are taken.
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
    /// The colors that a palette gives the numbers, where the file has one.
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
/// # Errors
/// Each names the file: unreadable, lossy, of another kind than `encoding` says, cut off, damaged, out of bounds.
pub fn label(path: impl AsRef<Path>, encoding: LabelEncoding) -> Result<RawLabel> {
    let path = path.as_ref();
    let raster = raster(path, &check::read(path)?, Purpose::Label)?;
    let (width, height, channels) = (raster.width, raster.height, raster.channels);
    let count = channels.count();
    let kind = format!("{} of {} bits", channels.name(), raster.bits);
    let values = match (encoding, &channels, raster.samples) {
        (LabelEncoding::Index, Channels::Grey | Channels::Palette(_), Samples::Bytes(raw)) => {
            Values::Bytes(raw)
        }
        (LabelEncoding::Index, Channels::Grey, Samples::Words(raw)) => Values::Words(raw),
        (LabelEncoding::Index, Channels::Rgb, Samples::Bytes(raw)) if is_grey(&raw) => {
            Values::Bytes(every(&raw, 0, count))
        }
        (LabelEncoding::Channel(c), channels, samples)
            if !matches!(channels, Channels::Palette(_)) && usize::from(c) < count =>
        {
            match samples {
                Samples::Bytes(raw) => Values::Bytes(every(&raw, c, count)),
                Samples::Words(raw) => Values::Words(every(&raw, c, count)),
            }
        }
        (LabelEncoding::Rgb, Channels::Rgb | Channels::Rgba, Samples::Bytes(raw)) => {
            Values::Colors(raw.chunks_exact(count).map(|p| [p[0], p[1], p[2]]).collect())
        }
        (LabelEncoding::Rgb, Channels::Palette(colors), Samples::Bytes(raw)) => {
            Values::Colors(looked_up(path, &raw, colors)?)
        }
        _ => return Err(mismatch(path, encoding, &kind)),
    };
    let palette = match channels {
        Channels::Palette(colors) => Some(colors),
        _ => None,
    };
    Ok(RawLabel { width, height, values, kind, palette })
}

/// Whether red, green and blue are the same number everywhere.
fn is_grey(raw: &[u8]) -> bool {
    raw.chunks_exact(3).all(|p| p[0] == p[1] && p[1] == p[2])
}

/// One channel of the pixels.
fn every<T: Copy>(raw: &[T], channel: u8, count: usize) -> Vec<T> {
    raw.iter().skip(usize::from(channel)).step_by(count).copied().collect()
}

/// The colors that indices stand for.
pub(super) fn looked_up(path: &Path, indices: &[u8], palette: &[[u8; 3]]) -> Result<Vec<[u8; 3]>> {
    let colors: Option<Vec<_>> =
        indices.iter().map(|&i| palette.get(usize::from(i)).copied()).collect();
    colors.ok_or_else(|| damaged(path, "an index beyond the palette"))
}

fn mismatch(path: &Path, encoding: LabelEncoding, got: &str) -> Error {
    let expected = match encoding {
        LabelEncoding::Index => "one number a pixel (grey or palette)".to_string(),
        LabelEncoding::Channel(c) => format!("an image with a channel {c} of 8 or 16 bits"),
        LabelEncoding::Rgb => "colours (RGB of 8 bits a channel)".to_string(),
    };
    let error = bad(path, format!("expected {expected}, got {got}"));
    match encoding {
        LabelEncoding::Index => error.hint(
            "if colours stand for classes, describe the data set with encoding = \"rgb\"; \
             if one channel holds the value, with encoding = \"channel\"",
        ),
        _ => error.hint(
            "if it holds one number a pixel, describe the data set with encoding = \"index\"",
        ),
    }
}
