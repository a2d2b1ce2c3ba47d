//! The probe in a model's card: what the trainer computes on an image that anyone can make.
//! Not a test picture: the image is noise, so that every path of the network is used.
//! Computed by libtorch in f32 on the CPU, in evaluation mode; for an int8 graph with every map and weight fake-quantized.

use super::emit::Arithmetic;
use super::quantize::simulate::{FoldedNetwork, Simulate, Value, Watch};
use crate::model::deeplab::{DeepLab, Heads};
use crate::model::params::{Parameters, Precision};
use crate::model::torch::{Mode, Torch};
use shared::card::{Probe, probe_image};
use shared::digest::sha256;
use shared::random::Stream;
use tch::{Device, Kind, Tensor};

/// Seed of the probe's image and positions. The number means nothing.
const SEED: u64 = 2106;

/// Images, height and width; both sides divide by 32, so that no two ways of rounding sizes meet.
const SHAPE: [u32; 3] = [2, 96, 128];

/// Where logits are sampled.
const POSITIONS: usize = 128;

/// Computes the probe of a network in an arithmetic.
pub fn compute(network: &DeepLab, parameters: &Parameters, arithmetic: Arithmetic<'_>) -> Probe {
    let [batch, height, width] = SHAPE;
    let image = probe_image(SEED, batch, height, width);
    let logits = evaluate(network, parameters, arithmetic, &image, SHAPE); // [N, C, H, W]
    let mut stream = Stream::new(SEED, 1, 0);
    let positions: Vec<[u32; 3]> =
        (0..POSITIONS).map(|_| SHAPE.map(|side| stream.below(u64::from(side)) as u32)).collect();
    let rows = logits.permute([0, 2, 3, 1]).contiguous().view([-1, network.classes]);
    let sampled = positions
        .iter()
        .map(|[n, y, x]| values(&rows.get(i64::from((n * height + y) * width + x))));
    let sampled = sampled.collect();
    let labels_sha256 = sha256(labels(&logits));
    Probe { seed: SEED, batch, height, width, positions, logits: sampled, labels_sha256 }
}

/// Logits and labels, in the layout of the exported graph's outputs.
pub struct Answer {
    /// `[batch, classes, height, width]`.
    pub logits: Vec<f32>,
    /// `[batch, height, width]`.
    pub labels: Vec<u8>,
}

/// What an export promises for images `[batch, height, width, 3] u8` of the shape `[batch, height, width]`.
pub fn answer(
    network: &DeepLab,
    parameters: &Parameters,
    arithmetic: Arithmetic<'_>,
    image: &[u8],
    shape: [u32; 3],
) -> Answer {
    let logits = evaluate(network, parameters, arithmetic, image, shape);
    Answer { logits: values(&logits), labels: labels(&logits) }
}

/// Logits `[N, C, H, W] f32`, computed on the CPU in f32 wherever the parameters are.
fn evaluate(
    network: &DeepLab,
    parameters: &Parameters,
    arithmetic: Arithmetic<'_>,
    image: &[u8],
    shape: [u32; 3],
) -> Tensor {
    let [n, h, w] = shape.map(i64::from);
    let image = Tensor::from_slice(image).view([n, h, w, 3]);
    let mut exact = Parameters::new(network, Device::Cpu, Precision::F32);
    tch::no_grad(|| {
        exact.flat.copy_(&parameters.flat);
        exact.buffers.copy_(&parameters.buffers);
        if let Arithmetic::Int8(quantization) = arithmetic {
            let mut folded = FoldedNetwork::of(&exact);
            let mut simulation = Simulate::new(&mut folded, Watch::FakeQuantize(quantization));
            let scores = network.forward(&mut simulation, &Value::image(image), Heads::Main);
            return scores.main.tensor;
        }
        network.forward(&mut Torch::new(&exact, Mode::Evaluate), &image, Heads::Main).main
    })
}

fn values(tensor: &Tensor) -> Vec<f32> {
    let mut values = vec![0.0; tensor.numel()];
    tensor.contiguous().copy_data(&mut values, tensor.numel());
    values
}

fn labels(logits: &Tensor) -> Vec<u8> {
    let labels = logits.argmax(1, false).to_kind(Kind::Uint8).contiguous();
    let mut bytes = vec![0; labels.numel()];
    labels.copy_data(&mut bytes, labels.numel());
    bytes
}
