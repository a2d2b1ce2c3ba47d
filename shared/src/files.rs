//! Writing files that matter: whole or not at all, whatever happens in between.
//! Not for logs that grow line by line, and not a lock: of two writers the last one wins.
//! The order (write beside, sync, rename, sync the folder) is the usual one on POSIX file systems.

use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Context, Error, Result};

/// Writes `bytes` to `path`; on any failure the file that was there stays as it was.
///
/// The folder must exist. Errors name the path and are the work's fault (exit code 1).
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic_with(path, |file| {
        file.write_all(bytes).work(|| format!("{}: cannot write", path.display()))
    })
}

/// As [`write_atomic`], for content that is produced piece by piece.
///
/// An error returned by `write` passes through, and the file that was there stays as it was.
pub fn write_atomic_with(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let (folder, beside) = beside(path)?;
    let result = write_then_rename(path, &beside, write);
    if result.is_err() {
        // Nothing to do about a second failure: the first one is what the user must see.
        let _ = fs::remove_file(&beside);
        return result;
    }
    // Only after this a power failure cannot undo the rename.
    File::open(&folder)
        .and_then(|f| f.sync_all())
        .work(|| format!("{}: cannot sync folder", folder.display()))
}

fn write_then_rename(
    path: &Path,
    beside: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let cannot = |what: &str| format!("{}: cannot {what}", path.display());
    let file =
        OpenOptions::new().write(true).create_new(true).open(beside).work(|| cannot("create"))?;
    let mut writer = BufWriter::with_capacity(1 << 18, file);
    write(&mut writer)?;
    let file = writer.into_inner().work(|| cannot("write"))?;
    file.sync_all().work(|| cannot("sync"))?;
    drop(file);
    fs::rename(beside, path).work(|| cannot("rename into place"))
}

/// The folder of `path`, and a name in it that no other writer uses.
fn beside(path: &Path) -> Result<(PathBuf, PathBuf)> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let Some(name) = path.file_name() else {
        return Err(Error::work(format!(
            "{}: expected the name of a file to write",
            path.display()
        )));
    };
    let folder = match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    };
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = format!(".{}.{}.{count}.tmp", name.to_string_lossy(), std::process::id());
    let beside = folder.join(temporary);
    // A file of that name was left by a dead process that had our number: nobody else writes it.
    let _ = fs::remove_file(&beside);
    Ok((folder, beside))
}

/// Removes what killed writers left beside their places in a folder that nobody else writes to.
///
/// A folder that cannot be read, or a file that cannot be removed, costs space and nothing else: no error.
pub fn remove_leftovers(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with('.') && name.ends_with(".tmp") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_write_replaces_the_file_and_leaves_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.bin");
        write_atomic(&path, b"old").unwrap();
        write_atomic(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(names(dir.path()), ["a.bin"]);
    }

    #[test]
    fn leftovers_of_killed_writers_go_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in [".last.safetensors.17.0.tmp", "last.safetensors", "notes.tmp", ".lock"] {
            fs::write(dir.path().join(name), b"x").unwrap();
        }
        remove_leftovers(dir.path());
        assert_eq!(names(dir.path()), [".lock", "last.safetensors", "notes.tmp"]);
    }

    #[test]
    fn a_failed_write_leaves_the_existing_file_intact() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.bin");
        write_atomic(&path, b"old").unwrap();
        let error = write_atomic_with(&path, |f| {
            f.write_all(b"half").work(|| "half".into())?;
            Err(Error::work("the pen broke"))
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "the pen broke");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["a.bin"]);
    }

    #[test]
    fn a_missing_folder_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = write_atomic(&dir.path().join("no/a.bin"), b"x").unwrap_err();
        assert!(error.to_string().contains("no/a.bin: cannot create: No such file"), "{error}");
    }
}
