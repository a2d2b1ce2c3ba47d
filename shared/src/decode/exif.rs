//! The EXIF orientation tag: how a camera was held, and so how its picture is to be turned.
//! Nothing else of EXIF is read, and labels are never turned.

use std::io::{Read, Seek, SeekFrom};

use image::metadata::Orientation;

/// Longest EXIF data that are looked into, in bytes; JPEG allows no more.
const MAX_EXIF: u64 = 1 << 16;

/// What the tag in raw EXIF data says; as stored if there is none, or one that means nothing.
pub(super) fn orientation(exif: Option<&[u8]>) -> Orientation {
    let exif = exif.map(|data| data.strip_prefix(b"Exif\0\0").unwrap_or(data));
    exif.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
}

/// What stands behind a PNG's header, found by stepping from chunk to chunk.
pub(super) struct PngChunks {
    pub orientation: Orientation,
    /// Whether the last chunk is there.
    pub whole: bool,
}

/// Steps through a PNG of `end` bytes; the tag's chunk may stand before the pixels or behind them.
pub(super) fn in_png(file: &mut (impl Read + Seek), end: u64) -> std::io::Result<PngChunks> {
    let mut found = PngChunks { orientation: Orientation::NoTransforms, whole: false };
    let mut at = 8; // behind the signature
    let mut chunk = [0; 8];
    while at + 12 <= end {
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut chunk)?;
        let length = u64::from(u32::from_be_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
        at += 12 + length;
        match &chunk[4..] {
            b"IEND" => {
                found.whole = true;
                break;
            }
            b"eXIf" => {
                let mut data = Vec::new();
                file.by_ref().take(length.min(MAX_EXIF)).read_to_end(&mut data)?;
                found.orientation = orientation(Some(&data));
            }
            _ => {}
        }
    }
    Ok(found)
}
