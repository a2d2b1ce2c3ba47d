//! Recall loss: cross entropy weighted per class by its current false negative rate, FN / (FN +
//! TP). Not a loss of the recall's value: the weights come from counts and carry no gradient.
//! Source: Tian et al., arXiv 2106.14917, Eq. 5; the floor as in their published code, ignored
//! pixels left out throughout. A running recall and weights with a mean of one are not that paper's
//! Eq. 5, but its authors had both in an earlier loss, which their release still holds: weights
//! that run over the batches, and a weighted mean of the cross entropy.

use super::Counts;
use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};
use std::path::PathBuf;
use tch::{Kind, Tensor};

/// Settings of recall loss. The defaults are those of the paper's published code; Eq. 5 itself has
/// no floor (`floor = false`).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, into = "Spelled")]
pub struct Recall {
    /// Count at least one false negative, so that a class without an error keeps the weight one
    /// over its pixels. A running recall (`momentum` above 0) has no such floor: there this means
    /// nothing, and is not written.
    pub floor: bool,
    /// What the weights are divided by.
    pub normalize: Normalize,
    /// A run, or its weights: the class weights are then 1 - recall of its last network on the
    /// training split, measured once and held, which tells what the weights do from what their
    /// change does. With the floor, without momentum.
    pub weights_from: Option<PathBuf>,
    /// The share of the running recall that a step leaves in place; 0 takes each step's own recall.
    pub momentum: f64,
}

/// Recall loss as it is written.
#[derive(Serialize)]
struct Spelled {
    #[serde(skip_serializing_if = "Option::is_none")]
    floor: Option<bool>,
    normalize: Normalize,
    momentum: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights_from: Option<PathBuf>,
}

impl From<Recall> for Spelled {
    fn from(recall: Recall) -> Self {
        let Recall { floor, normalize, momentum, weights_from } = recall;
        let floor = (momentum == 0.0).then_some(floor);
        Self { floor, normalize, momentum, weights_from }
    }
}

impl PartialEq for Recall {
    /// Whether both are the same loss.
    fn eq(&self, other: &Self) -> bool {
        let floors = self.floor == other.floor || self.momentum > 0.0;
        let same = self.normalize == other.normalize && self.momentum == other.momentum;
        same && floors && self.weights_from == other.weights_from
    }
}

/// What the weights are divided by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Nothing: the paper.
    None,
    /// Their mean over the valid pixels, so that the loss does not shrink as the network gets
    /// better: without the floor it is then sum over c of (FN_c / FN) D_c, a mean of the classes'
    /// mean cross entropies D_c by their shares of all misses FN.
    MeanOne,
}

impl Default for Recall {
    fn default() -> Self {
        Self { floor: true, normalize: Normalize::None, momentum: 0.0, weights_from: None }
    }
}

impl Recall {
    pub(super) fn check(&self) -> Result<()> {
        if self.weights_from.is_some() && (self.momentum != 0.0 || !self.floor) {
            let line =
                "loss.weights_from: expected neither momentum nor floor = false beside it, got one";
            return Err(Error::request(line).hint("held weights follow no batch"));
        }
        if (0.0..1.0).contains(&self.momentum) {
            return Ok(());
        }
        let line = format!("loss.momentum: expected 0 or more and below 1, got {}", self.momentum);
        Err(Error::request(line)
            .hint("0 is the paper's recall loss; 0.9 remembers about ten batches"))
    }

    /// The class weights `[C]` f64 of a step with these counts, and the running state `[2, C]`
    /// after it. `held` are the weights of
    /// `weights_from`, `[C]` f64.
    pub(super) fn weights(
        &self,
        counts: &Counts,
        running: &Tensor,
        held: &Tensor,
    ) -> (Tensor, Tensor) {
        let truth = counts.truth();
        let occurs = truth.gt(0);
        let (weights, running) = if self.weights_from.is_some() {
            (held * &occurs, running.shallow_clone())
        } else if self.momentum > 0.0 {
            let running = self.update(&counts.false_negative_rate(), &occurs, running);
            ((1.0 - running.get(0)) * &occurs, running)
        } else if self.floor {
            let floored = counts.false_negatives().clamp_min(1).to_kind(Kind::Double);
            (floored / truth.clamp_min(1) * &occurs, running.shallow_clone())
        } else {
            (counts.false_negative_rate(), running.shallow_clone())
        };
        match self.normalize {
            Normalize::None => (weights, running),
            Normalize::MeanOne => {
                let total = (&weights * &truth).sum(Kind::Double); // of w_y over the valid pixels
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
