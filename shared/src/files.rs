//! Writing files that matter: whole or not at all, whatever happens in between.
//! Not for logs that grow line by line. Of two writers the last one wins, unless they agree on a file to [`lock`].
//! The order (write beside, sync, rename, sync the folder) is the usual one on POSIX file systems. A link keeps
//! pointing where it did, and to what is no file (`--json /dev/stdout`, a pipe) bytes are only passed on.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Context, Error, Result};
use crate::output_path::folder_of;

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
    let path = &followed(path);
    if is_stream(path) {
        let file = OpenOptions::new().append(true).open(path);
        let file = file.work(|| format!("{}: cannot open", path.display()))?;
        return fill(path, file, write).map(drop);
    }
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

/// Where links lead, be it to nothing yet. Those in /proc, where `/dev/stdout` leads, are files that are open already.
fn followed(path: &Path) -> PathBuf {
    let mut path = path.to_owned();
    // As many as Linux follows.
    for _ in 0..40 {
        match fs::read_link(&path) {
            Ok(next) if !path.starts_with("/proc") => {
                path = path.parent().unwrap_or(Path::new("")).join(next);
            }
            _ => break,
        }
    }
    path
}

/// Whether bytes only pass through: a device, a pipe, or a file that somebody holds open and goes on writing to.
fn is_stream(path: &Path) -> bool {
    path.starts_with("/proc") || fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir())
}

fn write_then_rename(
    path: &Path,
    beside: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    let cannot = |what: &str| format!("{}: cannot {what}", path.display());
    let file =
        OpenOptions::new().write(true).create_new(true).open(beside).work(|| cannot("create"))?;
    let file = fill(path, file, write)?;
    file.sync_all().work(|| cannot("sync"))?;
    drop(file);
    fs::rename(beside, path).work(|| cannot("rename into place"))
}

/// Writes through a buffer, to the last byte, and gives the file back.
fn fill(
    path: &Path,
    file: File,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<File> {
    let mut writer = BufWriter::with_capacity(1 << 18, file);
    write(&mut writer)?;
    writer.into_inner().work(|| format!("{}: cannot write", path.display()))
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
    let folder = folder_of(path).to_owned();
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
        if is_beside(&entry.file_name().to_string_lossy()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a name is one that [`beside`] gives: `.NAME.PID.COUNT.tmp`.
fn is_beside(name: &str) -> bool {
    let words = name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp"));
    let mut words = words.unwrap_or_default().rsplitn(3, '.'); // COUNT, PID, NAME
    let number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    words.next().is_some_and(number)
        && words.next().is_some_and(number)
        && words.next().is_some_and(|name| !name.is_empty())
}

/// Creates a file and locks it for as long as the result lives; nothing if another process holds it. It is never
/// removed: whoever waits for it must wait for the same file.
///
/// # Errors
/// A file that cannot be created, a file system without locks: whose fault that is, the caller knows.
pub fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = File::create(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(cause),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::{FileTypeExt, symlink};
    use std::process::Command;
    use std::thread;

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
    fn a_link_stays_and_the_file_that_it_leads_to_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (link, link_to_it) = (dir.path().join("link"), dir.path().join("link-to-it"));
        fs::create_dir(dir.path().join("real")).unwrap();
        symlink("real/a.bin", &link).unwrap();
        symlink(&link, &link_to_it).unwrap();
        for bytes in [b"not there before", b"replaced as ever"] {
            write_atomic(&link_to_it, bytes).unwrap();
            assert_eq!(fs::read(dir.path().join("real/a.bin")).unwrap(), bytes);
        }
        assert_eq!(names(&dir.path().join("real")), ["a.bin"]);
        assert_eq!(names(dir.path()), ["link", "link-to-it", "real"]);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn a_pipe_is_written_to_and_stays_a_pipe() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let reader = thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe)
        });
        write_atomic(&pipe, b"{}\n").unwrap();
        assert!(fs::metadata(&pipe).unwrap().file_type().is_fifo());
        assert_eq!(names(dir.path()), ["pipe"]);
        assert_eq!(reader.join().unwrap().unwrap(), b"{}\n");
    }

    #[test]
    fn a_file_that_is_open_already_is_added_to() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("output.txt");
        let mut held = File::create(&path).unwrap();
        held.write_all(b"a table\n").unwrap();
        // As /dev/stdout leads to /proc/self/fd/1, here by a link of the same kind.
        let stdout = dir.path().join("stdout");
        symlink(format!("/proc/self/fd/{}", held.as_raw_fd()), &stdout).unwrap();
        write_atomic(&stdout, b"{}\n").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"a table\n{}\n");
        assert_eq!(names(dir.path()), ["output.txt", "stdout"]);
    }

    #[test]
    fn leftovers_of_killed_writers_go_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let own = [".last.safetensors.17.0.tmp", ".a.4194304.12.tmp"];
        let others = [
            "..17.0.tmp",
            ".17.0.tmp",
            ".lock",
            ".vimrc.tmp",
            ".x.1.b.tmp",
            ".x.1.tmp",
            "a.1.2.tmp",
        ];
        for name in own.iter().chain(&others) {
            fs::write(dir.path().join(name), b"x").unwrap();
        }
        remove_leftovers(dir.path());
        assert_eq!(names(dir.path()), others);

        // What `beside` gives is what is found again.
        let (_, left) = beside(&dir.path().join("last.safetensors")).unwrap();
        fs::write(left, b"x").unwrap();
        remove_leftovers(dir.path());
        assert_eq!(names(dir.path()), others);
    }

    #[test]
    fn a_lock_has_one_holder() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".lock");
        let _held = lock(&path).unwrap().expect("nobody else's");
        assert!(lock(&path).unwrap().is_none());
    }

    #[test]
    fn a_lock_that_cannot_be_had_at_all_is_not_taken_for_a_held_one() {
        let dir = tempfile::tempdir().unwrap();
        let error = lock(&dir.path().join("no/.lock")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
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
