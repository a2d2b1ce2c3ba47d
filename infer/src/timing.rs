//! How long frames take: the stages of one, their distribution, and what may be said of a 99th percentile.
//! Not the loops that measure (`bench`, `gate`). Decoding is no stage: it belongs to the source.

use std::time::{Duration, Instant};

use image::RgbImage;
use serde::Serialize;
use shared::error::Result;
use shared::render::Palette;

use crate::session::Model;

/// How long one frame took, from decoded to coloured.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrameTimes {
    /// Resizing to input size.
    pub prepare: Duration,
    /// ONNX Runtime, and normalization where the graph leaves it to us.
    pub run: Duration,
    /// From its output to labels at the frame's size.
    pub post: Duration,
    /// Colours.
    pub draw: Duration,
}

impl FrameTimes {
    /// Takes a frame through all stages.
    ///
    /// # Errors
    /// As [`Model::segment`].
    pub fn measure(model: &mut Model, frame: &RgbImage, palette: &Palette) -> Result<Self> {
        let start = Instant::now();
        let input = model.prepare(frame);
        let prepare = start.elapsed();
        let segmented = model.segment(&input, frame.dimensions())?;
        let start = Instant::now();
        std::hint::black_box(palette.paint(&segmented.labels));
        Ok(Self { prepare, run: segmented.run, post: segmented.post, draw: start.elapsed() })
    }

    /// All of it.
    pub fn total(&self) -> Duration {
        self.prepare + self.run + self.post + self.draw
    }
}

/// Frames from which on a 99th percentile can be bounded from above with 99 % confidence.
///
/// The slowest of n frames is below the true 99th percentile with probability 0.99^n, whatever the
/// distribution, which is under 1 % from n = 459 on.
pub const P99_FRAMES: usize = 459;

/// A distribution of times in milliseconds.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Distribution {
    /// Number of samples.
    pub samples: usize,
    /// Half are at most this.
    pub median: f64,
    /// 90 % of the samples are at most this.
    pub p90: f64,
    /// 99 % of the samples are at most this.
    pub p99: f64,
    /// Bound that the true 99th percentile is under with 99 % confidence; `None` under [`P99_FRAMES`] samples.
    pub p99_bound: Option<f64>,
    /// The slowest.
    pub max: f64,
}

impl Distribution {
    /// Of some times; `None` without any.
    pub fn of(times: impl IntoIterator<Item = Duration>) -> Option<Self> {
        let mut ms: Vec<f64> = times.into_iter().map(|t| t.as_secs_f64() * 1e3).collect();
        ms.sort_by(f64::total_cmp);
        let max = *ms.last()?;
        // Nearest rank: the smallest sample that at least this share of samples does not exceed.
        let rank = |percent: usize| ms[(ms.len() * percent).div_ceil(100).max(1) - 1];
        Some(Self {
            samples: ms.len(),
            median: rank(50),
            p90: rank(90),
            p99: rank(99),
            p99_bound: slower_than_bound(ms.len()).map(|slower| ms[ms.len() - 1 - slower]),
            max,
        })
    }
}

/// How many of n samples may lie above one that still bounds the true 99th percentile from above with 99 %
/// confidence: the largest j with P(Binomial(n, 1 %) <= j) <= 1 %.
fn slower_than_bound(n: usize) -> Option<usize> {
    let (n, p) = (n as f64, 0.01_f64);
    let mut log_term = n * (1.0 - p).ln(); // of exactly j, in logarithms: 0.99^n underflows
    let (mut sum, mut bound, mut j) = (log_term.exp(), None, 0);
    while sum <= 0.01 && (j as f64) < n {
        bound = Some(j);
        log_term += ((n - j as f64) / (j as f64 + 1.0) * p / (1.0 - p)).ln();
        sum += log_term.exp();
        j += 1;
    }
    bound
}

/// The most memory that this process has held since [`forget_peak_memory`], in bytes; `None` where the system
/// does not say.
pub fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kb| kb * 1024)
}

/// Starts the measurement of [`peak_memory`] anew; whether the system let us.
pub fn forget_peak_memory() -> bool {
    std::fs::write("/proc/self/clear_refs", "5").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_samples() {
        let d = Distribution::of((1..=100).map(Duration::from_millis)).unwrap();
        assert_eq!((d.samples, d.median, d.p90, d.p99, d.max), (100, 50.0, 90.0, 99.0, 100.0));
        assert_eq!(d.p99_bound, None);
        assert!(Distribution::of([]).is_none());
        let one = Distribution::of([Duration::from_millis(7)]).unwrap();
        assert_eq!((one.median, one.p99), (7.0, 7.0));
    }

    #[test]
    fn a_p99_is_bounded_from_459_frames_on() {
        assert_eq!(slower_than_bound(P99_FRAMES - 1), None);
        assert_eq!(slower_than_bound(P99_FRAMES), Some(0));
        // Tables of distribution-free tolerance limits (99 %, 99 %): 662 samples for the second largest.
        assert_eq!((slower_than_bound(661), slower_than_bound(662)), (Some(0), Some(1)));
        let d = Distribution::of((1..=459).map(Duration::from_millis)).unwrap();
        assert_eq!((d.p99, d.p99_bound), (455.0, Some(459.0)));
        assert!(slower_than_bound(100_000).is_some_and(|j| j > 900 && j < 1000));
    }

    #[test]
    fn peak_memory_is_counted() {
        assert!(peak_memory().is_none_or(|bytes| bytes > 1 << 20));
    }
}
