//! Data sets on disk as their authors lay them out, made small: what is found, what is refused, in which words.
//! Not the real ones: CamVid has its own file under `tests/`.

mod builtin;
mod descriptors;
mod files;
mod lists;
mod masks;
mod mixup;
mod names;
mod palettes;
mod pixels;
mod values;

use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, RgbImage};

use super::*;

/// A folder to fill, and what is asked of it.
struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        Disk { dir: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn place(&self, path: &str) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn image(&self, path: &str) {
        RgbImage::from_pixel(4, 2, image::Rgb([9, 8, 7])).save(self.place(path)).unwrap();
    }

    /// A label of 4 x 2 pixels.
    fn label(&self, path: &str, values: [u8; 8]) {
        GrayImage::from_raw(4, 2, values.to_vec()).unwrap().save(self.place(path)).unwrap();
    }

    fn label_16(&self, path: &str, values: [u16; 8]) {
        let pixels: Vec<u16> = values.iter().flat_map(|&v| [v, 77, 0]).collect();
        image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(4, 2, pixels)
            .unwrap()
            .save(self.place(path))
            .unwrap();
    }

    fn city(&self, name: &str, ids: &str, values: [u8; 8]) {
        self.image(&format!("leftImg8bit/val/aachen/{name}_leftImg8bit.png"));
        self.label(&format!("gtFine/val/aachen/{name}_gtFine_{ids}.png"), values);
    }

    fn camvid(&self, name: &str, values: [u8; 8]) {
        self.image(&format!("val/{name}.jpg"));
        self.label(&format!("valannot/{name}.png"), values);
    }

    fn open(&self, dataset: &str, split: &str) -> crate::error::Result<Index> {
        Index::open(&Descriptor::find(dataset)?, self.root(), split)
    }

    /// The error of opening, with the folder's name taken out, and its hint.
    fn refused(&self, dataset: &str, split: &str) -> (String, String) {
        self.words(self.open(dataset, split).expect_err("it should be refused"))
    }

    fn words(&self, error: crate::error::Error) -> (String, String) {
        let short = |s: &str| s.replace(&self.root().display().to_string(), "ROOT");
        (short(&error.to_string()), short(error.hint_text().unwrap_or_default()))
    }
}

#[track_caller]
fn says(got: &(String, String), line: &str, hint: &str) {
    assert_eq!(got.0, line);
    assert_eq!(got.1, hint);
}
