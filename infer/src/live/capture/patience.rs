//! How long to wait for a source's next frame before that is reported, and before the source is given up.
//! Not the waiting, which is `video`'s. What is usual is learned from the frames themselves: the rate that a
//! stream declares may be a hundred times its own.

use std::collections::VecDeque;
use std::time::Duration;

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without a frame for so long, it is reported.
    pub report: Duration,
    /// Without a frame for so long after the first, the source is given up, and opened again if it is live.
    pub stall: Duration,
    /// As `stall`, for the first frame after opening. A live source that gives none in this time from the
    /// start on, opened however often, ends the run.
    pub open: Duration,
    /// The pause before opening again at first. It grows with the time that frames are missing, up to `longest`.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// What `report` and `stall` become at most where a live source gives frames rarely.
    pub rare: (Duration, Duration),
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            report: Duration::from_millis(800),
            stall: Duration::from_secs(3),
            open: Duration::from_secs(10),
            pause: Duration::from_millis(250),
            longest: Duration::from_secs(5),
            rare: (Duration::from_millis(2500), Duration::from_secs(10)),
        }
    }
}

impl Patience {
    /// The same with a source whose frames come so far apart: two may be missing before that is reported.
    pub fn with(self, interval: Duration) -> Self {
        Self {
            report: self.report.max(interval.mul_f64(2.5)),
            stall: self.stall.max(interval * 5),
            ..self
        }
    }

    /// The pause before opening again a source that has been away for so long: an eighth of that, so that what
    /// comes back soon is back soon, and what is away for long is not asked too often.
    pub fn pause_after(&self, away: Duration) -> Duration {
        (away / 8).clamp(self.pause, self.longest)
    }

    /// The same, of a source that must not be silent for long whatever is usual.
    pub fn capped(self) -> Self {
        Self { report: self.report.min(self.rare.0), stall: self.stall.min(self.rare.1), ..self }
    }
}

/// How far apart the last frames came.
#[derive(Debug, Default)]
pub struct Intervals(VecDeque<Duration>);

impl Intervals {
    /// So many are remembered.
    const KEPT: usize = 8;

    /// One more.
    pub fn note(&mut self, interval: Duration) {
        self.0.truncate(Self::KEPT - 1);
        self.0.push_front(interval);
    }

    /// The longest of them; 0 before the second frame.
    pub fn longest(&self) -> Duration {
        self.0.iter().max().copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_users_patience_reports_within_a_second() {
        assert!(
            Patience::default().report + 2 * Duration::from_millis(50) < Duration::from_secs(1)
        );
    }

    #[test]
    fn a_slow_source_is_not_taken_for_a_stalled_one() {
        let usual = Patience::default();
        let of = |ms| {
            let patience = usual.with(Duration::from_millis(ms));
            (patience.report, patience.stall)
        };
        assert_eq!(of(40), (usual.report, usual.stall));
        assert_eq!(of(800), (Duration::from_secs(2), Duration::from_secs(4)));
        assert_eq!(of(4000), (Duration::from_secs(10), Duration::from_secs(20)));
    }

    #[test]
    fn of_a_camera_silence_is_reported_and_ended_however_slow_it_is() {
        let capped = Patience::default().with(Duration::from_secs(100)).capped();
        assert_eq!((capped.report, capped.stall), Patience::default().rare);
        assert_eq!(Patience::default().capped().report, Patience::default().report);
    }

    #[test]
    fn the_pause_grows_with_the_absence_and_not_beyond_measure() {
        let pause = |s| Patience::default().pause_after(Duration::from_secs(s)).as_millis();
        assert_eq!([0, 1, 4, 16, 40, 4000].map(pause), [250, 250, 500, 2000, 5000, 5000]);
    }

    #[test]
    fn the_longest_of_the_last_intervals_counts_and_older_ones_are_forgotten() {
        let mut intervals = Intervals::default();
        assert_eq!(intervals.longest(), Duration::ZERO);
        intervals.note(Duration::from_secs(10));
        (0..7).for_each(|_| intervals.note(Duration::from_millis(100)));
        assert_eq!(intervals.longest(), Duration::from_secs(10));
        intervals.note(Duration::from_millis(100));
        assert_eq!(intervals.longest(), Duration::from_millis(100));
    }
}
