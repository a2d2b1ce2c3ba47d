//! Bytes to pixels: the only place that decodes image files, bounded in size and memory.
//! It knows no data set: what a label's values mean is `dataset`'s business.
//! Accepted are PNG and JPEG pictures, and PNG labels of 1 to 16 bits, read without any scaling.

mod label;
mod picture;

pub use label::{LabelEncoding, RawLabel, Values, label};
pub use picture::rgb;

use std::path::Path;

use crate::error::{Context, Error, Result};

/// Longest side that is decoded.
pub const MAX_SIDE: u32 = 16384;

/// Most pixels that are decoded: a 16-bit RGB label of this size still fits in 2 GiB.
pub const MAX_PIXELS: u64 = 1 << 28;

/// Largest file that is read.
const MAX_FILE: u64 = 1 << 30;

/// The file's bytes, unless there are too many.
fn read(path: &Path) -> Result<Vec<u8>> {
    let name = || format!("{}: cannot read", path.display());
    let size = std::fs::metadata(path).request(name)?.len();
    if size > MAX_FILE {
        return Err(Error::request(format!(
            "{}: expected a file of at most {MAX_FILE} bytes, got {size}",
            path.display()
        )));
    }
    std::fs::read(path).request(name)
}

/// Refuses sizes out of bounds, and sizes that so short a file cannot hold.
fn check_size(path: &Path, width: u32, height: u32, file_bytes: usize, pixels_per_byte: u64) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE || pixels > MAX_PIXELS {
        return Err(Error::request(format!(
            "{}: expected 1 to {MAX_SIDE} pixels a side, got {width} x {height}",
            path.display()
        )));
    }
    // Before anything is allocated: a header of a few bytes must not cost a gigabyte.
    if pixels > file_bytes as u64 * pixels_per_byte {
        return Err(Error::request(format!(
            "{}: damaged image: the header says {width} x {height}, the file has only {file_bytes} bytes",
            path.display()
        )));
    }
    Ok(())
}
