//! The paper's Fig. 3 for losses of a suite: what the weights trained with each of them predict, side by side.
//! Not a fair sample: the scenes are those where the losses differ most on rare classes, which is said below.

use crate::checkpoint::{self, Trained};
use crate::model::params::Precision;
use crate::validate::labels;
use image::RgbImage;
use shared::card::{RARE_SHARE, rare_classes};
use shared::compare::{self, Interest, Picks, Scene};
use shared::dataset::Index;
use shared::error::Result;
use shared::preprocess::at_evaluation_size;
use std::path::{Path, PathBuf};
use tch::Device;

/// Rows of the figure.
const ROWS: usize = 3;

/// Regions enlarged in each row.
const REGIONS: usize = 2;

/// Width of a picture, in pixels.
const WIDTH: u32 = 420;

/// A column: a heading, and the weights that predict.
pub struct Column {
    /// The heading.
    pub name: String,
    /// A checkpoint.
    pub weights: PathBuf,
}

/// Draws the panel over a split. `go_on` is called after each image; if it is false, there is no panel.
///
/// # Errors
/// A checkpoint or an image that cannot be read.
pub fn draw(
    columns: &[Column],
    index: &Index,
    device: Device,
    precision: Precision,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<RgbImage>> {
    let load = |path: &Path| Ok(checkpoint::load(path, device, precision)?.0);
    let models =
        columns.iter().map(|column| load(&column.weights)).collect::<Result<Vec<Trained>>>()?;
    let Some(first) = models.first() else { return Ok(None) };
    let share = &first.about.class_share;
    let rare = rare_classes(share);
    let interest = Interest::new(&rare, share, share.len());

    let images = index.samples.len();
    let bar = crate::monitor::progress::count("predicting", images as u64);
    let mut picks = Picks::new(images, ROWS, &rare);
    for i in 0..images {
        picks.see(&scene(i, index, &models)?, &interest);
        bar.inc(1);
        if !go_on() {
            bar.finish_and_clear();
            return Ok(None);
        }
    }
    bar.finish_and_clear();
    let mut rows = Vec::new();
    for i in picks.scenes() {
        let scene = scene(i, index, &models)?;
        rows.push(compare::row(&scene, index, interest.regions(&scene, REGIONS)));
    }
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let note = format!(
        "Scenes and regions: where they differ most on rare classes. * rare: under {:.0} % of the training set's pixels.",
        100.0 * RARE_SHARE
    );
    Ok(Some(compare::figure(index, &names, rows, &rare, note).draw(WIDTH)))
}

fn scene(i: usize, index: &Index, models: &[Trained]) -> Result<Scene> {
    let (image, truth) = index.load(i)?;
    let predict = |model: &Trained| {
        let input = at_evaluation_size(image.clone(), model.about.evaluation_size);
        labels(&model.network, &model.parameters, &input, truth.dimensions())
    };
    let predictions = models.iter().map(predict).collect::<Result<Vec<_>>>()?;
    Ok(Scene { index: i, image, truth, predictions })
}
