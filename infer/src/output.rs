//! Writing what commands make: folders, pictures, label images, numbers. Whole files or none.
//! Not their content. Atomic writing itself is `shared::files`.
//! Errors of places to write are the request's, of writing the work's. Places are tried before the work and
//! made after it, so that a wrong path costs no hour and a refused request leaves nothing behind.

use std::io;
use std::path::Path;

use image::{ExtendedColorType, GrayImage, ImageEncoder, RgbImage};
use serde::Serialize;
use shared::error::{Context, Error, Result};
use shared::files::write_atomic;
use shared::labels::Class;

/// Writes a picture as PNG.
pub fn write_png(path: &Path, picture: &RgbImage) -> Result<()> {
    write(path, picture.as_raw(), picture.dimensions(), ExtendedColorType::Rgb8)
}

/// Writes train ids as the data set's own ids, in an 8-bit PNG.
pub fn write_native(path: &Path, labels: &GrayImage, classes: &[Class]) -> Result<()> {
    let mut native = [0; 256];
    native.iter_mut().zip(classes).for_each(|(id, class)| *id = class.native_id);
    let values: Vec<u8> = labels.as_raw().iter().map(|&l| native[usize::from(l)]).collect();
    make_parent(path)?;
    write(path, &values, labels.dimensions(), ExtendedColorType::L8)
}

fn write(path: &Path, values: &[u8], size: (u32, u32), color: ExtendedColorType) -> Result<()> {
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(values, size.0, size.1, color)
        .work(|| format!("{}: PNG", path.display()))?;
    write_atomic(path, &png)
}

/// Writes numbers as a line of JSON.
pub fn write_json(path: &Path, numbers: &impl Serialize) -> Result<()> {
    let json = serde_json::to_string(numbers).work(|| format!("{}: JSON", path.display()))?;
    make_parent(path)?;
    write_atomic(path, (json + "\n").as_bytes())
}

/// Refuses a place where a file could not be written; makes nothing.
pub fn check_file(file: &Path) -> Result<()> {
    if file.is_dir() {
        return Err(Error::request(format!(
            "{}: expected the name of a file, got a folder",
            file.display()
        ))
        .hint(format!("a file in it is {}", file.join("NAME").display())));
    }
    // A link, a pipe or a device (`--json /dev/stdout`) is written where it leads, not in this folder.
    if file.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Ok(());
    }
    check_folder(parent(file))
}

/// Refuses a folder that could not be made or written to; makes nothing.
pub fn check_folder(folder: &Path) -> Result<()> {
    try_to_write(folder).map_err(|e| {
        Error::request(format!("{}: expected a folder to write to, got {e}", folder.display()))
            .hint(WRITABLE)
    })
}

/// Creates a folder and those above it.
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

fn make_parent(file: &Path) -> Result<()> {
    make_folder(parent(file))
}

/// The folder of a file.
fn parent(file: &Path) -> &Path {
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
            assert_eq!(error.blame(), shared::error::Blame::Request);
            assert!(error.hint_text().is_some(), "{error}");
        }
        let error = check_file(folder.path()).unwrap_err();
        assert!(error.to_string().contains("expected the name of a file, got a folder"), "{error}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
