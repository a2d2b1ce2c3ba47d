//! What every image file has to pass before memory is spent on it.
//! Not a check of the pixels: the decoders find damage there.
//! The bounds on compression are the formats' own, so that no honest file is refused.

use std::fmt::Display;
use std::path::Path;

use super::MAX_SIDE;
use crate::error::{Context, Error, Result};

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 30;

pub(super) const CUT_OFF: &str = "it may have been cut off while it was copied: fetch it again";

/// The file's bytes, unless there are none or too many.
pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
    let cannot = || format!("{}: cannot read", path.display());
    let size = std::fs::metadata(path).request(cannot)?.len();
    if size > MAX_FILE {
        return Err(bad(path, format!("expected a file of at most {MAX_FILE} bytes, got {size}")));
    }
    std::fs::read(path).request(cannot)
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

/// Room for the samples of a picture, if there is such memory.
pub(super) fn room(path: &Path, bytes: u64) -> Result<Vec<u8>> {
    let size = usize::try_from(bytes).map_err(|_| damaged(path, "more than memory"))?;
    Ok(vec![0; size])
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

pub(super) fn bad(path: &Path, what: impl Display) -> Error {
    Error::request(format!("{}: {what}", path.display()))
}

pub(super) fn damaged(path: &Path, what: impl Display) -> Error {
    bad(path, format!("damaged image: {what}")).hint(CUT_OFF)
}
