//! The books of a live run: captured = shown + dropped + in flight, each side counted where it happens.
//! Not times, which are `stages`. What is in flight is counted by place, not by subtraction, or the sum
//! would prove nothing.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters that the threads share.
#[derive(Debug, Default)]
pub struct Tally {
    /// Frames that arrived from the source.
    pub captured: AtomicU64,
    /// Results that reached the display, or what stands for it.
    pub shown: AtomicU64,
    /// Of these, how many were too old for their colours.
    pub stale: AtomicU64,
    /// Frames that were in some thread's hands when the next stage had ended.
    pub left: AtomicU64,
    /// Images of a folder that could not be read: never captured.
    pub unreadable: AtomicU64,
    /// Faults of the source: stalls, ends, garbage, changes of size.
    pub faults: AtomicU64,
    /// Times the source was opened again.
    pub reopened: AtomicU64,
}

impl Tally {
    /// Adds one to a counter of the tally.
    pub fn count(counter: &AtomicU64) -> u64 {
        counter.fetch_add(1, Relaxed) + 1
    }
}

/// Where frames are and have gone, at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames that arrived.
    pub captured: u64,
    /// Results shown.
    pub shown: u64,
    /// Frames that a later one replaced before the worker took them.
    pub dropped_before: u64,
    /// Results that a later one replaced before they were shown.
    pub dropped_after: u64,
    /// Frames in the slots and in the stages' hands.
    pub in_flight: u64,
}

impl Counts {
    /// Frames replaced by later ones, in either slot.
    pub fn dropped(&self) -> u64 {
        self.dropped_before + self.dropped_after
    }

    /// Whether no frame is missing and none was counted twice.
    pub fn balanced(&self) -> bool {
        self.captured == self.shown + self.dropped() + self.in_flight
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { captured, shown, dropped_before, dropped_after, in_flight } = self;
        let sign = if self.balanced() { '=' } else { '≠' };
        write!(
            f,
            "captured {captured} {sign} shown {shown} + dropped {} ({dropped_before} before the model, \
             {dropped_after} after) + in flight {in_flight}",
            self.dropped()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_books_say_when_a_frame_is_missing() {
        let counts =
            Counts { captured: 10, shown: 5, dropped_before: 3, dropped_after: 1, in_flight: 1 };
        assert!(counts.balanced());
        assert_eq!(
            counts.to_string(),
            "captured 10 = shown 5 + dropped 4 (3 before the model, 1 after) + in flight 1"
        );
        let missing = Counts { shown: 4, ..counts };
        assert!(!missing.balanced() && missing.to_string().contains('≠'));
    }
}
