//! Weighted and balanced cross entropy: class weights from training-set frequencies, constant over the run.
//! Not the recall weights, which follow the network (`recall`).
//! Sources: inverse frequency, Tian et al., arXiv 2106.14917, Eq. 2; effective number of samples, Cui et al.,
//! "Class-Balanced Loss Based on Effective Number of Samples", arXiv 1901.05555, Eq. 2 and 5.

use super::{LossOutput, counts, cross_entropy, range};
use serde::{Deserialize, Serialize};
use shared::error::Result;
use tch::{Kind, Tensor};

/// Settings of balanced cross entropy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Balanced {
    /// The volume N of the space that the samples are drawn from; b = (N - 1) / N.
    pub volume: Volume,
}

/// The N of Cui et al. With N far above every class's pixels the weights are those of inverse frequency, with N far
/// below they are all equal. Their own b of 0.9 to 0.9999 (N of 10 to 10 000) counts images; for pixels it is cross entropy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"pixels\" or a number")]
pub enum Volume {
    /// A word in place of a number.
    Named(Named),
    /// This many.
    Number(f64),
}

/// The words for N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// The valid pixels of the training set.
    Pixels,
}

impl Default for Volume {
    fn default() -> Self {
        Self::Named(Named::Pixels)
    }
}

impl Balanced {
    pub(super) fn check(&self) -> Result<()> {
        let hint = "N of Cui et al.: \"pixels\" takes the training set's valid pixels";
        match self.volume {
            Volume::Named(Named::Pixels) => Ok(()),
            Volume::Number(n) => {
                range("volume", n, "a number of samples, 1 to 1e18", 1.0..=1e18, hint)
            }
        }
    }

    /// w_c = (1 - b) / (1 - b^n_c), b = (N - 1) / N, for each class's pixels n_c in the training set; 0 where n_c is 0.
    ///
    /// By `ln_1p` and `exp_m1`: for the N of pixels, 1 - b^n loses all its digits in f32, and half of them in f64.
    pub(super) fn weights(&self, pixels: &[u64]) -> Vec<f64> {
        let n = match self.volume {
            Volume::Named(Named::Pixels) => pixels.iter().sum::<u64>().max(1) as f64,
            Volume::Number(n) => n,
        };
        let ln_b = (-1.0 / n).ln_1p();
        let weight = |pixels: u64| match pixels {
            0 => 0.0,
            pixels => -1.0 / (n * (pixels as f64 * ln_b).exp_m1()),
        };
        pixels.iter().copied().map(weight).collect()
    }
}

/// w_c = 1 / freq(c), the share of the class in the valid pixels of the training set; 0 where it does not occur.
pub(super) fn inverse(pixels: &[u64]) -> Vec<f64> {
    let total = pixels.iter().sum::<u64>() as f64;
    pixels.iter().map(|&n| if n == 0 { 0.0 } else { total / n as f64 }).collect()
}

/// sum(w_y ce) / sum(w_y) over the valid pixels; 0 where the weights add up to nothing. `weights` is `[C]` f64.
pub(super) fn weighted_mean(
    logits: &Tensor,
    target: &Tensor,
    weights: &Tensor,
    running: &Tensor,
) -> LossOutput {
    let classes = weights.size()[0];
    let occurs = counts::pixels_of(&counts::with_ignored_last(target, classes), classes);
    let total = (weights * &occurs).sum(Kind::Double);
    let divisor = total.where_self(&total.gt(0.0), &total.ones_like());
    let pixels = cross_entropy::per_pixel(logits, target, Some(weights));
    LossOutput {
        loss: pixels.sum(pixels.kind()) / divisor.to_kind(pixels.kind()),
        running: running.shallow_clone(),
        weights: Some(weights * occurs.gt(0)),
    }
}
