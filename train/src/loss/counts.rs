//! Pixel counts on the device, which add up over the batches of a step: of the truth, of false
//! negatives and of false positives by class, of valid pixels, of images. Not the reported metrics,
//! which `shared::metrics` computes on the host. Source: the boolean definitions of Tian et al.,
//! arXiv 2106.14917, Table I.
//!
//! Neither bincount nor boolean indexing, which wait for the device; integers, since an f32 counter
//! stops at 2^24.

use shared::labels::IGNORE;
use tch::{Kind, Tensor};

/// What is counted; each includes what comes before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    /// Valid pixels, and images that have some: of the labels alone.
    Pixels,
    /// Pixels of each class: of the labels alone.
    Classes,
    /// Those that are predicted as another class.
    Misses,
    /// Those of other classes that are predicted as the class.
    FalsePositives,
}

/// Counts of some batches. All of it is one vector of integers, so that the counts of several
/// batches, or of several processes, are a sum.
pub struct Counts {
    /// `[2 + 3 C]` i64: valid pixels, images that have some, then truth, FN and FP by class.
    sums: Tensor,
}

/// Entries before those by class.
const SINGLES: i64 = 2;

impl Counts {
    /// Counts a batch's labels and, where asked for, its predictions (argmax; the first of equals
    /// wins). What is not asked for is 0.
    ///
    /// # Shapes
    /// `logits` `[N, C, H, W]`, `target` `[N, H, W]` i64.
    pub fn of(logits: &Tensor, target: &Tensor, what: Counted) -> Self {
        let classes = logits.size()[1];
        if what < Counted::Misses {
            return Self::of_labels(target, classes, what);
        }
        // max with indices, since argmax alone takes a path that is twenty times slower on
        // contiguous CPU memory.
        let predictions = tch::no_grad(|| logits.max_dim(1, false).1); // [N, H, W]
        // One bin per (class, TP or FN), and a last one for the ignored pixels.
        let bin = target * 2 + predictions.ne_tensor(target);
        let bin = bin.masked_fill(&ignored(target), 2 * classes);
        let pairs = pixels_of(&bin, 2 * classes).view([classes, 2]);
        let (tp, fn_) = (pairs.select(1, 0), pairs.select(1, 1));
        let truth = &tp + &fn_;
        let fp = (what == Counted::FalsePositives).then(|| {
            let valid_predictions = predictions.masked_fill(&ignored(target), classes);
            pixels_of(&valid_predictions, classes) - &tp
        });
        let fp = fp.unwrap_or_else(|| truth.zeros_like());
        let valid = truth.sum(Kind::Int64);
        Self { sums: Tensor::cat(&[valid.view(1), images(target).view(1), truth, fn_, fp], 0) }
    }

    /// As [`Counts::of`], of the labels alone.
    pub fn of_labels(target: &Tensor, classes: i64, what: Counted) -> Self {
        let none = Tensor::zeros([classes], (Kind::Int64, target.device()));
        let truth = match what {
            Counted::Pixels => none.shallow_clone(),
            _ => pixels_of(&with_ignored_last(target, classes), classes),
        };
        let singles = [valid(target).view(1), images(target).view(1)];
        let [valid, images] = singles;
        Self { sums: Tensor::cat(&[&valid, &images, &truth, &none, &none], 0) }
    }

    /// Both together.
    pub fn and(self, other: &Self) -> Self {
        Self { sums: self.sums + &other.sums }
    }

    /// The vector, `[2 + 3 C]` i64, for who adds up the counts of several processes.
    pub fn vector(&self) -> &Tensor {
        &self.sums
    }

    /// The counts that such a vector holds.
    pub fn from_vector(sums: Tensor) -> Self {
        Self { sums }
    }

    /// The number of valid pixels, 0-d i64.
    pub fn valid(&self) -> Tensor {
        self.sums.get(0)
    }

    /// The number of images with a valid pixel, 0-d i64.
    pub fn images(&self) -> Tensor {
        self.sums.get(1)
    }

    /// Pixels of each class, TP + FN, `[C]` i64.
    pub fn truth(&self) -> Tensor {
        self.by_class(0)
    }

    /// Pixels of each class that are predicted as another, FN, `[C]` i64.
    pub fn false_negatives(&self) -> Tensor {
        self.by_class(1)
    }

    /// Valid pixels of other classes that are predicted as the class, FP, `[C]` i64.
    pub fn false_positives(&self) -> Tensor {
        self.by_class(2)
    }

    /// FN / (FN + TP) = 1 - recall of each class, `[C]` f64; 0 for a class that does not occur.
    pub fn false_negative_rate(&self) -> Tensor {
        self.false_negatives().to_kind(Kind::Double) / self.truth().clamp_min(1)
    }

    fn by_class(&self, row: i64) -> Tensor {
        let classes = (self.sums.size()[0] - SINGLES) / 3;
        self.sums.narrow(0, SINGLES + row * classes, classes)
    }
}

/// Where a pixel takes no part, `[N, H, W]` bool.
pub(super) fn ignored(target: &Tensor) -> Tensor {
    target.eq(i64::from(IGNORE))
}

/// The number of valid pixels, 0-d i64.
fn valid(target: &Tensor) -> Tensor {
    target.ne(i64::from(IGNORE)).sum(Kind::Int64)
}

/// The number of images with a valid pixel, 0-d i64.
fn images(target: &Tensor) -> Tensor {
    let valid = target.ne(i64::from(IGNORE)).flatten(1, -1);
    valid.any_dim(1, false).sum(Kind::Int64)
}

/// The truth with the ignored pixels in a class of their own, the last: `[N, H, W]` i64 below C +
/// 1.
pub(super) fn with_ignored_last(target: &Tensor, classes: i64) -> Tensor {
    target.clamp_max(classes)
}

/// How many pixels fall into each bin from 0 to `bins` - 1, `[bins]` i64; the bin `bins` is not
/// counted.
pub(super) fn pixels_of(bin: &Tensor, bins: i64) -> Tensor {
    let one = Tensor::ones([1], (Kind::Int64, bin.device()));
    sums_of(bin, bins, &one.expand_as(bin))
}

/// The sum of `values` over the pixels of each bin from 0 to `bins` - 1, `[bins]` of the values'
/// kind; carries their gradient. `bin` and `values` are of one shape `[.., W]`.
pub(super) fn sums_of(bin: &Tensor, bins: i64, values: &Tensor) -> Tensor {
    // A row of bins for each image row, added up afterwards: rows do not contend for one counter.
    let w = bin.size().last().copied().unwrap_or(1);
    let (bin, values) = (bin.reshape([-1, w]), values.reshape([-1, w]));
    let kind = values.kind();
    let rows = Tensor::zeros([bin.size()[0], bins + 1], (kind, bin.device()));
    rows.scatter_add(1, &bin, &values).sum_dim_intlist(0, false, kind).narrow(0, 0, bins)
}
