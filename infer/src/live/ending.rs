//! The end of a run: its stages in order, its books, its report. Not what ends it, which is the display's to see.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use shared::error::{Error, Result};

use super::Running;
use super::board::Board;
use super::counts::{Counts, Tally};
use super::frame::RunState;
use super::stop::{SOON, wait_until};
use super::worker::Worker;
use crate::interrupt;

/// How long the last frame, a source that hangs, and the whole end with its recording may take: together
/// less than a service manager waits before it kills (`TimeoutStopSec`).
const FRAME: Duration = Duration::from_secs(20);
const SOURCE: Duration = Duration::from_secs(2);
const ENDING: Duration = Duration::from_secs(30);

impl Running {
    /// Ends the stages, from the source on; gives the report, and what became of the run: the first failure,
    /// beginning with the display's.
    pub(super) fn wind_down(self, shown: Result<()>) -> (String, Result<()>) {
        let Self { shared, frames, results, capture, worker, display, sink, manager, deadline } =
            self;
        manager.stopping();
        shared.stop.ask();
        frames.close();
        results.close();
        let until = Instant::now() + ENDING;
        let patience = if shown.is_err() { SOON } else { deadline.min(FRAME) };
        let worked = end_worker(worker, patience, &shared);
        let captured = end_capture(capture, &shared.board);
        let (medians, recorded) = display.finish(until);
        shared.board.bar().finish_and_clear();
        let (sent, delivered) = sink.map(|sink| sink.finish()).unzip();

        let tally = &shared.tally;
        let counts = Counts {
            captured: tally.captured.load(Relaxed),
            shown: tally.shown.load(Relaxed),
            dropped_before: frames.dropped(),
            dropped_after: results.dropped(),
            in_flight: tally.left.load(Relaxed) + frames.held() + results.held(),
        };
        let mut report = vec![counts.to_string(), about(tally)];
        report.extend((!medians.is_empty()).then(|| format!("median ms: {medians}")));
        report.extend(sent);
        report.extend(recorded.as_ref().ok().cloned().flatten());
        let verdict = shown.and(worked).and(captured).and(recorded.map(drop));
        let verdict = verdict.and(delivered.unwrap_or(Ok(())));
        (report.join("\n") + "\n", verdict.and_then(|()| nothing_lost(counts, tally)))
    }
}

/// Lets the worker end its frame, unless it hangs on it: then it is left behind.
pub(super) fn end_worker(worker: Worker, patience: Duration, shared: &RunState) -> Result<()> {
    if patience > SOON
        && !worker.ends_within(SOON)
        && let Some((_, frame)) = worker.pulse.busy(Instant::now())
    {
        let once_more = interrupt::once_more();
        shared.board.say(format!("waiting for the labels of frame {frame}{once_more}"));
    }
    let pulse = Arc::clone(&worker.pulse);
    worker.join(patience).unwrap_or_else(|| {
        // Taken from it, so that it does not count the frame once more if it does come back.
        let what = match pulse.take() {
            Some(frame) => {
                Tally::count(&shared.tally.left);
                format!("frame {frame}")
            }
            None => "their end".into(),
        };
        shared.board.say(format!("models: {what} hangs, and is left behind"));
        Ok(())
    })
}

fn end_capture(capture: JoinHandle<Result<()>>, board: &Board) -> Result<()> {
    if wait_until(Instant::now() + SOURCE, || capture.is_finished()) {
        return capture.join().unwrap_or_else(|_| Err(Error::work("capture: a panic, see above")));
    }
    board.say("source: it hangs, and is left behind");
    Ok(())
}

fn about(tally: &Tally) -> String {
    let [stale, faults, reopened, unreadable] =
        [&tally.stale, &tally.faults, &tally.reopened, &tally.unreadable].map(|n| n.load(Relaxed));
    let unreadable =
        if unreadable > 0 { format!(", unreadable {unreadable}") } else { String::new() };
    format!("stale when shown {stale}; source faults {faults}, reopened {reopened}{unreadable}")
}

/// Books that do not balance, or images that could not be read, make the command fail.
fn nothing_lost(counts: Counts, tally: &Tally) -> Result<()> {
    if !counts.balanced() {
        return Err(Error::work(format!("books: {counts}")).hint("please report it as a bug"));
    }
    match tally.unreadable.load(Relaxed) {
        0 => Ok(()),
        n => Err(Error::work(format!(
            "source: expected images that can be read, got {n} unreadable"
        ))
        .hint("the lines above name them")),
    }
}
