//! When frames are due: so many a second and no more, or as far apart as their own times.
//! Not a clock of the source: a source that is slower sets its own pace.

use std::time::{Duration, Instant};

use crate::live::stop::Stop;

/// Waits between frames.
#[derive(Debug)]
pub enum Pace {
    /// Never.
    Free,
    /// For a rate.
    Rate {
        /// From frame to frame.
        step: Duration,
        /// When the next is due.
        due: Option<Instant>,
    },
    /// For the frames' own times.
    Own {
        /// A frame's time, and when it was due.
        anchor: Option<(Duration, Instant)>,
    },
}

impl Pace {
    /// A frame that is late by more than this shifts those after it.
    const SLACK: Duration = Duration::from_millis(100);

    /// So many frames a second; `None` never waits.
    pub fn new(fps: Option<f64>) -> Self {
        fps.map_or(Self::Free, |fps| Self::Rate {
            step: Duration::from_secs_f64(1.0 / fps),
            due: None,
        })
    }

    /// The frames' own times.
    pub fn own() -> Self {
        Self::Own { anchor: None }
    }

    /// When the next frame, of this time, is due, asked at `now`. After a delay frames are not hurried to catch up.
    pub fn next(&mut self, time: Duration, now: Instant) -> Instant {
        match self {
            Self::Free => now,
            Self::Rate { step, due } => {
                let at = due.map_or(now, |due| due.max(now));
                // From the moment it was due, so that waiting a little too long each time does not add up.
                *due = Some(match *due {
                    Some(before) if now < before + *step => before + *step,
                    _ => now + *step,
                });
                at
            }
            Self::Own { anchor } => {
                let (start, at) = *anchor.get_or_insert((time, now));
                let due = at + time.saturating_sub(start);
                if now > due + Self::SLACK {
                    *anchor = Some((time, now));
                }
                due.max(now)
            }
        }
    }

    /// Waits until the next frame, of this time, is due; says whether the end was asked for meanwhile.
    pub fn wait(&mut self, time: Duration, stop: &Stop) -> bool {
        let due = self.next(time, Instant::now());
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
        let mut next = |now| pace.next(Duration::ZERO, now);
        assert_eq!(next(at(0)), at(0));
        assert_eq!(next(at(3)), at(100));
        assert_eq!(next(at(104)), at(200), "four milliseconds late, not shifted");
        assert_eq!(next(at(950)), at(950), "long after it was due");
        assert_eq!(next(at(951)), at(1050));
    }

    #[test]
    fn at_their_own_times_frames_keep_their_own_distances() {
        let start = Instant::now();
        let (at, of) = (|ms: u64| start + Duration::from_millis(ms), Duration::from_millis);
        let mut pace = Pace::own();
        assert_eq!(pace.next(of(0), at(7)), at(7));
        assert_eq!(pace.next(of(40), at(8)), at(47));
        assert_eq!(pace.next(of(840), at(50)), at(847));
        assert_eq!(pace.next(of(880), at(900)), at(900), "13 ms late");
        assert_eq!(pace.next(of(920), at(901)), at(927), "not shifted by that");
        assert_eq!(pace.next(of(960), at(5000)), at(5000), "long after it was due");
        assert_eq!(pace.next(of(1000), at(5001)), at(5040));
    }

    #[test]
    fn without_a_rate_nothing_waits() {
        let now = Instant::now();
        let mut pace = Pace::new(None);
        let next = [0, 9].map(|s| pace.next(Duration::from_secs(s), now));
        assert_eq!(next, [now, now]);
    }
}
