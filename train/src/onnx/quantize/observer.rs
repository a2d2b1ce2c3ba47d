//! From the values that a map was seen to take to the range that is quantized.
//!
//! A wider range clips less and rounds more. `minmax` clips nothing, `percentile` a fixed share of values, `entropy`
//! what makes the rounded distribution most like the true one (Migacz 2017, "8-bit Inference with TensorRT").

use shared::error::{Error, Result};
use std::str::FromStr;
use tch::{Kind, Tensor};

/// How a range follows from what was seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// The least and the largest value.
    MinMax,
    /// All but a share of the values: `percentile:99.99` leaves out one in ten thousand.
    Percentile(f64),
    /// The threshold with the least Kullback-Leibler divergence.
    Entropy,
}

impl Default for Method {
    fn default() -> Self {
        Self::Percentile(99.99)
    }
}

impl Method {
    pub(super) fn check(self) -> Result<()> {
        match self {
            Self::Percentile(p) if !(50.0..=100.0).contains(&p) => {
                Err(Error::request(format!("percentile: expected 50 to 100, got {p}")))
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Display for Method {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::MinMax => f.write_str("minmax"),
            Self::Percentile(p) => write!(f, "percentile:{p}"),
            Self::Entropy => f.write_str("entropy"),
        }
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let method = match text.split_once(':') {
            None if text == "minmax" => Some(Self::MinMax),
            None if text == "percentile" => Some(Self::default()),
            None if text == "entropy" => Some(Self::Entropy),
            Some(("percentile", p)) => p.parse().ok().map(Self::Percentile),
            _ => None,
        };
        let expected = "expected minmax, percentile, percentile:99.9 or entropy";
        method.filter(|m| m.check().is_ok()).ok_or_else(|| format!("{expected}, got {text}"))
    }
}

/// Bins of a histogram.
const BINS: usize = 2048;

/// What has been seen of one map: first its extremes, then, where the method asks for it, a histogram between them.
#[derive(Clone, Debug)]
pub struct Observer {
    low: f32,
    high: f32,
    finite: bool,
    bins: Vec<f64>,
}

impl Default for Observer {
    fn default() -> Self {
        Self { low: f32::INFINITY, high: f32::NEG_INFINITY, finite: true, bins: Vec::new() }
    }
}

impl Observer {
    /// Whether anything was seen.
    pub fn is_empty(&self) -> bool {
        self.low > self.high
    }

    /// Whether all that was seen are finite numbers.
    pub fn is_finite(&self) -> bool {
        self.finite
    }

    /// The first pass: the least and the largest value.
    pub fn extend_range(&mut self, values: &Tensor) {
        let [low, high] = [values.min(), values.max()].map(|v| v.double_value(&[]) as f32);
        self.finite &= low.is_finite() && high.is_finite();
        self.low = self.low.min(low);
        self.high = self.high.max(high);
    }

    /// The second pass: how often which value occurs.
    pub fn add_to_histogram(&mut self, values: &Tensor) {
        if self.low >= self.high {
            return; // one value everywhere
        }
        let bins_per_unit = BINS as f64 / (f64::from(self.high) - f64::from(self.low));
        let bin = (values.to_kind(Kind::Double) - f64::from(self.low)) * bins_per_unit;
        let bin = bin.clamp(0.0, (BINS - 1) as f64).to_kind(Kind::Int64).reshape([-1]);
        let counted = bin.bincount(None::<&Tensor>, BINS as i64);
        let mut host = vec![0f64; BINS];
        counted.to_kind(Kind::Double).copy_data(&mut host, BINS);
        self.bins.resize(BINS, 0.0);
        self.bins.iter_mut().zip(host).for_each(|(sum, more)| *sum += more);
    }

    /// The range that a method makes of it.
    pub fn range(&self, method: Method) -> [f32; 2] {
        if self.bins.is_empty() {
            return [self.low, self.high];
        }
        match method {
            Method::MinMax => [self.low, self.high],
            Method::Percentile(p) => self.percentile(p / 100.0),
            Method::Entropy => self.entropy(),
        }
    }

    fn edge(&self, bin: usize) -> f32 {
        self.low + (self.high - self.low) * bin as f32 / BINS as f32
    }

    /// Half of what is left out is cut off each side; a side that ends at zero, as after a ReLU, is not cut.
    fn percentile(&self, share: f64) -> [f32; 2] {
        let cut = (1.0 - share) / 2.0 * self.bins.iter().sum::<f64>();
        let reach = |bins: &mut dyn Iterator<Item = &f64>| {
            let mut sum = 0.0;
            bins.take_while(|&&count| {
                sum += count;
                sum <= cut
            })
            .count()
        };
        let low = if self.low < 0.0 { self.edge(reach(&mut self.bins.iter())) } else { self.low };
        let cut_above = reach(&mut self.bins.iter().rev());
        [low, if self.high > 0.0 { self.edge(BINS - cut_above) } else { self.high }]
    }

    /// The threshold on absolute values whose rounding loses the least information.
    fn entropy(&self) -> [f32; 2] {
        let largest = self.high.max(-self.low);
        let mut absolute = vec![0.0; BINS];
        for (bin, count) in self.bins.iter().enumerate() {
            let middle = (self.edge(bin) + self.edge(bin + 1)) / 2.0;
            let at = (middle.abs() / largest * BINS as f32) as usize;
            absolute[at.min(BINS - 1)] += count;
        }
        // Both signs share 256 steps; values of one sign have them all.
        let levels = if self.low < 0.0 && self.high > 0.0 { 128 } else { 256 };
        // What a ReLU makes 0 is exact at any scale and says nothing about where to cut.
        absolute[0] = absolute[1];
        let divergence = |&kept: &usize| divergence(&absolute, kept, levels);
        let best = (levels..=BINS)
            .step_by(16)
            .min_by(|a, b| divergence(a).total_cmp(&divergence(b)))
            .unwrap_or(BINS);
        let threshold = largest * best as f32 / BINS as f32;
        [self.low.max(-threshold), self.high.min(threshold)]
    }
}

/// Kullback-Leibler divergence between the first `kept` bins, with what lies beyond in the last of them, and the same
/// rounded to a number of levels.
fn divergence(bins: &[f64], kept: usize, levels: usize) -> f64 {
    let mut truth = bins[..kept].to_vec();
    truth[kept - 1] += bins[kept..].iter().sum::<f64>();
    let total: f64 = truth.iter().sum();
    let rounded_total: f64 = bins[..kept].iter().sum();
    let mut sum = 0.0;
    for level in 0..levels {
        let (from, to) = (level * kept / levels, (level + 1) * kept / levels);
        let filled = bins[from..to].iter().filter(|&&b| b > 0.0).count();
        let mean = bins[from..to].iter().sum::<f64>() / filled.max(1) as f64;
        for bin in from..to {
            let p = truth[bin] / total;
            let q = if bins[bin] > 0.0 { mean / rounded_total } else { 0.0 };
            // A bin that only clipped values fall into has no counterpart: as good as the smallest there is.
            sum += if p > 0.0 { p * (p / q.max(1e-12)).ln() } else { 0.0 };
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(values: &[f32]) -> Observer {
        let tensor = Tensor::from_slice(values);
        let mut observer = Observer::default();
        observer.extend_range(&tensor);
        observer.add_to_histogram(&tensor);
        observer
    }

    /// A bell of 200,000 values, and one far away.
    fn outlier() -> Vec<f32> {
        let mut stream = shared::random::Stream::new(1, 2, 3);
        let mut values: Vec<f32> = (0..200_000).map(|_| stream.normal() as f32).collect();
        values.push(100.0);
        values
    }

    #[test]
    fn extremes_are_kept_by_minmax_alone() {
        let observer = seen(&outlier());
        assert_eq!(observer.range(Method::MinMax)[1], 100.0);
        for method in [Method::Percentile(99.9), Method::Entropy] {
            let [low, high] = observer.range(method);
            assert!((2.0..=10.0).contains(&high), "{method}: {high}");
            assert!((-6.0..=-2.0).contains(&low), "{method}: {low}");
        }
    }

    #[test]
    fn a_percentile_leaves_out_its_share() {
        let values: Vec<f32> = (0..100_000).map(|i| i as f32 / 1000.0 - 50.0).collect();
        let [low, high] = seen(&values).range(Method::Percentile(90.0));
        assert!((low + 45.0).abs() < 0.1 && (high - 45.0).abs() < 0.1, "{low} {high}");
    }

    #[test]
    fn the_zeros_of_a_relu_stay_the_lower_end() {
        let values: Vec<f32> = (0..10_000).map(|i| (i as f32 / 100.0 - 50.0).max(0.0)).collect();
        for method in [Method::MinMax, Method::Percentile(99.0), Method::Entropy] {
            assert_eq!(seen(&values).range(method)[0], 0.0, "{method}");
        }
    }

    #[test]
    fn a_constant_map_has_a_range() {
        for method in [Method::MinMax, Method::Percentile(99.0), Method::Entropy] {
            assert_eq!(seen(&[3.0; 64]).range(method), [3.0, 3.0]);
        }
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for method in [Method::MinMax, Method::Percentile(99.9), Method::Entropy] {
            assert_eq!(method.to_string().parse(), Ok(method));
        }
        for wrong in ["max", "percentile:20", "percentile:x", "entropy:3", "percentile:NaN"] {
            assert!(wrong.parse::<Method>().is_err(), "{wrong}");
        }
    }
}
