//! Predictions of several models on one scene: which scenes and regions are worth a look, and the paper's Fig. 3.
//! Not a score: what is chosen is where the models differ, not a fair sample. Who predicts is the caller's.
//! Layout after Fig. 3 of Tian et al., arXiv 2106.14917: image, truth, one column per model, regions enlarged.

mod interest;
mod pick;

use image::{GrayImage, RgbImage};

use crate::dataset::Index;
use crate::render::{Cell, Entry, Figure, IGNORED_COLOR, Kind, Palette, Rect, Row, class_entries};

pub use interest::Interest;
pub use pick::Picks;

/// An image of a split with what is true and what the models said.
#[derive(Debug)]
pub struct Scene {
    /// Which of the split's samples it is.
    pub index: usize,
    /// The photograph, at its own size.
    pub image: RgbImage,
    /// Train ids, 255 where it does not count.
    pub truth: GrayImage,
    /// Train ids by model, at the size of the truth.
    pub predictions: Vec<GrayImage>,
}

/// The photograph as a cell of a figure.
pub fn photo(scene: &Scene) -> Cell {
    Cell { picture: scene.image.clone(), kind: Kind::Photo, caption: String::new() }
}

/// A row of Fig. 3, with boxes around `regions`.
pub fn row(scene: &Scene, index: &Index, regions: Vec<Rect>) -> Row {
    let palette = Palette::new(&index.descriptor.classes);
    let map = |labels| Cell {
        picture: palette.paint(labels),
        kind: Kind::Labels,
        caption: String::new(),
    };
    let mut cells = vec![photo(scene), map(&scene.truth)];
    cells.extend(scene.predictions.iter().map(map));
    Row { caption: index.samples[scene.index].name.clone(), cells, regions }
}

/// The complete Fig. 3 for models of these `names`; in its legend a star marks the `rare` classes.
pub fn figure(
    index: &Index,
    names: &[String],
    rows: Vec<Row>,
    rare: &[usize],
    note: String,
) -> Figure {
    let columns =
        ["image", "truth"].into_iter().map(str::to_owned).chain(names.iter().cloned()).collect();
    let mut legend = class_entries(&index.descriptor.classes);
    rare.iter().for_each(|&class| legend[class].name += " *");
    legend.push(Entry::new("ignored", IGNORED_COLOR));
    Figure { title: String::new(), columns, rows, legend, note }
}
