//! Losses of overlap: soft IoU, soft Dice and Tversky, the ratios of Table I with probabilities in place of decisions.
//! Sums are over the valid pixels of the whole batch, and means over the classes that occur in it; the published code of
//! Tian et al., arXiv 2106.14917, takes soft IoU per image, and over all classes, absent ones too.
//! Sources: soft IoU, Rahman & Wang, ISVC 2016; soft Dice, Milletari et al., arXiv 1606.04797 (without their squares);
//! Tversky, Salehi et al., arXiv 1706.05721.

use super::{Tversky, counts};
use shared::labels::IGNORE;
use tch::{Kind, Reduction, Tensor};

/// 1 - the mean over the classes present of TP / (TP + a FP + b FN), with soft counts: TP = sum(p t), FP = sum(p) - TP,
/// FN = sum(t) - TP, t one-hot (never made). 0 without a valid pixel.
///
/// Memory beside the logits: their softmax, and on the way back two gradients of its size.
pub(super) fn compute(ratio: &Tversky, logits: &Tensor, target: &Tensor) -> Tensor {
    let classes = logits.size()[1];
    let class = counts::with_ignored_last(target, classes);
    let truth = counts::pixels_of(&class, classes);
    let present = truth.gt(0);
    let truth = truth.to_kind(Kind::Double);

    let p = logits.softmax(1, None); // [N, C, H, W]
    let tp = {
        let p_y = -p.nll_loss_nd(target, None::<Tensor>, Reduction::None, i64::from(IGNORE));
        counts::sums_of(&class, classes, &p_y.to_kind(Kind::Double))
    };
    let predicted_pixels = sum_over(&p, &target.ne(i64::from(IGNORE))).to_kind(Kind::Double);

    let index = ratio.index(&tp, &(&predicted_pixels - &tp), &(truth - &tp)); // [C] f64
    let lost: Tensor = (1.0 - index) * &present;
    let lost = lost.sum(Kind::Double);
    (lost / present.sum(Kind::Int64).clamp_min(1)).to_kind(logits.kind())
}

/// The sum of each channel over the pixels in a mask, `[C]`: a product of matrices, since a masked copy would be as large
/// as `p`. Both memory formats are read in place.
///
/// # Shapes
/// `p` `[N, C, H, W]`, `mask` `[N, H, W]` bool.
fn sum_over(p: &Tensor, mask: &Tensor) -> Tensor {
    let mask = mask.to_kind(p.kind()).flatten(1, 2).unsqueeze(2); // [N, H*W, 1]
    p.flatten(2, 3).bmm(&mask).sum_dim_intlist([0i64, 2].as_slice(), false, p.kind())
}
