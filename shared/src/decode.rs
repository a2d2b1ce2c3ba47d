//! Bytes to pixels: the only place that decodes image files, bounded in size and memory.
//! It knows no data set: what a label's values mean is `dataset`'s business.
//! Accepted are PNG and JPEG pictures, and PNG labels of 1 to 16 bits, read without any scaling.

mod check;
mod jpeg;
mod label;
mod picture;

pub use label::{LabelEncoding, RawLabel, Values, label};
pub use picture::{rgb, size};

/// Longest side that is decoded, in pixels: a square 16-bit RGB label of it still fits in 2 GiB.
pub const MAX_SIDE: u32 = 16384;

#[cfg(test)]
mod tests;
