//! The loop: batches in, steps, log points, validations, checkpoints. It reads straight down.

use crate::checkpoint;
use crate::device;
use crate::loss::Loss;
use crate::monitor::Monitor;
use crate::optimizer::{Group, Optimizer};
use crate::run::{BEST, LAST, Run};
use crate::step::{Readings, Stepper};
use crate::validate::validate;
use shared::dataset::Index;
use shared::error::{Error, Result};
use shared::labels::Class;
use shared::metrics::Report;
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
pub fn fit(run: Run, stop: &AtomicBool) -> Result<Outcome> {
    let Run {
        out,
        recipe,
        device,
        precision,
        train,
        class_pixels,
        val,
        network,
        parameters,
        mut about,
        state,
        mut loader,
        lock: _lock,
    } = run;
    let settings = &recipe.train;
    let total = settings.iterations;
    let first = about.iterations;

    let optimizer = optimizer_of(&recipe, &parameters);
    let loss = Loss::new(recipe.loss.clone(), &class_pixels, device);
    let mut stepper = Stepper::new(network, parameters, optimizer, loss, settings);
    if first > 0 {
        stepper.restore(&state)?;
    }

    let images_per_step = (settings.batch * settings.accumulate) as u64;
    let mut monitor = Monitor::open(&out, first, total, images_per_step)?;
    monitor.note(&format!(
        "{}: {} ({} parameters), {} training and {} validation images, {}",
        recipe.name,
        recipe.loss.name(),
        stepper.parameters.count(),
        train.samples.len(),
        val.samples.len(),
        device::describe(device, precision),
    ));

    for note in train.notes.iter().chain(&val.notes) {
        monitor.note(&format!("data: {note}"));
    }

    let validates = |done: u64| done == total || due(done, settings.validate_every);
    let mut report = None;
    // What a stop or a damaged file kept from being validated comes first.
    if first > 0 && validates(first) && about.validated < first {
        report = judge(&mut stepper, &val, &mut about, &mut monitor, &out, stop)?;
        if report.is_none() {
            return Err(stopped(first, total, &out));
        }
        save(&out.join(LAST), &mut stepper, &about, Part::Everything)?;
    }
    let mut logged = first;
    let mut saved = first;
    let trained = (first..total).try_for_each(|step| {
        let rate = recipe.schedule.lr(settings.learning_rate, step, total);
        let mut epoch = 0;
        let batches =
            (0..settings.accumulate).map(|_| loader.next().inspect(|batch| epoch = batch.epoch));
        tch::manual_seed(shared::random::hash(settings.seed, STEP_STREAM, step) as i64);
        stepper.tallies = due(step + 1, settings.weights_every);
        stepper.step(batches, rate)?;
        about.iterations = step + 1;
        let done = about.iterations;
        let ends = done == total;
        let stopping = stop.load(Ordering::Relaxed);
        monitor.tick(done);

        if let Some(tally) = &stepper.tally {
            monitor.weights(done, &about.classes, &tally.read())?;
        }
        let mut failed = None;
        if ends || stopping || done.is_multiple_of(settings.log_every) {
            let readings = stepper.meters.read(done - logged);
            logged = done;
            let names = values(&readings, rate, epoch, stepper.weights.as_ref(), &about.classes);
            let named: Vec<(&str, f64)> = names.iter().map(|(n, v)| (n.as_str(), *v)).collect();
            monitor.log(done, &named)?;
            if readings.longest_bad >= MOST_BAD_STEPS {
                failed = Some(not_finite(done, readings.longest_bad));
            }
        }
        // Who asks to stop waits for a save, not for a validation.
        if failed.is_none() && validates(done) {
            report = judge(&mut stepper, &val, &mut about, &mut monitor, &out, stop)?;
        }
        let stopping = stop.load(Ordering::Relaxed) && !(ends && about.validated == done);
        if ends || stopping || failed.is_some() || due(done, settings.checkpoint_every) {
            save(&out.join(LAST), &mut stepper, &about, Part::Everything)?;
            saved = done;
        }
        if let Some(error) = failed {
            return Err(error);
        }
        if stopping { Err(stopped(done, total, &out)) } else { Ok(()) }
    });
    if let Err(error) = trained {
        // A damaged file ends a run, but not what was learned until then.
        if about.iterations > saved
            && let Err(second) = save(&out.join(LAST), &mut stepper, &about, Part::Everything)
        {
            monitor.note(&second.to_string());
        }
        return Err(error);
    }
    let report = match report {
        Some(report) => report,
        // A finished run that is resumed: nothing to train, the result again.
        None => score(&mut stepper, &val, &about, &mut monitor, stop)?
            .ok_or_else(|| stopped(about.iterations, total, &out))?,
    };
    monitor.finish();
    Ok(Outcome { report, best_mean_iou: about.best_mean_iou })
}

/// A validation with all that follows from it: log, best weights. Nothing of it if `stop` is set before its end.
fn judge(
    stepper: &mut Stepper,
    val: &Index,
    about: &mut checkpoint::About,
    monitor: &mut Monitor,
    out: &std::path::Path,
    stop: &AtomicBool,
) -> Result<Option<Report>> {
    let Some(report) = score(stepper, val, about, monitor, stop)? else { return Ok(None) };
    monitor.validated(about.iterations, &report)?;
    about.validated = about.iterations;
    if report.mean_iou > about.best_mean_iou {
        about.best_mean_iou = report.mean_iou;
        save(&out.join(BEST), stepper, about, Part::Weights)?;
    }
    Ok(Some(report))
}

/// The network as it stands, on the validation split; nothing if `stop` is set before the end.
fn score(
    stepper: &mut Stepper,
    val: &Index,
    about: &checkpoint::About,
    monitor: &mut Monitor,
    stop: &AtomicBool,
) -> Result<Option<Report>> {
    let bar = monitor.validation(val.samples.len() as u64);
    let size = about.evaluation_size;
    let go_on = || {
        bar.inc(1);
        !stop.load(Ordering::Relaxed)
    };
    let confusion =
        stepper.averaged(|it| validate(&it.network, &it.parameters, val, size, &go_on))?;
    bar.finish_and_clear();
    Ok(confusion.map(|it| it.report_without(&val.descriptor.unscored, &about.classes)))
}

enum Part {
    Everything,
    Weights,
}

fn save(
    path: &std::path::Path,
    stepper: &mut Stepper,
    about: &checkpoint::About,
    part: Part,
) -> Result<()> {
    let finite = stepper.parameters.flat.isfinite().all();
    if finite.int64_value(&[]) == 0 {
        return Err(Error::work(format!("{}: not saved: weights are not finite", path.display()))
            .hint("lower train.learning_rate; the checkpoint before is as it was"));
    }
    stepper.averaged(|stepper| {
        let state = if matches!(part, Part::Everything) { stepper.state() } else { vec![] };
        checkpoint::save(path, &stepper.parameters, &state, about)
    })
}

fn optimizer_of(
    recipe: &crate::recipe::Recipe,
    parameters: &crate::model::Parameters,
) -> Optimizer {
    let groups = parameters
        .sections
        .iter()
        .map(|section| Group {
            range: section.range.clone(),
            lr_factor: if section.head { recipe.train.head_lr_factor } else { 1.0 },
            decay: section.decayed,
        })
        .collect();
    Optimizer::new(&recipe.optimizer, parameters.flat.size()[0], groups, parameters.device())
}

fn stopped(done: u64, total: u64, out: &std::path::Path) -> Error {
    Error::work(format!("stopped at iteration {done} of {total}: saved"))
        .hint(format!("go on with the same command and --resume --out {}", out.display()))
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
fn values(
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
