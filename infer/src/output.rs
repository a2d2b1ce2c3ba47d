//! Writing what commands make: folders, pictures, label images. Whole files or none.
//! Not their content. Atomic writing itself is `shared::files`.
//! Errors of places to write are the request's, of writing the work's.

use std::path::Path;

use image::{ExtendedColorType, GrayImage, ImageEncoder, RgbImage};
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
    make_parent(Some(path))?;
    write(path, &values, labels.dimensions(), ExtendedColorType::L8)
}

fn write(path: &Path, values: &[u8], size: (u32, u32), color: ExtendedColorType) -> Result<()> {
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(values, size.0, size.1, color)
        .work(|| format!("{}: PNG", path.display()))?;
    write_atomic(path, &png)
}

/// Creates the folder that a file is to be written in.
pub fn make_parent(file: Option<&Path>) -> Result<()> {
    match file {
        Some(path) if path.is_dir() => Err(Error::request(format!(
            "{}: expected the name of a file, got a folder",
            path.display()
        ))),
        Some(path) => {
            path.parent().filter(|p| !p.as_os_str().is_empty()).map_or(Ok(()), make_folder)
        }
        None => Ok(()),
    }
}

/// Creates a folder and those above it.
pub fn make_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .request(|| format!("{}: cannot create the folder", folder.display()))
}
