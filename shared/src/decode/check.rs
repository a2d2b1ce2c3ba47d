//! What every image file has to pass before memory is spent on it.
//! Not a check of the pixels: the decoders find damage there.
//! The bounds on compression are the formats' own, so that no honest file is refused.

use std::fmt::Display;
use std::io::Cursor;
use std::path::Path;

use super::MAX_SIDE;
use crate::error::{Context, Error, Result};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 30;

const CUT_OFF: &str = "it may have been cut off while it was copied: fetch it again";

const PNG_SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";

/// The formats that are decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Png,
    Jpeg,
}

/// The file's bytes, unless there are none or too many.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("{}: cannot read", path.display());
    let size = std::fs::metadata(path).request(cannot)?.len();
    if size > MAX_FILE {
        return Err(bad(path, format!("expected a file of at most {MAX_FILE} bytes, got {size}")));
    }
    std::fs::read(path).request(cannot)
}

/// The format by the first bytes; a file's ending is not asked.
pub(super) fn format(path: &Path, bytes: &[u8]) -> Result<Format> {
    match bytes {
        [] => Err(bad(path, "expected a PNG or JPEG image, got an empty file").hint(CUT_OFF)),
        b if b.starts_with(PNG_SIGNATURE) => Ok(Format::Png),
        [0xFF, 0xD8, 0xFF, ..] => Ok(Format::Jpeg),
        _ => {
            Err(bad(path, "expected a PNG or JPEG image, got another format")
                .hint("convert it to PNG"))
        }
    }
}

/// Refuses sides out of bounds.
pub(super) fn bounds(path: &Path, width: u32, height: u32) -> Result<()> {
    let sides = 1..=MAX_SIDE;
    if sides.contains(&width) && sides.contains(&height) {
        return Ok(());
    }
    Err(bad(
        path,
        format!("expected an image of 1 to {MAX_SIDE} pixels a side, got {width} x {height}"),
    ))
}

/// Refuses a file too short for what its header promises: a few bytes must not cost a gigabyte.
///
/// `at_most` is the most that one byte of the file can hold, in the unit of `promised`.
pub(super) fn length(path: &Path, promised: u64, at_most: u64, bytes: &[u8]) -> Result<()> {
    if promised <= at_most * bytes.len() as u64 {
        return Ok(());
    }
    Err(damaged(
        path,
        format!("the header promises more than a file of {} bytes can hold", bytes.len()),
    ))
}

/// A PNG decoder that has read the header, and found it within bounds.
pub(super) fn png<'a>(
    path: &Path,
    bytes: &'a [u8],
    transformations: png::Transformations,
) -> Result<png::Reader<Cursor<&'a [u8]>>> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(transformations);
    decoder.set_ignore_text_chunk(true);
    decoder.set_ignore_iccp_chunk(true);
    let info = decoder.read_header_info().map_err(|e| damaged(path, e))?;
    let (width, height) = info.size();
    let raw = info.raw_row_length() as u64 * u64::from(height);
    bounds(path, width, height)?;
    length(path, raw, 1032, bytes)?; // deflate's best: 258 bytes for two bits
    decoder.read_info().map_err(|e| damaged(path, e))
}

/// The pixels of a PNG as the transformations leave them.
pub(super) fn png_pixels(path: &Path, reader: &mut png::Reader<Cursor<&[u8]>>) -> Result<Vec<u8>> {
    let size =
        reader.output_buffer_size().ok_or_else(|| damaged(path, "more pixels than memory"))?;
    let mut pixels = vec![0; size];
    reader.next_frame(&mut pixels).map_err(|e| damaged(path, e))?;
    Ok(pixels)
}

pub(super) fn bad(path: &Path, what: impl Display) -> Error {
    Error::request(format!("{}: {what}", path.display()))
}

pub(super) fn damaged(path: &Path, what: impl Display) -> Error {
    bad(path, format!("damaged image: {what}")).hint(CUT_OFF)
}
