//! Writing what commands make: folders, pictures, label images, numbers. Whole files or none.
//! Not their content. Atomic writing itself is `shared::files`, the places are `shared::output_path`.

use std::path::Path;

use image::{ExtendedColorType, GrayImage};
use serde::Serialize;
use shared::error::{Context, Result};
use shared::files::write_atomic;
use shared::labels::Class;
use shared::output_path::{check_file, make_parent};
use shared::png_file;
pub use shared::png_file::write_rgb as write_png;

/// Writes train ids as the data set's own ids, in an 8-bit PNG.
pub fn write_native(path: &Path, labels: &GrayImage, classes: &[Class]) -> Result<()> {
    let mut native = [0; 256];
    native.iter_mut().zip(classes).for_each(|(id, class)| *id = class.native_id);
    let values: Vec<u8> = labels.as_raw().iter().map(|&l| native[usize::from(l)]).collect();
    make_parent(path)?;
    png_file::write(path, &values, labels.dimensions(), ExtendedColorType::L8)
}

/// Writes train ids as they are, in an 8-bit PNG.
pub fn write_ids(path: &Path, labels: &GrayImage) -> Result<()> {
    make_parent(path)?;
    png_file::write(path, labels.as_raw(), labels.dimensions(), ExtendedColorType::L8)
}

/// Refuses a place of `--json` that could not be written to; makes nothing.
pub fn check_json(path: Option<&Path>) -> Result<()> {
    path.map_or(Ok(()), check_file).map_err(|e| e.within("--json"))
}

/// Writes numbers as a line of JSON.
pub fn write_json(path: &Path, numbers: &impl Serialize) -> Result<()> {
    let json = serde_json::to_string(numbers).work(|| format!("{}: JSON", path.display()))?;
    make_parent(path)?;
    write_atomic(path, (json + "\n").as_bytes())
}
