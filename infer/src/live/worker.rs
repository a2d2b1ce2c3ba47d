//! The second stage: frames from their slot, through the models, into the slot before the display.
//! Not what a model is: the worker is given a function from image to labels, which tests replace.
//! While a run is going on its start can be read from outside, so that one that hangs is noticed.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use image::{GrayImage, RgbImage};
use shared::error::{Error, Result};

use super::clock::Stamp;
use super::counts::Tally;
use super::frame::{Frame, Seen, Shared};
use super::slot::{Policy, Slot, Taken};
use super::stop::wait_until;
use crate::session::Model;

/// What the models made of an image, and how long that took them together.
#[derive(Debug, Default)]
pub struct Labelled {
    /// Train ids by model, of the image's size.
    pub labels: Vec<GrayImage>,
    /// Resizing to input size.
    pub prepare: Duration,
    /// ONNX Runtime.
    pub run: Duration,
    /// From its output to labels.
    pub post: Duration,
}

/// Runs every model on the image; `slow_down` times as slowly as they can, to rehearse an overload.
///
/// # Errors
/// A run that fails.
pub fn segment(models: &mut [Model], image: &RgbImage, slow_down: f64) -> Result<Labelled> {
    let mut all = Labelled::default();
    for model in models {
        let start = Instant::now();
        let input = model.prepare(image);
        all.prepare += start.elapsed();
        let result = model.segment(&input, image.dimensions())?;
        if slow_down > 1.0 {
            let more = start.elapsed().mul_f64(slow_down - 1.0);
            std::thread::sleep(more);
            all.run += more;
        }
        all.run += result.run;
        all.post += result.post;
        all.labels.push(result.labels);
    }
    Ok(all)
}

/// The run that is going on, if one is.
#[derive(Debug, Default)]
pub struct Pulse(Mutex<Option<(Instant, u64)>>);

impl Pulse {
    /// Since how long a run has been going on at `now`, and on which frame.
    pub fn busy(&self, now: Instant) -> Option<(Duration, u64)> {
        let busy = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        busy.map(|(since, frame)| (now.saturating_duration_since(since), frame))
    }

    fn set(&self, busy: Option<(Instant, u64)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = busy;
    }
}

/// The slots that the worker stands between, and who listens to it.
pub struct Post {
    /// Frames to segment.
    pub frames: Arc<Slot<Frame>>,
    /// Results, for the display.
    pub results: Arc<Slot<Arc<Seen>>>,
    /// Whether frames wait for the worker: then they arrive when it takes them.
    pub policy: Policy,
    /// What all threads share.
    pub shared: Arc<Shared>,
}

/// What a worker says, at once and from its own thread.
#[derive(Debug)]
pub enum News<'a> {
    /// It has segmented a frame; the display has not heard of it yet.
    Result(&'a Arc<Seen>),
    /// No frame came for a second.
    Idle,
}

/// A running worker.
pub struct Worker {
    /// The run that is going on.
    pub pulse: Arc<Pulse>,
    thread: JoinHandle<Result<()>>,
}

impl Worker {
    /// Starts it. `tell` hears all that is new, on the worker's thread.
    ///
    /// # Errors
    /// If the system has no thread left.
    pub fn start(
        post: Post,
        segment: impl FnMut(&RgbImage) -> Result<Labelled> + Send + 'static,
        tell: impl FnMut(News) + Send + 'static,
    ) -> Result<Self> {
        let pulse = Arc::new(Pulse::default());
        let beat = Arc::clone(&pulse);
        let thread = std::thread::Builder::new()
            .name("worker".into())
            .spawn(move || {
                let result = work(&post, segment, tell, &beat);
                post.shared.failed.fetch_or(result.is_err(), Ordering::Relaxed);
                // In this order: nobody waits for a frame to be taken by a worker that has ended.
                post.frames.close();
                post.results.close();
                beat.set(None);
                result
            })
            .map_err(|e| Error::work(format!("worker: cannot start a thread: {e}")))?;
        Ok(Self { pulse, thread })
    }

    /// Whether it has ended; waits at most this long for that.
    pub fn ends_within(&self, patience: Duration) -> bool {
        wait_until(Instant::now() + patience, || self.thread.is_finished())
    }

    /// Waits at most this long for its end; `None` if it has not ended then, and is left behind.
    pub fn join(self, patience: Duration) -> Option<Result<()>> {
        if !self.ends_within(patience) {
            return None;
        }
        Some(self.thread.join().unwrap_or_else(|_| Err(Error::work("worker: a panic, see above"))))
    }
}

/// How long a worker waits for a frame before it says so.
const IDLE: Duration = Duration::from_secs(1);

fn work(
    post: &Post,
    mut segment: impl FnMut(&RgbImage) -> Result<Labelled>,
    mut tell: impl FnMut(News),
    pulse: &Pulse,
) -> Result<()> {
    let tally = &post.shared.tally;
    loop {
        let mut frame = match post.frames.take(IDLE) {
            Taken::Item(frame) => frame,
            Taken::Nothing => {
                tell(News::Idle);
                continue;
            }
            Taken::Closed => return Ok(()),
        };
        if post.policy == Policy::Every {
            frame.arrived = Stamp::now();
        }
        pulse.set(Some((Instant::now(), frame.sequence)));
        let result = segment(&frame.image);
        pulse.set(None);
        let Labelled { labels, prepare, run, post: labelling } = match result {
            Ok(labelled) => labelled,
            Err(error) => {
                Tally::count(&tally.left);
                return Err(error.within(format!("frame {}", frame.sequence)));
            }
        };
        let seen = Arc::new(Seen { frame, labels, prepare, run, post: labelling });
        tell(News::Result(&seen));
        if post.results.put(seen).is_err() {
            Tally::count(&tally.left);
            return Ok(());
        }
    }
}
