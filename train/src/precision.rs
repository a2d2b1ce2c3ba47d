//! The precision a run computes in, where its recipe leaves it open: one training step is timed in f32
//! and in bf16, on the recipe's own network, shape and device, and the faster one is taken.
//!
//! Having bf16 instructions decides nothing: with AMX bf16 wins, with AVX512_BF16 alone it can lose.
//! A device without bf16 arithmetic takes f32 untimed, because there bf16 is emulated.

use crate::device;
use crate::loss::cross_entropy;
use crate::model::deeplab::{DeepLab, Heads};
use crate::model::init;
use crate::model::params::{Parameters, Precision};
use crate::model::torch::{Mode, Torch};
use crate::recipe::{PrecisionChoice, Recipe};
use serde::{Deserialize, Serialize};
use shared::dataset::Index;
use shared::decode;
use shared::digest::sha256;
use shared::error::{Result, tell};
use std::time::Instant;
use tch::{Device, Kind, Tensor};

/// Images of a timed step on a processor: the ratio of the precisions hardly depends on the batch.
const CPU_BATCH: i64 = 2;

/// Most pixels of an image in a timed step on a processor, so that it takes a second and not a minute.
const CPU_PIXELS: f64 = 512.0 * 256.0;

/// A first round of both precisions that took this long is not repeated.
const LONG_S: f64 = 4.0;

/// Seconds of a training step in either precision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Timing {
    f32_s: f64,
    bf16_s: f64,
}

impl Timing {
    fn faster(self) -> Precision {
        if self.bf16_s < self.f32_s { Precision::Bf16 } else { Precision::F32 }
    }
}

/// What is timed: a step of a recipe's network on its device.
struct Workload {
    network: DeepLab,
    device: Device,
    /// `[N, H, W]` of the images.
    shape: [i64; 3],
}

/// The precision of a new run: the recipe's, or the one that a timed step finds faster. Timings are
/// kept per processor or GPU, number of threads, libtorch, network and shape.
///
/// # Errors
/// Returns an error if the size of the images is not known: the first one cannot be read.
pub fn choose(recipe: &Recipe, train: &Index, device: Device) -> Result<Precision> {
    match recipe.train.precision {
        PrecisionChoice::F32 => return Ok(Precision::F32),
        PrecisionChoice::Bf16 => return Ok(Precision::Bf16),
        PrecisionChoice::Auto if !device::computes_in(Precision::Bf16, device) => {
            return Ok(Precision::F32);
        }
        PrecisionChoice::Auto => {}
    }
    let work = Workload::of(recipe, train, device)?;
    let key = sha256(format!("{:?} {}", recipe.model, work.place()));
    let known = crate::user_cache::read("precision", &key);
    let timing = known.unwrap_or_else(|| {
        let timing = work.time();
        crate::user_cache::write("precision", &key, &timing);
        timing
    });
    let Timing { f32_s, bf16_s } = timing;
    let [n, h, w] = work.shape;
    tell(format_args!(
        "precision: a step of {n} images of {w} x {h} takes {:.0} ms in f32 and {:.0} ms in bf16: {}",
        f32_s * 1e3,
        bf16_s * 1e3,
        device::precision_name(timing.faster())
    ));
    Ok(timing.faster())
}

impl Workload {
    fn of(recipe: &Recipe, train: &Index, device: Device) -> Result<Self> {
        let size = match recipe.augment.crop.or(recipe.augment.resize) {
            Some([width, height]) => (width, height),
            None => match train.samples.first() {
                Some(sample) => decode::size(&sample.image)?,
                None => (256, 256),
            },
        };
        let network = DeepLab::new(&recipe.model, train.descriptor.num_classes() as i64);
        Ok(Self { network, device, shape: shape(recipe.train.batch, size, device) })
    }

    /// Where and with what it is computed: whatever a timing depends on besides the network.
    fn place(&self) -> String {
        let hardware = device::hardware(self.device);
        let threads = tch::get_num_threads();
        let program = env!("CARGO_PKG_VERSION");
        format!("{hardware:?} {threads} {:?} {:?} {program}", self.shape, libtorch())
    }

    /// Times both precisions in turn; of several rounds the fastest counts.
    fn time(&self) -> Timing {
        tell("precision: timing a training step in f32 and in bf16");
        let round =
            |bf16: &Step, f32: &Step| Timing { f32_s: f32.seconds(), bf16_s: bf16.seconds() };
        let (f32, bf16) = (Step::new(self, Precision::F32), Step::new(self, Precision::Bf16));
        // The first round also pays for memory and for the kernels that are compiled for the shape.
        let first = round(&bf16, &f32);
        if first.f32_s + first.bf16_s > LONG_S {
            return first;
        }
        let [a, b] = [round(&bf16, &f32), round(&bf16, &f32)];
        Timing { f32_s: a.f32_s.min(b.f32_s), bf16_s: a.bf16_s.min(b.bf16_s) }
    }
}

/// A training step, ready to be run in one precision: forward, cross entropy, backward.
struct Step<'a> {
    network: &'a DeepLab,
    parameters: Parameters,
    /// `[N, H, W, 3] u8`.
    images: Tensor,
    /// `[N, H, W] i64`.
    labels: Tensor,
}

impl<'a> Step<'a> {
    fn new(work: &'a Workload, precision: Precision) -> Self {
        let [n, h, w] = work.shape;
        let mut parameters = Parameters::new(&work.network, work.device, precision);
        init::initialize(&mut parameters, 0);
        let pixels = Tensor::arange(n * h * w * 3, (Kind::Int64, work.device)).remainder(256);
        let images = pixels.to_kind(Kind::Uint8).view([n, h, w, 3]);
        let labels = Tensor::zeros([n, h, w], (Kind::Int64, work.device));
        Self { network: &work.network, parameters, images, labels }
    }

    fn seconds(&self) -> f64 {
        let begun = Instant::now();
        let mut ops = Torch::new(&self.parameters, Mode::Train);
        let scores = self.network.forward(&mut ops, &self.images, Heads::All);
        let gradient = self.parameters.gradient(&cross_entropy(&scores.main, &self.labels));
        if let Device::Cuda(index) = gradient.device() {
            tch::Cuda::synchronize(index as i64);
        }
        begun.elapsed().as_secs_f64()
    }
}

/// `[N, H, W]` of a timed step: the recipe's own on a GPU, at most a small one on a processor.
fn shape(batch: usize, (width, height): (u32, u32), device: Device) -> [i64; 3] {
    let (w, h) = (f64::from(width), f64::from(height));
    match device {
        Device::Cpu => {
            let factor = (CPU_PIXELS / (w * h)).sqrt().min(1.0);
            let side = |length: f64| ((length * factor / 16.0).round() as i64 * 16).max(32);
            [CPU_BATCH, side(h), side(w)]
        }
        _ => [batch as i64, i64::from(height), i64::from(width)],
    }
}

/// Which libtorch this is, by the path and the size of the library that is loaded.
fn libtorch() -> Option<(String, u64)> {
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps.lines().find_map(|line| {
        let path = line.split_whitespace().nth(5)?;
        path.contains("libtorch_cpu").then(|| path.to_string())
    })?;
    let bytes = std::fs::metadata(&path).ok()?.len();
    Some((path, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_faster_precision_is_taken() {
        let faster = |f32_s, bf16_s| Timing { f32_s, bf16_s }.faster();
        assert_eq!(faster(1.0, 0.6), Precision::Bf16);
        assert_eq!(faster(0.6, 1.0), Precision::F32);
    }

    #[test]
    fn a_timed_step_is_small_on_a_processor_and_the_recipes_own_on_a_gpu() {
        assert_eq!(shape(8, (256, 192), Device::Cpu), [2, 192, 256]);
        assert_eq!(shape(8, (2048, 1024), Device::Cpu), [2, 256, 512]);
        assert_eq!(shape(8, (20, 10), Device::Cpu), [2, 32, 32]);
        assert_eq!(shape(8, (2048, 1024), Device::Cuda(0)), [8, 1024, 2048]);
    }

    #[test]
    fn both_precisions_are_timed_on_a_real_step() {
        let model = crate::model::ModelSettings::default();
        let network = DeepLab::new(&model, 3);
        let work = Workload { network, device: Device::Cpu, shape: [2, 32, 32] };
        let Timing { f32_s, bf16_s } = work.time();
        assert!(f32_s > 0.0 && bf16_s > 0.0 && f32_s.is_finite() && bf16_s.is_finite());
    }

    #[test]
    fn the_libtorch_that_is_loaded_is_found() {
        let _ = Tensor::zeros([1], (Kind::Float, Device::Cpu));
        let (path, bytes) = libtorch().expect("libtorch_cpu is mapped");
        assert!(path.contains("libtorch_cpu") && bytes > 1_000_000, "{path}: {bytes}");
    }
}
