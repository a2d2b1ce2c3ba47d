//! Labels: the numbers in a PNG file, unscaled and with the palette not applied.
//! Not train ids: a descriptor maps values to those. JPEG is refused, for it changes values.
//! The `png` crate is used directly, since the `image` crate expands palettes and scales small depths.

use std::io::Cursor;
use std::path::Path;

use png::{BitDepth, ColorType, Transformations};

use super::{check_size, read};
use crate::error::{Context, Error, Result};

/// Where a label file keeps its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelEncoding {
    /// One number a pixel: a grey PNG of 1 to 16 bits, or the indices of a palette PNG.
    Index,
    /// One channel (0 is the first) of a PNG with several, 8 or 16 bits each.
    Channel(u8),
    /// A colour stands for a class: an RGB PNG, 8 bits a channel.
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

/// Reads a label file; errors name it.
pub fn label(path: impl AsRef<Path>, encoding: LabelEncoding) -> Result<RawLabel> {
    let path = path.as_ref();
    let bytes = read(path)?;
    let name = || format!("{}: damaged label", path.display());
    if !bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Err(Error::request(format!("{}: expected a label in a PNG file", path.display())));
    }
    let mut decoder = png::Decoder::new_with_limits(Cursor::new(&bytes), png::Limits { bytes: 1 << 31 });
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().request(name)?;
    let (width, height) = reader.info().size();
    check_size(path, width, height, bytes.len(), 8 * 1100)?;
    let (color, depth) = reader.output_color_type();
    let mut raw = vec![0; reader.output_buffer_size().unwrap_or(0)];
    reader.next_frame(&mut raw).request(name)?;
    let channels = color.samples();
    let values = match (encoding, color, depth) {
        (LabelEncoding::Index, ColorType::Grayscale | ColorType::Indexed, BitDepth::Eight) => Values::Bytes(raw),
        (LabelEncoding::Channel(c), _, BitDepth::Sixteen) if usize::from(c) < channels => Values::Words(
            raw.chunks_exact(2 * channels)
                .map(|p| u16::from_be_bytes([p[2 * usize::from(c)], p[2 * usize::from(c) + 1]]))
                .collect(),
        ),
        (LabelEncoding::Rgb, ColorType::Rgb, BitDepth::Eight) => {
            Values::Colors(raw.chunks_exact(3).map(|p| [p[0], p[1], p[2]]).collect())
        }
        _ => return Err(Error::request(format!("{}: label of another kind", path.display()))),
    };
    Ok(RawLabel { width, height, values })
}
