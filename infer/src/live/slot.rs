//! A place for one item between two threads: where the latest wins, or where every one is waited for.
//! Not a queue: with a queue a slow consumer would see an ever older world. What is replaced is counted.
//! Once closed nothing more goes in, and what is in it can still be taken.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What happens to an item that finds the slot full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// It replaces the one there, which is counted as dropped: cameras, streams, anything in real time.
    Latest,
    /// It waits until there is room: files.
    Every,
}

/// A policy that slots and stages share. What a URL leads to is known only once it is open: until the first
/// frame the policy may still change.
#[derive(Debug, Clone)]
pub struct SharedPolicy(Arc<AtomicBool>);

impl SharedPolicy {
    /// The policy now.
    pub fn get(&self) -> Policy {
        if self.0.load(Relaxed) { Policy::Latest } else { Policy::Every }
    }

    /// Changes it for all who share it.
    pub fn set(&self, policy: Policy) {
        self.0.store(policy == Policy::Latest, Relaxed);
    }
}

impl From<Policy> for SharedPolicy {
    fn from(policy: Policy) -> Self {
        Self(Arc::new(AtomicBool::new(policy == Policy::Latest)))
    }
}

/// What became of an item that was put.
#[derive(Debug, PartialEq, Eq)]
pub enum Put<T> {
    /// It is in the slot.
    Done,
    /// There was no room within the time.
    Full(T),
    /// Nothing goes in any more.
    Closed(T),
}

/// What `take` came back with.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// An item.
    Item(T),
    /// Nothing came within the time.
    Nothing,
    /// Nothing is in it, and nothing will come.
    Closed,
}

/// A slot of one.
#[derive(Debug)]
pub struct Slot<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    policy: SharedPolicy,
}

#[derive(Debug)]
struct State<T> {
    item: Option<T>,
    /// Since when there was always something to take, and nobody took it.
    untaken_since: Option<Instant>,
    closed: bool,
    dropped: u64,
}

impl<T> Slot<T> {
    /// An empty slot.
    pub fn new(policy: impl Into<SharedPolicy>) -> Self {
        let state =
            Mutex::new(State { item: None, untaken_since: None, closed: false, dropped: 0 });
        Self { state, changed: Condvar::new(), policy: policy.into() }
    }

    /// Its policy, to look at or to change.
    pub fn policy(&self) -> &SharedPolicy {
        &self.policy
    }

    /// Puts an item in; gives it back if the slot is closed, or is closed while it waits for room.
    pub fn put(&self, mut item: T) -> Result<(), T> {
        loop {
            match self.put_within(item, Duration::from_secs(1)) {
                Put::Done => return Ok(()),
                Put::Full(back) => item = back,
                Put::Closed(back) => return Err(back),
            }
        }
    }

    /// Puts an item in, waiting at most this long for room.
    pub fn put_within(&self, item: T, patience: Duration) -> Put<T> {
        let full = |state: &mut State<T>| {
            self.policy.get() == Policy::Every && state.item.is_some() && !state.closed
        };
        let mut state = self
            .changed
            .wait_timeout_while(self.lock(), patience, full)
            .map_or_else(|e| e.into_inner().0, |(state, _)| state);
        if full(&mut state) {
            return Put::Full(item);
        }
        if state.closed {
            return Put::Closed(item);
        }
        state.dropped += u64::from(state.item.replace(item).is_some());
        state.untaken_since.get_or_insert_with(Instant::now);
        self.changed.notify_all();
        Put::Done
    }

    /// Takes the item, waiting at most this long for one.
    pub fn take(&self, patience: Duration) -> Taken<T> {
        let until = Instant::now() + patience;
        let mut state = self.lock();
        loop {
            if let Some(item) = state.item.take() {
                state.untaken_since = None;
                self.changed.notify_all();
                return Taken::Item(item);
            }
            if state.closed {
                return Taken::Closed;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Taken::Nothing;
            }
            state = self
                .changed
                .wait_timeout(state, left)
                .map_or_else(|e| e.into_inner().0, |(state, _)| state);
        }
    }

    /// Lets nothing more in and wakes everyone.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Items that were replaced before anyone took them.
    pub fn dropped(&self) -> u64 {
        self.lock().dropped
    }

    /// How long nobody has taken anything, though there was something to take.
    pub fn untaken_for(&self, now: Instant) -> Duration {
        self.lock()
            .untaken_since
            .map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }

    /// Items in it now: 0 or 1.
    pub fn held(&self) -> u64 {
        u64::from(self.lock().item.is_some())
    }

    /// A panic elsewhere leaves the fields consistent: nothing that changes them can panic in between.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    const SOON: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn the_latest_wins_and_what_it_replaced_is_counted() {
        let slot = Slot::new(Policy::Latest);
        (1..=5).for_each(|i| slot.put(i).unwrap());
        assert_eq!((slot.dropped(), slot.held()), (4, 1));
        assert_eq!(slot.take(SOON), Taken::Item(5));
        assert_eq!(slot.take(SOON), Taken::Nothing);
    }

    #[test]
    fn where_every_item_counts_none_is_lost_and_their_order_stays() {
        let slot = Arc::new(Slot::new(Policy::Every));
        let giver = slot.clone();
        let thread = std::thread::spawn(move || {
            (0..1000).for_each(|i| giver.put(i).unwrap());
            giver.close();
        });
        for expected in 0..1000 {
            assert_eq!(slot.take(LONG), Taken::Item(expected));
        }
        assert_eq!(slot.take(LONG), Taken::Closed);
        assert_eq!(slot.dropped(), 0);
        thread.join().unwrap();
    }

    #[test]
    fn what_is_replaced_has_waited_as_long_as_the_first_that_nobody_took() {
        let slot = Slot::new(Policy::Latest);
        let soon = Instant::now() + LONG;
        assert_eq!(slot.untaken_for(soon), Duration::ZERO);
        slot.put(1).unwrap();
        let waited = slot.untaken_for(soon);
        assert!(waited > Duration::ZERO);
        slot.put(2).unwrap();
        assert_eq!(slot.untaken_for(soon), waited);
        assert_eq!(slot.take(SOON), Taken::Item(2));
        assert_eq!(slot.untaken_for(soon), Duration::ZERO);
    }

    #[test]
    fn who_waits_for_room_may_give_up() {
        let slot = Slot::new(Policy::Every);
        assert_eq!(slot.put_within(1, SOON), Put::Done);
        assert_eq!(slot.put_within(2, SOON), Put::Full(2));
        slot.close();
        assert_eq!(slot.put_within(3, LONG), Put::Closed(3));
        assert_eq!((slot.take(SOON), slot.dropped()), (Taken::Item(1), 0));
    }

    #[test]
    fn closing_frees_who_waits_and_gives_the_item_back() {
        let slot = Arc::new(Slot::new(Policy::Every));
        slot.put(1).unwrap();
        let giver = slot.clone();
        let thread = std::thread::spawn(move || giver.put(2));
        slot.close();
        assert_eq!(thread.join().unwrap(), Err(2));
        assert_eq!(slot.take(SOON), Taken::Item(1), "what was in it can still be taken");
        assert_eq!(slot.take(SOON), Taken::Closed);
    }
}
