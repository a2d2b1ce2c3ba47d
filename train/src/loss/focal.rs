//! Focal loss: cross entropy down-weighted where the network is already confident.
//! Without the class weights alpha of its authors, which are the `weighted` loss's idea.
//! Source: Lin et al., "Focal Loss for Dense Object Detection", arXiv 1708.02002, Eq. 4.

use super::{cross_entropy, range};
use serde::{Deserialize, Serialize};
use shared::error::Result;
use tch::Tensor;

/// Settings of focal loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Focal {
    /// The exponent g of (1 - p_y)^g: 0 is cross entropy, 2 its authors' choice, 1 what Tian et al.
    /// compare with.
    pub gamma: f64,
}

impl Default for Focal {
    fn default() -> Self {
        Self { gamma: 2.0 }
    }
}

/// The least 1 - p: below it a power with g < 1 has a slope that is not finite, though times ce it
/// goes to 0.
const LEAST: f64 = f32::MIN_POSITIVE as f64;

impl Focal {
    pub(super) fn check(&self) -> Result<()> {
        let hint = "2 is the authors' choice, 1 the recall paper's";
        range("gamma", self.gamma, "0 to 10", 0.0..=10.0, hint)
    }

    /// (1 - p_y)^g ce of each pixel, `[N, H, W]`, 0 where ignored; the factor carries gradient.
    pub(super) fn per_pixel(&self, logits: &Tensor, target: &Tensor) -> Tensor {
        let ce = cross_entropy::per_pixel(logits, target, None); // [N, H, W]
        let unsure = one_minus_p(&ce).clamp_min(LEAST);
        unsure.pow_tensor_scalar(self.gamma) * ce
    }
}

/// 1 - p_y of each pixel from its cross entropy, without the cancellation of 1 - exp(-ce).
pub(super) fn one_minus_p(ce: &Tensor) -> Tensor {
    -(-ce).expm1()
}
