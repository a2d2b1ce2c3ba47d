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
    let png = encode(pixels, size, color).map_err(|e| e.within(path.display().to_string()))?;
    write_atomic(path, &png)
}

/// A picture as the bytes of a PNG file.
///
/// # Errors
/// A picture without a pixel.
pub fn encode_rgb(picture: &RgbImage) -> Result<Vec<u8>> {
    encode(picture.as_raw(), picture.dimensions(), ExtendedColorType::Rgb8)
}

fn encode(pixels: &[u8], size: (u32, u32), color: ExtendedColorType) -> Result<Vec<u8>> {
    let mut png = Vec::new();
    PngEncoder::new(&mut png).write_image(pixels, size.0, size.1, color).work(|| "PNG".into())?;
    Ok(png)
}
