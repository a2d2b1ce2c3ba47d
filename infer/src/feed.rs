//! Work ahead on other threads: items are made in the background and given out in order.
//! Not a thread pool: a feed lives as long as one loop over one list.
//! Each thread makes every n-th item into a channel of its own that holds two, so that memory is bounded
//! by threads, not by the length of the list, even if one item takes far longer than the others.

use std::thread;

use crossbeam_channel::{Receiver, bounded};
use shared::error::{Error, Result};

/// Items that may wait per thread.
const AHEAD: usize = 2;

/// Makes items 0..`count` with `make` on `threads` threads, and gives them to `take` in order, on this one.
///
/// # Errors
/// The first error of `take`; the rest is not made then.
///
/// # Panics
/// If `make` does.
pub fn feed<T: Send>(
    count: usize,
    threads: usize,
    make: impl Fn(usize) -> T + Sync,
    mut take: impl FnMut(usize, T) -> Result<()>,
) -> Result<()> {
    let threads = threads.clamp(1, count.max(1));
    thread::scope(|scope| {
        let make = &make;
        let lanes: Vec<Receiver<T>> = (0..threads)
            .map(|lane| {
                let (send, receive) = bounded(AHEAD);
                scope.spawn(move || {
                    // A failed send means that the taker has stopped.
                    (lane..count).step_by(threads).all(|i| send.send(make(i)).is_ok());
                });
                receive
            })
            .collect();
        for i in 0..count {
            let item = lanes[i % threads]
                .recv()
                .map_err(|_| Error::work("loader: a thread ended early"))?;
            take(i, item)?;
        }
        Ok(())
    })
}

/// Threads that load and prepare images: what the machine has, but few, since most time goes elsewhere.
pub fn loader_threads() -> usize {
    thread::available_parallelism().map_or(2, |n| n.get()).min(4)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[test]
    fn items_come_in_order_whatever_the_threads_do() {
        let mut seen = Vec::new();
        let slow_first = |i: usize| {
            thread::sleep(Duration::from_millis(if i.is_multiple_of(3) { 5 } else { 0 }));
            i
        };
        feed(20, 3, slow_first, |i, item| {
            assert_eq!(i, item);
            seen.push(item);
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, (0..20).collect::<Vec<_>>());
    }

    #[test]
    fn only_a_few_items_are_made_ahead_and_none_after_an_error() {
        let made = AtomicUsize::new(0);
        let result = feed(
            1000,
            2,
            |_| made.fetch_add(1, Ordering::Relaxed),
            |i, _| {
                thread::sleep(Duration::from_millis(1));
                assert!(made.load(Ordering::Relaxed) <= i + 1 + 2 * (AHEAD + 2));
                if i == 10 { Err(Error::work("enough")) } else { Ok(()) }
            },
        );
        assert_eq!(result.unwrap_err().to_string(), "enough");
        assert!(made.load(Ordering::Relaxed) < 30);
    }

    #[test]
    fn an_empty_list_is_done_at_once() {
        feed(0, 4, |_| (), |_, ()| Ok(())).unwrap();
    }
}
