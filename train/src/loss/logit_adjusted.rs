//! Logit adjustment: cross entropy of logits that the log of the class's frequency has been added
//! to, so that the logits alone answer as if all classes were equally frequent. Not the adjustment
//! after training, which `adjust` does without a loss. Source: Menon et al., "Long-Tail Learning
//! via Logit Adjustment", arXiv 2007.07314, Eq. 10; tau as in their Sec. 5.

use super::range;
use serde::{Deserialize, Serialize};
use shared::error::Result;

/// Settings of the loss.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogitAdjusted {
    /// What the log of the frequency is multiplied with: 0 is cross entropy, 1 aims at the balanced
    /// error.
    pub tau: f64,
}

impl Default for LogitAdjusted {
    fn default() -> Self {
        Self { tau: 1.0 }
    }
}

impl LogitAdjusted {
    pub(super) fn check(&self) -> Result<()> {
        range(
            "tau",
            self.tau,
            "0 to 10",
            0.0..=10.0,
            "1 is the authors' choice; 0 is cross entropy",
        )
    }

    /// tau log pi_c, pi_c the class's share of the training set's valid pixels; 0 where it has
    /// none.
    pub(super) fn shifts(&self, pixels: &[u64]) -> Vec<f64> {
        let total = pixels.iter().sum::<u64>() as f64;
        let shift = |&n: &u64| if n == 0 { 0.0 } else { self.tau * (n as f64 / total).ln() };
        pixels.iter().map(shift).collect()
    }
}
