//! What `infer predict` writes of an image: label image, colour map, overlay with its legend.
//! Not the writing of a PNG file, which is `output`'s. Names come from `source`, which keeps them
//! apart.

use std::path::{Path, PathBuf};

use clap::Args;
use image::{GrayImage, RgbImage};
use shared::error::Result;
use shared::labels::Class;
use shared::output_path::make_folder;
use shared::render::{Entry, Palette, class_entries, legend, paste};

use crate::args::parse_share;
use crate::output::{write_ids, write_native, write_png};

/// What the user wants written; with none of the three: colour maps and overlays.
#[derive(Debug, Clone, Args)]
pub struct Kinds {
    /// Write label images NAME.png: the class id of each pixel in 8 bits, at the image's own size
    #[arg(long)]
    labels: bool,
    /// In label images, the data set's own ids in place of the class ids
    #[arg(long, requires = "labels")]
    native: bool,
    /// Write colour maps NAME_color.png, without a legend
    #[arg(long)]
    colors: bool,
    /// Write overlays NAME_overlay.png, with their legend below
    #[arg(long)]
    overlays: bool,
    /// Weight of the colours in the overlay, 0 to 1
    #[arg(long, default_value_t = 0.5, value_parser = parse_share)]
    opacity: f64,
}

const LEGEND: &str = "legend.png";

impl Kinds {
    /// Whether nothing was named: then there are pictures, and a legend for them all.
    fn is_default(&self) -> bool {
        !self.labels && !self.colors && !self.overlays
    }

    fn has_colors(&self) -> bool {
        self.colors || self.is_default()
    }

    fn has_overlays(&self) -> bool {
        self.overlays || self.is_default()
    }

    /// Endings of the files of one image.
    fn endings(&self) -> impl Iterator<Item = &'static str> {
        let kinds = [
            (self.labels, ".png"),
            (self.has_colors(), "_color.png"),
            (self.has_overlays(), "_overlay.png"),
        ];
        kinds.into_iter().filter(|(is_wanted, _)| *is_wanted).map(|(_, ending)| ending)
    }

    /// All that is written to `out` for images of these names.
    pub fn places<'a>(
        &'a self,
        out: &'a Path,
        names: impl Iterator<Item = &'a str> + 'a,
    ) -> impl Iterator<Item = PathBuf> + 'a {
        let legend = self.is_default().then(|| out.join(LEGEND));
        let of = move |name: &str| -> Vec<PathBuf> {
            self.endings().map(|ending| out.join(format!("{name}{ending}"))).collect()
        };
        names.flat_map(of).chain(legend)
    }

    /// For the user: the files of each image.
    pub fn words(&self) -> String {
        let files = self.endings().map(|ending| format!("NAME{ending}"));
        let legend = self.is_default().then(|| LEGEND.to_owned());
        files.chain(legend).collect::<Vec<_>>().join(", ")
    }
}

/// Writes to a folder what is wanted, in the colours of a class table.
pub struct Writer<'a> {
    kinds: &'a Kinds,
    out: &'a Path,
    classes: Vec<Class>,
    palette: Palette,
    entries: Vec<Entry>,
}

impl<'a> Writer<'a> {
    /// Makes nothing yet.
    pub fn new(kinds: &'a Kinds, out: &'a Path, classes: &[Class]) -> Self {
        let (palette, entries) = (Palette::new(classes), class_entries(classes));
        Self { kinds, out, classes: classes.to_vec(), palette, entries }
    }

    /// Writes the files of one image.
    ///
    /// # Errors
    /// A folder or file that cannot be written.
    pub fn write(&self, name: &str, image: &RgbImage, labels: &GrayImage) -> Result<()> {
        make_folder(self.out)?; // not before there is something to write
        for ending in self.kinds.endings() {
            let path = self.out.join(format!("{name}{ending}"));
            match ending {
                "_color.png" => write_png(&path, &self.palette.paint(labels)),
                "_overlay.png" => write_png(&path, &self.overlay(image, labels)),
                _ if self.kinds.native => write_native(&path, labels, &self.classes),
                _ => write_ids(&path, labels),
            }?;
        }
        Ok(())
    }

    /// Writes the legend that all pictures share, if nothing else was asked for.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub fn finish(&self) -> Result<()> {
        if self.kinds.is_default() {
            write_png(&self.out.join(LEGEND), &legend(&self.entries, 640, 16.0))?;
        }
        Ok(())
    }

    fn overlay(&self, image: &RgbImage, labels: &GrayImage) -> RgbImage {
        let overlay = self.palette.overlay(image, labels, self.kinds.opacity as f32);
        above(&overlay, &legend(&self.entries, image.width(), legend_size(image)))
    }
}

/// Text that can be read on a picture of this size.
fn legend_size(image: &RgbImage) -> f32 {
    (image.width() as f32 / 64.0).clamp(12.0, 28.0)
}

/// The one picture above the other, on white.
fn above(top: &RgbImage, bottom: &RgbImage) -> RgbImage {
    let width = top.width().max(bottom.width());
    let mut both =
        RgbImage::from_pixel(width, top.height() + bottom.height(), image::Rgb([255; 3]));
    paste(&mut both, top, 0, 0);
    paste(&mut both, bottom, 0, top.height());
    both
}
