//! Calibration: the network runs over images of the training split, and every map that is read is given its range.
//! Not training: nothing but ranges comes out of it.

use super::observer::{Method, Observer};
use super::simulate::{FoldedNetwork, Simulate, Value, Watch};
use super::{Activations, QuantParams, Quantization, Settings};
use crate::checkpoint::Trained;
use crate::model::deeplab::Heads;
use crate::monitor::progress;
use shared::card;
use shared::dataset::Index;
use shared::error::{Error, Result, tell};
use shared::preprocess::at_evaluation_size;
use tch::{Kind, Tensor};

/// Observes a network on images spread evenly over a split, as `infer eval` will show it its images.
///
/// # Errors
/// Settings that make no sense; an image that cannot be read; a network whose values are not finite.
pub fn calibrate(trained: &Trained, index: &Index, settings: Settings) -> Result<Quantization> {
    settings.check()?;
    let count = settings.images.min(index.samples.len());
    if count < settings.images {
        let split = &index.split;
        tell(format_args!(
            "calibration: {split} has {count} images, fewer than {}: all of them are used",
            settings.images
        ));
    }
    // Ranges first, then what lies between them: a histogram wants to know its ends.
    let passes = if settings.method == Method::MinMax { 1 } else { 2 };
    let bar = progress::count("calibrating", (passes * count) as u64);
    let mut observers: Vec<Observer> = Vec::new();
    let mut folded = FoldedNetwork::of(&trained.parameters);
    for pass in 0..passes {
        for i in 0..count {
            let image = index.image(i * index.samples.len() / count)?;
            let image = at_evaluation_size(image, trained.about.evaluation_size);
            let shape = [1, i64::from(image.height()), i64::from(image.width()), 3];
            let image = Value::image(Tensor::from_data_size(image.as_raw(), &shape, Kind::Uint8));
            let watch = match pass {
                0 => Watch::Range(&mut observers),
                _ => Watch::Histogram(&mut observers),
            };
            tch::no_grad(|| {
                let mut simulation = Simulate::new(&mut folded, watch);
                trained.network.forward(&mut simulation, &image, Heads::Main);
            });
            bar.inc(1);
        }
        if !observers.iter().all(Observer::is_finite) {
            return Err(Error::request("calibration: expected finite values throughout the network, got others")
                .hint("a network that gives NaN or infinity cannot be quantized: train it again, with a lower rate"));
        }
    }
    bar.finish_and_clear();
    let params = |observer: &Observer| {
        let seen = !observer.is_empty();
        seen.then(|| QuantParams::covering(observer.range(settings.method), settings.activations))
    };
    Ok(Quantization {
        settings,
        record: card::Quantization {
            method: settings.method.to_string(),
            images: count,
            source: format!("{} {}", index.descriptor.name, index.split),
            fingerprint: index.fingerprint(),
            activations: match settings.activations {
                Activations::U8 => "u8".into(),
                Activations::S8 => "s8".into(),
            },
            weight_bits: settings.weight_bits,
        },
        params: observers.iter().map(params).collect(),
    })
}
