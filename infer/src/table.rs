//! The per-class table of an evaluation, as text for a terminal.
//! Not the JSON, and no arithmetic beyond differences: the numbers come from `shared::metrics`.
//! The dagger marks the classes whose IoU in the baseline is under 80 %, as in the paper's tables.

use std::fmt::{Display, Write};

use shared::metrics::{ClassReport, EvalFile, Report};

/// IoU in the baseline under which a class counts for the dagger average.
pub const DAGGER_IOU: f64 = 0.8;

/// A number of things: "1 image", "2 images".
pub(crate) fn counted(number: impl Display, thing: &str) -> String {
    let number = number.to_string();
    let plural = if number == "1" { "" } else { "s" };
    format!("{number} {thing}{plural}")
}

/// The table; with a baseline also the dagger average and the differences to it, in points.
pub fn table(file: &EvalFile, baseline: Option<&EvalFile>) -> String {
    let report = &file.report;
    let mut rows = vec![head(baseline.is_some())];
    for class in &report.classes {
        let base = baseline.map(|b| &b.report.classes[class.id]);
        let name = if base.is_some_and(is_dagger) {
            format!("{} †", class.name)
        } else {
            class.name.clone()
        };
        let share = (report.pixels > 0).then(|| class.truth_pixels as f64 / report.pixels as f64);
        let mut row = vec![name, percent(share, 3)];
        row.extend([class.accuracy, class.iou, class.precision, class.f1].map(|v| percent(v, 2)));
        if let Some(base) = base {
            row.extend([points(class.accuracy, base.accuracy), points(class.iou, base.iou)]);
        }
        rows.push(row);
    }
    let classes = rows.len();
    rows.push(mean_row("mean", report, baseline.map(|b| &b.report), |_| true));
    if let Some(base) = baseline {
        let keep = |c: &ClassReport| is_dagger(&base.report.classes[c.id]);
        rows.push(mean_row("mean †", report, Some(&base.report), keep));
    }
    let mut text = layout(&rows, classes);
    let _ = writeln!(
        text,
        "pixel accuracy {}, frequency-weighted IoU {}, {}, {} pixels",
        percent(report.pixel_accuracy, 2),
        percent(report.frequency_weighted_iou, 2),
        counted(file.images, "image"),
        report.pixels
    );
    if baseline.is_some() {
        text += "† IoU in the baseline under 80 %; Δ in points, this model less the baseline\n";
    }
    text
}

fn is_dagger(baseline: &ClassReport) -> bool {
    baseline.iou.is_some_and(|iou| iou < DAGGER_IOU)
}

fn head(with_baseline: bool) -> Vec<String> {
    let mut head = vec!["class", "pixels %", "accuracy %", "IoU %", "precision %", "F1 %"];
    if with_baseline {
        head.extend(["Δ accuracy", "Δ IoU"]);
    }
    head.into_iter().map(str::to_owned).collect()
}

fn mean_row(
    name: &str,
    report: &Report,
    baseline: Option<&Report>,
    keep: impl Fn(&ClassReport) -> bool,
) -> Vec<String> {
    let values: [fn(&ClassReport) -> Option<f64>; 4] =
        [|c| c.accuracy, |c| c.iou, |c| c.precision, |c| c.f1];
    let mut row = vec![name.to_owned(), String::new()];
    row.extend(values.map(|value| percent(report.mean_over(&keep, value), 2)));
    if let Some(base) = baseline {
        row.extend(
            [values[0], values[1]]
                .map(|v| points(report.mean_over(&keep, v), base.mean_over(&keep, v))),
        );
    }
    row
}

/// A share as a percentage; what is undefined is a dash.
pub fn percent(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".into(), |v| format!("{:.digits$}", v * 100.0))
}

fn points(value: Option<f64>, base: Option<f64>) -> String {
    value.zip(base).map_or("-".into(), |(v, b)| format!("{:+.2}", (v - b) * 100.0))
}

/// Columns: the first to the left, the others to the right; a line after the head and after `classes` rows.
fn layout(rows: &[Vec<String>], classes: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|c| rows.iter().filter_map(|r| r.get(c)).map(|v| v.chars().count()).max().unwrap_or(0))
        .collect();
    let rule = "-".repeat(widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1));
    let mut text = String::new();
    for (i, row) in rows.iter().enumerate() {
        if i == 1 || i == classes {
            let _ = writeln!(text, "{rule}");
        }
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(
                |(c, (cell, &width))| {
                    if c == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
                },
            )
            .collect();
        let _ = writeln!(text, "{}", cells.join("  ").trim_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::labels::Class;
    use shared::metrics::Confusion;

    fn file(truth: &[u8], prediction: &[u8]) -> EvalFile {
        let mut confusion = Confusion::new(3);
        confusion.add(truth, prediction);
        let class = |name: &str| Class { name: name.into(), color: [0; 3], native_id: 0 };
        let report = confusion.report(&[class("road"), class("pole"), class("train")]);
        EvalFile { dataset: "three".into(), split: "val".into(), images: 1, averaged: None, report }
    }

    #[test]
    fn the_dagger_average_is_over_the_classes_whose_baseline_is_under_80_percent() {
        let truth = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1];
        let baseline = file(&truth, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        let text = table(&file(&truth, &truth), Some(&baseline));
        let line = |start: &str| text.lines().find(|l| l.starts_with(start)).unwrap().to_owned();
        assert!(line("pole †").contains("+50.00"), "{text}");
        assert!(!line("road").contains('†'), "{text}");
        assert!(line("train").contains('-'), "{text}");
        assert!(line("mean †").contains("+50.00"), "{text}");
        assert!(line("mean  ").contains("+25.00"), "{text}");
    }

    #[test]
    fn without_a_baseline_there_is_no_dagger() {
        let text = table(&file(&[0, 1], &[0, 1]), None);
        assert!(!text.contains('†') && text.contains("pixel accuracy 100.00"), "{text}");
    }
}
