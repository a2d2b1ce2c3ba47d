//! One optimizer step, whole, without waiting for the device.
//!
//! A step whose loss or gradient is not finite leaves parameters, optimizer state, running statistics
//! and running recall as they were. That is decided on the device; the host reads counters at log points.

use crate::average::Average;
use crate::data::Batch;
use crate::loss::{self, Loss, Tally};
use crate::model::deeplab::{DeepLab, Heads};
use crate::model::params::Parameters;
use crate::model::torch::{Mode, Torch};
use crate::optimizer::{Optimizer, clip_by_norm};
use crate::recipe::TrainSettings;
use crate::tensors;
use shared::error::Result;
use tch::{Device, Kind, Tensor};

/// Weight of the auxiliary head's cross entropy.
const AUXILIARY_WEIGHT: f64 = 0.5;

/// Name of the running recall in [`Stepper::state`].
const RUNNING: &str = "running_recall";

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
    mode: Mode,
    clip_norm: Option<f64>,
}

/// Sums since the last log point, on the device.
pub struct Meters {
    loss: Tensor,
    norm: Tensor,
    finite: Tensor,
    bad_in_a_row: Tensor,
    longest_bad: Tensor,
}

/// What the meters held, on the host.
#[derive(Clone, Copy, Debug)]
pub struct Readings {
    /// Mean loss over the steps that counted; none without one.
    pub loss: Option<f64>,
    /// Mean norm of the gradient over the same steps, before clipping.
    pub gradient_norm: Option<f64>,
    /// Steps that did not count.
    pub skipped: u64,
    /// The longest run of such steps, runs begun before included.
    pub longest_bad: u64,
}

impl Stepper {
    /// Puts the parts together.
    pub fn new(
        network: DeepLab,
        parameters: Parameters,
        optimizer: Optimizer,
        loss: Loss,
        settings: &TrainSettings,
    ) -> Self {
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
            mode,
            clip_norm,
        }
    }

    /// One step on the mean gradient of one or more batches, taken one after the other: one is in memory at a time.
    ///
    /// # Errors
    /// A batch that could not be had; then everything is as before the step.
    pub fn step(
        &mut self,
        batches: impl ExactSizeIterator<Item = Result<Batch>>,
        learning_rate: f64,
    ) -> Result<()> {
        let statistics = self.parameters.buffers.copy();
        let mut running = self.running.shallow_clone();
        let mut gradient: Option<Tensor> = None;
        let mut loss_sum = Tensor::zeros([], (Kind::Float, self.parameters.device()));
        let share = 1.0 / batches.len() as f64;
        self.tally = None;
        for batch in batches {
            let batch = batch.inspect_err(|_| {
                tch::no_grad(|| self.parameters.buffers.copy_(&statistics));
            })?;
            let (loss, after) = self.loss_of(&batch, &running);
            running = after;
            let batch_gradient = self.parameters.gradient(&(&loss * share));
            loss_sum += loss.detach() * share;
            gradient = Some(match gradient {
                None => batch_gradient,
                Some(mut sum) => sum.g_add_(&batch_gradient),
            });
        }
        let Some(gradient) = gradient else { return Ok(()) };
        let (gradient, norm) = clip_by_norm(&gradient, self.clip_norm);
        let ok = (&loss_sum + &norm).isfinite(); // [] bool
        self.optimizer.step(&self.parameters.flat, &gradient, learning_rate, &ok);
        tch::no_grad(|| {
            let kept = self.parameters.buffers.where_self(&ok, &statistics);
            self.parameters.buffers.copy_(&kept);
            self.running = running.where_self(&ok, &self.running);
        });
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

    /// What a checkpoint needs besides the weights, by name. Taken while the average is in the weights' place
    /// ([`Stepper::averaged`]), it holds the weights that training goes on with.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let mut state = self.optimizer.state();
        state.push((RUNNING.into(), self.running.shallow_clone()));
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

    /// The loss of one batch, `[] f32` with its gradient, and the running recall after it.
    fn loss_of(&mut self, batch: &Batch, running: &Tensor) -> (Tensor, Tensor) {
        let device = self.parameters.device();
        let (n, h, w) = (batch.n as i64, batch.h as i64, batch.w as i64);
        let images = upload(&batch.images, &[n, h, w, 3], device);
        let labels = upload(&batch.labels, &[n, h, w], device).to_kind(Kind::Int64);
        let mut ops = Torch::new(&self.parameters, self.mode);
        let scores = self.network.forward(&mut ops, &images, Heads::All);
        let main = self.loss.compute(&scores.main, &labels, running);
        self.weights = main.weights;
        if self.tallies {
            let tally = Tally::of(&scores.main, &labels);
            self.tally = Some(match self.tally.take() {
                None => tally,
                Some(before) => before.and(tally),
            });
        }
        let loss = match scores.auxiliary {
            None => main.loss,
            Some(scores) => main.loss + AUXILIARY_WEIGHT * loss::cross_entropy(&scores, &labels),
        };
        (loss, main.running)
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

impl Meters {
    fn new(device: Device) -> Self {
        let zero = || Tensor::zeros([], (Kind::Double, device));
        Self {
            loss: zero(),
            norm: zero(),
            finite: zero(),
            bad_in_a_row: zero(),
            longest_bad: zero(),
        }
    }

    fn add(&mut self, loss: &Tensor, norm: &Tensor, ok: &Tensor) {
        let zero = self.loss.zeros_like();
        let counted = |x: &Tensor| x.to_kind(Kind::Double).where_self(ok, &zero);
        self.loss += counted(loss);
        self.norm += counted(norm);
        self.finite += ok;
        self.bad_in_a_row = zero.where_self(ok, &(&self.bad_in_a_row + 1.0));
        self.longest_bad = self.longest_bad.maximum(&self.bad_in_a_row);
    }

    /// Waits for the device, reads what happened in the last `steps` steps, and starts afresh.
    pub fn read(&mut self, steps: u64) -> Readings {
        let values = [&self.loss, &self.norm, &self.finite, &self.longest_bad];
        let values = Tensor::stack(&values, 0).to_device(Device::Cpu);
        let mut host = [0f64; 4];
        values.copy_data(&mut host, 4);
        let [loss, norm, finite, longest_bad] = host;
        let fresh = Self::new(self.loss.device());
        let bad_in_a_row = std::mem::replace(&mut self.bad_in_a_row, fresh.loss.zeros_like());
        *self = Self { bad_in_a_row, ..fresh };
        let mean = |sum: f64| (finite > 0.0).then(|| sum / finite);
        Readings {
            loss: mean(loss),
            gradient_norm: mean(norm),
            skipped: steps.saturating_sub(finite as u64),
            longest_bad: longest_bad as u64,
        }
    }
}
