//! What every command that trains needs around it: Ctrl-C that saves first, and memory that runs out in words.

use shared::error::{Error, Result, tell};
use std::panic::{self, AssertUnwindSafe};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use train::recipe::Recipe;

/// Set by Ctrl-C.
pub static STOP: AtomicBool = AtomicBool::new(false);

/// A signal so soon after the first is the same wish: `timeout`, for one, signals the program and then its group.
const ECHO: Duration = Duration::from_millis(500);

/// From here on Ctrl-C saves first. Before, and where no handler can be had, it ends the process at once:
/// nothing breaks, only the last steps are lost.
pub fn save_on_interrupt() {
    static ASKED: OnceLock<Instant> = OnceLock::new();
    let _ = ctrlc::set_handler(|| {
        if ASKED.get_or_init(Instant::now).elapsed() > ECHO {
            std::process::exit(130); // asked twice: now
        }
        if !STOP.swap(true, Ordering::Relaxed) {
            tell("stopping after this step, to save; Ctrl-C again stops at once");
        }
    });
}

/// What a step needs memory for, in words.
pub fn load(recipe: &Recipe) -> String {
    let crop = recipe.augment.crop.map_or(String::new(), |[w, h]| format!(" crops of {w} x {h}"));
    format!("batches of {}{crop}", recipe.train.batch)
}

/// libtorch's wrapper panics when memory runs out: that becomes one line that says what to lower.
pub fn out_of_memory_in_words<T>(load: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
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
                "lower train.batch (train.accumulate makes up for it, but for batch normalization), augment.crop, or take a smaller model.backbone, with a new --out",
            ));
        }
        panic::resume_unwind(payload)
    })
}

fn is_out_of_memory(text: &str) -> bool {
    text.contains("out of memory") || text.contains("can't allocate memory")
}

/// What a panic said.
pub fn text(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|s| (*s).to_string())).unwrap_or_default()
}
