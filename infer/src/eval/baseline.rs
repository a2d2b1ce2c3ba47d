//! The earlier evaluation that `infer eval --baseline` compares with.
//! Not the differences, which are `table`'s. Compared are scores on the same pixels alone, and of the file
//! its confusion matrix alone is believed: every number is worked out of it once more.

use std::path::Path;

use shared::dataset::{Index, stats};
use shared::error::{Context, Error, Result};
use shared::metrics::{Confusion, EvalFile};

/// Reads the JSON of an evaluation of the same images.
///
/// # Errors
/// A file that is none, scores of other classes, images or labels (all exit code 2).
pub fn read(path: &Path, index: &Index) -> Result<EvalFile> {
    let what = || format!("baseline: {}", path.display());
    let hint = "`infer eval --json FILE` writes one";
    let text = std::fs::read_to_string(path).request(what).map_err(|e| e.hint(hint))?;
    let mut file: EvalFile = serde_json::from_str(&text).request(what).map_err(|e| e.hint(hint))?;
    let same = |of: &str, expected: String, got: String| {
        if expected == got {
            return Ok(());
        }
        Err(Error::request(format!("{}: {of}: expected {expected}, got {got}", what()))
            .hint("scores on different images are not comparable: score the baseline again"))
    };
    let descriptor = &index.descriptor;
    let names: Vec<&str> = descriptor.classes.iter().map(|c| c.name.as_str()).collect();
    let got: Vec<&str> = file.report.classes.iter().map(|c| c.name.as_str()).collect();
    same("classes", names.join(", "), got.join(", "))?;
    same("data set", descriptor.name.clone(), file.dataset.clone())?;
    same("split", index.split.clone(), file.split.clone())?;
    same("images", index.samples.len().to_string(), file.images.to_string())?;

    let confusion = Confusion::from_counts(&file.report.confusion)
        .filter(|confusion| confusion.classes() == names.len())
        .ok_or_else(|| {
            Error::request(format!("{}: expected a confusion matrix of its classes", what()))
                .hint(hint)
        })?;
    file.report = confusion.report_without(&descriptor.unscored, &descriptor.classes);
    let truth = stats(index, &|_| ());
    if truth.counted < truth.images {
        return Ok(file); // scoring will name the file that cannot be read
    }
    for (class, expected) in file.report.classes.iter().zip(truth.counts()) {
        let expected = if descriptor.unscored.contains(&class.id) { 0 } else { expected };
        let of = format!("pixels of {}", class.name);
        same(&of, expected.to_string(), class.truth_pixels.to_string())?;
    }
    Ok(file)
}
