//! The losses: settings, made into a loss once, and a call from logits to a scalar that carries a
//! gradient. Not the training loop: whether a step counts, and so which running state is kept, the
//! trainer decides. Definitions: Tian et al., arXiv 2106.14917, with the choices that
//! ARCHITECTURE.md states under "Losses".
//!
//! A step may see its images in several batches, one after the other or in several processes. So a
//! loss is computed in two parts: [`Loss::weigh`] takes the counts of the whole step ([`Counts`],
//! which add up), and [`Loss::part`] gives each batch's part, which add up too.

mod catalogue;
mod counts;
mod cross_entropy;
mod focal;
mod frequency;
mod ldam;
mod logit_adjusted;
mod lovasz;
mod objective;
mod ohem;
mod one_minus;
mod overlap;
mod recall;
mod settings;
mod tally;
mod term;
mod tversky;

pub use catalogue::About;
pub use counts::{Counted, Counts};
pub use cross_entropy::cross_entropy;
pub use focal::Focal;
pub use frequency::{Balanced, Frequencies, Named, Scheme, Volume, Weighted};
pub use ldam::Ldam;
pub use logit_adjusted::LogitAdjusted;
pub(crate) use objective::sections;
pub use objective::{Objective, Summand};
pub use ohem::Ohem;
pub use overlap::Form;
pub use recall::{Normalize, Recall};
pub use settings::{LossSettings, Plain};
pub use tally::{ClassWeights, Tally};
pub use tversky::Tversky;

use settings::range;
use tch::{Device, Kind, Tensor};
use term::{Term, Weighed};

/// A loss, or a sum of some, ready to compute: its settings, and what it takes from the training
/// set.
pub struct Loss {
    terms: Vec<Term>,
    classes: i64,
    device: Device,
}

/// A loss in a step: what the counts of all its batches make of it. All of it stays on the logits'
/// device.
pub struct StepLoss {
    terms: Vec<Weighed>,
    /// The running state after this step, `[2, C]` f64: running recall, and 1 where a class has
    /// been seen. A candidate: the trainer keeps it only if the step counted.
    pub running: Tensor,
    /// The number of the step's valid pixels, 0-d i64.
    pub valid: Tensor,
    /// The mean over the step's valid pixels of what cross entropy is multiplied with, 0-d f64: 1
    /// for cross entropy itself. Where classes are weighed it says how large the loss is beside
    /// another one; a loss that weighs none counts 1.
    pub mean_weight: Tensor,
}

impl StepLoss {
    /// The weight of each class in this step, `[C]` f64, detached, for the log; 0 for a class
    /// without a pixel. None where no loss weighs classes; of a sum, those of the first that does.
    pub fn weights(&self) -> Option<&Tensor> {
        self.terms.iter().find_map(|term| term.weights.as_ref())
    }
}

/// What a loss gives for a step of one batch.
pub struct LossOutput {
    /// The loss, 0-d, of the logits' kind; carries the gradient.
    pub loss: Tensor,
    /// The running state after this batch, as [`StepLoss::running`].
    pub running: Tensor,
}

impl Loss {
    /// Prepares a loss for a training set. A class without a pixel there weighs nothing
    /// ([`LossSettings::check_classes`] refuses such a set where that matters).
    pub fn new(objective: impl Into<Objective>, set: &Frequencies, device: Device) -> Self {
        let terms = objective.into().into_terms();
        let term = |it: Summand| Term::new(it.weight, it.loss, set, device);
        let classes = set.pixels.len() as i64;
        Self { terms: terms.into_iter().map(term).collect(), classes, device }
    }

    /// The weights that recall loss holds (`weights_from`), `[C]` f64, sharing memory; none where
    /// it follows the batches.
    pub fn held(&self) -> Option<Tensor> {
        let holds = |term: &&Term| match &term.settings {
            LossSettings::Recall(recall) => recall.weights_from.is_some(),
            _ => false,
        };
        self.terms.iter().find(holds).map(|term| term.constants.shallow_clone())
    }

    /// The running state before the first step, `[2, C]` f64: no class seen.
    pub fn initial_running(&self) -> Tensor {
        Tensor::zeros([2, self.classes], (Kind::Double, self.device))
    }

    /// What has to be counted of a step before anything is computed. Up to [`Counted::Classes`] the
    /// labels are enough.
    pub fn counted(&self) -> Counted {
        self.terms.iter().map(Term::counted).max().unwrap_or(Counted::Pixels)
    }

    /// Counts one batch of a step, for [`Loss::weigh`].
    ///
    /// # Shapes
    /// As [`Loss::part`].
    pub fn count(&self, logits: &Tensor, target: &Tensor) -> Counts {
        Counts::of(logits, &target.to_kind(Kind::Int64), self.counted())
    }

    /// Counts one batch of a step where the labels are enough.
    pub fn count_labels(&self, target: &Tensor) -> Counts {
        let what = self.counted().min(Counted::Classes);
        Counts::of_labels(&target.to_kind(Kind::Int64), self.classes, what)
    }

    /// The loss in a step with these counts. Nothing in here waits for the device.
    ///
    /// # Shapes
    /// `running` `[2, C]` f64 as the step before left it.
    pub fn weigh(&self, counts: &Counts, running: &Tensor) -> StepLoss {
        tch::no_grad(|| {
            let mut after = running.shallow_clone();
            let mut mean_weight = Tensor::zeros([], (Kind::Double, running.device()));
            let mut terms = Vec::with_capacity(self.terms.len());
            for term in &self.terms {
                let (weighed, running) = term.weigh(counts, &after);
                mean_weight += &weighed.mean_weight * term.factor;
                after = running;
                terms.push(weighed);
            }
            StepLoss { terms, running: after, valid: counts.valid(), mean_weight }
        })
    }

    /// One batch's part of a step's loss, 0-d, of the logits' kind; carries the gradient. The parts
    /// of all batches add up to the step's loss. Nothing in here waits for the device.
    ///
    /// # Shapes
    /// `logits` `[N, C, H, W]` f32 or f64 in any memory format, `target` `[N, H, W]` i64 or u8 of
    /// values below C or
    /// 255 (ignored).
    ///
    /// Without a valid pixel the loss and its gradient are 0.
    ///
    /// # Panics
    /// On shapes or kinds other than these, and (on a CPU) on a label that is neither below C nor
    /// 255; the data set's label table lets none through.
    pub fn part(&self, logits: &Tensor, target: &Tensor, step: &StepLoss) -> Tensor {
        let target = &target.to_kind(Kind::Int64); // [N, H, W], what the kernels take
        let parts = self.terms.iter().zip(&step.terms).map(|(term, weighed)| {
            let part = term.part(logits, target, weighed);
            if term.factor == 1.0 { part } else { part * term.factor }
        });
        let sum = parts.reduce(|sum, part| sum + part);
        sum.unwrap_or_else(|| logits.sum(logits.kind()) * 0.0)
    }

    /// The loss of a step of one batch.
    ///
    /// # Shapes
    /// As [`Loss::part`] and [`Loss::weigh`].
    pub fn compute(&self, logits: &Tensor, target: &Tensor, running: &Tensor) -> LossOutput {
        let step = self.weigh(&self.count(logits, target), running);
        LossOutput { loss: self.part(logits, target, &step), running: step.running }
    }
}
