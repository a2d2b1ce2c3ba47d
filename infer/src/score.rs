//! Running models over a split: the loop behind `eval` and `compare`, its confusion matrices and timers.
//! Not the commands' output. Images are decoded and resized in the background; batch size is 1.
//! Scores are counted at the label's own size (`shared::metrics` has the definitions).

use std::time::{Duration, Instant};

use image::{GrayImage, RgbImage};
use indicatif::{ProgressBar, ProgressStyle};
use shared::card::Card;
use shared::compare::Scene;
use shared::dataset::{Descriptor, Index};
use shared::error::{Error, Result};
use shared::labels::IGNORE;
use shared::metrics::{Confusion, Report};

use crate::average::Averaging;
use crate::feed::{feed, loader_threads};
use crate::interrupt;
use crate::session::{Model, Resized, Sizing};

/// Times of one stage or the other, one per image.
#[derive(Debug, Default)]
pub struct Times {
    /// Decoding and resizing, in the background.
    pub prepare: Vec<Duration>,
    /// ONNX Runtime.
    pub run: Vec<Duration>,
    /// From its output to labels at the label's size.
    pub post: Vec<Duration>,
}

/// What one model scored.
#[derive(Debug)]
pub struct Score {
    /// Over all images.
    pub confusion: Confusion,
    /// Per image.
    pub times: Times,
    /// How labels came to the label's size, where sizes differed.
    pub resized: Resized,
}

/// Refuses a data set whose classes are not the model's: same names, same order.
///
/// # Errors
/// The first difference, expected and got (exit code 2).
pub fn check_classes(card: &Card, descriptor: &Descriptor) -> Result<()> {
    let (model, data) = (&card.classes, &descriptor.classes);
    let hint =
        format!("the model was trained on {}: give a data set with the same classes", card.dataset);
    if model.len() != data.len() {
        return Err(Error::request(format!(
            "classes: {}: expected the {} of data set {}, got {}",
            card.name,
            data.len(),
            descriptor.name,
            model.len()
        ))
        .hint(hint));
    }
    match data.iter().zip(model).position(|(d, m)| d.name != m.name) {
        None => Ok(()),
        Some(id) => Err(Error::request(format!(
            "classes: {}: class {id}: expected {:?} as in data set {}, got {:?}",
            card.name, data[id].name, descriptor.name, model[id].name
        ))
        .hint(hint)),
    }
}

/// Runs every model on the images at `places` of the index, in that order, and shows each to `visit`.
///
/// # Errors
/// An image or label that cannot be read, a failed run, an error of `visit`, Ctrl-C.
pub fn score(
    models: &mut [Model],
    index: &Index,
    places: &[usize],
    visit: impl FnMut(&Scene) -> Result<()>,
) -> Result<Vec<Score>> {
    score_by(models, index, places, None, visit)
}

/// As [`score`], each image seen as often as `averaging` says.
///
/// # Errors
/// As [`score`]; a model that cannot be seen so.
pub fn score_by(
    models: &mut [Model],
    index: &Index,
    places: &[usize],
    averaging: Option<&Averaging>,
    mut visit: impl FnMut(&Scene) -> Result<()>,
) -> Result<Vec<Score>> {
    if let Some(averaging) = averaging {
        models.iter().try_for_each(|model| averaging.check(model))?;
    }
    for model in models.iter() {
        check_classes(model.card(), &index.descriptor)?;
    }
    let classes = index.descriptor.num_classes();
    let empty = || Score {
        confusion: Confusion::new(classes),
        times: Times::default(),
        resized: Resized::Not,
    };
    let mut scores: Vec<Score> = models.iter().map(|_| empty()).collect();
    let bar = progress(places.len());
    // The loader needs the sizes only; the models themselves stay on this thread.
    let sizings: Vec<Sizing> = models.iter().map(Model::sizing).collect();
    let load = |i: usize| {
        let start = Instant::now();
        let (image, mut truth) = index.load(places[i])?;
        hide_unscored(&mut truth, &index.descriptor.unscored);
        let decode = start.elapsed();
        let inputs: Vec<(Option<RgbImage>, Duration)> = sizings
            .iter()
            .map(|sizing| {
                let start = Instant::now();
                // Several sizes are made where they are used: a split's images at all of them fill memory.
                let input = averaging.is_none().then(|| sizing.prepare(&image));
                (input, decode + start.elapsed())
            })
            .collect();
        Ok::<_, Error>((image, truth, inputs))
    };
    feed(places.len(), loader_threads(), load, |i, loaded| {
        interrupt::check(i, places.len())?;
        let (image, truth, inputs) = loaded?;
        let mut predictions = Vec::with_capacity(models.len());
        for ((model, score), (input, prepare)) in models.iter_mut().zip(&mut scores).zip(inputs) {
            let result = match (averaging, &input) {
                (Some(averaging), _) => averaging.segment(model, &image, truth.dimensions())?,
                (None, Some(input)) => model.segment(input, truth.dimensions())?,
                (None, None) => {
                    return Err(Error::work("score: expected a prepared image, got none"));
                }
            };
            score.times.prepare.push(prepare);
            score.times.run.push(result.run);
            score.times.post.push(result.post);
            if result.resized != Resized::Not {
                score.resized = result.resized;
            }
            score.confusion.add(truth.as_raw(), result.labels.as_raw());
            predictions.push(result.labels);
        }
        visit(&Scene { place: places[i], image, truth, predictions })?;
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(scores)
}

/// The numbers of a matrix; classes that are not scored have none, and are in no mean.
pub fn report(confusion: &Confusion, descriptor: &Descriptor) -> Report {
    confusion.report_without(&descriptor.unscored, &descriptor.classes)
}

/// Pixels of classes that are not scored are ignored, in pictures too.
fn hide_unscored(truth: &mut GrayImage, unscored: &[usize]) {
    if !unscored.is_empty() {
        for label in truth.iter_mut().filter(|l| unscored.contains(&usize::from(**l))) {
            *label = IGNORE;
        }
    }
}

/// A bar with rate and time left, on standard error; invisible where that is no terminal.
pub(crate) fn progress(images: usize) -> ProgressBar {
    let bar = ProgressBar::new(images as u64);
    let style =
        ProgressStyle::with_template("{wide_bar} {pos}/{len} images, {per_sec}, {eta} left");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// Median of some times in milliseconds; 0 without any.
pub fn median_ms(times: &[Duration]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).map_or(0.0, |t| t.as_secs_f64() * 1e3)
}
