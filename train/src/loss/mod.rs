//! The losses: settings, made into a loss once, and one call from logits to a scalar that carries a gradient.
//! Not the training loop: whether a step counts, and so which running state is kept, the trainer decides.
//! Definitions: Tian et al., arXiv 2106.14917, with the choices that ARCHITECTURE.md states under "Losses".

mod catalogue;
mod counts;
mod cross_entropy;
mod focal;
mod frequency;
mod ldam;
mod lovasz;
mod ohem;
mod one_minus;
mod overlap;
mod recall;
mod settings;
mod tally;
mod tversky;

pub use catalogue::About;
pub use counts::Counts;
pub use cross_entropy::cross_entropy;
pub use focal::Focal;
pub use frequency::{Balanced, Named, Volume};
pub use ldam::Ldam;
pub use ohem::Ohem;
pub use recall::{Normalize, Recall};
pub use settings::{LossSettings, Plain};
pub use tally::{ClassWeights, Tally};
pub use tversky::Tversky;

use settings::range;
use tch::{Device, Kind, Tensor};

/// A loss, ready to compute: its settings, and what it takes from the training set.
pub struct Loss {
    settings: LossSettings,
    /// Weights or margins of the classes that follow from the training set alone, `[C]` f64; ones where a loss has none.
    constants: Tensor,
}

/// What a loss gives for one batch. All of it stays on the logits' device.
pub struct LossOutput {
    /// The loss, 0-d, of the logits' kind; carries the gradient.
    pub loss: Tensor,
    /// The running state after this batch, `[2, C]` f64: running recall, and 1 where a class has been seen.
    /// A candidate: the trainer keeps it only if the step counted.
    pub running: Tensor,
    /// The weight of each class in this batch, `[C]` f64, detached, for the log; 0 for a class without a pixel.
    /// None where a loss weighs no classes.
    pub weights: Option<Tensor>,
}

impl Loss {
    /// Prepares a loss for a training set with so many `pixels` of each class, by train id. A class without any weighs
    /// nothing ([`LossSettings::check_classes`] refuses such a set where that matters).
    pub fn new(settings: LossSettings, pixels: &[u64], device: Device) -> Self {
        let constants = match &settings {
            LossSettings::Weighted(_) => frequency::inverse(pixels),
            LossSettings::Balanced(balanced) => balanced.weights(pixels),
            LossSettings::Ldam(ldam) => ldam.margins(pixels),
            _ => vec![1.0; pixels.len()],
        };
        Self { settings, constants: Tensor::from_slice(&constants).to_device(device) }
    }

    /// The running state before the first step, `[2, C]` f64: no class seen.
    pub fn initial_running(&self) -> Tensor {
        Tensor::zeros([2, self.constants.size()[0]], (Kind::Double, self.constants.device()))
    }

    /// The loss of one batch. Nothing in here waits for the device.
    ///
    /// # Shapes
    /// `logits` `[N, C, H, W]` f32 or f64 in any memory format, `target` `[N, H, W]` i64 or u8 of values below C or
    /// 255 (ignored), `running` `[2, C]` f64 as the step before left it.
    ///
    /// Without a valid pixel the loss and its gradient are 0.
    ///
    /// # Panics
    /// On shapes or kinds other than these, and (on a CPU) on a label that is neither below C nor 255; the data set's
    /// label table lets none through.
    pub fn compute(&self, logits: &Tensor, target: &Tensor, running: &Tensor) -> LossOutput {
        let target = &target.to_kind(Kind::Int64); // [N, H, W], what the kernels take
        let one_minus = |metric| one_minus::compute(metric, logits, target, running);
        let overlap = |ratio| overlap::compute(ratio, logits, target);
        let loss = match &self.settings {
            LossSettings::Recall(recall) => return recall.compute(logits, target, running),
            LossSettings::Weighted(_) | LossSettings::Balanced(_) => {
                return frequency::weighted_mean(logits, target, &self.constants, running);
            }
            LossSettings::OneMinusPrecision(_) => return one_minus(&Tversky::PRECISION),
            LossSettings::OneMinusDice(_) => return one_minus(&Tversky::DICE),
            LossSettings::OneMinusJaccard(_) => return one_minus(&Tversky::JACCARD),
            LossSettings::OneMinusTversky(metric) => return one_minus(metric),
            LossSettings::CrossEntropy(_) => cross_entropy(logits, target),
            LossSettings::Focal(focal) => focal.compute(logits, target),
            LossSettings::Ohem(ohem) => ohem.compute(logits, target),
            LossSettings::SoftIou(_) => overlap(&Tversky::JACCARD),
            LossSettings::SoftDice(_) => overlap(&Tversky::DICE),
            LossSettings::Tversky(ratio) => overlap(ratio),
            LossSettings::Lovasz(_) => lovasz::compute(logits, target),
            LossSettings::Ldam(ldam) => ldam.compute(logits, target, &self.constants),
        };
        LossOutput { loss, running: running.shallow_clone(), weights: None }
    }
}
