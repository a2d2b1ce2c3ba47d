//! The wish to end, shared by all threads, sleep that such a wish interrupts, and waiting that has an end.
//! Not the signals of the operating system, which are `crate::interrupt`'s; the display turns them into this.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What takes longer than this at the end of a run is announced.
pub const SOON: Duration = Duration::from_millis(500);

/// Waits until something holds, and not longer than until this moment; says whether it does.
pub fn wait_until(until: Instant, mut holds: impl FnMut() -> bool) -> bool {
    while !holds() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// Set once, never taken back.
#[derive(Debug, Default)]
pub struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    /// Asks everyone to end.
    pub fn ask(&self) {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    /// Whether the end was asked for.
    pub fn asked(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps this long, or until the end is asked for; says whether it was.
    pub fn sleep(&self, time: Duration) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed
            .wait_timeout_while(asked, time, |asked| !*asked)
            .map_or_else(|e| *e.into_inner().0, |(asked, _)| *asked)
    }

    /// As [`Stop::sleep`], until a moment.
    pub fn sleep_until(&self, moment: Instant) -> bool {
        self.sleep(moment.saturating_duration_since(Instant::now()))
    }
}
