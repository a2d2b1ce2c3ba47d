//! Ctrl-C and SIGTERM: the first asks loops to end between two images, the second ends the program.
//! Not needed for the safety of files, which are written whole or not at all; it keeps temporary ones
//! from being left, and says how far the work had come.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use shared::error::{Context, Error, Result};

/// When the first signal came.
static ASKED: OnceLock<Instant> = OnceLock::new();

/// A signal so soon after the first is the same wish: `timeout`, for one, signals the program and then its group.
const ECHO: Duration = Duration::from_millis(500);

type Cleanup = Box<dyn Fn() + Send>;

/// What is still done when the program ends at once.
static LAST: Mutex<Vec<Cleanup>> = Mutex::new(Vec::new());

/// Catches the signals from now on; called once, by the program.
///
/// # Errors
/// If the operating system refuses, or it was called before.
pub fn catch() -> Result<()> {
    ctrlc::set_handler(|| {
        if ASKED.get_or_init(Instant::now).elapsed() > ECHO {
            LAST.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
                .for_each(|cleanup| cleanup());
            std::process::exit(130); // 128 + SIGINT, as shells have it
        }
    })
    .work(|| "signals".into())
}

/// Remembers what the second signal still has to do, quickly and on a thread of its own: to remove a file
/// that would be in the next run's way.
pub fn before_exit(cleanup: impl Fn() + Send + 'static) {
    LAST.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(cleanup));
}

/// Whether the user asked to stop.
pub fn asked() -> bool {
    ASKED.get().is_some()
}

/// What another signal would do, to be said of something that takes long after the first; else nothing.
pub fn once_more() -> &'static str {
    if asked() { "; Ctrl-C or SIGTERM once more ends at once" } else { "" }
}

/// An error if the user asked to stop; `done` of `total` images were done.
///
/// # Errors
/// After Ctrl-C or SIGTERM (exit code 1).
pub fn check(done: usize, total: usize) -> Result<()> {
    if asked() {
        return Err(Error::work(format!("stopped by a signal after {done} of {total} images")));
    }
    Ok(())
}
