//! The losses: settings, and one call from logits to a scalar that carries a gradient.
//! Not the training loop: whether a step counts, and so which running state is kept, the trainer decides.
//! Definitions: Tian et al., arXiv 2106.14917, with the choices that ARCHITECTURE.md states under "Recall loss".

mod counts;
mod cross_entropy;
mod recall;

pub use counts::Counts;
pub use cross_entropy::CrossEntropy;
pub use recall::{Normalize, Recall};

use serde::{Deserialize, Serialize};
use shared::error::Result;
use tch::{Device, Kind, Tensor};

/// A loss and its settings, as a recipe gives them: `{ name = "recall", floor = false }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum LossSettings {
    /// The mean of the cross entropy over the valid pixels.
    CrossEntropy(CrossEntropy),
    /// Recall loss, Eq. 5.
    Recall(Recall),
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

impl LossSettings {
    /// The names a recipe can use.
    pub fn names() -> &'static [&'static str] {
        &["cross-entropy", "recall"]
    }

    /// The name of this loss in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            Self::CrossEntropy(_) => "cross-entropy",
            Self::Recall(_) => "recall",
        }
    }

    /// Whether the values make sense.
    ///
    /// # Errors
    /// A value outside its range, named.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::CrossEntropy(_) => Ok(()),
            Self::Recall(recall) => recall.check(),
        }
    }

    /// The running state before the first step, `[2, C]` f64: no class seen.
    pub fn initial_running(&self, classes: i64, device: Device) -> Tensor {
        Tensor::zeros([2, classes], (Kind::Double, device))
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
        let target = target.to_kind(Kind::Int64); // [N, H, W], what the kernels take
        match self {
            Self::CrossEntropy(loss) => loss.compute(logits, &target, running),
            Self::Recall(loss) => loss.compute(logits, &target, running),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<LossSettings> {
        toml::from_str(text).ok()
    }

    #[test]
    fn every_name_is_a_loss_with_defaults() {
        for name in LossSettings::names() {
            let loss = parse(&format!("name = \"{name}\"")).expect("defaults are enough");
            assert_eq!(&loss.name(), name);
            loss.check().expect("defaults are valid");
        }
    }

    #[test]
    fn the_papers_recall_loss_is_the_default() {
        let recall = Recall { floor: true, normalize: Normalize::None, momentum: 0.0 };
        assert_eq!(parse("name = \"recall\""), Some(LossSettings::Recall(recall)));
    }

    #[test]
    fn unknown_keys_are_errors() {
        assert!(parse("name = \"cross-entropy\"\nfloor = true").is_none());
        assert!(parse("name = \"recall\"\nflor = true").is_none());
        assert!(parse("name = \"precision\"").is_none());
    }

    #[test]
    fn a_momentum_of_one_is_refused() {
        let loss = parse("name = \"recall\"\nmomentum = 1.0").expect("parses");
        assert!(loss.check().is_err());
    }
}
