//! Formats by their first bytes. Not by a file's name, which may be wrong (`extension` has those).
//! What is no picture, or one in a format that is not decoded, is called by its name where that is known.

use std::path::Path;

use super::check::{CUT_OFF, bad};
use crate::error::Result;

/// The formats that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
    Bmp,
    Gif,
    Pnm,
    Qoi,
    Tiff,
    WebP,
}

const EXPECTED: &str = "expected a PNG, JPEG, BMP, GIF, PNM, QOI, TIFF or WebP image";

/// First bytes that tell the format.
const SIGNATURES: [(&[u8], Format); 10] = [
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"\xFF\xD8\xFF", Format::Jpeg),
    (b"BM", Format::Bmp),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"qoif", Format::Qoi),
    (b"II*\0", Format::Tiff),
    (b"MM\0*", Format::Tiff),
    (b"II+\0", Format::Tiff), // BigTIFF
    (b"MM\0+", Format::Tiff),
];

/// First bytes of what is met where pictures are expected.
const OTHERS: [(&[u8], &str, &str); 8] = [
    (
        b"version https://git-lfs",
        "a Git LFS pointer (a text in the image's place)",
        "fetch the files themselves: git lfs pull",
    ),
    (b"<!DOCTYPE html", "a web page", FETCH),
    (b"<html", "a web page", FETCH),
    (b"\0\0\0\x0CJXL ", "JPEG XL", CONVERT),
    (b"\xFF\x0A", "JPEG XL", CONVERT),
    (b"\0\0\0\x0CjP  ", "JPEG 2000", CONVERT),
    (b"\x76\x2F\x31\x01", "OpenEXR", CONVERT),
    (b"8BPS", "a Photoshop file", CONVERT),
];

const FETCH: &str = "the download answered with a page instead of the file: fetch it again";
const CONVERT: &str = "convert it to PNG";

/// The format of a file that begins with these bytes.
pub(super) fn format(path: &Path, bytes: &[u8]) -> Result<Format> {
    if bytes.is_empty() {
        return Err(bad(path, format!("{EXPECTED}, got an empty file")).hint(CUT_OFF));
    }
    if let Some((_, format)) = SIGNATURES.iter().find(|s| bytes.starts_with(s.0)) {
        return Ok(*format);
    }
    match bytes {
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Ok(Format::WebP),
        [b'P', b'1'..=b'6', b' ' | b'\t' | b'\r' | b'\n' | b'#', ..] => Ok(Format::Pnm),
        _ => {
            let (got, hint) = other(bytes);
            Err(bad(path, format!("{EXPECTED}, got {got}")).hint(hint))
        }
    }
}

fn other(bytes: &[u8]) -> (&'static str, &'static str) {
    if let Some((_, got, hint)) = OTHERS.iter().find(|o| bytes.starts_with(o.0)) {
        return (got, hint);
    }
    match bytes.get(4..12) {
        Some(b"ftypavif" | b"ftypavis") => ("AVIF", CONVERT),
        Some([b'f', b't', b'y', b'p', b'h' | b'm', ..]) => ("HEIC, or a video", CONVERT),
        _ => ("another format", CONVERT),
    }
}
