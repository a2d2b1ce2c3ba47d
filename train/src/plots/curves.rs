//! Losses and validation metrics of one or several runs over iterations, in one figure.

use super::name;
use super::smoothing::{smooth, smoothed, window};
use crate::monitor::read;
use serde_json::Value;
use shared::error::{Error, Result};
use shared::plot::{Chart, Dash, INKS, Names, Panel, Series};
use std::path::PathBuf;

/// What validations log, and what it is called.
const METRICS: [(&str, &str); 3] = [
    ("mean_accuracy", "mean accuracy"),
    ("mean_iou", "mean IoU"),
    ("pixel_accuracy", "pixel accuracy"),
];

/// The training loss, smoothed lightly where there are many points, and three metrics of the validations. Losses of
/// different names have different scales.
///
/// # Errors
/// A folder that is no run, or a run without a log point.
pub fn curves(runs: &[PathBuf]) -> Result<Chart> {
    let mut loss = Vec::new();
    let mut metrics: [Vec<Series>; METRICS.len()] = Default::default();
    let names = names(runs);
    let mut most = 1;
    for (i, (run, name)) in runs.iter().zip(&names).enumerate() {
        let color = INKS[(i + 1) % INKS.len()];
        let dash = [Dash::Solid, Dash::Long, Dash::Short][i / INKS.len() % 3];
        let series = |points| Series { name: name.clone(), color, dash, points };
        let train = read(run, "train")?;
        if train.is_empty() {
            return Err(Error::request(format!(
                "plot: {}: expected log points, got none",
                run.display()
            ))
            .hint("a run logs every train.log_every steps, and before every checkpoint"));
        }
        let window = window(train.len());
        most = most.max(window);
        loss.push(series(smooth(&numbers(&train, "loss"), window)));
        let validations = read(run, "val")?;
        for ((key, _), panel) in METRICS.iter().zip(&mut metrics) {
            panel.push(series(numbers(&validations, key)));
        }
    }
    let mut panels = vec![Panel {
        title: format!("training loss{}", smoothed(most)),
        level: None,
        series: loss,
    }];
    panels.extend(METRICS.iter().zip(metrics).map(|((_, title), series)| Panel {
        title: format!("validation: {title}"),
        level: None,
        series,
    }));
    let title = if let [only] = &names[..] {
        only.clone()
    } else {
        format!("Losses and metrics of {} runs", names.len())
    };
    Ok(Chart { title, x_axis: "iteration".into(), panels, columns: 2, names: Names::Legend })
}

/// One number of each line, NaN where it is null or missing.
fn numbers(lines: &[(f64, Value)], key: &str) -> Vec<(f64, f64)> {
    let number = |value: &Value| value.get(key).and_then(Value::as_f64).unwrap_or(f64::NAN);
    lines.iter().map(|(step, value)| (*step, number(value))).collect()
}

/// The folders' names; where two are equal, the whole paths.
fn names(runs: &[PathBuf]) -> Vec<String> {
    let short: Vec<String> = runs.iter().map(|run| name(run)).collect();
    let once = |name: &String| short.iter().filter(|other| *other == name).count() == 1;
    if short.iter().all(once) {
        return short;
    }
    runs.iter().map(|run| run.display().to_string()).collect()
}
