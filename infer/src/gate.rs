//! `infer gate`: whether a model is good enough and fast enough; the last step of a pipeline that ships models.
//! Not a report (`eval`, `bench`): it ends with exit code 1 and the list of what failed, or 0.
//! Latency is held against a bound that the true 99th percentile is under with 99 % confidence (`timing`).

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use shared::dataset::{Descriptor, Index};
use shared::error::{Error, Result};
use shared::metrics::{ClassReport, Report};
use shared::render::Palette;

use crate::args::{Data, Run, parse_in, parse_share};
use crate::interrupt;
use crate::output::{check_json, write_json};
use crate::score::{self, progress, report};
use crate::session::Model;
use crate::table::counted;
use crate::timing::{Distribution, FrameTimes, P99_FRAMES};
use crate::tone;

/// What the user typed after `infer gate`.
#[derive(Debug, Args)]
pub struct GateArgs {
    /// Exported model
    #[arg(long, value_name = "FILE.onnx")]
    model: PathBuf,
    #[command(flatten)]
    data: Data,
    /// Lowest recall (accuracy) per class [example: person=0.85,bicycle=0.6]
    #[arg(long, value_name = "CLASS=SHARE", value_parser = parse_bounds)]
    min_recall: Vec<Bounds>,
    /// Lowest IoU per class
    #[arg(long, value_name = "CLASS=SHARE", value_parser = parse_bounds)]
    min_iou: Vec<Bounds>,
    /// Lowest mean IoU, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    min_miou: Option<f64>,
    /// Lowest mean recall (mean accuracy), 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = parse_share)]
    min_mean_recall: Option<f64>,
    /// Highest 99th percentile of the time from decoded to coloured frame; its 99 % confidence bound is held
    /// against it, which takes 459 frames
    #[arg(long, value_name = "MS", value_parser = parse_ms)]
    max_p99_ms: Option<f64>,
    /// Frames to time, the split's images in turn [default: each image once]
    #[arg(long, value_name = "N", requires = "max_p99_ms", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    frames: Option<u32>,
    /// Write the checks as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    run: Run,
}

/// Classes and their lowest values.
type Bounds = Vec<(String, f64)>;

/// `CLASS=SHARE,CLASS=SHARE`; a comma before the `=` belongs to the name.
fn parse_bounds(text: &str) -> std::result::Result<Bounds, String> {
    let mut bounds = Bounds::new();
    let mut name = String::new();
    for part in text.split_inclusive(',') {
        name += part;
        if let Some((class, share)) = name.trim_end_matches(',').rsplit_once('=') {
            bounds.push((class.trim().to_owned(), parse_share(share.trim())?));
            name.clear();
        }
    }
    if bounds.is_empty() || !name.is_empty() {
        return Err(format!("expected CLASS=SHARE, got {name:?}"));
    }
    Ok(bounds)
}

fn parse_ms(text: &str) -> std::result::Result<f64, String> {
    parse_in(text, 1e-6..=1e6)
}

/// What `infer gate --json` writes.
#[derive(Debug, Serialize)]
struct GateFile {
    model: PathBuf,
    dataset: String,
    split: String,
    images: usize,
    passed: bool,
    checks: Vec<Check>,
    latency_ms: Option<Distribution>,
}

/// One thing that was asked.
#[derive(Debug, Serialize)]
struct Check {
    what: String,
    /// "at least" or "at most".
    sense: &'static str,
    limit: f64,
    /// `None`: there was nothing to measure it on, which fails.
    got: Option<f64>,
    passed: bool,
}

impl Check {
    fn at_least(what: String, limit: f64, got: Option<f64>) -> Self {
        Self { what, sense: "at least", limit, got, passed: got.is_some_and(|got| got >= limit) }
    }

    fn at_most(what: String, limit: f64, got: Option<f64>) -> Self {
        Self { what, sense: "at most", limit, got, passed: got.is_some_and(|got| got <= limit) }
    }

    fn line(&self) -> String {
        let word = if self.passed { "pass" } else { "FAIL" };
        let got = self.got.map_or("nothing to measure it on".into(), |got| self.digits(got));
        format!("{word}  {}: expected {} {}, got {got}\n", self.what, self.sense, self.limit)
    }

    /// Six digits behind the point, and all where the limit would seem met, or not, against the verdict.
    fn digits(&self, got: f64) -> String {
        let rounded = format!("{got:.6}");
        let rounded = rounded.trim_end_matches('0').trim_end_matches('.');
        let side = |value: f64| value.partial_cmp(&self.limit);
        let tells = rounded.parse().is_ok_and(|value| side(value) == side(got));
        if tells { rounded.to_owned() } else { got.to_string() }
    }
}

/// Runs the command; the checks go to `print`, and the result is whether the model passed.
///
/// # Errors
/// A wrong request, among them a p99 from too few frames (exit code 2); a gate that was not met (1).
pub fn gate(args: &GateArgs, print: impl Fn(&str) -> Result<()>) -> Result<()> {
    let mut index = args.data.open()?;
    check_request(args, &index)?;
    check_json(args.json.as_deref())?;
    let options = args.run.options(std::slice::from_ref(&args.model))?;
    let mut model = score::open(&args.model, options, &index.descriptor)?;
    tone::adopt(&mut index, std::slice::from_ref(&model))?;

    let indices: Vec<usize> = (0..index.samples.len()).collect();
    let scores = score::score(std::slice::from_mut(&mut model), &index, &indices, |_| Ok(()))?;
    score::tell_resized(std::slice::from_ref(&model), &scores);
    let report = report(&scores[0].confusion, &index.descriptor);
    let latency = args.max_p99_ms.map(|_| latency(args, &mut model, &index)).transpose()?;

    let checks = checks(args, &report, latency.as_ref());
    let failed: Vec<&Check> = checks.iter().filter(|c| !c.passed).collect();
    let printed = print(&checks.iter().map(Check::line).collect::<String>());
    let error = (!failed.is_empty()).then(|| {
        let names: Vec<&str> = failed.iter().map(|c| c.what.as_str()).collect();
        Error::work(format!(
            "gate: {}: expected {} to pass, got {}; failed: {}",
            args.model.display(),
            counted(checks.len(), "check"),
            checks.len() - failed.len(),
            names.join(", ")
        ))
    });
    let file = GateFile {
        model: args.model.clone(),
        dataset: index.descriptor.name.clone(),
        split: index.split.clone(),
        images: index.samples.len(),
        passed: error.is_none(),
        checks,
        latency_ms: latency,
    };
    let written = args.json.as_deref().map_or(Ok(()), |path| write_json(path, &file));
    printed.and(written).and(error.map_or(Ok(()), Err))
}

/// What can be refused before an hour of work.
fn check_request(args: &GateArgs, index: &Index) -> Result<()> {
    let asked = args.min_miou.or(args.min_mean_recall).or(args.max_p99_ms).is_some();
    let mut bounds = args.min_recall.iter().chain(&args.min_iou).flatten().peekable();
    if !asked && bounds.peek().is_none() {
        return Err(Error::request("gate: expected something to hold the model to, got no limit")
            .hint("--min-recall person=0.85 --min-miou 0.5 --max-p99-ms 50"));
    }
    bounds.try_for_each(|(class, _)| known_class(class, &index.descriptor))?;
    let frames = timed_frames(args, index);
    if args.max_p99_ms.is_some() && frames < P99_FRAMES {
        return Err(Error::request(format!(
            "--max-p99-ms: expected {P99_FRAMES} frames or more, got {frames}"
        ))
        .hint(format!(
            "of fewer frames even the slowest is faster than the true 99th percentile with a probability above 1 % (0.99^458 > 0.01 > 0.99^459): --frames {P99_FRAMES} takes the images in turn"
        )));
    }
    Ok(())
}

fn known_class(name: &str, descriptor: &Descriptor) -> Result<()> {
    let names: Vec<&str> = descriptor.classes.iter().map(|c| c.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(());
    }
    Err(Error::request(format!("gate: expected a class of {}, got {name:?}", descriptor.name))
        .hint(format!("its classes: {}", names.join(", "))))
}

fn timed_frames(args: &GateArgs, index: &Index) -> usize {
    args.frames.map_or(index.samples.len(), |n| n as usize)
}

/// Times frames one after the other, with nothing else going on.
fn latency(args: &GateArgs, model: &mut Model, index: &Index) -> Result<Distribution> {
    let count = timed_frames(args, index);
    let palette = Palette::new(&model.card().classes);
    let bar = progress(count);
    let mut times = Vec::with_capacity(count);
    for i in 0..count {
        interrupt::check(i, count)?;
        let (image, _) = index.load(i % index.samples.len())?;
        times.push(FrameTimes::measure(model, &image, &palette)?.total());
        bar.inc(1);
    }
    bar.finish_and_clear();
    Distribution::of(times).ok_or_else(|| Error::work("gate: expected frames to time, got none"))
}

fn checks(args: &GateArgs, report: &Report, latency: Option<&Distribution>) -> Vec<Check> {
    type Value = fn(&ClassReport) -> Option<f64>;
    let by_class = |what: &str, bounds: &[Bounds], value: Value| -> Vec<Check> {
        let got = |name: &str| report.classes.iter().find(|c| c.name == name).and_then(value);
        let check = |(name, limit): &(String, f64)| {
            Check::at_least(format!("{what} of {name}"), *limit, got(name))
        };
        bounds.iter().flatten().map(check).collect()
    };
    let mut checks = by_class("recall", &args.min_recall, |c| c.accuracy);
    checks.extend(by_class("IoU", &args.min_iou, |c| c.iou));
    let mean = |what: &str, limit: Option<f64>, got| {
        limit.map(|limit| Check::at_least(what.to_owned(), limit, got))
    };
    checks.extend(mean("mean IoU", args.min_miou, report.mean_iou));
    checks.extend(mean("mean recall", args.min_mean_recall, report.mean_accuracy));
    checks.extend(args.max_p99_ms.zip(latency).map(|(limit, d)| {
        // The same words in every report, for programs to find it by.
        Check::at_most("p99 latency in ms, 99 % bound".into(), limit, d.p99_bound)
    }));
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_told_from_a_limit_however_near_it_is() {
        let line = |limit, got| Check::at_least("x".into(), limit, Some(got)).line();
        assert_eq!(line(0.85, 0.849_999_9), "FAIL  x: expected at least 0.85, got 0.8499999\n");
        assert_eq!(line(0.85, 0.849_99), "FAIL  x: expected at least 0.85, got 0.84999\n");
        assert_eq!(line(0.85, 0.85), "pass  x: expected at least 0.85, got 0.85\n");
        assert_eq!(line(0.5, 2.0 / 3.0), "pass  x: expected at least 0.5, got 0.666667\n");
        assert_eq!(line(40.0, 30.0), "FAIL  x: expected at least 40, got 30\n");
    }

    #[test]
    fn a_comma_in_the_name_of_a_class_does_not_end_it() {
        let bound = |name: &str, limit| (name.to_owned(), limit);
        let expected = vec![bound("pole, thin", 0.5), bound("person", 0.25)];
        assert_eq!(parse_bounds("pole, thin=0.5, person = 0.25"), Ok(expected));
        for bad in
            ["", "person", "person=0.5,pole", "person=85", "pole=half,person=0.5", "pole=1,,"]
        {
            assert!(parse_bounds(bad).is_err(), "{bad}");
        }
    }
}
