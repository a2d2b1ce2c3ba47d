//! Losses of overlap: soft IoU, soft Dice and Tversky, the ratios of Table I with probabilities in
//! place of decisions. Sums are over the valid pixels of the whole batch, and means over the
//! classes that occur in it; the published code of Tian et al., arXiv 2106.14917, takes soft IoU
//! per image, and over all classes, absent ones too (`per_image`). Sources: soft IoU, Rahman &
//! Wang, ISVC 2016; soft Dice, Milletari et al., arXiv 1606.04797 (without their squares); Tversky,
//! Salehi et al., arXiv 1706.05721.

use super::{Tversky, counts};
use serde::{Deserialize, Serialize};
use shared::labels::IGNORE;
use tch::{Kind, Reduction, Tensor};

/// Settings of soft IoU and Lovász-softmax.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Form {
    /// Each image by itself, and their mean, as in the code that the recall paper's authors
    /// published; or the batch as one image.
    pub per_image: bool,
}

/// 1 - the mean over the classes present of TP / (TP + a FP + b FN), with soft counts: TP = sum(p
/// t), FP = sum(p) - TP, FN = sum(t) - TP, t one-hot (never made). 0 without a valid pixel.
///
/// Memory beside the logits: their softmax, and on the way back two gradients of its size.
pub(super) fn over_batch(ratio: &Tversky, logits: &Tensor, target: &Tensor) -> Tensor {
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

/// The sum of each channel over the pixels in a mask, `[C]`: a product of matrices, since a masked
/// copy would be as large as `p`. Both memory formats are read in place.
///
/// # Shapes
/// `p` `[N, C, H, W]`, `mask` `[N, H, W]` bool.
fn sum_over(p: &Tensor, mask: &Tensor) -> Tensor {
    let mask = mask.to_kind(p.kind()).flatten(1, 2).unsqueeze(2); // [N, H*W, 1]
    p.flatten(2, 3).bmm(&mask).sum_dim_intlist([0i64, 2].as_slice(), false, p.kind())
}

/// The sum over the images of 1 - the mean over all classes of soft IoU in the image, that of an
/// absent class being 0. Images without a valid pixel take no part.
pub(super) fn soft_iou_of_images(logits: &Tensor, target: &Tensor) -> Tensor {
    let (images, classes) = (logits.size()[0], logits.size()[1]);
    let p = logits.softmax(1, None); // [N, C, H, W]
    let p_y = -p.nll_loss_nd(target, None::<Tensor>, Reduction::None, i64::from(IGNORE));
    let class = counts::with_ignored_last(target, classes).flatten(1, -1); // [N, H*W]
    let by_class = |values: &Tensor| {
        let sums = Tensor::zeros([images, classes + 1], (Kind::Double, logits.device()));
        let values = values.to_kind(Kind::Double).flatten(1, -1);
        sums.scatter_add(1, &class, &values).narrow(1, 0, classes) // [N, C]
    };
    let (tp, truth) = (by_class(&p_y), by_class(&target.ones_like()));
    let valid = target.ne(i64::from(IGNORE)).to_kind(p.kind()).flatten(1, 2).unsqueeze(2);
    let predicted = p.flatten(2, 3).bmm(&valid).squeeze_dim(2).to_kind(Kind::Double); // [N, C]
    let lost: Tensor = 1.0 - Tversky::JACCARD.index(&tp, &(predicted - &tp), &(&truth - &tp));
    let lost = lost.mean_dim(1i64, false, Kind::Double); // [N]
    let counts = truth.sum_dim_intlist(1i64, false, Kind::Double).gt(0.0);
    (lost * counts).sum(Kind::Double).to_kind(logits.kind())
}
