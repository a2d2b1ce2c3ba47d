//! Pictures and labels to PNG files, whole or not at all. Not the drawing, and no other format.

use std::path::Path;

use image::{ExtendedColorType, ImageEncoder, RgbImage, codecs::png::PngEncoder};

use crate::error::{Context, Result};
use crate::files::write_atomic;

/// Writes a picture.
///
/// # Errors
/// As [`write_atomic`].
pub fn write_rgb(path: &Path, picture: &RgbImage) -> Result<()> {
    write(path, picture.as_raw(), picture.dimensions(), ExtendedColorType::Rgb8)
}

/// Writes pixels of `color`, row by row; `size` is (width, height).
///
/// # Errors
/// As [`write_atomic`].
pub fn write(path: &Path, pixels: &[u8], size: (u32, u32), color: ExtendedColorType) -> Result<()> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png)
        .write_image(pixels, size.0, size.1, color)
        .work(|| format!("{}: PNG", path.display()))?;
    write_atomic(path, &png)
}
