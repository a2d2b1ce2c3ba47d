//! Writing what commands make: folders, pictures, label images, numbers. Whole files or none.
//! Not their content. Atomic writing itself is `shared::files`, the places are `shared::output_path`.

use std::path::Path;

use image::{ExtendedColorType, GrayImage, ImageEncoder, RgbImage};
use serde::Serialize;
use shared::error::{Context, Result};
use shared::files::write_atomic;
use shared::labels::Class;
use shared::output_path::{check_file, make_parent};

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

/// Writes train ids as they are, in an 8-bit PNG.
pub fn write_ids(path: &Path, labels: &GrayImage) -> Result<()> {
    make_parent(path)?;
    write(path, labels.as_raw(), labels.dimensions(), ExtendedColorType::L8)
}

fn write(path: &Path, values: &[u8], size: (u32, u32), color: ExtendedColorType) -> Result<()> {
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(values, size.0, size.1, color)
        .work(|| format!("{}: PNG", path.display()))?;
    write_atomic(path, &png)
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
