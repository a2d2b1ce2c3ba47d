//! The necessity ablation: recall loss with another metric in recall's place. Expected to fail: an
//! over-predicted class has low precision, hence a high weight, and is predicted even more. Source:
//! Tian et al., arXiv 2106.14917, Eq. 9 and Table I.

use super::{Counts, Tversky};
use tch::{Kind, Tensor};

/// The class weights 1 - metric, `[C]` f64, of a step with these counts: by argmax, without a
/// floor; an undefined metric counts 0, so that its class weighs 1. The loss is the mean over the
/// valid pixels of w_y ce.
pub(super) fn weights(metric: &Tversky, counts: &Counts) -> Tensor {
    let f64_of = |counts: &Tensor| counts.to_kind(Kind::Double);
    let (truth, fn_) = (counts.truth(), counts.false_negatives());
    let index =
        metric.index(&f64_of(&(&truth - &fn_)), &f64_of(&counts.false_positives()), &f64_of(&fn_));
    (1.0 - index) * truth.gt(0)
}
