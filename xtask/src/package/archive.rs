//! A folder as one compressed file, and checksums of what is in it.
//!
//! Names are sorted, and times, owners and modes are fixed, so that the same files give the same bytes. Both
//! files are written beside their place and renamed when they are whole.

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use std::fs::{self, File, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tar::{Builder, EntryType, Header};
use tempfile::NamedTempFile;

/// Checksums of all other files, in the format of `sha256sum`.
const SUMS: &str = "SHA256SUMS";

/// The files under a folder, sorted by their names relative to it.
pub fn files(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(root)?.to_string_lossy().into_owned();
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Writes the checksums of what is in a folder into it; `sha256sum -c SHA256SUMS` compares them there.
pub fn write_sums(root: &Path) -> Result<()> {
    let mut lines = String::new();
    for (name, path) in files(root)? {
        lines += &format!("{}  {name}\n", sha256(&path)?);
    }
    fs::write(root.join(SUMS), lines).context(SUMS)
}

/// Packs a folder, under its own name, into the file at `path`, and `path.sha256` beside it.
pub fn write(root: &Path, path: &Path) -> Result<()> {
    let archive = beside(path)?;
    pack(root, archive.as_file())?;
    let name = path.file_name().context("the archive has no name")?.to_string_lossy().into_owned();
    let sums = path.with_file_name(format!("{name}.sha256"));
    let sum = beside(&sums)?;
    writeln!(sum.as_file(), "{}  {name}", sha256(archive.path())?)?;
    for (file, path) in [(archive, path), (sum, &sums)] {
        file.as_file().sync_all()?;
        file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// A file in the folder of `path` that is gone again if it does not get its name.
fn beside(path: &Path) -> Result<NamedTempFile> {
    let folder = path.parent().context("the archive has no folder")?;
    // What the user's umask leaves of it: the archive is no secret.
    let mut builder = tempfile::Builder::new();
    let builder = builder.permissions(Permissions::from_mode(0o666));
    builder.tempfile_in(folder).with_context(|| format!("cannot write in {}", folder.display()))
}

fn pack(root: &Path, to: &File) -> Result<()> {
    let top = root.file_name().context("the folder has no name")?.to_string_lossy().into_owned();
    let files = files(root)?;
    let bar = progress(&files)?;
    let mut tar = Builder::new(GzEncoder::new(BufWriter::new(to), Compression::default()));
    let mut packed_folders = Vec::new();
    for (name, path) in files {
        let name = format!("{top}/{name}");
        // The folders above a file come before it, each once.
        for (end, _) in name.match_indices('/') {
            let folder = &name[..=end];
            if !packed_folders.iter().any(|packed| packed == folder) {
                tar.append_data(&mut header(EntryType::Directory, 0, 0o755), folder, io::empty())?;
                packed_folders.push(folder.to_owned());
            }
        }
        let file = File::open(&path)?;
        let metadata = file.metadata()?;
        let mode = if metadata.permissions().mode() & 0o100 != 0 { 0o755 } else { 0o644 };
        let mut header = header(EntryType::Regular, metadata.len(), mode);
        tar.append_data(&mut header, name, bar.wrap_read(file))?;
    }
    tar.into_inner()?.finish()?.flush()?;
    bar.finish_and_clear();
    Ok(())
}

/// Owner 0 and a fixed time, so that the same files give the same bytes.
fn header(kind: EntryType, size: u64, mode: u32) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(tar::DETERMINISTIC_TIMESTAMP);
    header
}

fn progress(files: &[(String, PathBuf)]) -> Result<ProgressBar> {
    let sizes = files.iter().map(|(_, path)| Ok(fs::metadata(path)?.len()));
    let bar = ProgressBar::new(sizes.sum::<Result<u64>>()?);
    let style = "packing [{bar:40}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
    bar.set_style(ProgressStyle::with_template(style)?.progress_chars("=> "));
    Ok(bar)
}

fn sha256(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_by_name_and_folders_stand_once_above_them() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("top");
        fs::create_dir_all(root.join("b/c")).unwrap();
        for name in ["z", "b/2", "b/1", "b/c/3", "a"] {
            fs::write(root.join(name), name).unwrap();
        }
        let path = folder.path().join("x.tar.gz");
        write(&root, &path).unwrap();
        let unpacked = flate2::read::GzDecoder::new(File::open(&path).unwrap());
        let mut archive = tar::Archive::new(unpacked);
        let names: Vec<String> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        let expected =
            ["top/", "top/a", "top/b/", "top/b/1", "top/b/2", "top/b/c/", "top/b/c/3", "top/z"];
        assert_eq!(names, expected);
        let sum = fs::read_to_string(folder.path().join("x.tar.gz.sha256")).unwrap();
        assert_eq!(sum, format!("{}  x.tar.gz\n", sha256(&path).unwrap()));
    }

    #[test]
    fn a_checksum_is_that_of_the_standard() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("abc");
        fs::write(&path, "abc").unwrap();
        // FIPS 180-4's own example.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sha256(&path).unwrap(), expected);
    }

    #[test]
    fn what_cannot_be_packed_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(write(&folder.path().join("none"), &folder.path().join("x.tar.gz")).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
