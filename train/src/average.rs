//! A running average of the weights (Polyak and Juditsky 1992): where single steps are noisy, the mean over the last of
//! them scores better. Not part of a step: training never sees it. It is what is validated, saved and exported.

use crate::model::params::Parameters;
use tch::{Kind, Tensor};

/// The average of parameters and running statistics over the steps that counted.
pub struct Average {
    decay: f64,
    weights: Tensor,
    statistics: Tensor,
    steps: Tensor,
}

impl Average {
    /// An average that begins with these parameters. `decay` is what stays of it in a step, 0 to 1.
    pub fn new(decay: f64, parameters: &Parameters) -> Self {
        Self {
            decay,
            weights: parameters.flat.copy(),
            statistics: parameters.buffers.copy(),
            steps: Tensor::zeros([], (Kind::Double, parameters.device())),
        }
    }

    /// Follows the step number t that led to these parameters: A <- d A + (1 - d) W with d = min(decay, (1 + t) / (10 + t)),
    /// so that what the network began with is soon forgotten. A step that did not count (`ok`, `[] bool`) changes nothing.
    pub fn follow(&mut self, parameters: &Parameters, ok: &Tensor) {
        tch::no_grad(|| {
            self.steps += ok;
            let young = (&self.steps + 1.0) / (&self.steps + 10.0);
            let share: Tensor = (1.0 - young.clamp_max(self.decay)) * ok;
            let pairs = [
                (&mut self.weights, &parameters.flat),
                (&mut self.statistics, &parameters.buffers),
            ];
            for (average, now) in pairs {
                let _ = average.lerp_tensor_(now, &share.to_kind(now.kind()));
            }
        });
    }

    /// Puts the average in the parameters' place and keeps those; a second call undoes the first, bit for bit.
    pub fn exchange(&mut self, parameters: &mut Parameters) {
        tch::no_grad(|| {
            let pairs = [
                (&mut self.weights, &mut parameters.flat),
                (&mut self.statistics, &mut parameters.buffers),
            ];
            for (kept, shown) in pairs {
                let before = shown.copy();
                shown.copy_(kept);
                *kept = before;
            }
        });
        parameters.refresh();
    }

    /// Its tensors by name, sharing memory.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let named =
            [("weights", &self.weights), ("statistics", &self.statistics), ("steps", &self.steps)];
        let named = named.into_iter();
        named.map(|(name, tensor)| (format!("average.{name}"), tensor.shallow_clone())).collect()
    }
}
