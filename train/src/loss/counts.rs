//! Pixels counted per class on the device: how often a class occurs, how often it is missed, how often it is claimed.
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
    /// Pixels of the class that another class has won: FN.
    pub missed: Tensor,
}

impl Counts {
    /// Counts by argmax (the first of equals wins).
    ///
    /// # Shapes
    /// `logits` `[N, C, H, W]`, `target` `[N, H, W]` i64.
    pub fn of(logits: &Tensor, target: &Tensor) -> Self {
        Self::of_winners(&winners(logits), target, logits.size()[1])
    }

    /// As [`Counts::of`], and beside them FP: the valid pixels of other classes that the class has won, `[C]` i64.
    pub fn with_false_positives(logits: &Tensor, target: &Tensor) -> (Self, Tensor) {
        let (won, classes) = (winners(logits), logits.size()[1]);
        let counts = Self::of_winners(&won, target, classes);
        let claimed = pixels_of(&won.masked_fill(&ignored(target), classes), classes); // TP + FP
        let false_positives = claimed - (&counts.truth - &counts.missed);
        (counts, false_positives)
    }

    fn of_winners(won: &Tensor, target: &Tensor, classes: i64) -> Self {
        // One bin per (class, found or missed), and a last one for the ignored pixels.
        let bin = (target * 2 + won.ne_tensor(target)).masked_fill(&ignored(target), 2 * classes);
        let pairs = pixels_of(&bin, 2 * classes).view([classes, 2]);
        let missed = pairs.select(1, 1);
        Self { truth: pairs.select(1, 0) + &missed, missed }
    }

    /// The number of valid pixels, 0-d i64.
    pub fn valid(&self) -> Tensor {
        self.truth.sum(Kind::Int64)
    }

    /// Misses per class, FN / (FN + TP) = 1 - recall, `[C]` f64; 0 for a class that does not occur.
    pub fn miss_rate(&self) -> Tensor {
        self.missed.to_kind(Kind::Double) / self.truth.clamp_min(1)
    }
}

/// The class with the largest logit, the first of equals, `[N, H, W]` i64.
fn winners(logits: &Tensor) -> Tensor {
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

/// How many pixels carry each of the numbers below `numbers`, `[numbers]` i64; `numbers` itself is not counted.
pub(super) fn pixels_of(bin: &Tensor, numbers: i64) -> Tensor {
    let one = Tensor::ones([1], (Kind::Int64, bin.device()));
    sums_of(bin, numbers, &one.expand_as(bin))
}

/// The sum of `values` over the pixels of each of the numbers below `numbers`, `[numbers]` of the values' kind; carries
/// their gradient. `bin` and `values` are of one shape `[.., W]`.
pub(super) fn sums_of(bin: &Tensor, numbers: i64, values: &Tensor) -> Tensor {
    // A row of bins for each image row, added up afterwards: rows do not contend for one counter.
    let w = bin.size().last().copied().unwrap_or(1);
    let (bin, values) = (bin.reshape([-1, w]), values.reshape([-1, w]));
    let kind = values.kind();
    let rows = Tensor::zeros([bin.size()[0], numbers + 1], (kind, bin.device()));
    rows.scatter_add(1, &bin, &values).sum_dim_intlist(0, false, kind).narrow(0, 0, numbers)
}
