//! Files of every kind that is accepted, and every way in which a file can be bad, by the words of the error.
//! Not the values' meaning. Files are made here with the encoders of `image` and `png`.
//! Accuracy of JPEG is the library's; what matters here is that damage is never a picture.

use std::fs;
use std::path::PathBuf;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use super::*;
use crate::error::Error;

mod labels;

struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        Disk { dir: tempfile::tempdir().unwrap() }
    }

    fn put(&self, bytes: &[u8]) -> PathBuf {
        let path = self.dir.path().join("x.img");
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// A PNG with these raw bytes as its pixels.
fn png_of(
    color: ::png::ColorType,
    depth: ::png::BitDepth,
    size: (u32, u32),
    raw: &[u8],
) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut out, size.0, size.1);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ::png::ColorType::Indexed {
        encoder.set_palette(vec![0, 0, 0, 128, 64, 128, 0, 0, 142, 220, 20, 60]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(raw).unwrap();
    writer.finish().unwrap();
    out
}

fn picture() -> RgbImage {
    RgbImage::from_fn(64, 48, |x, y| Rgb([(4 * x) as u8, (5 * y) as u8, ((x * y) % 251) as u8]))
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image.into().write_to(&mut out, format).unwrap();
    out.into_inner()
}

#[track_caller]
fn refused<T: std::fmt::Debug>(result: crate::error::Result<T>, expected: &str) -> Error {
    let error = result.expect_err(expected);
    let line = error.to_string();
    assert!(line.contains("x.img: ") && line.contains(expected), "{line}");
    assert!(!line.contains('\n'));
    error
}

#[test]
fn png_pictures_come_back_as_they_were() {
    let disk = Disk::new();
    let path = disk.put(&encoded(picture(), ImageFormat::Png));
    assert_eq!(rgb(&path).unwrap(), picture());
    assert_eq!(size(&path).unwrap(), (64, 48));
}

#[test]
fn jpeg_pictures_come_back_nearly() {
    let disk = Disk::new();
    let smooth = RgbImage::from_fn(64, 48, |x, y| Rgb([(2 * x) as u8, (3 * y) as u8, 90]));
    let path = disk.put(&encoded(smooth.clone(), ImageFormat::Jpeg));
    let got = rgb(&path).unwrap();
    let off = got.iter().zip(smooth.iter()).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(off < 24, "{off}");
    assert_eq!(size(&path).unwrap(), (64, 48));
}

#[test]
fn grey_sixteen_bit_palette_and_opaque_pictures_become_rgb() {
    use ::png::BitDepth::*;
    use ::png::ColorType::*;
    let disk = Disk::new();
    let check = |color, depth, raw: &[u8], expected: [u8; 6]| {
        let path = disk.put(&png_of(color, depth, (2, 1), raw));
        assert_eq!(rgb(path).unwrap().into_raw(), expected, "{color:?} {depth:?}");
    };
    check(Grayscale, Eight, &[7, 200], [7, 7, 7, 200, 200, 200]);
    check(Grayscale, One, &[0b0100_0000], [0, 0, 0, 255, 255, 255]);
    check(Grayscale, Sixteen, &[7, 255, 200, 0], [7, 7, 7, 200, 200, 200]);
    check(GrayscaleAlpha, Eight, &[7, 255, 200, 255], [7, 7, 7, 200, 200, 200]);
    check(Rgb, Sixteen, &[1, 9, 2, 9, 3, 9, 4, 9, 5, 9, 6, 9], [1, 2, 3, 4, 5, 6]);
    check(Rgba, Eight, &[1, 2, 3, 255, 4, 5, 6, 255], [1, 2, 3, 4, 5, 6]);
    check(Indexed, Eight, &[1, 3], [128, 64, 128, 220, 20, 60]);
    let grey = image::GrayImage::from_pixel(16, 16, image::Luma([90]));
    let path = disk.put(&encoded(grey, ImageFormat::Jpeg));
    assert!(rgb(path).unwrap().pixels().all(|p| p.0 == [90; 3]));
}

#[test]
fn a_picture_that_is_really_transparent_is_refused() {
    let disk = Disk::new();
    let raw = [1, 2, 3, 255, 4, 5, 6, 254];
    let path = disk.put(&png_of(::png::ColorType::Rgba, ::png::BitDepth::Eight, (2, 1), &raw));
    let error = refused(rgb(path), "expected an opaque image, got one with transparent pixels");
    assert_eq!(error.hint_text(), Some("put it on a background, or remove its alpha channel"));
}

#[test]
fn a_file_cut_off_anywhere_is_an_error_and_never_a_picture() {
    let disk = Disk::new();
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let whole = encoded(picture(), format);
        for cut in (0..whole.len()).step_by(7).chain([whole.len() - 1, whole.len() - 2]) {
            // A PNG may lose the checksum of its empty last chunk without losing a pixel.
            let pixels_complete = format == ImageFormat::Png && cut + 16 > whole.len();
            let path = disk.put(&whole[..cut]);
            assert!(pixels_complete || rgb(&path).is_err(), "{format:?} {cut} of {}", whole.len());
            assert!(size(&path).is_err(), "{format:?} {cut} of {}", whole.len());
            assert!(pixels_complete || label(&path, LabelEncoding::Rgb).is_err());
        }
        let path = disk.put(&whole[..whole.len() / 2]);
        refused(rgb(&path), "damaged image: ");
        refused(size(&path), "data end too early");
    }
}

#[test]
fn a_jpeg_that_was_cut_off_and_then_given_an_end_is_an_error_all_the_same() {
    let disk = Disk::new();
    let whole = encoded(picture(), ImageFormat::Jpeg);
    let scan = whole.windows(2).position(|w| w == [0xFF, 0xDA]).unwrap();
    for cut in (scan..whole.len() - 10).step_by(3) {
        let path = disk.put(&[&whole[..cut], &[0xFF, 0xD9]].concat());
        refused(rgb(&path), "damaged image: ");
    }
    // What cameras append is none of the picture.
    let appended = [&whole[..], &whole[..whole.len() / 2]].concat();
    assert_eq!(rgb(disk.put(&appended)).unwrap(), rgb(disk.put(&whole)).unwrap());
}

#[test]
fn damage_in_the_middle_is_an_error_or_a_picture_of_the_right_size_but_never_a_crash() {
    let disk = Disk::new();
    let mut stream = crate::random::Stream::new(1, 2, 3);
    for format in [ImageFormat::Png, ImageFormat::Jpeg] {
        let whole = encoded(picture(), format);
        for _ in 0..300 {
            let mut bytes = whole.clone();
            let at = stream.below(bytes.len() as u64) as usize;
            bytes[at] ^= 1 << stream.below(8);
            let path = disk.put(&bytes);
            if let Ok(image) = rgb(&path) {
                assert_eq!(image.as_raw().len(), (image.width() * image.height() * 3) as usize);
            }
            let _ =
                (size(&path), label(&path, LabelEncoding::Rgb), label(&path, LabelEncoding::Index));
        }
        // PNG has checksums, so there damage to the pixels is always found.
        let mut bytes = whole.clone();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0x10;
        if format == ImageFormat::Png {
            refused(rgb(disk.put(&bytes)), "damaged image: ");
        }
    }
}

#[test]
fn what_is_no_image_is_said_to_be_none() {
    let disk = Disk::new();
    let expected = "expected a PNG, JPEG, BMP, GIF, PNM, QOI, TIFF or WebP image, got ";
    refused(rgb(disk.put(b"")), &format!("{expected}an empty file"));
    refused(rgb(disk.put(b"<html>not found</html>")), &format!("{expected}a web page"));
    refused(rgb(disk.put(b"\0\0\0\x1cftypheic")), &format!("{expected}HEIC, or a video"));
    let pointer = b"version https://git-lfs.github.com/spec/v1\n";
    let error = refused(size(disk.put(pointer)), &format!("{expected}a Git LFS pointer"));
    assert!(error.hint_text().unwrap().contains("git lfs pull"));
    let text = disk.put(b"GI");
    refused(label(text, LabelEncoding::Index), &format!("{expected}another format"));
    refused(rgb(disk.put(b"GIF89a")), "damaged image: no GIF header");
    let missing = disk.dir.path().join("no").join("x.img");
    refused(rgb(missing), "cannot read: No such file");
}

#[test]
fn a_header_that_promises_too_much_costs_nothing() {
    let disk = Disk::new();
    let claim = |width: u32, height: u32| {
        let mut bytes = png_of(::png::ColorType::Grayscale, ::png::BitDepth::Eight, (1, 1), &[0]);
        bytes[16..20].copy_from_slice(&width.to_be_bytes());
        bytes[20..24].copy_from_slice(&height.to_be_bytes());
        let sum = crc(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&sum.to_be_bytes());
        disk.put(&bytes)
    };
    let too_large = "expected an image of 1 to 16384 pixels a side, got 4000000 x 1";
    refused(rgb(claim(4_000_000, 1)), too_large);
    refused(size(claim(4_000_000, 1)), too_large);
    refused(label(claim(4_000_000, 1), LabelEncoding::Index), too_large);
    let too_short = "damaged image: the header promises more than a file of 67 bytes can hold";
    refused(rgb(claim(16384, 16384)), too_short);
    refused(label(claim(16384, 16384), LabelEncoding::Index), too_short);
    let mut jpeg = encoded(picture(), ImageFormat::Jpeg);
    let frame = jpeg.windows(2).position(|w| w == [0xFF, 0xC0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0x40, 0, 0x40, 0]);
    refused(rgb(disk.put(&jpeg)), "the header promises more than a file of");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xFF, 0xFF, 0xFF]);
    refused(
        rgb(disk.put(&jpeg)),
        "expected an image of 1 to 16384 pixels a side, got 65535 x 65535",
    );
}

/// CRC-32 of a PNG chunk's type and data, bit by bit.
fn crc(bytes: &[u8]) -> u32 {
    let step = |c: u32| if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 };
    !bytes.iter().fold(!0u32, |c, &b| (0..8).fold(c ^ u32::from(b), |c, _| step(c)))
}

#[test]
fn an_honest_image_of_one_colour_is_not_taken_for_a_forgery() {
    let disk = Disk::new();
    let path = disk.put(&encoded(RgbImage::new(2048, 1024), ImageFormat::Png));
    assert_eq!(rgb(path).unwrap().dimensions(), (2048, 1024));
    let path = disk.put(&encoded(RgbImage::new(2048, 1024), ImageFormat::Jpeg));
    assert_eq!(rgb(path).unwrap().dimensions(), (2048, 1024));
}
