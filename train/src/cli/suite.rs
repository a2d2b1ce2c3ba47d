//! `train suite`: a grid of losses and seeds, then the paper's tables and figures.

use super::guard;
use shared::dataset::Index;
use shared::error::{Error, Result, tell};
use shared::output_path::check_folder;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Instant;
use train::device;
use train::inspect;
use train::memory;
use train::monitor;
use train::precision;
use train::recipe::Recipe;
use train::run::{FitOptions, Resume, Run};
use train::suite::{
    self, Basis, CellOutcome, Choice, Failure, Folder, Job, Maker, Plan, Typed, panel, weights,
};
use train::trainer;

/// The paper's Fig. 3 in the suite's folder.
const PANEL_FILE: &str = "panel.png";

#[derive(clap::Args)]
pub struct Args {
    /// The recipe, a TOML file; its loss and seed are replaced by those of the grid
    #[arg(long, required_unless_present = "tables_only")]
    recipe: Option<PathBuf>,
    /// Losses, with settings where they are not the defaults: cross-entropy,recall,focal:gamma=1; or `all`. With +recall or
    /// +prior:TAU the thresholds of that loss's networks are moved after training, and nothing is trained for it
    #[arg(
        long,
        value_delimiter = ',',
        required_unless_present = "tables_only",
        value_name = "LOSS,LOSS"
    )]
    losses: Vec<String>,
    /// Seeds
    #[arg(long, value_delimiter = ',', default_value = "0,1,2", value_name = "N,N")]
    seeds: Vec<u64>,
    /// The suite's folder
    #[arg(long)]
    out: PathBuf,
    /// The data set's folder
    #[arg(long)]
    data_root: Option<PathBuf>,
    /// Change one key of the recipe, e.g. --set train.iterations=1000
    #[arg(long = "set", value_name = "KEY=VALUE")]
    changes: Vec<String>,
    /// The loss that the others are compared with: dagger classes, quadrants [default: cross-entropy]
    #[arg(long, value_name = "LOSS")]
    reference: Option<String>,
    /// Losses whose predictions are drawn side by side [default: the reference and recall]
    #[arg(long, value_delimiter = ',', value_name = "LOSS,LOSS")]
    panel: Option<Vec<String>>,
    /// Keep every checkpoint of finished cells, not just the last weights
    #[arg(long)]
    keep_checkpoints: bool,
    /// Train nothing: write tables and scatter from the cells that are there
    #[arg(long, conflicts_with_all = [
        "recipe", "losses", "seeds", "data_root", "changes", "panel", "keep_checkpoints"
    ])]
    tables_only: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let folder = Folder::new(&args.out);
    if args.tables_only {
        let plan = folder.plan()?;
        let reference = args.reference.as_deref().map(|text| of_grid(text, args)).transpose()?;
        let reference = reference.or_else(|| plan.reference.clone());
        let plan = Plan { reference, ..plan };
        plan.check()?;
        return finish(&folder, &plan, &[], false);
    }
    memory::keep_freed();
    let jobs = jobs(args)?;
    let reference = args.reference.as_deref().map(|text| of_grid(text, args)).transpose()?;
    let panel = args.panel.as_ref().map(|panel| panel.iter().map(|text| of_grid(text, args)));
    let panel = panel.map(Iterator::collect::<Result<Vec<Choice>>>).transpose()?;
    let first = jobs.first().map(|job| &job.recipe);
    let first =
        first.ok_or_else(|| Error::request("suite: expected at least one seed, got none"))?;
    // All that can be refused is refused before anything is written or trained.
    check_folder(&args.out).map_err(|e| e.within("suite: out"))?;
    device::choose(&first.train.device)?;
    let (split, val) = first.open_data()?;
    let (split, val) = inspect::both(split, val, &first.data)?;
    let pixels = split.stats.counts();
    let (split, val) = (split.index, val.index);
    let basis = Basis::of(first, &split, &val)?;
    for job in &jobs {
        job.recipe.loss.check_classes(&split.descriptor.classes, &pixels)?;
    }
    let asked = Plan::new(&jobs, basis)?;
    let plan = folder.open(Plan { reference, panel, ..asked })?;
    if !args.keep_checkpoints {
        weights::tidy(&folder, &plan)?; // of cells that ended between their result and this
    }

    guard::save_on_interrupt();
    let commit = suite::commit();
    let mut train = |job: &Job, out: &Path| {
        if let Some(base) = job.base() {
            let network = folder.run(&base.name());
            let go_on = || !guard::STOP.load(Ordering::Relaxed);
            return suite::adjusted(job, &network, out, (&split, &val), commit.clone(), &go_on);
        }
        let outcome = train(job, out, &commit)?;
        // Before the cell says that it is done: who waits for it looks for these weights.
        if !args.keep_checkpoints {
            weights::keep_last(out)?;
        }
        Ok(outcome)
    };
    let mut done = |_: &Job| {
        let plan = folder.plan()?; // read anew: another process may have widened the grid
        if !args.keep_checkpoints {
            weights::tidy(&folder, &plan)?;
        }
        suite::write::all(&folder, &plan).map(|_| ())
    };
    let failures = suite::sweep(&folder, &plan, &jobs, &guard::STOP, &mut train, &mut done)?;
    let plan = folder.plan()?;
    let drawn = draw_panel(&folder, &plan, first, &val);
    let finished = finish(&folder, &plan, &failures, matches!(drawn, Ok(true)));
    // The request was right: what keeps the panel from being drawn is the work's fault.
    finished.and(drawn.map(drop).map_err(|e| Error::work(format!("suite: no panel: {e}"))))
}

/// The grid, checked: every seed for every loss, seed by seed, so that losses can be compared early.
fn jobs(args: &Args) -> Result<Vec<Job>> {
    let Some(path) = &args.recipe else { return Ok(vec![]) };
    let is_the_grids = |change: &&String| {
        let key = change.split('=').next().unwrap_or_default().trim();
        key == "loss" || key.starts_with("loss.") || key == "train.seed"
    };
    if let Some(change) = args.changes.iter().find(is_the_grids) {
        return Err(Error::request(format!(
            "--set {change}: a suite's losses and seeds are its grid's"
        ))
        .hint("--losses recall:floor=false --seeds 0,1"));
    }
    let mut losses = Vec::new();
    for text in &args.losses {
        let texts = if text == "all" { Choice::all() } else { vec![text.clone()] };
        for text in texts {
            let typed: Typed = text.parse()?;
            // What only moves thresholds comes after the network that it moves them of.
            for typed in [typed.trained(), typed] {
                let loss = Asked { typed, text: text.clone() };
                if !losses.iter().any(|known: &Asked| known.typed == loss.typed) {
                    losses.push(loss);
                }
            }
        }
    }
    let mut seeds = args.seeds.clone();
    seeds.sort_unstable();
    seeds.dedup();
    let mut jobs = Vec::new();
    for &seed in &seeds {
        for loss in &losses {
            let job = loss.job(path, args, seed)?;
            // Two spellings may be one loss in this recipe.
            if !jobs.iter().any(|known: &Job| known.name() == job.name()) {
                jobs.push(job);
            }
        }
    }
    Ok(jobs)
}

/// A loss of `--losses`.
struct Asked {
    text: String,
    typed: Typed,
}

impl Asked {
    /// The job of this loss with a seed.
    fn job(&self, recipe: &Path, args: &Args, seed: u64) -> Result<Job> {
        let of_grid = vec![format!("train.seed={seed}")];
        let changes = [args.changes.clone(), self.typed.changes(), of_grid].concat();
        let mut recipe = Recipe::read(recipe, &changes)
            .map_err(|e| e.within(format!("suite: {}", self.text)))?;
        if let Some(root) = &args.data_root {
            recipe = recipe.with_root(root)?;
        }
        Ok(Job { loss: self.typed.choice(&recipe.loss)?, seed, recipe })
    }
}

/// The loss of the grid that a flag names: as the recipe takes it, where it leaves something open.
fn of_grid(text: &str, args: &Args) -> Result<Choice> {
    let asked = Asked { typed: text.parse()?, text: text.into() };
    match &args.recipe {
        Some(recipe) => Ok(asked.job(recipe, args, 0)?.loss),
        None => text.parse(),
    }
}

/// One cell, from where its run's folder stands.
fn train(job: &Job, out: &Path, commit: &Option<String>) -> Result<CellOutcome> {
    let options =
        FitOptions { data_root: None, out: Some(out.to_path_buf()), resume: Resume::OrStart };
    let work = || {
        let began = Instant::now();
        let run = Run::prepare(job.recipe.clone(), &options)?;
        let from = run.about.iterations;
        let maker = Maker::of(run.device, run.precision, commit.clone());
        let outcome = trainer::fit(run, &guard::STOP)?;
        Ok(CellOutcome {
            iterations: job.recipe.train.iterations,
            from,
            seconds: began.elapsed().as_secs_f64(),
            best_mean_iou: outcome.best_mean_iou,
            skipped: monitor::skipped(out)?,
            report: outcome.report,
            maker,
        })
    };
    // A cell that breaks the program must not take the others with it.
    let cell = AssertUnwindSafe(|| guard::out_of_memory_in_words(&guard::load(&job.recipe), work));
    panic::catch_unwind(cell).unwrap_or_else(|payload| {
        let said = guard::text(payload.as_ref());
        Err(Error::work(format!("the program broke, which is a fault of its own: {said}")))
    })
}

/// Fig. 3 for the losses of the panel, unless it is there and newer than what it shows. Says whether it is there.
fn draw_panel(folder: &Folder, plan: &Plan, recipe: &Recipe, val: &Index) -> Result<bool> {
    let panel = plan.panel();
    if panel.is_empty() {
        return Ok(false);
    }
    let mut columns = Vec::new();
    for loss in &panel {
        let Some((seed, weights)) = weights::find(folder, plan, loss)? else {
            tell(format_args!("suite: no panel: the weights of {} are not here", loss.label()));
            return Ok(false);
        };
        columns.push(panel::Column { name: format!("{}, seed {seed}", loss.label()), weights });
    }
    let out = folder.root().join(PANEL_FILE);
    let time = |path: &Path| path.metadata().and_then(|m| m.modified()).ok();
    let sources =
        columns.iter().map(|column| time(&column.weights)).chain([time(&folder.plan_path())]);
    if let (Some(drawn), Some(newest)) = (time(&out), sources.flatten().max())
        && drawn > newest
    {
        return Ok(true);
    }
    let device = device::choose(&recipe.train.device)?;
    let precision = precision::choose(recipe, val, device)?;
    let go_on = || !guard::STOP.load(Ordering::Relaxed);
    let picture = panel::draw(&columns, val, device, precision, &go_on)?;
    let picture = picture.ok_or_else(|| Error::work("suite: stopped while drawing the panel"))?;
    shared::plot::save_picture(&picture, &out).map(|()| true)
}

/// Writes tables and scatter, prints the summary, and tells what failed or is missing.
fn finish(folder: &Folder, plan: &Plan, failures: &[Failure], panel: bool) -> Result<()> {
    let place = folder.root().display();
    match suite::write::all(folder, plan) {
        Ok(written) => {
            let mut files = written.files;
            files.extend(panel.then(|| PANEL_FILE.to_string()));
            super::print(&format!("{}\n{place}: {}", written.summary, files.join(", ")))?;
            if !written.missing.is_empty() {
                tell(format_args!("suite: missing: {}", written.missing.join("; ")));
            }
        }
        // With nothing but failures there is nothing to write, and they are what matters.
        Err(error) if failures.is_empty() => return Err(error),
        Err(_) => {}
    }
    for Failure { loss, seed, error } in failures {
        tell(format_args!("suite: failed: {}, seed {seed}: {error}", loss.label()));
    }
    match failures.len() {
        0 => Ok(()),
        n => Err(Error::work(format!("suite: {place}: cells that failed, named above: {n}"))
            .hint("the same command tries them again; what is done is not done again")),
    }
}
