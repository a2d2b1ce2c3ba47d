//! The necessity ablation: recall loss with another metric in recall's place.
//! Expected to fail: an over-predicted class has low precision, hence a high weight, and is predicted even more.
//! Source: Tian et al., arXiv 2106.14917, Eq. 9 and Table I.

use super::{Counts, LossOutput, Tversky, cross_entropy};
use tch::{Kind, Tensor};

/// The mean over the valid pixels of (1 - metric_y) ce, the metric counted by argmax over the batch, without a floor; an
/// undefined metric counts 0, so that its class weighs 1.
pub(super) fn compute(
    metric: &Tversky,
    logits: &Tensor,
    target: &Tensor,
    running: &Tensor,
) -> LossOutput {
    let (counts, fp) = Counts::with_false_positives(logits, target);
    let f64_of = |counts: &Tensor| counts.to_kind(Kind::Double);
    let tp = f64_of(&(&counts.truth - &counts.false_negatives));
    let index = metric.index(&tp, &f64_of(&fp), &f64_of(&counts.false_negatives));
    let weights = (1.0 - index) * counts.truth.gt(0); // [C]
    let pixels = cross_entropy::per_pixel(logits, target, Some(&weights));
    LossOutput {
        loss: cross_entropy::mean_of(&pixels, &counts.valid()),
        running: running.shallow_clone(),
        weights: Some(weights),
    }
}
