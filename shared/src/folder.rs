//! What lies in a folder of pictures besides pictures: hidden files, and formats that nobody here reads.
//! Not data sets, and not decoding: only names are looked at.

use std::ffi::OsStr;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

pub use crate::decode::is_picture;
use crate::decode::is_unread_picture;
use crate::error::{Context, Result};

/// What systems leave in folders, besides names that begin with a dot.
const CLUTTER: [&str; 7] = [
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "@eadir", // thumbnails of Synology's, with endings of pictures
    "#recycle",
    "$recycle.bin",
    "__macosx",
];

/// Names that are spelled out where many are left out.
const SHOWN: usize = 3;

/// Whether a file or folder of this name is passed over without a word: hidden, or a system's own.
pub fn is_clutter(name: &OsStr) -> bool {
    let bytes = name.as_encoded_bytes();
    bytes.starts_with(b".") || CLUTTER.iter().any(|c| bytes.eq_ignore_ascii_case(c.as_bytes()))
}

/// Whether the ending is that of a picture, be it one that can be decoded or not.
pub fn is_picture_like(path: &Path) -> bool {
    is_picture(path) || is_unread_picture(path)
}

/// Calls `visit` with every file below a folder until it breaks; without a folder there is none. Clutter is passed over.
///
/// # Errors
/// A folder that cannot be listed.
pub fn each_file_below(
    folder: &Path,
    visit: &mut dyn FnMut(&Path) -> ControlFlow<()>,
) -> Result<ControlFlow<()>> {
    if !folder.is_dir() {
        return Ok(ControlFlow::Continue(()));
    }
    let cannot = || format!("{}: cannot list folder", folder.display());
    for entry in fs::read_dir(folder).request(cannot)? {
        let entry = entry.request(cannot)?;
        if is_clutter(&entry.file_name()) {
            continue;
        }
        let path = entry.path();
        let flow = if !path.is_dir() {
            visit(&path)
        } else if leads_back(&path) {
            ControlFlow::Continue(())
        } else {
            each_file_below(&path, visit)?
        };
        if flow.is_break() {
            return Ok(flow);
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// Whether a folder is a link to one that it lies in: a walk would never end.
pub fn leads_back(folder: &Path) -> bool {
    folder.is_symlink()
        && folder.canonicalize().is_ok_and(|target| {
            folder
                .parent()
                .and_then(|p| p.canonicalize().ok())
                .is_some_and(|p| p.starts_with(target))
        })
}

/// `what: 5 (a, b, c, ...)`, the paths as they lie under `root`.
pub fn count(what: &str, paths: &[PathBuf], root: &Path) -> String {
    let name = |p: &PathBuf| p.strip_prefix(root).unwrap_or(p).display().to_string();
    let names: Vec<String> = paths.iter().take(SHOWN).map(name).collect();
    let more = if paths.len() > SHOWN { ", ..." } else { "" };
    format!("{what}: {} ({}{more})", paths.len(), names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_files_and_those_of_systems_are_clutter() {
        for name in [".DS_Store", "._x.jpg", "Thumbs.db", "@eaDir", "__MACOSX", ".git"] {
            assert!(is_clutter(OsStr::new(name)), "{name}");
        }
        for name in ["x.jpg", "a.b", "eaDir", "_x.png"] {
            assert!(!is_clutter(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn endings_count_in_any_case() {
        assert!(is_picture(Path::new("a/B.JPeG")) && !is_picture(Path::new("a/b.heic")));
        assert!(is_picture_like(Path::new("a/b.HEIC")) && !is_picture_like(Path::new("a/b.txt")));
        assert!(!is_picture_like(Path::new("png")));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_to_a_folder_around_it_is_not_followed_for_ever() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("a")).unwrap();
        fs::write(dir.path().join("a/x.png"), "").unwrap();
        std::os::unix::fs::symlink(dir.path(), dir.path().join("a/back")).unwrap();
        let mut files = 0;
        let mut count = |_: &Path| {
            files += 1;
            ControlFlow::Continue(())
        };
        assert!(each_file_below(dir.path(), &mut count).unwrap().is_continue());
        assert_eq!(files, 1);
    }
}
