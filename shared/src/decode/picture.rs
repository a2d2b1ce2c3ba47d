//! Pictures: PNG and JPEG to RGB, 8 bits a channel.
//! Not labels, whose values must not be touched; not orientation tags, which data sets do not mean.
//! Grey is repeated into three channels, of 16 bits the upper 8 are kept, opaque alpha is dropped.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use image::RgbImage;
use png::{ColorType, Transformations};

use super::check::{self, Format, bad, damaged};
use super::jpeg;
use crate::error::{Context, Result};

/// Decodes a PNG or JPEG file to RGB, [height, width, 3] u8.
///
/// Errors name the file: unreadable, another format, cut off, damaged, out of bounds, or with pixels
/// that are really transparent (what colour they should have is not for this program to guess).
pub fn rgb(path: impl AsRef<Path>) -> Result<RgbImage> {
    let path = path.as_ref();
    let bytes = check::read(path)?;
    match check::format(path, &bytes)? {
        Format::Jpeg => jpeg::rgb(path, &bytes),
        Format::Png => png_rgb(path, &bytes),
    }
}

/// Width and height in pixels, from the header, after checking that the file goes on to its end.
///
/// Much faster than [`rgb`], with the same errors but for damage within the pixels.
pub fn size(path: impl AsRef<Path>) -> Result<(u32, u32)> {
    let path = path.as_ref();
    let mut file = File::open(path).request(|| format!("{}: cannot read", path.display()))?;
    let mut head = Vec::new();
    file.by_ref()
        .take(64)
        .read_to_end(&mut head)
        .request(|| format!("{}: cannot read", path.display()))?;
    match check::format(path, &head)? {
        Format::Jpeg => jpeg::size(path, &check::read(path)?),
        Format::Png => png_size(path, &head, file),
    }
}

fn png_rgb(path: &Path, bytes: &[u8]) -> Result<RgbImage> {
    let mut reader = check::png(path, bytes, Transformations::EXPAND | Transformations::STRIP_16)?;
    let (width, height) = reader.info().size();
    let pixels = check::png_pixels(path, &mut reader)?;
    let opaque = |stride: usize| pixels.chunks_exact(stride).all(|p| p[stride - 1] == 255);
    let pixels = match reader.output_color_type().0 {
        ColorType::Rgb => pixels,
        ColorType::Grayscale => pixels.iter().flat_map(|&v| [v; 3]).collect(),
        ColorType::GrayscaleAlpha if opaque(2) => {
            pixels.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect()
        }
        ColorType::Rgba if opaque(4) => {
            pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()
        }
        _ => {
            return Err(bad(path, "expected an opaque image, got one with transparent pixels")
                .hint("put it on a background, or remove its alpha channel"));
        }
    };
    RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| damaged(path, "fewer pixels than promised"))
}

/// Steps from chunk to chunk without reading what is in them.
fn png_size(path: &Path, head: &[u8], mut file: File) -> Result<(u32, u32)> {
    // Signature, then length and type of a chunk: IHDR comes first, and begins with the size.
    let number =
        |at: usize| head.get(at..at + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let (Some(width), Some(height), Some(b"IHDR")) = (number(16), number(20), head.get(12..16))
    else {
        return Err(damaged(path, "no PNG header"));
    };
    check::bounds(path, width, height)?;
    let cannot = || format!("{}: cannot read", path.display());
    let end = file.metadata().request(cannot)?.len();
    let mut at = 8;
    let mut chunk = [0; 8];
    loop {
        file.seek(SeekFrom::Start(at)).request(cannot)?;
        if at + 12 > end {
            return Err(damaged(path, "the PNG data end too early"));
        }
        file.read_exact(&mut chunk).request(cannot)?;
        let length = u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
        at += 12 + u64::from(length);
        if chunk[4..] == *b"IEND" {
            return Ok((width, height));
        }
    }
}
