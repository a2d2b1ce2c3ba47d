//! Pictures of a run on its way: some validation images beside their labels and what the network makes
//! of them now. Not a validation: nothing is counted.

use crate::model::deeplab::DeepLab;
use crate::model::params::Parameters;
use crate::validate::labels;
use image::{GrayImage, RgbImage};
use shared::dataset::Index;
use shared::error::Result;
use shared::preprocess::at_evaluation_size;
use shared::render::{Cell, Figure, Kind, Palette, Row, class_entries};

/// Pixels across one picture of the figure.
const CELL_WIDTH: u32 = 320;

/// How much of a pixel's color is its class's.
const OPACITY: f32 = 0.65;

/// The samples to draw: `count` of `all`, evenly spread, since neighbors of a drive look alike.
pub fn spread(count: usize, all: usize) -> Vec<usize> {
    let count = count.min(all);
    (0..count).map(|i| i * all / count).collect()
}

/// A figure with a row for each sample: image, label, prediction.
///
/// # Errors
/// A sample that cannot be read, or memory that is not there.
pub fn draw(
    network: &DeepLab,
    parameters: &Parameters,
    index: &Index,
    samples: &[usize],
    size: Option<[u32; 2]>,
    title: &str,
) -> Result<RgbImage> {
    let palette = Palette::new(&index.descriptor.classes);
    let row = |&sample: &usize| -> Result<Row> {
        let (image, label) = index.load(sample)?;
        let predicted = labels(
            network,
            parameters,
            &at_evaluation_size(image.clone(), size),
            label.dimensions(),
        )?;
        let shown = |labels: &GrayImage| palette.overlay(&image, labels, OPACITY);
        let cells = [image.clone(), shown(&label), shown(&predicted)].map(|picture| Cell {
            picture,
            kind: Kind::Photo,
            caption: String::new(),
        });
        let caption = index.samples[sample].name.clone();
        Ok(Row { caption, cells: cells.into(), regions: vec![] })
    };
    let figure = Figure {
        title: title.into(),
        columns: ["image", "label", "prediction"].map(String::from).into(),
        rows: samples.iter().map(row).collect::<Result<_>>()?,
        legend: class_entries(&index.descriptor.classes),
        note: String::new(),
    };
    Ok(figure.draw(CELL_WIDTH))
}

#[cfg(test)]
mod tests {
    use super::spread;

    #[test]
    fn samples_are_spread_over_the_split_and_none_comes_twice() {
        assert_eq!(spread(3, 100), [0, 33, 66]);
        assert_eq!(spread(5, 3), [0, 1, 2]);
        assert_eq!(spread(0, 3), [0usize; 0]);
        assert_eq!(spread(2, 0), [0usize; 0]);
    }
}
