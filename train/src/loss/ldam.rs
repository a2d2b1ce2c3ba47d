//! LDAM: the true class's logit has to win by a margin, larger for rarer classes. Without the
//! deferred re-weighting of its authors, which is a schedule. Source: Cao et al., "Learning
//! Imbalanced Datasets with Label-Distribution-Aware Margin Loss", arXiv 1906.07413, Eq. 11 and 12.

use super::{counts, cross_entropy, range};
use serde::{Deserialize, Serialize};
use shared::error::Result;
use tch::Tensor;

/// Settings of LDAM.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ldam {
    /// The margin of the rarest class.
    pub max_margin: f64,
    /// What the logits, margins included, are multiplied with. The authors' 30 is for logits that
    /// are cosines.
    pub scale: f64,
}

impl Default for Ldam {
    fn default() -> Self {
        Self { max_margin: 0.5, scale: 1.0 }
    }
}

impl Ldam {
    pub(super) fn check(&self) -> Result<()> {
        let hint = "0.5 and 1 are the defaults";
        range("max_margin", self.max_margin, "0 to 100", 0.0..=100.0, hint)?;
        range("scale", self.scale, "1e-3 to 1000", 1e-3..=1e3, hint)
    }

    /// m_c proportional to n_c^(-1/4) for each class's pixels n_c in the training set, the largest
    /// being `max_margin`; 0 where n_c is 0.
    pub(super) fn margins(&self, pixels: &[u64]) -> Vec<f64> {
        let rarest = pixels.iter().copied().filter(|&n| n > 0).min().unwrap_or(1) as f64;
        let margin = |n: u64| match n {
            0 => 0.0,
            n => self.max_margin * (rarest / n as f64).powf(0.25),
        };
        pixels.iter().copied().map(margin).collect()
    }

    /// The cross entropy of s (z - m_y t) of each pixel, `[N, H, W]`, 0 where ignored. `margins` is
    /// `[C]` f64.
    ///
    /// The shifted logits are made, and freed before the way back. A formula of p_y alone would
    /// save them, but lose f32's digits by a factor of exp(s m).
    pub(super) fn per_pixel(&self, logits: &Tensor, target: &Tensor, margins: &Tensor) -> Tensor {
        let (class, margin) = tch::no_grad(|| {
            let classes = margins.size()[0];
            let place = counts::with_ignored_last(target, classes).flatten(0, -1);
            // Ignored pixels have no margin, wherever it is taken off.
            let margins = margins.constant_pad_nd([0, 1]).to_kind(logits.kind());
            let margin = margins.index_select(0, &place).view_as(target);
            (target.clamp_max(classes - 1).unsqueeze(1), margin.unsqueeze(1)) // [N, 1, H, W]
        });
        let mut shifted = logits.scatter_add(1, &class, &-margin); // [N, C, H, W]
        if self.scale != 1.0 {
            shifted *= self.scale;
        }
        cross_entropy::per_pixel(&shifted, target, None)
    }
}
