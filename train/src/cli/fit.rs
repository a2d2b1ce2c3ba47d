//! `train fit`: from a recipe to a trained network.

use super::guard;
use shared::error::{Error, Result};
use std::path::PathBuf;
use train::memory;
use train::recipe::Recipe;
use train::run::{FitOptions, LAST, RECIPE, Resume, Run};
use train::trainer;

#[derive(clap::Args)]
pub struct Args {
    /// The recipe, a TOML file (recipes/ has some)
    #[arg(long)]
    recipe: PathBuf,
    /// Change one key of the recipe, e.g. --set loss=recall --set train.seed=1
    #[arg(long = "set", value_name = "KEY=VALUE")]
    changes: Vec<String>,
    /// The data set's folder
    #[arg(long)]
    data_root: Option<PathBuf>,
    /// The run's folder [default: runs/NAME-LOSS-seedN]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Go on from the folder's last checkpoint, if it has one
    #[arg(long)]
    resume: bool,
}

pub fn run(args: &Args) -> Result<()> {
    memory::keep_freed();
    let recipe = Recipe::read(&args.recipe, &args.changes)?;
    let load = guard::load(&recipe);
    let options = FitOptions {
        data_root: args.data_root.clone(),
        out: args.out.clone(),
        resume: if args.resume { Resume::GoOn } else { Resume::Never },
    };
    spare_recipe(args)?;
    let outcome = guard::out_of_memory_in_words(&load, || {
        let run = Run::prepare(recipe, &options)?;
        let out = run.out.clone();
        guard::save_on_interrupt();
        trainer::fit(run, &guard::STOP).map(|outcome| (out, outcome))
    })?;
    let (out, outcome) = outcome;
    let percent = |x: Option<f64>| x.map_or("-".into(), |x| format!("{:.2} %", 100.0 * x));
    super::print(&format!(
        "{}: mean IoU {}, mean accuracy {}, best mean IoU {}",
        out.display(),
        percent(outcome.report.mean_iou),
        percent(outcome.report.mean_accuracy),
        percent(outcome.best_mean_iou),
    ))
}

/// Refuses a folder for a new run whose recipe.toml, which the run writes, is the user's own.
fn spare_recipe(args: &Args) -> Result<()> {
    let Some(out) = args.out.as_ref().filter(|out| !out.join(LAST).exists()) else { return Ok(()) };
    let written = out.join(RECIPE).canonicalize();
    if written.is_ok_and(|path| args.recipe.canonicalize().is_ok_and(|own| own == path)) {
        let out = out.display();
        return Err(Error::request(format!("out: {out}: its recipe.toml is the recipe itself"))
            .hint("a run writes its resolved recipe there: choose another --out"));
    }
    Ok(())
}
