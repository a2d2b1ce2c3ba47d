//! The second stage: frames from their slot, through the models, into the slot before the display.
//! Not what a model is: the worker is given a function from image to labels, which tests replace.
//! While a run is going on its start can be read from outside, so that one that hangs is noticed.

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use image::{GrayImage, RgbImage};
use shared::error::{Context, Error, Result};

use super::clock::Stamp;
use super::counts::Tally;
use super::frame::{Frame, RunState, SegmentedFrame};
use super::slot::{Policy, SharedPolicy, Slot, Taken};
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

    /// Ends it, or takes its frame from a worker that hangs on it: whoever gets the frame's number accounts for it.
    pub fn take(&self) -> Option<u64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().map(|(_, frame)| frame)
    }

    fn begin(&self, frame: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), frame));
    }
}

/// The slots that the worker stands between, and who listens to it.
pub struct WorkerPorts {
    /// Frames to segment.
    pub frames: Arc<Slot<Frame>>,
    /// Results, for the display.
    pub results: Arc<Slot<Arc<SegmentedFrame>>>,
    /// Whether frames wait for the worker: then they arrive when it takes them.
    pub policy: SharedPolicy,
    /// What all threads share.
    pub shared: Arc<RunState>,
}

/// What a worker says, at once and from its own thread.
#[derive(Debug)]
pub enum WorkerEvent<'a> {
    /// It has segmented a frame; the display has not heard of it yet.
    Result(&'a Arc<SegmentedFrame>),
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
        ports: WorkerPorts,
        segment: impl FnMut(&RgbImage) -> Result<Labelled> + Send + 'static,
        tell: impl FnMut(WorkerEvent) + Send + 'static,
    ) -> Result<Self> {
        let pulse = Arc::new(Pulse::default());
        let work = Work { ports, pulse: Arc::clone(&pulse) };
        let thread = Builder::new()
            .name("worker".into())
            .spawn(move || work.run(segment, tell))
            .work(|| "worker: cannot start a thread".into())?;
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

/// What the worker's thread holds.
struct Work {
    ports: WorkerPorts,
    pulse: Arc<Pulse>,
}

impl Work {
    fn run(
        self,
        mut segment: impl FnMut(&RgbImage) -> Result<Labelled>,
        mut tell: impl FnMut(WorkerEvent),
    ) -> Result<()> {
        let ports = &self.ports;
        let left = &ports.shared.tally.left;
        loop {
            let mut frame = match ports.frames.take(IDLE) {
                Taken::Item(frame) => frame,
                Taken::Nothing => {
                    tell(WorkerEvent::Idle);
                    continue;
                }
                Taken::Closed => return Ok(()),
            };
            if ports.policy.get() == Policy::Every {
                frame.arrived = Stamp::now();
            }
            self.pulse.begin(frame.sequence);
            let result = segment(&frame.image);
            if self.pulse.take().is_none() {
                return Ok(()); // we were left behind with it, and it is in the books
            }
            let Labelled { labels, prepare, run, post } = match result {
                Ok(labelled) => labelled,
                Err(error) => {
                    Tally::count(left);
                    ports.shared.failed.store(true, Relaxed);
                    return Err(error.within(format!("frame {}", frame.sequence)));
                }
            };
            let seen = Arc::new(SegmentedFrame { frame, labels, prepare, run, post });
            tell(WorkerEvent::Result(&seen));
            if ports.results.put(seen).is_err() {
                Tally::count(left);
                return Ok(());
            }
        }
    }
}

/// However it ends, by a panic too: nobody waits for it to take a frame or to give a result.
impl Drop for Work {
    fn drop(&mut self) {
        let RunState { tally, failed, .. } = &*self.ports.shared;
        if self.pulse.take().is_some() {
            Tally::count(&tally.left);
        }
        failed.fetch_or(std::thread::panicking(), Relaxed);
        // In this order: nobody waits for a frame to be taken by a worker that has ended.
        self.ports.frames.close();
        self.ports.results.close();
    }
}
