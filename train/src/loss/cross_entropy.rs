//! Cross entropy, plain, and the weighted mean of it that other losses are made of.
//! Not label smoothing, which the paper does not use.
//! Source: Tian et al., arXiv 2106.14917, Eq. 1; the kernel is libtorch's.

use shared::labels::IGNORE;
use tch::{Reduction, Tensor};

/// The mean of the cross entropy over the valid pixels, 0-d; 0 without any.
///
/// # Shapes
/// `logits` `[N, C, H, W]`, `target` `[N, H, W]` i64, values below C or 255 (ignored).
pub fn cross_entropy(logits: &Tensor, target: &Tensor) -> Tensor {
    let valid = target.ne(i64::from(IGNORE)).sum(tch::Kind::Int64);
    over(&per_pixel(logits, target, None), &valid.clamp_min(1))
}

/// `w_y` times the cross entropy of each pixel, 0 where ignored, `[N, H, W]`; one fused kernel each
/// way.
/// `weights` is `[C]` of any kind and carries no gradient.
pub(super) fn per_pixel(logits: &Tensor, target: &Tensor, weights: Option<&Tensor>) -> Tensor {
    let weights = weights.map(|w| w.detach().to_kind(logits.kind()));
    logits.cross_entropy_loss(target, weights, Reduction::None, i64::from(IGNORE), 0.0)
}

/// The sum of `pixels` over a divisor, which is no 0: 0-d, of the pixels' kind.
pub(super) fn over(pixels: &Tensor, divisor: &Tensor) -> Tensor {
    pixels.sum(pixels.kind()) / divisor.to_kind(pixels.kind())
}
