//! Measures what training costs besides the network: the losses, the optimizer, the loader.
//! Not a benchmark of the step, nor a test. `cargo run --release -p train --example costs [CAMVID_FOLDER]`
//! Each figure is the best of several rounds, in milliseconds, so that a busy machine disturbs it less. The losses also say
//! the processor time of the main thread (Linux), which with OMP_NUM_THREADS=1 is all of it, and comparable on any machine.

use shared::dataset::{Descriptor, Index};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use tch::{Device, Kind, Tensor};
use train::data::{DataSettings, Jitter, Loader, LoaderSettings};
use train::loss::{Frequencies, Loss, LossSettings};
use train::optimizer::{Group, Optimizer, OptimizerSettings, clip_by_norm};

fn best(rounds: usize, mut work: impl FnMut()) -> f64 {
    let times = (0..rounds).map(|_| {
        let begun = Instant::now();
        work();
        begun.elapsed().as_secs_f64() * 1e3
    });
    times.fold(f64::INFINITY, f64::min)
}

/// Processor time of the main thread so far, in milliseconds; the time of day where the system does not say.
fn processor_ms(begun: Instant) -> f64 {
    let text = std::fs::read_to_string("/proc/self/schedstat").ok();
    let ns: Option<f64> = text.and_then(|text| text.split(' ').next()?.parse().ok());
    ns.map_or(begun.elapsed().as_secs_f64() * 1e3, |ns| ns / 1e6)
}

/// Loss and gradient at the network's output: 8 images of 256 x 192 and 11 classes, upsampled from an eighth. Beside the
/// processor time, how many times cross entropy's it is.
fn losses() {
    let options = (Kind::Float, Device::Cpu);
    let coarse = Tensor::randn([8, 24, 32, 11], options).permute([0, 3, 1, 2]);
    let logits = coarse.upsample_bilinear2d([192, 256], false, None, None); // [8, 11, 192, 256]
    let target =
        Tensor::randint(11, [8, 192, 256], (Kind::Int64, Device::Cpu)).to_kind(Kind::Uint8);
    for (format, logits) in [("channels last", logits.copy()), ("contiguous", logits.contiguous())]
    {
        let mut cross_entropy = None;
        let running = "name = \"recall\"\nmomentum = 0.9".to_string();
        let names = LossSettings::names().iter().map(|name| format!("name = \"{name}\""));
        for text in names.chain([running]) {
            let settings: LossSettings = toml::from_str(&text).expect("valid settings");
            let loss = Loss::new(settings, &Frequencies::of_one_image(&[1000; 11]), Device::Cpu);
            let running = loss.initial_running();
            let mut logits = logits.detach().set_requires_grad(true);
            let begun = Instant::now();
            let mut processor = f64::INFINITY;
            let ms = best(10, || {
                let before = processor_ms(begun);
                logits.zero_grad();
                loss.compute(&logits, &target, &running).loss.backward();
                processor = processor.min(processor_ms(begun) - before);
            });
            let times = processor / *cross_entropy.get_or_insert(processor);
            let (ms, processor, text) = (Ms(ms), Ms(processor), text.replace('\n', ", "));
            eprintln!("loss, {format}: {ms} ms, processor {processor} ms, {times:5.2} x  {text}");
        }
    }
}

/// A step over 16 million parameters, a ResNet-18 DeepLab.
fn optimizers() {
    let len = 16_000_000;
    let options = (Kind::Float, Device::Cpu);
    let (params, grad) = (Tensor::randn([len], options), Tensor::randn([len], options));
    let ok = Tensor::from(true);
    for text in ["name = \"adam\"", "name = \"adam\"\nweight_decay = 1e-4", "name = \"sgd\""] {
        let settings: OptimizerSettings = toml::from_str(text).expect("valid settings");
        let groups = vec![Group { range: 0..len, lr_factor: 1.0, decay: true }];
        let mut optimizer = Optimizer::new(&settings, len, groups, Device::Cpu);
        let ms = best(10, || optimizer.step(&params, &grad, 1e-3, &ok));
        eprintln!("optimizer step: {} ms  {}", Ms(ms), text.replace('\n', ", "));
    }
    eprintln!("norm: {} ms", Ms(best(10, || drop(clip_by_norm(&grad, None)))));
    eprintln!("norm and clipping: {} ms", Ms(best(10, || drop(clip_by_norm(&grad, Some(1.0))))));
}

/// Images a second out of one loader thread, CamVid: resized to 256 x 192, and with everything switched on.
fn loader(root: &Path) {
    let opened = Descriptor::find("camvid").and_then(|d| Index::open(&d, root, "train"));
    let index = Arc::new(opened.expect("a CamVid folder"));
    let jitter = Jitter { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.05 };
    let resized = DataSettings { resize: Some([256, 192]), ..DataSettings::default() };
    let cropped = DataSettings {
        scale: [0.5, 2.0],
        crop: Some([256, 192]),
        jitter,
        ..DataSettings::default()
    };
    for (name, settings) in [("resize", resized), ("scale, crop, jitter", cropped)] {
        let batches = LoaderSettings { batch: 8, seed: 0, workers: 1, first_batch: 0 };
        let mut loader = Loader::new(index.clone(), settings, batches).expect("valid settings");
        for pass in ["decoding", "from memory"] {
            let batches = index.samples.len() / 8;
            let begun = Instant::now();
            (0..batches).for_each(|_| drop(loader.next().expect("good files")));
            let rate = (8 * batches) as f64 / begun.elapsed().as_secs_f64();
            eprintln!("loader, one thread, {name}, {pass}: {rate:.0} images/s");
        }
    }
}

/// Milliseconds with two digits.
struct Ms(f64);

impl std::fmt::Display for Ms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:7.2}", self.0)
    }
}

fn main() {
    losses();
    optimizers();
    if let Some(root) = std::env::args_os().nth(1) {
        loader(Path::new(&root));
    }
}
