//! The threads together, without models, windows and programs: the books balance whatever is slow.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use image::{GrayImage, Luma, RgbImage};
use indicatif::ProgressBar;
use shared::error::Error;

use super::board::Board;
use super::capture::Feed;
use super::clock::Stamp;
use super::counts::Counts;
use super::frame::Shared;
use super::slot::{Policy, Slot, Taken};
use super::worker::{Labelled, Post, Worker};

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
    let shared = Shared::new(Board::new(ProgressBar::hidden()));
    let (frames, results) = (Arc::new(Slot::new(case.policy)), Arc::new(Slot::new(case.policy)));
    let mut feed = Feed::new(Arc::clone(&frames), Arc::clone(&shared), Some(case.frames));
    let every = Duration::from_millis(case.every_ms);
    let capture = std::thread::spawn(move || {
        while feed.deliver(RgbImage::new(4, 2), Stamp::now(), Duration::ZERO) {
            feed.shared.stop.sleep(every);
        }
    });
    let model = Duration::from_millis(case.model_ms);
    let post = Post {
        frames: Arc::clone(&frames),
        results: Arc::clone(&results),
        policy: case.policy,
        shared: Arc::clone(&shared),
    };
    let segment = move |image: &RgbImage| {
        std::thread::sleep(model);
        let labels = vec![GrayImage::from_pixel(image.width(), image.height(), Luma([1]))];
        Ok(Labelled { labels, ..Labelled::default() })
    };
    let worker = Worker::start(post, segment, |_| {}).unwrap();
    let mut shown = 0;
    let mut last = None;
    while shown < case.leave_after {
        match results.take(Duration::from_secs(20)) {
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
    worker.join(Duration::from_secs(20)).unwrap().unwrap();
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
    let shared = Shared::new(Board::new(ProgressBar::hidden()));
    let slot = Arc::new(Slot::new(Policy::Latest));
    let feed = Feed::new(Arc::clone(&slot), shared, None);
    let capture = std::thread::spawn(move || panic!("while it holds {}", feed.delivered()));
    assert!(capture.join().is_err());
    assert!(matches!(slot.take(Duration::from_secs(20)), Taken::Closed));
}

const FOREVER: u64 = u64::MAX;

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

#[test]
fn a_failed_run_ends_the_worker_and_frees_who_waits() {
    let shared = Shared::new(Board::new(ProgressBar::hidden()));
    let (frames, results) =
        (Arc::new(Slot::new(Policy::Every)), Arc::new(Slot::new(Policy::Every)));
    let post = Post {
        frames: Arc::clone(&frames),
        results: Arc::clone(&results),
        policy: Policy::Every,
        shared: Arc::clone(&shared),
    };
    let worker = Worker::start(post, |_| Err(Error::work("out of memory")), |_| {}).unwrap();
    let mut feed = Feed::new(Arc::clone(&frames), shared, None);
    while feed.deliver(RgbImage::new(1, 1), Stamp::now(), Duration::ZERO) {}
    assert!(matches!(results.take(Duration::from_secs(20)), Taken::Closed));
    let error = worker.join(Duration::from_secs(20)).unwrap().unwrap_err();
    assert_eq!(error.to_string(), "frame 0: out of memory");
}

#[test]
fn a_run_that_hangs_can_be_seen_from_outside_and_is_left_behind() {
    let shared = Shared::new(Board::new(ProgressBar::hidden()));
    let (frames, results) =
        (Arc::new(Slot::new(Policy::Latest)), Arc::new(Slot::new(Policy::Latest)));
    let post = Post { frames: Arc::clone(&frames), results, policy: Policy::Latest, shared };
    let hang = |_: &RgbImage| {
        std::thread::sleep(Duration::from_secs(3));
        Ok(Labelled::default())
    };
    let worker = Worker::start(post, hang, |_| {}).unwrap();
    assert_eq!(worker.pulse.busy(std::time::Instant::now()), None);
    let mut feed = Feed::new(frames, Shared::new(Board::new(ProgressBar::hidden())), Some(1));
    feed.deliver(RgbImage::new(1, 1), Stamp::now(), Duration::ZERO);
    std::thread::sleep(Duration::from_millis(50));
    let later = std::time::Instant::now() + Duration::from_secs(40);
    let (busy, frame) = worker.pulse.busy(later).unwrap();
    assert!(busy > Duration::from_secs(40) && frame == 0);
    assert!(worker.join(Duration::from_millis(10)).is_none());
}
