//! One optimizer step, whole, without waiting for the device.
//!
//! A step of several batches is the step of one batch as large as they are together, to rounding,
//! but for normalizations, which take their statistics from each batch, and for losses that are no
//! sum over pixels or images ([`Objective::by_batch`]). So the counts of all batches come before
//! the loss of the first; where they need predictions, and there is more than one batch, each batch
//! passes through the network once more, without gradient.
//!
//! [`Objective::by_batch`]: crate::loss::Objective::by_batch
//!
//! A step whose loss or gradient is not finite leaves parameters, optimizer state, running
//! statistics and running recall as they were. That is decided on the device; the host reads
//! counters at log points.

mod meters;

use crate::average::Average;
use crate::data::Batch;
use crate::loss::{Counted, Counts, Loss, StepLoss, Tally, cross_entropy};
use crate::model::deeplab::AuxiliaryLoss;
use crate::model::deeplab::{DeepLab, Heads};
use crate::model::params::Parameters;
use crate::model::torch::{Mode, Torch};
use crate::optimizer::{Optimizer, clip_by_norm};
use crate::recipe::Recipe;
use crate::tensors;
use shared::error::Result;
use tch::{Device, Kind, Tensor};

pub use meters::{Meters, Readings};

/// Tells the draws of a step's second batch and on apart; the first takes the step's own.
const BATCH_STREAM: u64 = 0xba7c;

/// Name of the running recall in [`Stepper::state`].
const RUNNING: &str = "running_recall";

/// Name of the weights that recall loss holds in [`Stepper::state`].
const HELD: &str = "held_weights";

/// What a step reads and changes.
pub struct Stepper {
    /// The network.
    pub network: DeepLab,
    /// Its parameters.
    pub parameters: Parameters,
    /// The optimizer and its state.
    pub optimizer: Optimizer,
    /// What is minimized.
    pub loss: Loss,
    /// Running recall, `[2, C] f64`.
    pub running: Tensor,
    /// The running average of the weights, where the recipe wants one.
    pub average: Option<Average>,
    /// Sums since the last log point, on the device.
    pub meters: Meters,
    /// The weight of each class in the last batch, `[C] f64`, where the loss weighs classes.
    pub weights: Option<Tensor>,
    /// Whether steps tally how recall and focal loss would weigh the classes (Fig. 4).
    pub tallies: bool,
    /// The tally of the last step's batches, if it was to be taken.
    pub tally: Option<Tally>,
    /// This process's counts of a step in, those of all processes out: the same, where there is
    /// one. Losses of parts of a step and their gradients add up to the step's, over batches as
    /// over processes.
    pub together: Box<dyn Fn(Counts) -> Counts>,
    auxiliary: AuxiliaryTerm,
    mode: Mode,
    clip_norm: Option<f64>,
}

/// What the auxiliary head adds to the loss.
#[derive(Clone, Copy)]
struct AuxiliaryTerm {
    weight: f64,
    loss: AuxiliaryLoss,
}

/// A batch on the device.
struct OnDevice {
    images: Tensor, // [N, H, W, 3] u8
    labels: Tensor, // [N, H, W] i64
}

impl Stepper {
    /// Puts the parts together.
    pub fn new(
        network: DeepLab,
        parameters: Parameters,
        optimizer: Optimizer,
        loss: Loss,
        recipe: &Recipe,
    ) -> Self {
        let settings = &recipe.train;
        let device = parameters.device();
        let running = loss.initial_running();
        let mode = if settings.freeze_norm { Mode::TrainFrozenNorm } else { Mode::Train };
        let clip_norm = settings.clip_norm;
        let meters = Meters::new(device);
        let average = (settings.average > 0.0).then(|| Average::new(settings.average, &parameters));
        Self {
            network,
            parameters,
            optimizer,
            loss,
            running,
            average,
            meters,
            weights: None,
            tallies: false,
            tally: None,
            together: Box::new(|counts| counts),
            auxiliary: AuxiliaryTerm {
                weight: recipe.model.auxiliary_weight,
                loss: recipe.model.auxiliary_loss,
            },
            mode,
            clip_norm,
        }
    }

    /// One step on one or more batches, which count as one batch as large as they are together. One
    /// is on the device at a time. What dropout draws follows from `draws`.
    ///
    /// # Errors
    /// A batch that could not be had; then everything is as before the step.
    pub fn step(
        &mut self,
        batches: impl Iterator<Item = Result<Batch>>,
        learning_rate: f64,
        draws: u64,
    ) -> Result<()> {
        let batches = batches.collect::<Result<Vec<Batch>>>()?;
        let statistics = self.parameters.buffers.copy();
        let mut step = self.counted_ahead(&batches, draws, &statistics);
        let mut gradient: Option<Tensor> = None;
        let mut loss_sum = Tensor::zeros([], (Kind::Float, self.parameters.device()));
        self.tally = None;
        for (number, batch) in batches.iter().enumerate() {
            let part = self.part_of(batch, &mut step, draws_of(draws, number));
            let batch_gradient = self.parameters.gradient(&part);
            loss_sum += part.detach();
            gradient = Some(match gradient {
                None => batch_gradient,
                Some(mut sum) => sum.g_add_(&batch_gradient),
            });
        }
        let Some(step) = step else { return Ok(()) };
        let Some(gradient) = gradient else { return Ok(()) };
        let (gradient, norm) = clip_by_norm(&gradient, self.clip_norm);
        let ok = (&loss_sum + &norm).isfinite(); // [] bool
        self.optimizer.step(&self.parameters.flat, &gradient, learning_rate, &ok);
        tch::no_grad(|| {
            let kept = self.parameters.buffers.where_self(&ok, &statistics);
            self.parameters.buffers.copy_(&kept);
            self.running = step.running.where_self(&ok, &self.running);
        });
        self.weights = step.weights().map(Tensor::shallow_clone);
        self.parameters.refresh();
        if let Some(average) = &mut self.average {
            average.follow(&self.parameters, &ok);
        }
        self.meters.add(&loss_sum, &norm, &ok);
        Ok(())
    }

    /// Does something with the running average in the weights' place, where there is one.
    pub fn averaged<T>(&mut self, work: impl FnOnce(&Self) -> T) -> T {
        self.exchange();
        let done = work(self);
        self.exchange();
        done
    }

    /// Puts the running average in the weights' place, or back again; nothing without one.
    fn exchange(&mut self) {
        if let Some(average) = &mut self.average {
            average.exchange(&mut self.parameters);
        }
    }

    /// What a checkpoint needs besides the weights, by name. Taken while the average is in the
    /// weights' place ([`Stepper::averaged`]), it holds the weights that training goes on with.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let mut state = self.optimizer.state();
        state.push((RUNNING.into(), self.running.shallow_clone()));
        state.extend(self.loss.held().map(|weights| (HELD.into(), weights)));
        state.extend(self.average.iter().flat_map(Average::state));
        state
    }

    /// Goes on from such a state; the parameters are the checkpoint's.
    ///
    /// # Errors
    /// A tensor that is missing, of another shape, or not known.
    pub fn restore(&mut self, state: &[(String, Tensor)]) -> Result<()> {
        tensors::fill(self.state(), state).map_err(|e| {
            e.within("trainer's state").hint("the checkpoint was made with another recipe")
        })?;
        self.exchange();
        Ok(())
    }

    /// The loss in this step, if that can be said before the first batch's loss: not for a single
    /// batch whose predictions count, since these come with the loss.
    fn counted_ahead(
        &self,
        batches: &[Batch],
        draws: u64,
        statistics: &Tensor,
    ) -> Option<StepLoss> {
        let predicts = self.loss.counted() >= Counted::Misses;
        if predicts && batches.len() == 1 {
            return None;
        }
        let count = |(number, batch): (usize, &Batch)| {
            if !predicts {
                return self.loss.count_labels(&self.upload_labels(batch));
            }
            let batch = self.upload(batch);
            tch::manual_seed(draws_of(draws, number));
            let mut ops = Torch::new(&self.parameters, self.mode);
            let scores = self.network.forward(&mut ops, &batch.images, Heads::Main);
            self.loss.count(&scores.main, &batch.labels)
        };
        let counts = tch::no_grad(|| {
            let counts = batches.iter().enumerate().map(count);
            let counts = counts.reduce(|sum, counts| sum.and(&counts));
            if predicts {
                // The running statistics follow the passes that learn, and those alone.
                self.parameters.buffers.shallow_clone().copy_(statistics);
            }
            counts
        });
        counts.map(|counts| self.loss.weigh(&(self.together)(counts), &self.running))
    }

    /// A batch's part of the step's loss, `[] f32` with its gradient. Weighs the step where that
    /// was left to its only batch.
    fn part_of(&mut self, batch: &Batch, step: &mut Option<StepLoss>, draws: i64) -> Tensor {
        let OnDevice { images, labels } = self.upload(batch);
        tch::manual_seed(draws);
        let mut ops = Torch::new(&self.parameters, self.mode);
        let scores = self.network.forward(&mut ops, &images, Heads::All);
        let step = step.get_or_insert_with(|| {
            let counts = self.loss.count(&scores.main, &labels);
            self.loss.weigh(&(self.together)(counts), &self.running)
        });
        if self.tallies {
            let tally = Tally::of(&scores.main, &labels);
            self.tally = Some(match self.tally.take() {
                None => tally,
                Some(before) => before.and(tally),
            });
        }
        let main = self.loss.part(&scores.main, &labels, step);
        match scores.auxiliary {
            None => main,
            Some(scores) => main + self.auxiliary_part(&scores, &labels, step),
        }
    }

    /// What the auxiliary head adds. Its cross entropy has the size of the main loss's weights, so
    /// that the two keep the ratio that they have under cross entropy; the main loss has that size
    /// by itself.
    fn auxiliary_part(&self, scores: &Tensor, labels: &Tensor, step: &StepLoss) -> Tensor {
        let AuxiliaryTerm { weight, loss } = self.auxiliary;
        match loss {
            AuxiliaryLoss::Same => weight * self.loss.part(scores, labels, step),
            AuxiliaryLoss::CrossEntropy => {
                let valid = self.loss.count_labels(labels).valid();
                let share = valid.to_kind(Kind::Double) / step.valid.clamp_min(1);
                let size: Tensor = share * &step.mean_weight * weight;
                cross_entropy(scores, labels) * size.to_kind(scores.kind())
            }
        }
    }

    fn upload(&self, batch: &Batch) -> OnDevice {
        let shape = [batch.n as i64, batch.h as i64, batch.w as i64, 3];
        let images = upload(&batch.images, &shape, self.parameters.device());
        OnDevice { images, labels: self.upload_labels(batch) }
    }

    /// `[N, H, W]` i64.
    fn upload_labels(&self, batch: &Batch) -> Tensor {
        let shape = [batch.n as i64, batch.h as i64, batch.w as i64];
        upload(&batch.labels, &shape, self.parameters.device()).to_kind(Kind::Int64)
    }
}

/// What a batch of a step draws from: the same in a pass that counts and in the one that learns.
fn draws_of(step: u64, batch: usize) -> i64 {
    match batch as u64 {
        0 => step as i64,
        batch => shared::random::hash(step, BATCH_STREAM, batch) as i64,
    }
}

/// Bytes to the device, without waiting for it: from pinned memory where there is a GPU.
fn upload(bytes: &[u8], shape: &[i64], device: Device) -> Tensor {
    let tensor = Tensor::from_data_size(bytes, shape, Kind::Uint8);
    match device {
        Device::Cpu => tensor,
        _ => tensor.pin_memory(device).to_device_(device, Kind::Uint8, true, false),
    }
}
