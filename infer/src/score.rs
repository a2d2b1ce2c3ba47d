//! Running models over a split: the loop behind `eval` and `compare`, its confusion matrices and timers.
//! Not the commands' output. Images are decoded and resized in the background; batch size is 1.
//! Scores are counted at the label's own size (`shared::metrics` has the definitions).

use std::path::Path;
use std::time::{Duration, Instant};

use image::{GrayImage, RgbImage};
use indicatif::{ProgressBar, ProgressStyle};
use shared::compare::Scene;
use shared::dataset::{Descriptor, Index};
use shared::error::{Error, Result, tell};
use shared::labels::{Class, IGNORE};
use shared::metrics::{Confusion, Report};

use crate::average::Averaging;
use crate::feed::{feed, loader_threads};
use crate::interrupt;
use crate::session::{Model, Options, RESIZED_LABELS, Resized, Sizing};

/// Time of each stage, one entry per image.
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

/// Opens a model to be scored on a data set, and says where it runs.
///
/// # Errors
/// As [`Model::open`]; other classes than the data set's, or in another order (exit code 2).
pub fn open(path: &Path, options: Options, descriptor: &Descriptor) -> Result<Model> {
    let model = Model::open(path, options)?;
    tell(model.provider_line());
    let card = model.card();
    let whose = format!("data set {}", descriptor.name);
    match first_difference(&descriptor.classes, &whose, &card.classes) {
        None => Ok(model),
        Some(difference) => {
            Err(Error::request(format!("classes: {}: {difference}", path.display())).hint(format!(
                "the model was trained on {}: give a data set with the same classes",
                card.dataset
            )))
        }
    }
}

/// The first class by whose name two tables differ, in the words of an error; `None` if there is none.
pub(crate) fn first_difference(expected: &[Class], whose: &str, got: &[Class]) -> Option<String> {
    let name = |classes: &[Class], id: usize| {
        classes.get(id).map_or("none".to_owned(), |class| format!("{:?}", class.name))
    };
    let differs = |id: &usize| name(expected, *id) != name(got, *id);
    let id = (0..expected.len().max(got.len())).find(differs)?;
    Some(format!(
        "class {id}: expected {} as in {whose}, got {}",
        name(expected, id),
        name(got, id)
    ))
}

/// What the loader makes ready for one model.
enum Prepared<'a> {
    /// The image at input size.
    Once(RgbImage),
    /// Nothing: several sizes are made where they are used, since a split's images at all of them fill memory.
    Averaged(&'a Averaging),
}

/// Runs every model (see [`open`]) on the images at `indices`, in that order, and shows each to `visit`.
///
/// # Errors
/// An image or label that cannot be read, a failed run, an error of `visit`, Ctrl-C.
pub fn score(
    models: &mut [Model],
    index: &Index,
    indices: &[usize],
    visit: impl FnMut(&Scene) -> Result<()>,
) -> Result<Vec<Score>> {
    score_by(models, index, indices, None, visit)
}

/// As [`score`], each image seen as often as `averaging` says.
///
/// # Errors
/// As [`score`]; a model that cannot be seen so.
pub fn score_by(
    models: &mut [Model],
    index: &Index,
    indices: &[usize],
    averaging: Option<&Averaging>,
    mut visit: impl FnMut(&Scene) -> Result<()>,
) -> Result<Vec<Score>> {
    if let Some(averaging) = averaging {
        models.iter().try_for_each(|model| averaging.check(model))?;
    }
    let classes = index.descriptor.num_classes();
    let empty = || Score {
        confusion: Confusion::new(classes),
        times: Times::default(),
        resized: Resized::Not,
    };
    let mut scores: Vec<Score> = models.iter().map(|_| empty()).collect();
    let bar = progress(indices.len());
    // The loader needs the sizes only; the models themselves stay on this thread.
    let sizings: Vec<Sizing> = models.iter().map(Model::sizing).collect();
    let load = |i: usize| {
        let start = Instant::now();
        let (image, mut truth) = index.load(indices[i])?;
        hide_unscored(&mut truth, &index.descriptor.unscored);
        let decode = start.elapsed();
        let inputs: Vec<(Prepared, Duration)> = sizings
            .iter()
            .map(|sizing| {
                let start = Instant::now();
                let input = match averaging {
                    None => Prepared::Once(sizing.prepare(&image)),
                    Some(averaging) => Prepared::Averaged(averaging),
                };
                (input, decode + start.elapsed())
            })
            .collect();
        Ok::<_, Error>((image, truth, inputs))
    };
    feed(indices.len(), loader_threads(), load, |i, loaded| {
        interrupt::check(i, indices.len())?;
        let (image, truth, inputs) = loaded?;
        let mut predictions = Vec::with_capacity(models.len());
        for ((model, score), (input, prepare)) in models.iter_mut().zip(&mut scores).zip(inputs) {
            let result = match input {
                Prepared::Once(input) => model.segment(&input, truth.dimensions())?,
                Prepared::Averaged(averaging) => {
                    averaging.segment(model, &image, truth.dimensions())?
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
        visit(&Scene { index: indices[i], image, truth, predictions })?;
        bar.inc(1);
        Ok(())
    })?;
    bar.finish_and_clear();
    Ok(scores)
}

/// Says of each model whose labels had another size what became of them.
pub fn tell_resized(models: &[Model], scores: &[Score]) {
    for (model, score) in models.iter().zip(scores) {
        if score.resized == Resized::Labels {
            tell(format_args!("{}: predictions {RESIZED_LABELS}", model.path().display()));
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_of_classes_differ_by_name_order_and_length() {
        let table = |names: &[&str]| -> Vec<Class> {
            let class = |name: &&str| Class { name: (*name).into(), color: [0; 3], native_id: 0 };
            names.iter().map(class).collect()
        };
        #[track_caller]
        fn check(found: Option<String>, expected: &str) {
            assert_eq!(found.as_deref(), Some(expected));
        }
        let both = table(&["sky", "road"]);
        assert_eq!(first_difference(&both, "x", &table(&["sky", "road"])), None);
        let got = first_difference(&both, "x", &table(&["road", "sky"]));
        check(got, "class 0: expected \"sky\" as in x, got \"road\"");
        let got = first_difference(&both, "x", &table(&["sky"]));
        check(got, "class 1: expected \"road\" as in x, got none");
        let got = first_difference(&both, "x", &table(&["sky", "road", "none"]));
        check(got, "class 2: expected none as in x, got \"none\"");
    }
}
