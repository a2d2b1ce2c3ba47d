//! Places to write: tried before the work and made after it, so that a wrong path costs no hour and a refused
//! request leaves nothing behind. Not the writing, which is `files`'. A wrong place is the request's fault.

use std::io::{self, ErrorKind};
use std::path::Path;

use crate::error::{Context, Error, Result};

/// Refuses a place where a file could not be written; makes nothing.
///
/// # Errors
/// A folder in place of a file, or one that cannot be written to (exit code 2).
pub fn check_file(file: &Path) -> Result<()> {
    let says_folder = file.as_os_str().as_encoded_bytes().ends_with(b"/");
    if says_folder || file.is_dir() {
        return Err(Error::request(format!(
            "{}: expected the name of a file, got a folder",
            file.display()
        ))
        .hint(format!("name a file in it, such as {}", file.join("NAME").display())));
    }
    // A link, a pipe or a device (`--json /dev/stdout`) is written where it leads, not in this folder.
    if file.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Ok(());
    }
    check_folder(folder_of(file))
}

/// Refuses a folder that could not be made or written to; makes nothing.
///
/// # Errors
/// Such a folder (exit code 2); a disk that is full or fails (1: it may pass).
pub fn check_folder(folder: &Path) -> Result<()> {
    try_to_write(folder).map_err(|e| {
        let line = format!("{}: cannot write to the folder: {e}", folder.display());
        match e.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                Error::work(line).hint("make room there, or name another folder")
            }
            _ => Error::request(line).hint(WRITABLE),
        }
    })
}

/// Creates a folder and those above it.
///
/// # Errors
/// One that cannot be made (exit code 2).
pub fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .request(|| format!("{}: cannot create the folder", folder.display()))
        .map_err(|e| e.hint(WRITABLE))
}

const WRITABLE: &str = "name a folder that allows writing, or that can be made";

/// A temporary file in the folder, or where it would have to be made.
fn try_to_write(folder: &Path) -> io::Result<()> {
    for place in folder.ancestors().filter(|place| !place.as_os_str().is_empty()) {
        if place.try_exists()? {
            return tempfile::tempfile_in(place).map(drop);
        }
    }
    tempfile::tempfile_in(".").map(drop)
}

/// Creates the folder of a file, and those above it.
///
/// # Errors
/// As [`make_folder`].
pub fn make_parent(file: &Path) -> Result<()> {
    make_folder(folder_of(file))
}

/// The folder of a file; the current one for a bare name.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_tried_without_being_made() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        check_folder(&folder.path().join("new/deep")).unwrap();
        check_file(&folder.path().join("new/scores.json")).unwrap();
        check_file(&file).unwrap();
        check_file(Path::new("/dev/stdout")).unwrap();
        for bad in [file.clone(), file.join("new"), "/proc/new".into(), "x".repeat(300).into()] {
            let error = check_folder(&bad).unwrap_err();
            assert_eq!(error.blame(), crate::error::Blame::Request);
            assert!(error.hint_text().is_some(), "{error}");
        }
        for bad in [folder.path().into(), folder.path().join("figure.svg/")] {
            let error = check_file(&bad).unwrap_err().to_string();
            assert!(error.contains("expected the name of a file, got a folder"), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
