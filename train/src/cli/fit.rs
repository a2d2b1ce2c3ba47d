//! `train fit`: from a recipe to a trained network.

use shared::error::{Error, Result};
use std::panic::{self, AssertUnwindSafe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use train::memory;
use train::recipe::Recipe;
use train::run::{FitOptions, Run};
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

/// Set by Ctrl-C.
static STOP: AtomicBool = AtomicBool::new(false);

pub fn run(args: &Args) -> Result<()> {
    memory::keep_freed();
    let recipe = Recipe::read(&args.recipe, &args.changes)?;
    let load = format!(
        "batches of {}{}",
        recipe.train.batch,
        recipe.augment.crop.map_or(String::new(), |[w, h]| format!(" crops of {w} x {h}"))
    );
    let options = FitOptions {
        data_root: args.data_root.clone(),
        out: args.out.clone(),
        resume: args.resume,
    };
    let outcome = out_of_memory_in_words(&load, || {
        let run = Run::prepare(recipe, &options)?;
        let out = run.out.clone();
        save_on_interrupt();
        trainer::fit(run, &STOP).map(|outcome| (out, outcome))
    })?;
    let (out, outcome) = outcome;
    let percent = |x: Option<f64>| x.map_or("-".into(), |x| format!("{:.2} %", 100.0 * x));
    super::print(&format!(
        "{}: mean IoU {}, mean accuracy {}, best mean IoU {}",
        out.display(),
        percent(outcome.report.mean_iou),
        percent(outcome.report.mean_accuracy),
        percent(outcome.best_mean_iou),
    ));
    Ok(())
}

/// From here on Ctrl-C saves first. Before, and where no handler can be had, it ends the process at once:
/// nothing breaks, only the last steps are lost.
fn save_on_interrupt() {
    let _ = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130); // asked twice: now
        }
        eprintln!("stopping after this step, to save; Ctrl-C again stops at once");
    });
}

/// libtorch's wrapper panics when memory runs out: that becomes one line that says what to lower.
fn out_of_memory_in_words<T>(load: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        if !is_out_of_memory(&text(info.payload())) {
            before(info);
        }
    }));
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    let _ = panic::take_hook();
    done.unwrap_or_else(|payload| {
        if is_out_of_memory(&text(payload.as_ref())) {
            return Err(Error::work(format!("out of memory: {load} do not fit")).hint(
                "lower train.batch (train.accumulate makes up for it), augment.crop, or take a smaller model.backbone, with a new --out",
            ));
        }
        panic::resume_unwind(payload)
    })
}

fn is_out_of_memory(text: &str) -> bool {
    text.contains("out of memory") || text.contains("can't allocate memory")
}

fn text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_string())).unwrap_or_default()
}
