//! Default initialization, the one torchvision's DeepLabV3 starts from.
//!
//! Backbone convolutions: normal, variance 2 / fan_out (He et al. 2015). Head convolutions and biases:
//! uniform within 1 / sqrt(fan_in), PyTorch's default. Normalizations: weight 1, bias 0, mean 0, variance 1.

use super::params::Parameters;
use tch::{Kind, Tensor};

/// Fills the parameters, on every device alike: each is a function of the seed, its shape and its position in
/// [`Parameters::named`]. Another head shifts those after it.
pub fn initialize(parameters: &mut Parameters, seed: u64) {
    tch::no_grad(|| {
        for (index, (name, mut tensor)) in (0..).zip(parameters.named()) {
            tch::manual_seed(shared::random::hash(seed, INIT_STREAM, index) as i64);
            let value = start_value(&name, &tensor.size(), parameters);
            tensor.copy_(&value);
        }
    });
    parameters.refresh();
}

/// Tells the draws of initialization apart from those of training steps.
const INIT_STREAM: u64 = 0x1217;

fn start_value(name: &str, shape: &[i64], parameters: &Parameters) -> Tensor {
    let options = (Kind::Float, tch::Device::Cpu);
    match shape {
        [outputs, _, height, width] if name.starts_with("backbone.") => {
            let fan_out = (outputs * height * width) as f64;
            Tensor::randn(shape, options) * (2.0 / fan_out).sqrt()
        }
        [_, inputs, height, width] => uniform(shape, inputs * height * width),
        _ if name.ends_with(".running_var") => Tensor::ones(shape, options),
        _ if name.ends_with(".running_mean") => Tensor::zeros(shape, options),
        _ => match fan_in_of_module(name, parameters) {
            Some(fan_in) => uniform(shape, fan_in), // bias of a convolution
            None if name.ends_with(".weight") => Tensor::ones(shape, options),
            None => Tensor::zeros(shape, options),
        },
    }
}

fn uniform(shape: &[i64], fan_in: i64) -> Tensor {
    let bound = 1.0 / (fan_in as f64).sqrt();
    Tensor::empty(shape, (Kind::Float, tch::Device::Cpu)).uniform_(-bound, bound)
}

/// Inputs of each output of the convolution that a bias belongs to; none for a normalization.
fn fan_in_of_module(name: &str, parameters: &Parameters) -> Option<i64> {
    let weight = format!("{}.weight", name.strip_suffix(".bias")?);
    let entry = parameters.entries.iter().find(|entry| entry.name == weight)?;
    (entry.shape.len() == 4).then(|| entry.shape[1..].iter().product())
}
