//! Tversky's index, TP / (TP + a FP + b FN), which is most of Table I: precision (1, 0), recall (0,
//! 1), Dice or F1 (1/2, 1/2), Jaccard or IoU (1, 1). Not a loss: `overlap` and `one_minus` make
//! losses of it, of soft and of hard counts. Source: Tversky, "Features of similarity", 1977; Tian
//! et al., arXiv 2106.14917, Table I, whose boolean forms these are.

use super::range;
use serde::{Deserialize, Serialize};
use shared::error::Result;
use tch::Tensor;

/// How much a false positive and a false negative count beside a true positive.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tversky {
    /// a: weighs false positives.
    pub alpha: f64,
    /// b: weighs false negatives.
    pub beta: f64,
}

impl Default for Tversky {
    /// As in Salehi et al., arXiv 1706.05721, whose lesions are as rare as our poles.
    fn default() -> Self {
        Self { alpha: 0.3, beta: 0.7 }
    }
}

impl Tversky {
    /// TP / (TP + FP).
    pub(super) const PRECISION: Self = Self { alpha: 1.0, beta: 0.0 };
    /// 2 TP / (2 TP + FP + FN), F1 as well.
    pub(super) const DICE: Self = Self { alpha: 0.5, beta: 0.5 };
    /// TP / (TP + FP + FN), IoU as well.
    pub(super) const JACCARD: Self = Self { alpha: 1.0, beta: 1.0 };

    pub(super) fn check(&self) -> Result<()> {
        let hint = "0.5 and 0.5 is Dice, 1 and 1 is IoU, 0.3 and 0.7 is Salehi et al.";
        range("alpha", self.alpha, "0 or more, at most 1000", 0.0..=1e3, hint)?;
        // Without b a class that is not predicted at all is 0 / 0.
        range("beta", self.beta, "1e-3 or more, at most 1000", 1e-3..=1e3, hint)
    }

    /// The index of each class, `[C]` f64, and 0 where it is 0 / 0. The arguments are `[C]` f64,
    /// hard or soft.
    pub(super) fn index(&self, tp: &Tensor, fp: &Tensor, fn_: &Tensor) -> Tensor {
        let denominator: Tensor = tp + fp * self.alpha + fn_ * self.beta;
        tp / denominator.clamp_min(f64::MIN_POSITIVE)
    }
}
