//! Where threads say what happened: a line on standard error at once, and the latest one in the window.
//! Not an error: what ends the run is returned. With a progress bar on the terminal lines go above it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use shared::error::tell;

/// The notice board of a run.
#[derive(Debug)]
pub struct Board {
    start: Instant,
    bar: ProgressBar,
    last: Mutex<Option<(Instant, String)>>,
    /// Every line, for tests that ask what was said when.
    #[cfg(test)]
    pub said: Mutex<Vec<(Instant, String)>>,
}

impl Board {
    /// A board whose lines go above this bar; a hidden bar leaves them as they are.
    pub fn new(bar: ProgressBar) -> Self {
        Self {
            start: Instant::now(),
            bar,
            last: Mutex::new(None),
            #[cfg(test)]
            said: Mutex::default(),
        }
    }

    /// Says it, with the seconds since the start.
    pub fn say(&self, line: impl AsRef<str>) {
        let (now, line) = (Instant::now(), line.as_ref());
        #[cfg(test)]
        self.said.lock().unwrap().push((now, line.to_owned()));
        let seconds = (now - self.start).as_secs_f64();
        self.bar.suspend(|| tell(format_args!("[{seconds:8.2} s] {line}")));
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, line.to_owned()));
    }

    /// The latest line, if it is younger than this.
    pub fn latest(&self, now: Instant, younger: Duration) -> Option<String> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, line) = last.as_ref()?;
        (now.saturating_duration_since(*at) < younger).then(|| line.clone())
    }

    /// The bar.
    pub fn bar(&self) -> &ProgressBar {
        &self.bar
    }
}
