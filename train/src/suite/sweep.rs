//! Going through a grid: what is done stays, what another process holds is left to it, what fails is told at the end.
//! Not training: the caller's closure does that, for one cell at a time.

use super::{Cell, Choice, Folder, Job, Maker, Plan};
use shared::error::{Error, Result, tell};
use shared::metrics::Report;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

/// Between two looks at cells that other processes hold.
const LOOK: Duration = Duration::from_secs(2);

/// Between two looks at `stop` while waiting.
const NAP: Duration = Duration::from_millis(100);

/// What training a cell gave.
pub struct CellOutcome {
    /// Optimizer steps done.
    pub iterations: u64,
    /// The step that this sitting began at.
    pub from: u64,
    /// What this sitting took.
    pub seconds: f64,
    /// Best mean IoU over all validations.
    pub best_mean_iou: Option<f64>,
    /// Steps of the whole run that did not count.
    pub skipped: u64,
    /// What the last weights scored.
    pub report: Report,
    /// Program and machine.
    pub maker: Maker,
}

/// A cell that could not be computed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The loss.
    pub loss: Choice,
    /// The seed.
    pub seed: u64,
    /// Why.
    pub error: Error,
}

/// Computes the jobs that are not done, one after the other. `train` computes one into the run's folder that it is given;
/// `done` is called after each result that was written.
///
/// # Errors
/// `stop` was set, or the suite's own files cannot be read or written. A job that fails is no error here: it is
/// among the failures, and the rest goes on.
pub fn sweep(
    folder: &Folder,
    plan: &Plan,
    jobs: &[Job],
    stop: &AtomicBool,
    train: &mut dyn FnMut(&Job, &Path) -> Result<CellOutcome>,
    done: &mut dyn FnMut(&Job) -> Result<()>,
) -> Result<Vec<Failure>> {
    let mut failures = Vec::new();
    let mut waiting: Vec<(usize, &Job)> = jobs.iter().enumerate().collect();
    let mut told = false;
    loop {
        let mut held = Vec::new();
        for (place, job) in waiting {
            if folder.cell(job, plan)?.is_some() {
                continue;
            }
            if stop.load(Ordering::Relaxed) {
                return Err(stopped(folder));
            }
            // What moves the thresholds of a network waits for it.
            if let Some(base) = job.base()
                && folder.cell(&base, plan)?.is_none()
            {
                let failed =
                    |failure: &Failure| failure.loss == base.loss && failure.seed == base.seed;
                match failures.iter().any(failed) {
                    true => failures.push(Failure {
                        loss: job.loss.clone(),
                        seed: job.seed,
                        error: Error::work(format!("{} failed, whose network it is", base.label())),
                    }),
                    false => held.push((place, job)),
                }
                continue;
            }
            let Some(_claim) = folder.claim(job)? else {
                held.push((place, job));
                continue;
            };
            // Between the look and the claim somebody else may have finished it.
            if folder.cell(job, plan)?.is_some() {
                continue;
            }
            tell(format_args!("suite: cell {} of {}: {}", place + 1, jobs.len(), job.label()));
            match train(job, &folder.run(&job.name())) {
                Ok(outcome) => {
                    folder.write(&cell(job, plan, outcome)?)?;
                    done(job)?;
                }
                Err(error) if stop.load(Ordering::Relaxed) => {
                    tell(format_args!("suite: {}: {error}", job.label()));
                    return Err(stopped(folder));
                }
                Err(error) => {
                    tell(format_args!("suite: {}: failed: {error}", job.label()));
                    error.hint_text().inspect(|hint| tell(format_args!("hint: {hint}")));
                    failures.push(Failure { loss: job.loss.clone(), seed: job.seed, error });
                }
            }
        }
        if held.is_empty() {
            return Ok(failures);
        }
        if !std::mem::replace(&mut told, true) {
            let names: Vec<String> = held.iter().map(|(_, job)| job.label()).collect();
            tell(format_args!("suite: waiting for other processes: {}", names.join("; ")));
        }
        wait(stop);
        waiting = held;
    }
}

fn cell(job: &Job, plan: &Plan, outcome: CellOutcome) -> Result<Cell> {
    Ok(Cell {
        format: Cell::FORMAT,
        key: job.key(&plan.basis)?,
        loss: job.loss.clone(),
        seed: job.seed,
        recipe: job.essence(&plan.basis)?,
        basis: plan.basis.clone(),
        maker: outcome.maker,
        iterations: outcome.iterations,
        last_sitting_from: outcome.from,
        last_sitting_seconds: outcome.seconds,
        best_mean_iou: outcome.best_mean_iou,
        skipped: Some(outcome.skipped),
        report: outcome.report,
    })
}

fn wait(stop: &AtomicBool) {
    let naps = LOOK.as_millis() / NAP.as_millis();
    for _ in 0..naps {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        sleep(NAP);
    }
}

fn stopped(folder: &Folder) -> Error {
    Error::work(format!("suite: {}: stopped; what was computed is saved", folder.root().display()))
        .hint("the same command goes on where this one stopped")
}
