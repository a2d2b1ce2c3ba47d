//! The constants of a convolution: its weights, with the batch normalization after it folded in.
//! gamma (w x - mean) / sqrt(var + eps) + beta, in f64 until the last step.

use crate::model::Parameters;
use crate::model::ops::{Conv, ConvNorm, NORM_EPSILON};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// What a convolution multiplies with and adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    /// `[O, I, kH, kW]`, row-major.
    pub weight: Vec<f32>,
    /// `[O]`.
    pub bias: Vec<f32>,
}

/// The parameters of a network, to be folded.
pub struct Weights(HashMap<String, Tensor>);

impl Weights {
    /// Those of a network, as they are now.
    pub fn of(parameters: &Parameters) -> Self {
        Self(parameters.named().into_iter().collect())
    }

    /// A tensor's values in torch's order. Names come from the network itself.
    fn values(&self, name: &str) -> Vec<f64> {
        let tensor = self.0[name].to_kind(Kind::Double).contiguous().view([-1]);
        let mut values = vec![0.0; tensor.numel()];
        tensor.copy_data(&mut values, tensor.numel());
        values
    }

    /// A convolution without normalization; its bias is 0 where it has none.
    pub fn conv(&self, conv: &Conv) -> Folded {
        let single = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect::<Vec<_>>();
        Folded {
            weight: single(self.values(&format!("{}.weight", conv.name))),
            bias: match conv.bias {
                true => single(self.values(&format!("{}.bias", conv.name))),
                false => vec![0.0; conv.outputs as usize],
            },
        }
    }

    /// A convolution and the normalization after it, with its running statistics.
    pub fn conv_norm(&self, layer: &ConvNorm) -> Folded {
        let weight = self.values(&format!("{}.weight", layer.conv.name));
        let norm = |suffix: &str| self.values(&format!("{}.{suffix}", layer.norm.name));
        let (gamma, beta) = (norm("weight"), norm("bias"));
        let (mean, variance) = (norm("running_mean"), norm("running_var"));
        let per_output = weight.len() / gamma.len();
        let scale: Vec<f64> =
            gamma.iter().zip(variance).map(|(g, v)| g / (v + NORM_EPSILON).sqrt()).collect();
        let scaled = weight.iter().enumerate().map(|(i, w)| (w * scale[i / per_output]) as f32);
        let bias = beta.iter().zip(mean).zip(&scale).map(|((b, m), s)| (b - m * s) as f32);
        Folded { weight: scaled.collect(), bias: bias.collect() }
    }
}
