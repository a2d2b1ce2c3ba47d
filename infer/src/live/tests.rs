//! The threads together, without models, windows and programs: the books balance whatever is slow.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use image::{GrayImage, Luma, RgbImage};
use indicatif::ProgressBar;
use shared::error::{Error, Result};

use super::board::Board;
use super::capture::FrameSender;
use super::clock::Stamp;
use super::counts::Counts;
use super::ending::end_worker;
use super::frame::{Frame, RunState, SegmentedFrame};
use super::slot::{Policy, Slot, Taken};
use super::stop::wait_until;
use super::worker::{Labelled, Worker, WorkerPorts};

fn shared() -> Arc<RunState> {
    RunState::new(Board::new(ProgressBar::hidden()))
}

/// What to run: frames that come every so many milliseconds, and how slow the stages after that are.
struct Case {
    policy: Policy,
    frames: u64,
    every_ms: u64,
    model_ms: u64,
    display_ms: u64,
    /// The display leaves after so many results.
    leave_after: u64,
}

fn run(case: &Case) -> Counts {
    let shared = shared();
    let (frames, results) = (Arc::new(Slot::new(case.policy)), Arc::new(Slot::new(case.policy)));
    let mut sender = FrameSender::new(Arc::clone(&frames), Arc::clone(&shared), Some(case.frames));
    let every = Duration::from_millis(case.every_ms);
    let capture = std::thread::spawn(move || {
        while sender.deliver(RgbImage::new(4, 2), Stamp::now(), Duration::ZERO, None) {
            sender.shared.stop.sleep(every);
        }
    });
    let model = Duration::from_millis(case.model_ms);
    let ports = WorkerPorts {
        frames: Arc::clone(&frames),
        results: Arc::clone(&results),
        policy: case.policy.into(),
        shared: Arc::clone(&shared),
    };
    let segment = move |image: &RgbImage| {
        std::thread::sleep(model);
        let labels = vec![GrayImage::from_pixel(image.width(), image.height(), Luma([1]))];
        Ok(Labelled { labels, ..Labelled::default() })
    };
    let worker = Worker::start(ports, segment, |_| {}).unwrap();
    let mut shown = 0;
    let mut last = None;
    while shown < case.leave_after {
        match results.take(LONG) {
            Taken::Item(seen) => {
                shown += 1;
                assert!(last < Some(seen.frame.sequence), "results come in order, each once");
                last = Some(seen.frame.sequence);
                std::thread::sleep(Duration::from_millis(case.display_ms));
            }
            Taken::Nothing => panic!("nothing came"),
            Taken::Closed => break,
        }
    }
    shared.stop.ask();
    frames.close();
    results.close();
    worker.join(LONG).unwrap().unwrap();
    capture.join().unwrap();
    let counts = Counts {
        captured: shared.tally.captured.load(Relaxed),
        shown,
        dropped_before: frames.dropped(),
        dropped_after: results.dropped(),
        in_flight: shared.tally.left.load(Relaxed) + frames.held() + results.held(),
    };
    assert!(counts.balanced(), "{counts}");
    counts
}

#[test]
fn a_source_that_panics_ends_the_run_and_does_not_leave_the_worker_waiting() {
    let shared = shared();
    let slot = Arc::new(Slot::new(Policy::Latest));
    let sender = FrameSender::new(Arc::clone(&slot), Arc::clone(&shared), None);
    let capture = std::thread::spawn(move || panic!("while it holds {}", sender.delivered()));
    assert!(capture.join().is_err());
    assert!(matches!(slot.take(LONG), Taken::Closed));
    assert!(shared.failed.load(Relaxed), "a window does not stay open behind it");
}

const FOREVER: u64 = u64::MAX;
/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(20);

#[test]
fn of_a_file_every_frame_is_shown_however_slow_the_stages_are() {
    for (model_ms, display_ms) in [(0, 0), (2, 0), (0, 2)] {
        let case = Case {
            policy: Policy::Every,
            frames: 60,
            every_ms: 0,
            model_ms,
            display_ms,
            leave_after: FOREVER,
        };
        let counts = run(&case);
        assert_eq!((counts.captured, counts.shown, counts.dropped()), (60, 60, 0));
    }
}

#[test]
fn in_real_time_a_slow_model_drops_frames_before_itself() {
    let case = Case {
        policy: Policy::Latest,
        frames: 100,
        every_ms: 1,
        model_ms: 12,
        display_ms: 0,
        leave_after: FOREVER,
    };
    let counts = run(&case);
    assert!(counts.captured == 100 && counts.dropped_before > 50, "{counts}");
    assert_eq!(counts.in_flight, 0, "the last frame is shown: {counts}");
}

#[test]
fn in_real_time_a_slow_display_drops_results_and_not_frames_of_the_model() {
    let case = Case {
        policy: Policy::Latest,
        frames: 60,
        every_ms: 2,
        model_ms: 0,
        display_ms: 30,
        leave_after: FOREVER,
    };
    let counts = run(&case);
    assert!(counts.dropped_after > 20, "{counts}");
}

#[test]
fn a_display_that_leaves_leaves_balanced_books() {
    for policy in [Policy::Latest, Policy::Every] {
        for leave_after in [0, 1, 7] {
            let case =
                Case { policy, frames: 500, every_ms: 1, model_ms: 2, display_ms: 1, leave_after };
            let counts = run(&case);
            assert!(counts.shown <= leave_after && counts.captured < 500, "{counts}");
        }
    }
}

/// Slots, and a worker between them.
type Bench = (Arc<Slot<Frame>>, Arc<Slot<Arc<SegmentedFrame>>>, Worker);

fn worker_between_slots(
    policy: Policy,
    shared: &Arc<RunState>,
    segment: impl FnMut(&RgbImage) -> Result<Labelled> + Send + 'static,
) -> Bench {
    let (frames, results) = (Arc::new(Slot::new(policy)), Arc::new(Slot::new(policy)));
    let ports = WorkerPorts {
        frames: Arc::clone(&frames),
        results: Arc::clone(&results),
        policy: policy.into(),
        shared: Arc::clone(shared),
    };
    (frames, results, Worker::start(ports, segment, |_| {}).unwrap())
}

/// Delivers small frames, as many as are wanted and taken.
fn deliver(frames: &Arc<Slot<Frame>>, shared: &Arc<RunState>, max_frames: Option<u64>) {
    let mut sender = FrameSender::new(Arc::clone(frames), Arc::clone(shared), max_frames);
    while sender.deliver(RgbImage::new(1, 1), Stamp::now(), Duration::ZERO, None) {}
}

/// The books when nobody shows anything.
fn unshown(shared: &RunState, frames: &Slot<Frame>, results: &Slot<Arc<SegmentedFrame>>) -> Counts {
    Counts {
        captured: shared.tally.captured.load(Relaxed),
        shown: 0,
        dropped_before: frames.dropped(),
        dropped_after: results.dropped(),
        in_flight: shared.tally.left.load(Relaxed) + frames.held() + results.held(),
    }
}

#[test]
fn a_failed_run_or_a_panic_ends_the_worker_and_frees_who_waits() {
    type Segment = fn(&RgbImage) -> Result<Labelled>;
    let failures: [(Segment, &str); 2] = [
        (|_| Err(Error::work("out of memory")), "frame 0: out of memory"),
        (|_| panic!("an index"), "worker: a panic, see above"),
    ];
    for (segment, expected) in failures {
        let shared = shared();
        let (frames, results, worker) = worker_between_slots(Policy::Every, &shared, segment);
        deliver(&frames, &shared, None);
        assert!(matches!(results.take(LONG), Taken::Closed));
        assert!(shared.failed.load(Relaxed));
        let error = worker.join(LONG).unwrap().unwrap_err();
        assert_eq!(error.to_string(), expected);
        let counts = unshown(&shared, &frames, &results);
        assert!(counts.balanced(), "{counts}");
    }
}

#[test]
fn a_run_that_hangs_is_left_behind_and_its_frame_counted_once_even_if_it_comes_back() {
    let shared = shared();
    let (release, hang) = std::sync::mpsc::channel::<()>();
    let segment = move |_: &RgbImage| {
        let _ = hang.recv(); // until the sender is gone
        Ok(Labelled::default())
    };
    let (frames, results, worker) = worker_between_slots(Policy::Latest, &shared, segment);
    assert_eq!(worker.pulse.busy(Instant::now()), None);
    deliver(&frames, &shared, Some(1));
    assert!(wait_until(Instant::now() + LONG, || worker.pulse.busy(Instant::now()).is_some()));
    let (busy, frame) = worker.pulse.busy(Instant::now() + Duration::from_secs(40)).unwrap();
    assert!(busy >= Duration::from_secs(40) && frame == 0);

    frames.close();
    results.close();
    end_worker(worker, Duration::from_millis(10), &shared).unwrap();
    let said = shared.board.said.lock().unwrap().pop().unwrap().1;
    assert_eq!(said, "models: frame 0 hangs, and is left behind");
    drop(release);
    assert!(wait_until(Instant::now() + LONG, || Arc::strong_count(&shared) == 1), "it has ended");
    let counts = unshown(&shared, &frames, &results);
    assert!(counts.balanced() && counts.in_flight == 1, "{counts}");
}
