//! One loss of a sum, ready to compute on the batches of a step: first what the counts of the whole
//! step make of it, then its part on each batch. Parts add up to the step's loss, whatever batches
//! or processes the step is cut into. Not the sum of several losses, which is `Loss`.

use super::{Counted, Counts, Frequencies, LossSettings, Tversky};
use super::{cross_entropy, lovasz, one_minus, overlap};
use tch::{Device, Kind, Tensor};

/// A loss with its factor and what it takes from the training set.
pub(super) struct Term {
    pub(super) factor: f64,
    pub(super) settings: LossSettings,
    /// Weights, margins or shifts of the classes that follow from the training set alone, `[C]`
    /// f64; ones where a loss has none.
    pub(super) constants: Tensor,
}

/// A loss in a step: what the counts of all its batches make of it.
pub(super) struct Weighed {
    /// What cross entropy is multiplied with by class, `[C]` f64, detached, 0 for a class without a
    /// pixel; none where a loss weighs no classes.
    pub(super) weights: Option<Tensor>,
    /// What a sum over pixels, or over images, of the whole step is divided by, 0-d and not 0.
    divisor: Tensor,
    /// The mean of the weights over the step's valid pixels as they act, 0-d f64: 1 where cross
    /// entropy has its own size.
    pub(super) mean_weight: Tensor,
}

/// What a step's loss is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// A sum over pixels: cut into batches, it is the same.
    Pixels,
    /// A sum over images: cut into batches, it is the same.
    Images,
    /// Each batch by itself, by its share of the valid pixels.
    Batch,
}

impl Term {
    pub(super) fn new(
        factor: f64,
        settings: LossSettings,
        set: &Frequencies,
        device: Device,
    ) -> Self {
        let constants = match &settings {
            LossSettings::Weighted(weighted) => weighted.weights(set),
            LossSettings::Balanced(balanced) => balanced.weights(set),
            LossSettings::Ldam(ldam) => ldam.margins(&set.pixels),
            LossSettings::LogitAdjusted(adjusted) => adjusted.shifts(&set.pixels),
            _ => vec![1.0; set.pixels.len()],
        };
        Self { factor, settings, constants: Tensor::from_slice(&constants).to_device(device) }
    }

    /// What [`Term::weigh`] has to know of the step.
    pub(super) fn counted(&self) -> Counted {
        counted(&self.settings)
    }

    /// What its sum goes over.
    pub(super) fn over(&self) -> Over {
        over(&self.settings)
    }

    /// The loss in a step with these counts, and the running state after it.
    pub(super) fn weigh(&self, counts: &Counts, running: &Tensor) -> (Weighed, Tensor) {
        let valid = counts.valid();
        let one = || Tensor::ones([], (Kind::Double, valid.device()));
        let same = || running.shallow_clone();
        let (weights, running) = match &self.settings {
            LossSettings::Recall(recall) => {
                let (weights, running) = recall.weights(counts, running, &self.constants);
                (Some(weights), running)
            }
            LossSettings::Weighted(_) | LossSettings::Balanced(_) => {
                let total = (&self.constants * counts.truth()).sum(Kind::Double);
                let weights = &self.constants * counts.truth().gt(0);
                let divisor = total.where_self(&total.gt(0.0), &one());
                return (Weighed { weights: Some(weights), divisor, mean_weight: one() }, same());
            }
            settings => (metric(settings).map(|metric| one_minus::weights(metric, counts)), same()),
        };
        let divisor = match self.over() {
            Over::Images => counts.images(),
            Over::Pixels | Over::Batch => valid.shallow_clone(),
        };
        let divisor = divisor.clamp_min(1);
        let mean_weight = match &weights {
            None => one(),
            Some(weights) => (weights * counts.truth()).sum(Kind::Double) / valid.clamp_min(1),
        };
        (Weighed { weights, divisor, mean_weight }, running)
    }

    /// A batch's part of the step's loss, 0-d, of the logits' kind; carries the gradient.
    pub(super) fn part(&self, logits: &Tensor, target: &Tensor, step: &Weighed) -> Tensor {
        let whole = |ratio| overlap::over_batch(ratio, logits, target);
        let sum = |pixels: &Tensor| cross_entropy::over(pixels, &step.divisor);
        let per_pixel = |logits| cross_entropy::per_pixel(logits, target, step.weights.as_ref());
        let share = |loss: Tensor| {
            let valid = Counts::of_labels(target, 0, Counted::Pixels).valid();
            let share = valid.to_kind(Kind::Double) / &step.divisor;
            loss * share.to_kind(logits.kind())
        };
        match &self.settings {
            LossSettings::Focal(focal) => sum(&focal.per_pixel(logits, target)),
            LossSettings::Ldam(ldam) => sum(&ldam.per_pixel(logits, target, &self.constants)),
            LossSettings::LogitAdjusted(_) => {
                let shifts = self.constants.view([1, -1, 1, 1]).to_kind(logits.kind());
                sum(&per_pixel(&(logits + shifts)))
            }
            LossSettings::Ohem(ohem) => share(ohem.compute(logits, target)),
            LossSettings::SoftIou(form) if form.per_image => {
                overlap::soft_iou_of_images(logits, target) / step.divisor.to_kind(logits.kind())
            }
            LossSettings::SoftIou(_) => share(whole(&Tversky::JACCARD)),
            LossSettings::SoftDice(_) => share(whole(&Tversky::DICE)),
            LossSettings::Tversky(ratio) => share(whole(ratio)),
            LossSettings::Lovasz(form) if form.per_image => {
                lovasz::of_images(logits, target) / step.divisor.to_kind(logits.kind())
            }
            LossSettings::Lovasz(_) => share(lovasz::over_batch(logits, target)),
            LossSettings::CrossEntropy(_)
            | LossSettings::Weighted(_)
            | LossSettings::Balanced(_)
            | LossSettings::Recall(_)
            | LossSettings::OneMinusPrecision(_)
            | LossSettings::OneMinusDice(_)
            | LossSettings::OneMinusJaccard(_)
            | LossSettings::OneMinusTversky(_) => sum(&per_pixel(logits)),
        }
    }
}

/// What has to be counted of a step before a loss is computed.
pub(super) fn counted(settings: &LossSettings) -> Counted {
    match settings {
        LossSettings::Recall(recall) if recall.weights_from.is_some() => Counted::Classes,
        LossSettings::Recall(_) => Counted::Misses,
        settings if metric(settings).is_some() => Counted::FalsePositives,
        LossSettings::Weighted(_) | LossSettings::Balanced(_) => Counted::Classes,
        _ => Counted::Pixels,
    }
}

/// What a loss's sum goes over.
pub(super) fn over(settings: &LossSettings) -> Over {
    match settings {
        LossSettings::Ohem(_) | LossSettings::SoftDice(_) | LossSettings::Tversky(_) => Over::Batch,
        LossSettings::SoftIou(form) | LossSettings::Lovasz(form) => {
            if form.per_image {
                Over::Images
            } else {
                Over::Batch
            }
        }
        _ => Over::Pixels,
    }
}

/// The metric that stands in recall's place, where one does.
fn metric(settings: &LossSettings) -> Option<&Tversky> {
    match settings {
        LossSettings::OneMinusPrecision(_) => Some(&Tversky::PRECISION),
        LossSettings::OneMinusDice(_) => Some(&Tversky::DICE),
        LossSettings::OneMinusJaccard(_) => Some(&Tversky::JACCARD),
        LossSettings::OneMinusTversky(metric) => Some(metric),
        _ => None,
    }
}
