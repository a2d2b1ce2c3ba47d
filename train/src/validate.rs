//! Scoring a split with the network as it stands, in the precision it trains in: every label pixel, at
//! the label's own resolution. `infer eval` does the same with the exported model, in f32.

use crate::model::deeplab::{DeepLab, Heads};
use crate::model::params::Parameters;
use crate::model::torch::{Mode, Torch, resize};
use crossbeam_channel::bounded;
use image::{GrayImage, RgbImage};
use shared::dataset::Index;
use shared::error::{Error, Result};
use shared::metrics::Confusion;
use shared::preprocess::at_evaluation_size;
use tch::{Kind, Tensor};

/// Decoded samples kept ready while the network is busy.
const AHEAD: usize = 4;

/// Scores a split. `go_on` is called after each image: false ends it without a result.
pub fn validate(
    network: &DeepLab,
    parameters: &Parameters,
    index: &Index,
    size: Option<[u32; 2]>,
    go_on: &dyn Fn() -> bool,
) -> Result<Option<Confusion>> {
    let mut confusion = Confusion::new(network.classes as usize);
    std::thread::scope(|scope| {
        let (sender, receiver) = bounded::<Result<(RgbImage, GrayImage)>>(AHEAD);
        scope.spawn(move || {
            for i in 0..index.samples.len() {
                let sized = |(image, label)| (at_evaluation_size(image, size), label);
                let sample = index.load(i).map(sized);
                if sender.send(sample).is_err() {
                    return; // the receiver met an error and left
                }
            }
        });
        for sample in receiver {
            let (image, label) = sample?;
            let labels = labels(network, parameters, &image, label.dimensions())?;
            confusion.add(label.as_raw(), labels.as_raw());
            if !go_on() {
                return Ok(None);
            }
        }
        Ok(Some(confusion))
    })
}

/// Train ids of one image at evaluation size: scores resized to (width, height), then argmax.
pub fn labels(
    network: &DeepLab,
    parameters: &Parameters,
    image: &RgbImage,
    (width, height): (u32, u32),
) -> Result<GrayImage> {
    let scores = scores(network, parameters, image, 1)?; // [1, C, h, w]
    let scores = resize(&scores, i64::from(height), i64::from(width));
    let predicted = scores.argmax(1, false).to_kind(Kind::Uint8).to_device(tch::Device::Cpu);
    let mut labels = GrayImage::new(width, height);
    predicted.copy_data(labels.as_mut(), predicted.numel());
    Ok(labels)
}

/// Score maps of `batch` images stacked vertically in `images`: `[N, C, H, W] f32`, evaluation mode.
pub fn scores(
    network: &DeepLab,
    parameters: &Parameters,
    images: &RgbImage,
    batch: i64,
) -> Result<Tensor> {
    let (width, height) = (i64::from(images.width()), i64::from(images.height()) / batch);
    let bytes = Tensor::f_from_data_size(images.as_raw(), &[batch, height, width, 3], Kind::Uint8)
        .map_err(|e| Error::work(format!("image: {e}")))?
        .to_device(parameters.device());
    Ok(tch::no_grad(|| {
        let mut ops = Torch::new(parameters, Mode::Evaluate);
        network.forward(&mut ops, &bytes, Heads::Main).main
    }))
}
