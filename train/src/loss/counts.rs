//! Per-class pixel counts on the device: of the truth, of false negatives and, on demand, of false positives.
//! Not the reported metrics, which `shared::metrics` computes on the host.
//! Source: the boolean definitions of Tian et al., arXiv 2106.14917, Table I.
//!
//! Neither bincount nor boolean indexing, which wait for the device; integers, since an f32 counter stops at 2^24.

use shared::labels::IGNORE;
use tch::{Kind, Tensor};

/// Per-class counts of one batch's valid pixels, each `[C]` i64.
pub struct Counts {
    /// Pixels of the class: TP + FN.
    pub truth: Tensor,
    /// Pixels of the class that are predicted as another: FN.
    pub false_negatives: Tensor,
}

impl Counts {
    /// Counts by argmax (the first of equals wins).
    ///
    /// # Shapes
    /// `logits` `[N, C, H, W]`, `target` `[N, H, W]` i64.
    pub fn of(logits: &Tensor, target: &Tensor) -> Self {
        Self::of_predictions(&predictions(logits), target, logits.size()[1])
    }

    /// As [`Counts::of`], and beside them FP: the valid pixels of other classes predicted as the class, `[C]` i64.
    pub fn with_false_positives(logits: &Tensor, target: &Tensor) -> (Self, Tensor) {
        let (predictions, classes) = (predictions(logits), logits.size()[1]);
        let counts = Self::of_predictions(&predictions, target, classes);
        let valid_predictions = predictions.masked_fill(&ignored(target), classes);
        let predicted_pixels = pixels_of(&valid_predictions, classes); // TP + FP
        let false_positives = predicted_pixels - (&counts.truth - &counts.false_negatives);
        (counts, false_positives)
    }

    fn of_predictions(predictions: &Tensor, target: &Tensor, classes: i64) -> Self {
        // One bin per (class, TP or FN), and a last one for the ignored pixels.
        let bin = target * 2 + predictions.ne_tensor(target);
        let bin = bin.masked_fill(&ignored(target), 2 * classes);
        let pairs = pixels_of(&bin, 2 * classes).view([classes, 2]);
        let false_negatives = pairs.select(1, 1);
        Self { truth: pairs.select(1, 0) + &false_negatives, false_negatives }
    }

    /// The number of valid pixels, 0-d i64.
    pub fn valid(&self) -> Tensor {
        self.truth.sum(Kind::Int64)
    }

    /// FN / (FN + TP) = 1 - recall of each class, `[C]` f64; 0 for a class that does not occur.
    pub fn false_negative_rate(&self) -> Tensor {
        self.false_negatives.to_kind(Kind::Double) / self.truth.clamp_min(1)
    }
}

/// The class with the largest logit, the first of equals, `[N, H, W]` i64.
fn predictions(logits: &Tensor) -> Tensor {
    // max with indices, since argmax alone takes a path that is twenty times slower on contiguous CPU memory.
    tch::no_grad(|| logits.max_dim(1, false).1)
}

/// Where a pixel takes no part, `[N, H, W]` bool.
pub(super) fn ignored(target: &Tensor) -> Tensor {
    target.eq(i64::from(IGNORE))
}

/// The number of valid pixels, 0-d i64.
pub(super) fn valid(target: &Tensor) -> Tensor {
    target.ne(i64::from(IGNORE)).sum(Kind::Int64)
}

/// The truth with the ignored pixels in a class of their own, the last: `[N, H, W]` i64 below C + 1.
pub(super) fn with_ignored_last(target: &Tensor, classes: i64) -> Tensor {
    target.clamp_max(classes)
}

/// How many pixels fall into each bin from 0 to `bins` - 1, `[bins]` i64; the bin `bins` is not counted.
pub(super) fn pixels_of(bin: &Tensor, bins: i64) -> Tensor {
    let one = Tensor::ones([1], (Kind::Int64, bin.device()));
    sums_of(bin, bins, &one.expand_as(bin))
}

/// The sum of `values` over the pixels of each bin from 0 to `bins` - 1, `[bins]` of the values' kind; carries their
/// gradient. `bin` and `values` are of one shape `[.., W]`.
pub(super) fn sums_of(bin: &Tensor, bins: i64, values: &Tensor) -> Tensor {
    // A row of bins for each image row, added up afterwards: rows do not contend for one counter.
    let w = bin.size().last().copied().unwrap_or(1);
    let (bin, values) = (bin.reshape([-1, w]), values.reshape([-1, w]));
    let kind = values.kind();
    let rows = Tensor::zeros([bin.size()[0], bins + 1], (kind, bin.device()));
    rows.scatter_add(1, &bin, &values).sum_dim_intlist(0, false, kind).narrow(0, 0, bins)
}
