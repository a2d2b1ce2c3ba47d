//! What every format is decoded to first: samples as the file has them, and how to see them.
//! Not a picture yet: `picture` makes one, and `label` reads its values.

use image::metadata::Orientation;

/// The samples of an image file, row by row.
pub(super) struct Raster {
    pub width: u32,
    pub height: u32,
    pub channels: Channels,
    /// Bits of a sample in the file.
    pub bits: u8,
    pub samples: Samples,
    /// How the picture is to be turned; labels are not.
    pub orientation: Orientation,
}

/// What the samples of a pixel are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Channels {
    Grey,
    GreyAlpha,
    Rgb,
    Rgba,
    /// One index a pixel into these colors.
    Palette(Vec<[u8; 3]>),
}

/// Samples of at most 8 bits (unscaled if a label is read), or of 16.
pub(super) enum Samples {
    Bytes(Vec<u8>),
    Words(Vec<u16>),
}

/// What a file is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To be looked at: small depths are scaled to 8 bits, palettes may be applied.
    Picture,
    /// For its values: nothing is scaled, palettes are kept apart, lossy formats are refused.
    Label,
}

/// What a file's header says.
pub(super) struct Header {
    pub width: u32,
    pub height: u32,
    pub orientation: Orientation,
    /// Whether a sample has 16 bits.
    pub deep: bool,
}

impl Header {
    /// Width and height of the picture as it is shown.
    pub fn turned_size(&self) -> (u32, u32) {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        match self.orientation {
            Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH => (self.height, self.width),
            _ => (self.width, self.height),
        }
    }
}

impl Channels {
    /// Samples of a pixel.
    pub fn count(&self) -> usize {
        match self {
            Channels::Grey | Channels::Palette(_) => 1,
            Channels::GreyAlpha => 2,
            Channels::Rgb => 3,
            Channels::Rgba => 4,
        }
    }

    /// For error messages.
    pub fn name(&self) -> &'static str {
        match self {
            Channels::Grey => "grey",
            Channels::GreyAlpha => "grey with alpha",
            Channels::Rgb => "RGB",
            Channels::Rgba => "RGB with alpha",
            Channels::Palette(_) => "palette",
        }
    }
}

/// Values of 1, 2 or 4 bits, the first in the highest bits; each row begins a byte.
pub(super) fn unpack(raw: &[u8], bits: usize, width: usize) -> Vec<u8> {
    let each = 8 / bits;
    let mask = 0xFF >> (8 - bits);
    let value = |row: &[u8], x: usize| (row[x / each] >> (8 - bits - bits * (x % each))) & mask;
    raw.chunks_exact(width.div_ceil(each))
        .flat_map(|row| (0..width).map(move |x| value(row, x)))
        .collect()
}

/// Colors from bytes, three each.
pub(super) fn colors(bytes: &[u8]) -> Vec<[u8; 3]> {
    bytes.chunks_exact(3).map(|c| [c[0], c[1], c[2]]).collect()
}
