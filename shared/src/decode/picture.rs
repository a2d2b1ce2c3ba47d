//! Pictures: every format to RGB, 8 bits a channel, upright as the EXIF tag says.
//! Not labels, whose values must not be touched.
//! Grey is repeated into three channels; of 16 bits the upper 8 are kept unless a [`Tone`] says otherwise; opaque alpha
//! is dropped.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

use super::check::{self, bad, damaged};
use super::format::{Format, format};
use super::raster::{Channels, Header, Purpose, Raster, Samples};
use super::tone::{self, Levels, Tone};
use super::{gif, jpeg, plain, png, tiff, webp};
use crate::error::{Context, Result};

/// A picture, and what was found on the way to it.
#[derive(Clone, Debug)]
pub struct Looked {
    /// The picture, upright.
    pub image: RgbImage,
    /// EXIF orientation that was applied, 1 (as stored) to 8.
    pub orientation: u8,
    /// Grey levels of an image of 16 bits.
    pub levels: Option<Levels>,
}

/// What a header says of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureHeader {
    /// Width and height in pixels, upright.
    pub size: (u32, u32),
    /// EXIF orientation, 1 (as stored) to 8.
    pub orientation: u8,
    /// Whether a sample has 16 bits.
    pub deep: bool,
}

/// Decodes an image file to RGB, [height, width, 3] u8, upright.
///
/// # Errors
/// Each names the file: unreadable, another format, cut off, damaged, out of bounds, an animation, or with pixels
/// that are really transparent (what color they should have is not for this program to guess).
pub fn rgb(path: impl AsRef<Path>) -> Result<RgbImage> {
    toned(path, None)
}

/// As [`rgb`], with values brought to 8 bits as `tone` says.
///
/// # Errors
/// As [`rgb`], and an image of 8 bits where `tone` is a window.
pub fn toned(path: impl AsRef<Path>, tone: Option<Tone>) -> Result<RgbImage> {
    let path = path.as_ref();
    let raster = raster(path, &check::read(path)?, Purpose::Picture)?;
    finished(path, raster, tone)
}

/// As [`toned`], with what a survey of a data set wants to know.
///
/// # Errors
/// As [`toned`].
pub fn look(path: impl AsRef<Path>, tone: Option<Tone>) -> Result<Looked> {
    let path = path.as_ref();
    let raster = raster(path, &check::read(path)?, Purpose::Picture)?;
    let orientation = raster.orientation.to_exif();
    let levels = match &raster.samples {
        Samples::Words(words) => Some(Levels::of(words, &raster.channels, tone)),
        Samples::Bytes(_) => None,
    };
    Ok(Looked { image: finished(path, raster, tone)?, orientation, levels })
}

/// Width and height of the upright picture in pixels, from the header.
///
/// # Errors
/// As [`header`].
pub fn size(path: impl AsRef<Path>) -> Result<(u32, u32)> {
    Ok(header(path)?.size)
}

/// What the header says of a picture; of PNG and JPEG after checking that the file goes on to its end.
///
/// Much faster than [`rgb`].
///
/// # Errors
/// As [`rgb`], but for what is within the pixels.
pub fn header(path: impl AsRef<Path>) -> Result<PictureHeader> {
    let path = path.as_ref();
    let cannot = || format!("{}: cannot read", path.display());
    let mut file = File::open(path).request(cannot)?;
    let mut head = Vec::new();
    file.by_ref().take(64).read_to_end(&mut head).request(cannot)?;
    let header: Header = match format(path, &head)? {
        Format::Png => png::header(path, &head, file)?,
        Format::Jpeg => jpeg::header(path, &check::read(path)?)?,
        Format::Tiff => tiff::header(path, &check::read(path)?)?,
        Format::WebP => webp::header(path, &check::read(path)?)?,
        Format::Gif => gif::header(path, &head)?,
        plain @ (Format::Bmp | Format::Pnm | Format::Qoi) => {
            plain::header(path, plain, &check::read(path)?)?
        }
    };
    Ok(PictureHeader {
        size: header.turned_size(),
        orientation: header.orientation.to_exif(),
        deep: header.deep,
    })
}

/// The samples of a file, whatever its format.
pub(super) fn raster(path: &Path, bytes: &[u8], purpose: Purpose) -> Result<Raster> {
    match format(path, bytes)? {
        Format::Png => png::raster(path, bytes, purpose),
        Format::Jpeg => jpeg::raster(path, bytes, purpose),
        Format::Tiff => tiff::raster(path, bytes, purpose),
        Format::WebP => webp::raster(path, bytes, purpose),
        Format::Gif => gif::raster(path, bytes),
        plain @ (Format::Bmp | Format::Pnm | Format::Qoi) => {
            plain::raster(path, plain, bytes, purpose)
        }
    }
}

fn finished(path: &Path, raster: Raster, tone: Option<Tone>) -> Result<RgbImage> {
    let Raster { width, height, channels, samples, orientation, .. } = raster;
    let (channels, samples) = without_palette(path, channels, samples)?;
    let bytes = tone::bytes(path, samples, &channels, tone)?;
    let pixels = to_rgb(path, bytes, &channels)?;
    let image = RgbImage::from_raw(width, height, pixels)
        .ok_or_else(|| damaged(path, "fewer pixels than promised"))?;
    if orientation == Orientation::NoTransforms {
        return Ok(image);
    }
    let mut image = DynamicImage::ImageRgb8(image);
    image.apply_orientation(orientation);
    Ok(image.into_rgb8())
}

fn to_rgb(path: &Path, pixels: Vec<u8>, channels: &Channels) -> Result<Vec<u8>> {
    let opaque = |stride: usize| pixels.chunks_exact(stride).all(|p| p[stride - 1] == 255);
    Ok(match channels {
        Channels::Rgb => pixels,
        Channels::Grey => pixels.iter().flat_map(|&v| [v; 3]).collect(),
        Channels::GreyAlpha if opaque(2) => {
            pixels.chunks_exact(2).flat_map(|p| [p[0]; 3]).collect()
        }
        Channels::Rgba if opaque(4) => {
            pixels.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect()
        }
        Channels::GreyAlpha | Channels::Rgba => {
            return Err(bad(path, "expected an opaque image, got one with transparent pixels")
                .hint("put it on a background, or remove its alpha channel"));
        }
        Channels::Palette(_) => return Err(damaged(path, "a palette of 16 bits")),
    })
}

/// The colors in the indices' place.
fn without_palette(
    path: &Path,
    channels: Channels,
    samples: Samples,
) -> Result<(Channels, Samples)> {
    let (Channels::Palette(colors), Samples::Bytes(indices)) = (&channels, &samples) else {
        return Ok((channels, samples));
    };
    let known = super::label::looked_up(path, indices, colors)?;
    Ok((Channels::Rgb, Samples::Bytes(known.into_flattened())))
}
