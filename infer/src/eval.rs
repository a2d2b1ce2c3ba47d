//! `infer eval`: scores a model on a split and prints the per-class table; JSON, labels and differences
//! to a baseline on request. Not a gate: a low score is no failure here.
//! The JSON is `shared::metrics::EvalFile`; labels are written for the data set's official scripts.

mod baseline;

use std::path::PathBuf;

use clap::Args;
use shared::error::{Error, Result, tell};
use shared::metrics::{Averaged, EvalFile};
use shared::output_path::check_folder;

use crate::args::{Data, Run};
use crate::average::{Averaging, Views};
use crate::output::{check_json, write_json, write_native};
use crate::score::{self, median_ms, report};
use crate::session::{RESIZED_LABELS, Resized};
use crate::table::{counted, table};
use crate::tone;

/// What the user typed after `infer eval`.
#[derive(Debug, Args)]
pub struct EvalArgs {
    /// Exported model
    #[arg(long, value_name = "FILE.onnx")]
    model: PathBuf,
    #[command(flatten)]
    data: Data,
    /// Write the numbers and the confusion matrix as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write predicted labels as PNG with the data set's own ids, as its official scripts read them
    #[arg(long, value_name = "DIR")]
    save_labels: Option<PathBuf>,
    /// JSON of an earlier evaluation to compare with: adds differences and the paper's dagger average
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    #[command(flatten)]
    views: Views,
    #[command(flatten)]
    run: Run,
}

/// Runs the command; the table goes to `print`.
///
/// # Errors
/// A wrong request, a file that cannot be read or written, Ctrl-C.
pub fn eval(args: &EvalArgs, print: impl Fn(&str) -> Result<()>) -> Result<()> {
    let mut index = args.data.open()?;
    check_json(args.json.as_deref())?;
    let folder = args.save_labels.as_deref();
    folder.map_or(Ok(()), check_folder).map_err(|e| e.within("--save-labels"))?;
    let options = args.run.options(std::slice::from_ref(&args.model))?;
    let mut model = score::open(&args.model, options, &index.descriptor)?;
    tone::adopt(&mut index, std::slice::from_ref(&model))?;
    let baseline = args.baseline.as_deref().map(|path| baseline::read(path, &index)).transpose()?;

    let indices: Vec<usize> = (0..index.samples.len()).collect();
    let started = std::time::Instant::now();
    let mut images = 0;
    let averaging = args.views.averaging();
    let models = std::slice::from_mut(&mut model);
    let scores = score::score_by(models, &index, &indices, averaging.as_ref(), |scene| {
        images += 1;
        let Some(folder) = &args.save_labels else { return Ok(()) };
        let path = folder.join(format!("{}_pred.png", index.samples[scene.index].name));
        write_native(&path, &scene.predictions[0], &index.descriptor.classes)
    })?;
    let [score] = &scores[..] else {
        return Err(Error::work("eval: expected the score of one model"));
    };
    if images != index.samples.len() {
        return Err(Error::work(format!(
            "eval: expected {}, got {images}",
            counted(index.samples.len(), "image")
        )));
    }
    let seconds = started.elapsed().as_secs_f64();
    tell(format_args!(
        "{} in {seconds:.1} s, {:.1} a second; median per image: decode and prepare {:.1} ms, run {:.1} ms, labels {:.1} ms",
        counted(images, "image"),
        images as f64 / seconds,
        median_ms(&score.times.prepare),
        median_ms(&score.times.run),
        median_ms(&score.times.post),
    ));
    let file = EvalFile {
        dataset: index.descriptor.name.clone(),
        split: index.split.clone(),
        images: images as u64,
        averaged: averaging.as_ref().map(Averaging::record),
        report: report(&score.confusion, &index.descriptor),
    };
    let mut text = table(&file, baseline.as_ref());
    if file.averaged.is_some() {
        text += &format!("{}\n", seen(file.averaged.as_ref()));
    }
    if let Some(baseline) = baseline.filter(|baseline| baseline.averaged != file.averaged) {
        text += &format!("in the baseline: {}\n", seen(baseline.averaged.as_ref()));
    }
    if score.resized == Resized::Labels {
        text += &format!("predictions {RESIZED_LABELS}\n");
    }
    // Both in any case: neither is lost to a failure of the other.
    print(&text).and(args.json.as_deref().map_or(Ok(()), |path| write_json(path, &file)))
}

/// How the images of an evaluation were seen.
fn seen(averaged: Option<&Averaged>) -> String {
    let Some(averaged) = averaged else { return "single scale, whole image".into() };
    let scales: Vec<String> = averaged.scales.iter().map(f64::to_string).collect();
    let mirrored = if averaged.flip { ", each mirrored too" } else { "" };
    let overlap = averaged.overlap.unwrap_or(0.0);
    let windows = averaged.window.map_or(String::new(), |[width, height]| {
        format!(", in windows of {width} x {height} overlapping by {overlap}")
    });
    format!("mean softmax of scales {}{mirrored}{windows}", scales.join(", "))
}
