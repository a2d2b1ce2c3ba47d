//! TIFF, unsigned integers of 1 to 16 bits: grey, palette, RGB, with alpha, CMYK.
//! The `tiff` crate reads no palettes: of those it is given a copy that claims to be grey, for the indices. Not stacks of several pictures, of
//! which only the reader could say which is meant, and not floating point numbers.

use std::borrow::Cow;
use std::io::Cursor;
use std::path::Path;

use tiff::ColorType;
use tiff::decoder::{Decoder, DecodingResult, Limits};
use tiff::tags::Tag;

use super::check::{bad, bounds, damaged};
use super::raster::{Channels, Header, Purpose, Raster, Samples, unpack};
use crate::error::Result;
use image::metadata::Orientation;

/// `Compression` of methods that change values: JPEG (6 and 7), JPEG 2000, WebP, JPEG XL.
const LOSSY: [u16; 6] = [6, 7, 34712, 34892, 50001, 50002];

type Reader<'a> = Decoder<Cursor<&'a [u8]>>;

pub(super) fn header(path: &Path, bytes: &[u8]) -> Result<Header> {
    let (bytes, _) = indices_as_grey(bytes);
    let mut decoder = opened(path, &bytes)?;
    let (width, height) = decoder.dimensions().map_err(|e| damaged(path, e))?;
    let color = decoder.colortype().map_err(|e| unread(path, e))?;
    let deep = color.bit_depth() == 16;
    Ok(Header { width, height, orientation: orientation(&mut decoder), deep })
}

pub(super) fn raster(path: &Path, bytes: &[u8], purpose: Purpose) -> Result<Raster> {
    let (bytes, has_palette) = indices_as_grey(bytes);
    let mut decoder = opened(path, &bytes)?;
    let compression = decoder.find_tag_unsigned::<u16>(Tag::Compression).ok().flatten();
    if purpose == Purpose::Label && compression.is_some_and(|c| LOSSY.contains(&c)) {
        return Err(bad(
            path,
            "expected a label in a lossless format, got a TIFF compressed as JPEG",
        )
        .hint("such a compression changes values: labels need PNG, or TIFF with LZW or deflate"));
    }
    let (width, height) = decoder.dimensions().map_err(|e| damaged(path, e))?;
    let color = decoder.colortype().map_err(|e| unread(path, e))?;
    let mut read = DecodingResult::U8(Vec::new());
    let layout = decoder.read_image_to_buffer(&mut read).map_err(|e| unread(path, e))?;
    let planes = layout.planes;
    let samples = match read {
        DecodingResult::U8(v) => Samples::Bytes(interleaved(v, planes)),
        DecodingResult::U16(v) => Samples::Words(interleaved(v, planes)),
        _ => return Err(not_integers(path, color)),
    };
    // Indices are no shades: they are not scaled.
    let purpose = if has_palette { Purpose::Label } else { purpose };
    let (mut channels, samples) = arranged(path, color, samples, purpose, width)?;
    if has_palette {
        channels = Channels::Palette(palette(path, &mut decoder)?);
    }
    let orientation = orientation(&mut decoder);
    Ok(Raster { width, height, channels, bits: color.bit_depth(), samples, orientation })
}

/// The file with its `PhotometricInterpretation` (tag 262) changed from palette (3) to grey (1), and whether it was.
fn indices_as_grey(bytes: &[u8]) -> (Cow<'_, [u8]>, bool) {
    palette_tag(bytes).map_or((bytes.into(), false), |at| {
        let mut copy = bytes.to_vec();
        let value = if bytes[0] == b'I' { [1, 0] } else { [0, 1] };
        copy[at..at + 2].copy_from_slice(&value);
        (copy.into(), true)
    })
}

/// Where the first directory of a TIFF (not a BigTIFF) says that it has a palette.
fn palette_tag(bytes: &[u8]) -> Option<usize> {
    let little = bytes.starts_with(b"II*");
    let word = |at: usize| {
        let word = [*bytes.get(at)?, *bytes.get(at + 1)?];
        Some(usize::from(if little { u16::from_le_bytes(word) } else { u16::from_be_bytes(word) }))
    };
    let (low, high) = if little { (4, 6) } else { (6, 4) };
    let directory = word(high)? << 16 | word(low)?;
    let entry = |i: usize| directory + 2 + 12 * i; // tag, type, count, value
    let at = (0..word(directory)?).map(entry).find(|&at| word(at) == Some(262))?;
    (word(at + 8) == Some(3)).then_some(at + 8)
}

/// A decoder at the only picture, found within bounds.
fn opened<'a>(path: &Path, bytes: &'a [u8]) -> Result<Reader<'a>> {
    let mut decoder = Decoder::new(Cursor::new(bytes)).map_err(|e| damaged(path, e))?;
    let (width, height) = decoder.dimensions().map_err(|e| damaged(path, e))?;
    bounds(path, width, height)?;
    let limit = usize::try_from(u64::from(width) * u64::from(height) * 8).unwrap_or(usize::MAX);
    let mut limits = Limits::default();
    limits.decoding_buffer_size = limit.max(1 << 20); // tags have to fit, too
    limits.intermediate_buffer_size = limit.max(limits.intermediate_buffer_size);
    let mut decoder = decoder.with_limits(limits);
    if decoder.more_images() {
        // Smaller copies of the same picture may follow it; those say so.
        decoder.next_image().map_err(|e| damaged(path, e))?;
        let kind = decoder.find_tag_unsigned::<u32>(Tag::NewSubfileType).ok().flatten();
        if kind.unwrap_or(0) & 1 == 0 {
            return Err(bad(path, "expected a single picture, got a TIFF with several")
                .hint("save each as a file of its own"));
        }
        decoder.seek_to_image(0).map_err(|e| damaged(path, e))?;
    }
    Ok(decoder)
}

fn orientation(decoder: &mut Reader) -> Orientation {
    let tag = decoder.find_tag_unsigned::<u8>(Tag::Orientation).ok().flatten();
    tag.and_then(Orientation::from_exif).unwrap_or(Orientation::NoTransforms)
}

/// Planes, one after the other, to pixels.
fn interleaved<T: Copy>(samples: Vec<T>, planes: usize) -> Vec<T> {
    if planes < 2 {
        return samples;
    }
    let each = samples.len() / planes;
    (0..each).flat_map(|i| (0..planes).map(move |p| p * each + i)).map(|i| samples[i]).collect()
}

/// The channels, and samples of whole bytes.
fn arranged(
    path: &Path,
    color: ColorType,
    samples: Samples,
    purpose: Purpose,
    width: u32,
) -> Result<(Channels, Samples)> {
    let channels = match color {
        ColorType::Gray(_) => Channels::Grey,
        ColorType::GrayA(8 | 16) => Channels::GreyAlpha,
        ColorType::RGB(8 | 16) => Channels::Rgb,
        ColorType::RGBA(8 | 16) => Channels::Rgba,
        ColorType::CMYK(8) if purpose == Purpose::Picture => Channels::Rgb,
        other => return Err(unread(path, format!("{other:?} is not read"))),
    };
    let samples = match (samples, color) {
        (Samples::Bytes(v), ColorType::CMYK(_)) => Samples::Bytes(from_cmyk(&v)),
        (Samples::Bytes(v), ColorType::Gray(bits @ (1 | 2 | 4))) => {
            let scale = if purpose == Purpose::Picture { 255 / ((1 << bits) - 1) } else { 1 };
            let values = unpack(&v, usize::from(bits), width as usize);
            Samples::Bytes(values.into_iter().map(|v| v * scale).collect())
        }
        (samples @ Samples::Bytes(_), _) if color.bit_depth() == 8 => samples,
        (samples @ Samples::Words(_), _) if color.bit_depth() == 16 => samples,
        _ => return Err(not_integers(path, color)),
    };
    Ok((channels, samples))
}

/// The colors: all reds, all greens, all blues, each of 16 bits.
fn palette(path: &Path, decoder: &mut Reader) -> Result<Vec<[u8; 3]>> {
    let map = decoder.get_tag_u16_vec(Tag::ColorMap).map_err(|e| damaged(path, e))?;
    let count = map.len() / 3;
    let byte = |at: usize| (map[at] >> 8) as u8;
    Ok((0..count).map(|i| [byte(i), byte(count + i), byte(2 * count + i)]).collect())
}

/// As Pillow: (255 - ink) * (255 - black) / 255.
fn from_cmyk(samples: &[u8]) -> Vec<u8> {
    let part = |ink: u8, black: u8| {
        (u32::from(255 - ink) * u32::from(255 - black) + 127).checked_div(255).unwrap_or(0) as u8
    };
    samples.chunks_exact(4).flat_map(|p| [0, 1, 2].map(|c| part(p[c], p[3]))).collect()
}

fn not_integers(path: &Path, color: ColorType) -> crate::error::Error {
    bad(
        path,
        format!("expected a TIFF of unsigned integers of 1 to 16 bits, got {color:?} of others"),
    )
    .hint("save it as 8 or 16 bits unsigned")
}

/// Not damage, but what the library does not read.
fn unread(path: &Path, error: impl std::fmt::Display) -> crate::error::Error {
    damaged(path, error)
}
