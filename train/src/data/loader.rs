//! Threads that make batches ahead of the step: thread w of W makes the batches w, w + W, w + 2 W and so on, so that
//! delivery in order needs no sorting, and each has a queue of its own that bounds the memory.
//! Not a pool for general work. What a batch holds does not depend on the number of threads.

use super::augment::sample_size;
use super::{Cache, DataSettings, Order, augment};
use crossbeam_channel::{Receiver, Sender, bounded};
use shared::dataset::Index;
use shared::error::{Context, Error, Result};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Finished batches that may wait, per thread.
const AHEAD: usize = 2;

/// One batch in host memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// `[N, H, W, 3]` u8, RGB.
    pub images: Vec<u8>,
    /// `[N, H, W]` u8, train ids, 255 for ignored.
    pub labels: Vec<u8>,
    /// Samples.
    pub n: usize,
    /// Height in pixels.
    pub h: usize,
    /// Width in pixels.
    pub w: usize,
    /// Which batch of the run this is, from 0; a step takes `train.accumulate` of them.
    pub number: u64,
    /// The epoch that it lies in, from 0.
    pub epoch: u64,
}

/// What a loader makes of an index, besides the samples' own settings.
#[derive(Clone, Copy, Debug)]
pub struct LoaderSettings {
    /// Samples of a batch.
    pub batch: usize,
    /// What order and augmentation are a function of.
    pub seed: u64,
    /// Threads, at least one.
    pub workers: usize,
    /// The number of the batch to begin with.
    pub first_batch: u64,
}

/// An endless stream of batches. Dropping it ends and joins its threads.
pub struct Loader {
    queues: Vec<Receiver<Result<Batch>>>,
    threads: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    /// Number of the batch that comes next.
    number: u64,
    /// Height and width that every batch must have, and the first batch's number.
    size: Option<(usize, usize, u64)>,
}

impl Loader {
    /// Starts the threads, which make the batches from `first_batch` on.
    ///
    /// # Errors
    /// Settings that make no sense, a batch larger than the data set, no thread to be had.
    pub fn new(index: Arc<Index>, data: DataSettings, settings: LoaderSettings) -> Result<Self> {
        data.check()?;
        let LoaderSettings { batch, seed, workers, first_batch } = settings;
        let order = Order::new(index.samples.len(), batch, seed)?;
        let cache = Arc::new(Cache::new(index.clone(), data.resize, data.cache_mb));
        let mut loader = Self {
            queues: vec![],
            threads: vec![],
            stop: Arc::new(AtomicBool::new(false)),
            number: first_batch,
            size: None,
        };
        let workers = workers.max(1) as u64;
        for w in 0..workers {
            let (sender, queue) = bounded(AHEAD);
            let worker = Worker {
                index: index.clone(),
                cache: cache.clone(),
                settings: data.clone(),
                order: order.clone(),
                batch,
                seed,
                stop: loader.stop.clone(),
            };
            // Thread w makes the batches that are w modulo the number of threads, wherever the run begins.
            let first = first_batch + (w + workers - first_batch % workers) % workers;
            let thread = std::thread::Builder::new()
                .name(format!("loader {w}"))
                .spawn(move || worker.run(first, workers, &sender))
                .work(|| "loader: starting a thread".into())?;
            loader.queues.push(queue);
            loader.threads.push(thread);
        }
        Ok(loader)
    }

    /// The next batch; waits for it if need be.
    ///
    /// # Errors
    /// Those of decoding, which name the file; a batch of another size than the first. The stream is over then.
    #[allow(clippy::should_implement_trait)] // it never ends, and an error is not an item among others
    pub fn next(&mut self) -> Result<Batch> {
        let queue = &self.queues[(self.number % self.queues.len() as u64) as usize];
        let ended = || Error::work(format!("loader: batch {}: its thread has ended", self.number));
        let batch = queue.recv().map_err(|_| ended())??;
        let (h, w, first) = *self.size.get_or_insert((batch.h, batch.w, batch.number));
        if (batch.h, batch.w) != (h, w) {
            let what = format!("after batch {first}: batch {}", batch.number);
            return Err(sizes_differ(&what, (batch.w, batch.h), (w, h)));
        }
        self.number += 1;
        Ok(batch)
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.queues.clear(); // a thread that waits to send wakes up with an error, and ends
        for thread in self.threads.drain(..) {
            // A thread that panicked has been seen by `next` as an ended queue.
            let _ = thread.join();
        }
    }
}

fn sizes_differ(what: &str, (w, h): (usize, usize), (want_w, want_h): (usize, usize)) -> Error {
    Error::request(format!("{what}: expected {want_w} x {want_h} as before it, got {w} x {h}"))
        .hint("a batch needs images of one size: set augment.crop or augment.resize = [width, height]")
}

/// Memory that may not be had, which an ordinary vector would end the program with.
fn zeros(length: usize) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).map_err(|_| {
        Error::work(format!("loader: out of memory: a batch of {length} bytes does not fit"))
            .hint("lower train.batch (train.accumulate makes up for it, but for batch normalization) or augment.crop")
    })?;
    bytes.resize(length, 0);
    Ok(bytes)
}

struct Worker {
    index: Arc<Index>,
    cache: Arc<Cache>,
    settings: DataSettings,
    order: Order,
    batch: usize,
    seed: u64,
    stop: Arc<AtomicBool>,
}

impl Worker {
    /// Makes the batches `first`, `first + stride` and so on, until one fails or nobody wants them.
    fn run(&self, first: u64, stride: u64, queue: &Sender<Result<Batch>>) {
        let mut epoch = (u64::MAX, vec![]);
        for number in (first..).step_by(stride as usize) {
            let position = self.order.position(number);
            if epoch.0 != position.epoch {
                epoch = (position.epoch, self.order.epoch(position.epoch));
            }
            let samples = self.order.cut(&epoch.1, position);
            let Some(made) = self.make(number, position.epoch, samples).transpose() else { return };
            let failed = made.is_err();
            if queue.send(made).is_err() || failed {
                return;
            }
        }
    }

    /// The batch of these samples; None when the loader is being dropped.
    fn make(&self, number: u64, epoch: u64, samples: &[usize]) -> Result<Option<Batch>> {
        let mut batch =
            Batch { images: vec![], labels: vec![], n: self.batch, h: 0, w: 0, number, epoch };
        for (n, &i) in samples.iter().enumerate() {
            if self.stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            let sample = self.cache.get(i)?;
            let [w, h] = sample_size(&self.settings, &sample).map(|s| s as usize);
            if n == 0 {
                (batch.h, batch.w) = (h, w);
                batch.images = zeros(self.batch * h * w * 3)?;
                batch.labels = zeros(self.batch * h * w)?;
            } else if (batch.h, batch.w) != (h, w) {
                let path = self.index.samples[i].image.display().to_string();
                return Err(sizes_differ(&path, (w, h), (batch.w, batch.h)));
            }
            let pixels = n * h * w..(n + 1) * h * w;
            let image = &mut batch.images[3 * pixels.start..3 * pixels.end];
            let label = &mut batch.labels[pixels];
            augment(&self.settings, &sample, (self.seed, epoch, i as u64), image, label);
        }
        Ok(Some(batch))
    }
}
