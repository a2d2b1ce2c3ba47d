//! So many frames a second and no more. Not a clock of the source: a source that is slower sets its own pace.

use std::time::{Duration, Instant};

use crate::live::stop::Stop;

/// Waits between frames.
#[derive(Debug)]
pub struct Pace {
    step: Option<Duration>,
    due: Option<Instant>,
}

impl Pace {
    /// `None` never waits.
    pub fn new(fps: Option<f64>) -> Self {
        Self { step: fps.map(|fps| Duration::from_secs_f64(1.0 / fps)), due: None }
    }

    /// When the next frame is due, asked at `now`. After a delay frames are not hurried to catch up.
    pub fn next(&mut self, now: Instant) -> Instant {
        let due = self.due.map_or(now, |due| due.max(now));
        // From the moment it was due, so that waiting a little too long each time does not add up.
        self.due = self.step.map(|step| match self.due {
            Some(before) if now < before + step => before + step,
            _ => now + step,
        });
        due
    }

    /// Waits until the next frame is due; says whether the end was asked for meanwhile.
    pub fn wait(&mut self, stop: &Stop) -> bool {
        let due = self.next(Instant::now());
        stop.sleep_until(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_keep_their_distance_and_a_delay_is_not_made_up_for() {
        let start = Instant::now();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut pace = Pace::new(Some(10.0));
        assert_eq!(pace.next(at(0)), at(0));
        assert_eq!(pace.next(at(3)), at(100));
        assert_eq!(pace.next(at(104)), at(200), "four milliseconds late, not shifted");
        assert_eq!(pace.next(at(950)), at(950), "long after it was due");
        assert_eq!(pace.next(at(951)), at(1050));
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let now = Instant::now();
        let mut pace = Pace::new(None);
        assert_eq!((pace.next(now), pace.next(now)), (now, now));
    }
}
