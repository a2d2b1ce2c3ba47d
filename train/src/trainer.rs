//! The loop: batches in, steps, log points, validations, checkpoints. It reads straight down.

use crate::checkpoint::{self, About};
use crate::data::Loader;
use crate::device;
use crate::loss::Loss;
use crate::monitor::Monitor;
use crate::optimizer::{Group, Optimizer};
use crate::pictures;
use crate::recipe::Recipe;
use crate::run::{BEST, LAST, Run};
use crate::step::{Readings, Stepper};
use crate::validate::validate;
use shared::dataset::Index;
use shared::error::{Error, Result};
use shared::labels::Class;
use shared::metrics::Report;
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use tch::{Device, Kind, Tensor};

/// Steps in a row whose loss or gradient was not finite that end a run.
const MOST_BAD_STEPS: u64 = 10;

/// Tells the draws of training steps (dropout) apart from those of initialization.
const STEP_STREAM: u64 = 0x57e9;

/// How a run ended.
pub struct Outcome {
    /// The last validation.
    pub report: Report,
    /// Best mean IoU over all validations.
    pub best_mean_iou: Option<f64>,
}

/// Trains to the end, or until `stop` is set: then everything is saved and the error says how to go on.
///
/// # Errors
/// `stop`, a damaged file, steps that are not finite: what was learned until then is saved.
pub fn fit(run: Run, stop: &AtomicBool) -> Result<Outcome> {
    let mut training = Training::new(run, stop)?;
    training.run().inspect_err(|_| training.rescue())?;
    training.finish()
}

/// A run under way.
struct Training<'a> {
    out: PathBuf,
    recipe: Recipe,
    val: Index,
    loader: Loader,
    stepper: Stepper,
    monitor: Monitor,
    about: About,
    /// The epoch of the last step.
    epoch: u64,
    /// The last step that the log has told of.
    logged: u64,
    /// The last step that LAST holds.
    saved: u64,
    /// The last validation of this sitting.
    report: Option<Report>,
    stop: &'a AtomicBool,
    _lock: File,
}

impl<'a> Training<'a> {
    fn new(run: Run, stop: &'a AtomicBool) -> Result<Self> {
        let Run { out, recipe, device, precision, train, frequencies, val, .. } = run;
        let Run { network, parameters, about, state, loader, held_weights, lock, .. } = run;
        let settings = &recipe.train;
        let groups = Group::of_sections(&parameters.sections, settings.head_lr_factor);
        let len = parameters.flat.size()[0];
        let optimizer = Optimizer::new(&recipe.optimizer, len, groups, device);
        let loss = Loss::new(recipe.loss.clone(), &frequencies, device);
        if let (Some(held), Some(weights)) = (loss.held(), held_weights) {
            tch::no_grad(|| held.shallow_clone().copy_(&Tensor::from_slice(&weights)));
        }
        let mut stepper = Stepper::new(network, parameters, optimizer, loss, &recipe);
        let first = about.iterations;
        if first > 0 {
            stepper.restore(&state)?;
        }

        let images_per_step = (settings.batch * settings.accumulate) as u64;
        let monitor = Monitor::open(&out, first, settings.iterations, images_per_step)?;
        monitor.note(&format!(
            "{}: {} ({} parameters), {} training and {} validation images, {}",
            recipe.name,
            recipe.loss.name(),
            stepper.parameters.count(),
            train.samples.len(),
            val.samples.len(),
            device::describe(device, precision),
        ));
        for note in recipe.notes() {
            monitor.note(&format!("recipe: {note}"));
        }
        let of_val = val.notes.iter().filter(|note| !train.notes.contains(note));
        for note in train.notes.iter().chain(of_val) {
            monitor.note(&format!("data: {note}"));
        }
        Ok(Self {
            out,
            recipe,
            val,
            loader,
            stepper,
            monitor,
            about,
            epoch: 0,
            logged: first,
            saved: first,
            report: None,
            stop,
            _lock: lock,
        })
    }

    fn run(&mut self) -> Result<()> {
        let settings = self.recipe.train.clone();
        let (first, total) = (self.about.iterations, settings.iterations);
        let validates = |done: u64| done == total || due(done, settings.validate_every);

        // What a stop or a damaged file kept from being validated comes first.
        if first > 0 && validates(first) && self.about.validated < first {
            self.validate_and_keep_best()?;
            if self.about.validated < first {
                return Err(self.stopped());
            }
            self.save_last()?;
        }
        for step in first..total {
            self.step(step)?;
            let done = step + 1;
            let saves = done == total || due(done, settings.checkpoint_every);
            if saves || self.stopping() || due(done, settings.log_every) {
                self.log_point()?;
            }
            if validates(done) {
                self.validate_and_keep_best()?;
            }
            if settings.pictures_every > 0 && (done == total || due(done, settings.pictures_every))
            {
                self.draw()?;
            }
            // Who asks to stop waits for a save, not for a validation.
            let stopping = self.stopping();
            if saves || stopping {
                self.save_last()?;
            }
            if stopping {
                return Err(self.stopped());
            }
        }
        Ok(())
    }

    /// The result; that of a finished run which is resumed, with nothing to train, once more.
    fn finish(mut self) -> Result<Outcome> {
        let report = match self.report.take() {
            Some(report) => report,
            None => self.validate()?.ok_or_else(|| self.stopped())?,
        };
        self.monitor.finish();
        Ok(Outcome { report, best_mean_iou: self.about.best_mean_iou })
    }

    /// An error ends a run, but not what was learned until then.
    fn rescue(&mut self) {
        if self.about.iterations == self.saved {
            return;
        }
        for rescued in [self.log_point(), self.save_last()] {
            rescued.unwrap_or_else(|second| self.monitor.note(&second.to_string()));
        }
    }

    /// One optimizer step, from its number alone.
    fn step(&mut self, step: u64) -> Result<()> {
        let settings = &self.recipe.train;
        let rate = self.rate(step);
        let mut epoch = 0;
        let batches = (0..settings.accumulate)
            .map(|_| self.loader.next().inspect(|batch| epoch = batch.epoch));
        let draws = shared::random::hash(settings.seed, STEP_STREAM, step);
        self.stepper.tallies = due(step + 1, settings.weights_every);
        self.stepper.step(batches, rate, draws)?;
        self.epoch = epoch;
        self.about.iterations = step + 1;
        self.monitor.tick(step + 1);
        if let Some(tally) = &self.stepper.tally {
            self.monitor.weights(step + 1, &self.about.classes, &tally.read())?;
        }
        Ok(())
    }

    fn rate(&self, step: u64) -> f64 {
        let settings = &self.recipe.train;
        self.recipe.schedule.lr(settings.learning_rate, step, settings.iterations)
    }

    /// Logs the steps since the last log point, if there are any.
    ///
    /// # Errors
    /// Those of the log's files; too many steps in a row that were not finite.
    fn log_point(&mut self) -> Result<()> {
        let done = self.about.iterations;
        if self.logged == done {
            return Ok(());
        }
        let readings = self.stepper.meters.read(done - self.logged);
        self.logged = done; // also if it cannot be written: the meters are read
        let weights = self.stepper.weights.as_ref();
        let values =
            log_values(&readings, self.rate(done - 1), self.epoch, weights, &self.about.classes);
        let named: Vec<(&str, f64)> = values.iter().map(|(n, v)| (n.as_str(), *v)).collect();
        self.monitor.log(done, &named)?;
        if readings.longest_bad >= MOST_BAD_STEPS {
            return Err(not_finite(done, readings.longest_bad));
        }
        Ok(())
    }

    /// A validation with all that follows from it: log, best weights. Nothing of it if `stop` is set before its end.
    fn validate_and_keep_best(&mut self) -> Result<()> {
        let Some(report) = self.validate()? else { return Ok(()) };
        let mut about = self.about.clone();
        about.validated = about.iterations;
        if report.mean_iou > about.best_mean_iou {
            about.best_mean_iou = report.mean_iou;
            self.save(BEST, Saved::WeightsOnly, &about)?;
        }
        self.monitor.validated(about.iterations, &report)?;
        // Only now: what LAST takes for validated is never validated again, nor its best weights saved.
        self.about = about;
        self.report = Some(report);
        Ok(())
    }

    /// The network as it stands, on the validation split; nothing if `stop` is set before the end.
    fn validate(&mut self) -> Result<Option<Report>> {
        let (val, size) = (&self.val, self.about.evaluation_size);
        let bar = self.monitor.validation(val.samples.len() as u64);
        let go_on = || {
            bar.inc(1);
            !self.stop.load(Ordering::Relaxed)
        };
        let confusion =
            self.stepper.averaged(|it| validate(&it.network, &it.parameters, val, size, &go_on));
        bar.finish_and_clear();
        self.monitor.go_on();
        Ok(confusion?.map(|it| it.report_without(&val.descriptor.unscored, &self.about.classes)))
    }

    /// A picture of some validation images and what the network makes of them now.
    fn draw(&mut self) -> Result<()> {
        let (val, size, done) = (&self.val, self.about.evaluation_size, self.about.iterations);
        let samples = pictures::spread(self.recipe.train.pictures, val.samples.len());
        let title = format!("{}: {}, step {done}", self.recipe.name, self.recipe.loss.name());
        self.monitor.pause();
        let drawn = self.stepper.averaged(|it| {
            pictures::draw(&it.network, &it.parameters, val, &samples, size, &title)
        });
        self.monitor.picture(done, &drawn?)?;
        self.monitor.go_on();
        Ok(())
    }

    /// Saves what it takes to go on. The log comes first: who goes on from here never meets these steps again.
    fn save_last(&mut self) -> Result<()> {
        self.log_point()?;
        self.save(LAST, Saved::Everything, &self.about.clone())?;
        self.saved = self.about.iterations;
        Ok(())
    }

    fn save(&mut self, name: &str, what: Saved, about: &About) -> Result<()> {
        let path = self.out.join(name);
        let finite = self.stepper.parameters.flat.isfinite().all();
        if finite.int64_value(&[]) == 0 {
            let line = format!("{}: not saved: weights are not finite", path.display());
            return Err(Error::work(line)
                .hint("lower train.learning_rate; the checkpoint before is as it was"));
        }
        self.stepper.averaged(|stepper| {
            let state = match what {
                Saved::Everything => stepper.state(),
                Saved::WeightsOnly => vec![],
            };
            checkpoint::save(&path, &stepper.parameters, &state, about)
        })
    }

    /// Whether it was asked to stop while there is something left to do.
    fn stopping(&self) -> bool {
        let About { iterations, validated, .. } = self.about;
        let finished = iterations == self.recipe.train.iterations && validated == iterations;
        self.stop.load(Ordering::Relaxed) && !finished
    }

    fn stopped(&self) -> Error {
        let (done, total) = (self.about.iterations, self.recipe.train.iterations);
        Error::work(format!("stopped at iteration {done} of {total}: saved"))
            .hint(format!("go on with the same command and --resume --out {}", self.out.display()))
    }
}

/// What a checkpoint holds.
enum Saved {
    Everything,
    WeightsOnly,
}

fn due(done: u64, every: u64) -> bool {
    every > 0 && done.is_multiple_of(every)
}

fn not_finite(done: u64, steps: u64) -> Error {
    Error::work(format!(
        "iteration {done}: loss or gradient was not finite in {steps} steps in a row: stopped; the last good weights are saved"
    ))
    .hint("lower train.learning_rate, set train.clip_norm, or try train.precision = f32")
}

/// A log point's readings by name; what could not be measured is left out.
fn log_values(
    readings: &Readings,
    rate: f64,
    epoch: u64,
    weights: Option<&Tensor>,
    classes: &[Class],
) -> Vec<(String, f64)> {
    let always = [("lr", rate), ("epoch", epoch as f64), ("skipped", readings.skipped as f64)];
    let measured = [("loss", readings.loss), ("grad_norm", readings.gradient_norm)];
    let measured = measured.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let mut values: Vec<(String, f64)> =
        always.into_iter().chain(measured).map(|(name, value)| (name.to_string(), value)).collect();
    if let Some(weights) = weights {
        let mut host = vec![0f64; classes.len()];
        weights.to_device(Device::Cpu).to_kind(Kind::Double).copy_data(&mut host, classes.len());
        let named = classes.iter().zip(host);
        values.extend(named.map(|(class, weight)| (format!("weight/{}", class.name), weight)));
    }
    values
}
