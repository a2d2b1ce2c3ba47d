//! Recall loss: cross entropy weighted per class by its current false negative rate, FN / (FN + TP).
//! Not a loss of the recall's value: the weights come from counts and carry no gradient.
//! Source: Tian et al., arXiv 2106.14917, Eq. 5; the floor as in their published code, ignored pixels left out throughout.

use super::{Counts, LossOutput, cross_entropy};
use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};
use tch::{Kind, Tensor};

/// Settings of recall loss. The defaults are those of the paper's published code; Eq. 5 itself has no floor
/// (`floor = false`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Recall {
    /// Count at least one false negative, so that a class without an error keeps the weight 1 / (FN + TP). A running recall
    /// (`momentum` above 0) has no such floor.
    pub floor: bool,
    /// What the weights are divided by.
    pub normalize: Normalize,
    /// The share of the running recall that a batch leaves in place; 0 takes each batch's own recall.
    pub momentum: f64,
}

/// What the weights are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Nothing: the paper.
    None,
    /// Their mean over the valid pixels, so that the loss does not shrink as the network gets better.
    MeanOne,
}

impl Default for Recall {
    fn default() -> Self {
        Self { floor: true, normalize: Normalize::None, momentum: 0.0 }
    }
}

impl Recall {
    pub(super) fn check(&self) -> Result<()> {
        if (0.0..1.0).contains(&self.momentum) {
            return Ok(());
        }
        let line = format!("loss.momentum: expected 0 or more and below 1, got {}", self.momentum);
        Err(Error::request(line)
            .hint("0 is the paper's recall loss; 0.9 remembers about ten batches"))
    }

    pub(super) fn compute(&self, logits: &Tensor, target: &Tensor, running: &Tensor) -> LossOutput {
        let counts = Counts::of(logits, target);
        let (weights, running) = tch::no_grad(|| self.weights(&counts, running));
        let pixels = cross_entropy::per_pixel(logits, target, Some(&weights));
        LossOutput {
            loss: cross_entropy::mean_of(&pixels, &counts.valid()),
            running,
            weights: Some(weights),
        }
    }

    /// The class weights `[C]` f64 of a batch, and the running state `[2, C]` after it.
    fn weights(&self, counts: &Counts, running: &Tensor) -> (Tensor, Tensor) {
        let occurs = counts.truth.gt(0);
        let (weights, running) = if self.momentum > 0.0 {
            let running = self.update(&counts.false_negative_rate(), &occurs, running);
            ((1.0 - running.get(0)) * &occurs, running)
        } else if self.floor {
            let floored = counts.false_negatives.clamp_min(1).to_kind(Kind::Double);
            (floored / counts.truth.clamp_min(1) * &occurs, running.shallow_clone())
        } else {
            (counts.false_negative_rate(), running.shallow_clone())
        };
        match self.normalize {
            Normalize::None => (weights, running),
            Normalize::MeanOne => {
                let total = (&weights * &counts.truth).sum(Kind::Double); // of w_y over the valid pixels
                let mean = &total / counts.valid().clamp_min(1);
                // All weights zero: divide by one and stay at zero.
                (weights / mean.where_self(&total.gt(0.0), &total.ones_like()), running)
            }
        }
    }

    /// R <- m R + (1 - m) R_batch for the classes that occur; the first sight of a class copies.
    fn update(&self, false_negative_rate: &Tensor, occurs: &Tensor, running: &Tensor) -> Tensor {
        let (recall, seen) = (running.get(0), running.get(1).gt(0.5));
        let batch = 1.0 - false_negative_rate;
        let mixed: Tensor = &recall * self.momentum + &batch * (1.0 - self.momentum);
        let after = mixed.where_self(&seen, &batch).where_self(occurs, &recall);
        Tensor::stack(&[after, seen.logical_or(occurs).to_kind(Kind::Double)], 0)
    }
}
