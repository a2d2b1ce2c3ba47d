//! One confusion matrix, and every number that is reported from it.
//! Not a running average over images or batches, and no table for a terminal: `infer` formats.
//! Definitions as in the official Cityscapes script, to the last count.

use serde::{Deserialize, Serialize};

use crate::labels::{Class, IGNORE};

/// Counts of pixels by (truth, prediction), C x C.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confusion {
    classes: usize,
    /// [truth][prediction], (C + 1) x (C + 1): the last row and column catch what is not a class.
    counts: Vec<u64>,
}

/// What is reported of one class. A ratio of 0 / 0 is `None`, `null` in JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassReport {
    /// Train id.
    pub id: usize,
    /// Name, as the data set has it.
    pub name: String,
    /// Recall, TP / (TP + FN).
    pub accuracy: Option<f64>,
    /// TP / (TP + FN + FP).
    pub iou: Option<f64>,
    /// TP / (TP + FP).
    pub precision: Option<f64>,
    /// 2 TP / (2 TP + FN + FP), which is also the Dice coefficient.
    pub f1: Option<f64>,
    /// TP + FN.
    pub truth_pixels: u64,
}

/// Everything that is reported of an evaluation. A mean leaves out the classes whose ratio is `None`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Pixels that were counted.
    pub pixels: u64,
    /// Share of those that are right.
    pub pixel_accuracy: Option<f64>,
    /// Mean of the classes' accuracy (recall).
    pub mean_accuracy: Option<f64>,
    /// Mean of the classes' IoU.
    pub mean_iou: Option<f64>,
    /// IoU weighted by the share of the truth's pixels.
    pub frequency_weighted_iou: Option<f64>,
    /// One entry a class, by train id.
    pub classes: Vec<ClassReport>,
    /// Counts, [truth][prediction].
    pub confusion: Vec<Vec<u64>>,
}

/// What `infer eval --json` writes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvalFile {
    /// Name of the data set.
    pub dataset: String,
    /// Name of the split.
    pub split: String,
    /// Number of images scored.
    pub images: u64,
    /// How images were seen, if not once and undivided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub averaged: Option<Averaged>,
    /// The numbers, in the same JSON object.
    #[serde(flatten)]
    pub report: Report,
}

/// An evaluation by the mean softmax over several views of an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Averaged {
    /// Factors on the size.
    pub scales: Vec<f64>,
    /// Whether each was seen mirrored, too.
    pub flip: bool,
    /// Width and height of windows; `None`: images were not divided.
    pub window: Option<[u32; 2]>,
    /// Share of a window that the next one covers again.
    pub overlap: Option<f64>,
}

impl Confusion {
    /// An empty matrix for `classes` classes.
    pub fn new(classes: usize) -> Self {
        Self { classes, counts: vec![0; (classes + 1) * (classes + 1)] }
    }

    /// The matrix in a report; `None` if it is not square, or its sum is too large to count with.
    pub fn from_counts(counts: &[Vec<u64>]) -> Option<Self> {
        let mut confusion = Self::new(counts.len());
        let mut room = u64::MAX / 2; // a ratio adds a row to a column
        for (row, to) in counts.iter().zip(confusion.counts.chunks_exact_mut(counts.len() + 1)) {
            if row.len() != counts.len() {
                return None;
            }
            to[..row.len()].copy_from_slice(row);
            room = row.iter().try_fold(room, |room, &count| room.checked_sub(count))?;
        }
        Some(confusion)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Counts pixels: `truth` is train ids with 255 for those that are ignored, `prediction` train ids.
    ///
    /// # Panics
    /// If the two differ in length, or a value is neither a class nor (for the truth) 255: both are
    /// made by this project from checked input, so that is a mistake in the program.
    pub fn add(&mut self, truth: &[u8], prediction: &[u8]) {
        assert_eq!(truth.len(), prediction.len(), "truth and prediction differ in size");
        let (c, side) = (self.classes, self.classes + 1);
        // Tables in place of branches: what is no class lands in the last row or column.
        let column: [usize; 256] = std::array::from_fn(|v| v.min(c));
        let row: [usize; 256] = std::array::from_fn(|v| v.min(c) * side);
        let mut ignored = 0;
        for (&t, &p) in truth.iter().zip(prediction) {
            self.counts[row[usize::from(t)] + column[usize::from(p)]] += 1;
            ignored += u64::from(t == IGNORE);
        }
        let outside: u64 = (0..c).map(|t| self.counts[t * side + c]).sum();
        let last_row: u64 = self.counts[c * side..].iter().sum();
        assert_eq!(outside + last_row, ignored, "a truth or a prediction is not below {c}");
        self.counts[c * side..].fill(0);
    }

    /// Adds another matrix, of as many classes (else it panics).
    pub fn merge(&mut self, other: &Confusion) {
        assert_eq!(self.classes, other.classes, "matrices of different data sets");
        self.counts.iter_mut().zip(&other.counts).for_each(|(a, b)| *a += b);
    }

    /// Pixels of class `truth` that were taken for class `prediction`.
    pub fn count(&self, truth: usize, prediction: usize) -> u64 {
        assert!(truth < self.classes && prediction < self.classes, "no such class");
        self.counts[truth * (self.classes + 1) + prediction]
    }

    /// All numbers, with names from `classes`, which must be as many as the matrix has (else it panics).
    pub fn report(&self, classes: &[Class]) -> Report {
        self.report_without(&[], classes)
    }

    /// As [`Confusion::report`], for data sets with classes that are not scored (train ids `unscored`).
    ///
    /// Their pixels count as ignored and their own ratios are `None`. To take a pixel of another class for
    /// one of them is still a mistake, as in the official Cityscapes script.
    pub fn report_without(&self, unscored: &[usize], classes: &[Class]) -> Report {
        assert_eq!(classes.len(), self.classes, "class table and matrix differ");
        let scored = |c: usize| !unscored.contains(&c);
        let range = 0..self.classes;
        let cell = |t, p| if scored(t) { self.count(t, p) } else { 0 };
        let confusion: Vec<Vec<u64>> =
            range.clone().map(|t| range.clone().map(|p| cell(t, p)).collect()).collect();
        let truth: Vec<u64> = confusion.iter().map(|row| row.iter().sum()).collect();
        let predicted: Vec<u64> =
            range.clone().map(|p| confusion.iter().map(|row| row[p]).sum()).collect();
        let right: Vec<u64> = range.clone().map(|c| confusion[c][c]).collect();
        let pixels = truth.iter().sum();
        let class = |c: usize| {
            let ratio = |part, whole| ratio(part, whole).filter(|_| scored(c));
            ClassReport {
                id: c,
                name: classes[c].name.clone(),
                accuracy: ratio(right[c], truth[c]),
                iou: ratio(right[c], truth[c] + predicted[c] - right[c]),
                precision: ratio(right[c], predicted[c]),
                f1: ratio(2 * right[c], truth[c] + predicted[c]),
                truth_pixels: truth[c],
            }
        };
        let classes: Vec<ClassReport> = range.map(class).collect();
        let weighted: f64 =
            classes.iter().filter_map(|c| Some(c.iou? * c.truth_pixels as f64)).sum::<f64>()
                / pixels as f64;
        Report {
            pixels,
            pixel_accuracy: ratio(right.iter().sum(), pixels),
            mean_accuracy: mean(classes.iter().map(|c| c.accuracy)),
            mean_iou: mean(classes.iter().map(|c| c.iou)),
            frequency_weighted_iou: (pixels > 0).then_some(weighted),
            classes,
            confusion,
        }
    }
}

impl Report {
    /// Mean of `value` over the classes that `keep` keeps and that have the value.
    ///
    /// The paper's dagger average is over the classes whose IoU in a baseline is under 80 %:
    /// `report.mean_over(|c| baseline.classes[c.id].iou.is_some_and(|iou| iou < 0.8), |c| c.accuracy)`.
    pub fn mean_over(
        &self,
        keep: impl Fn(&ClassReport) -> bool,
        value: impl Fn(&ClassReport) -> Option<f64>,
    ) -> Option<f64> {
        mean(self.classes.iter().filter(|c| keep(c)).map(value))
    }
}

fn ratio(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let (sum, n) = values.flatten().fold((0.0, 0u64), |(sum, n), v| (sum + v, n + 1));
    (n > 0).then(|| sum / n as f64)
}

#[cfg(test)]
mod tests;
