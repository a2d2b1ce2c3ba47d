//! Cross entropy, plain, and the weighted mean of it that other losses are made of.
//! Not label smoothing, which the paper does not use.
//! Source: Tian et al., arXiv 2106.14917, Eq. 1; the kernel is libtorch's.

use super::counts;
use shared::labels::IGNORE;
use tch::{Reduction, Tensor};

/// The mean of the cross entropy over the valid pixels, 0-d; 0 without any.
///
/// # Shapes
/// `logits` `[N, C, H, W]`, `target` `[N, H, W]` i64, values below C or 255 (ignored).
pub fn cross_entropy(logits: &Tensor, target: &Tensor) -> Tensor {
    mean_of(&per_pixel(logits, target, None), &counts::valid(target))
}

/// `w_y` times the cross entropy of each pixel, 0 where ignored, `[N, H, W]`; one fused kernel each way.
/// `weights` is `[C]` of any kind and carries no gradient.
pub(super) fn per_pixel(logits: &Tensor, target: &Tensor, weights: Option<&Tensor>) -> Tensor {
    let weights = weights.map(|w| w.detach().to_kind(logits.kind()));
    logits.cross_entropy_loss(target, weights, Reduction::None, i64::from(IGNORE), 0.0)
}

/// The sum of `pixels` over the number of valid ones: 0, not 0 / 0, without any.
pub(super) fn mean_of(pixels: &Tensor, valid: &Tensor) -> Tensor {
    pixels.sum(pixels.kind()) / valid.clamp_min(1)
}
