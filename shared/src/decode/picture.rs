//! Pictures: PNG and JPEG to RGB, 8 bits a channel.
//! Not labels, whose values must not be touched; not orientation tags, which data sets do not mean.
//! Grey is repeated into three channels, 16 bits are rounded to 8, opaque alpha is dropped.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage};

use super::{check_size, read};
use crate::error::{Context, Error, Result};

/// Decodes a PNG or JPEG file to RGB, [height, width, 3] u8.
///
/// Errors name the file: unreadable, another format, truncated, damaged, out of bounds, or with pixels
/// that are really transparent (what colour they should have is not for this program to guess).
pub fn rgb(path: impl AsRef<Path>) -> Result<RgbImage> {
    let path = path.as_ref();
    let bytes = read(path)?;
    let name = || path.display().to_string();
    let reader = ImageReader::new(Cursor::new(&bytes)).with_guessed_format().request(name)?;
    if !matches!(reader.format(), Some(ImageFormat::Png | ImageFormat::Jpeg)) {
        return Err(Error::request(format!("{}: expected a PNG or JPEG file", path.display())));
    }
    let decoder = reader.into_decoder().request(name)?;
    let (width, height) = decoder.dimensions();
    check_size(path, width, height, bytes.len(), 8 * 1100)?;
    let image = DynamicImage::from_decoder(decoder).request(|| format!("{}: damaged image", path.display()))?;
    Ok(image.into_rgb8())
}
