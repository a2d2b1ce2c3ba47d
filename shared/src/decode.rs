//! Bytes to pixels: the only place that decodes image files, bounded in size and memory.
//! It knows no data set: what a label's values mean is `dataset`'s business.
//! Accepted are pictures in eight formats ([`EXTENSIONS`]), and labels in those of them that keep every value.

mod check;
mod exif;
mod extension;
mod format;
mod gif;
mod jpeg;
mod label;
mod picture;
mod plain;
mod png;
mod raster;
mod tiff;
mod tone;
mod webp;

pub use extension::{EXTENSIONS, is_picture, is_unread_picture};
pub use label::{LabelEncoding, RawLabel, Values, label};
pub use picture::{Looked, PictureHeader, header, look, rgb, size, toned};
pub use tone::{Levels, Named, Tone, Window};

/// Longest side that is decoded, in pixels: a square 16-bit RGB label of it still fits in 2 GiB.
pub const MAX_SIDE: u32 = 16384;

#[cfg(test)]
mod tests;
