//! The implementation of [`Ops`] that computes: the network on libtorch tensors, for training and evaluation.

use super::ops::{Conv, ConvNorm, NORM_EPSILON, NORM_MOMENTUM, Ops};
use super::params::{Parameters, Precision};
use tch::{Kind, Tensor};

/// How normalizations and dropout behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Statistics of the batch, running ones updated; dropout on.
    Train,
    /// Running statistics, not updated; dropout on: fine-tuning with small batches.
    TrainFrozenNorm,
    /// Running statistics; dropout off.
    Evaluate,
}

/// The network's operations on tensors. Maps are channels-last in memory.
pub struct Torch<'a> {
    parameters: &'a Parameters,
    mode: Mode,
}

impl<'a> Torch<'a> {
    /// Computes with these parameters, in their precision.
    pub fn new(parameters: &'a Parameters, mode: Mode) -> Self {
        Self { parameters, mode }
    }

    fn convolve(&self, x: &Tensor, conv: &Conv) -> Tensor {
        let weight = self.parameters.leaf(&format!("{}.weight", conv.name));
        let bias = conv
            .bias
            .then(|| self.parameters.leaf(&format!("{}.bias", conv.name)).to_kind(x.kind()));
        let pad = conv.padding();
        let (stride, dilation) = (conv.stride, conv.dilation);
        x.conv2d(weight, bias, [stride, stride], [pad, pad], [dilation, dilation], 1)
    }
}

impl Ops for Torch<'_> {
    type Value = Tensor;

    fn normalize(&mut self, image: &Tensor) -> Tensor {
        let x = normalize(image, &self.parameters.input_scale);
        match self.parameters.precision {
            Precision::F32 | Precision::F64 => x,
            Precision::Bf16 => x.to_kind(Kind::BFloat16),
        }
    }

    fn conv(&mut self, x: &Tensor, conv: &Conv) -> Tensor {
        self.convolve(x, conv)
    }

    fn conv_norm(&mut self, x: &Tensor, layer: &ConvNorm) -> Tensor {
        let x = self.convolve(x, &layer.conv);
        let name = &layer.norm.name;
        let p = self.parameters;
        x.batch_norm(
            Some(p.leaf(&format!("{name}.weight"))),
            Some(p.leaf(&format!("{name}.bias"))),
            Some(p.statistic(&format!("{name}.running_mean"))),
            Some(p.statistic(&format!("{name}.running_var"))),
            self.mode == Mode::Train,
            NORM_MOMENTUM,
            NORM_EPSILON,
            true,
        )
    }

    fn relu(&mut self, mut x: Tensor) -> Tensor {
        x.relu_()
    }

    fn max_pool(&mut self, x: &Tensor) -> Tensor {
        x.max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false)
    }

    fn add(&mut self, mut a: Tensor, b: &Tensor) -> Tensor {
        a.g_add_(b)
    }

    fn concat(&mut self, maps: &[Tensor]) -> Tensor {
        Tensor::cat(maps, 1)
    }

    fn mean(&mut self, x: &Tensor) -> Tensor {
        x.adaptive_avg_pool2d([1, 1])
    }

    fn resize_like(&mut self, x: &Tensor, like: &Tensor) -> Tensor {
        resize(x, like.size()[2], like.size()[3])
    }

    fn dropout(&mut self, x: Tensor, probability: f64) -> Tensor {
        x.dropout(probability, self.mode != Mode::Evaluate)
    }

    fn scores(&mut self, x: Tensor) -> Tensor {
        x.to_kind(self.parameters.flat.kind())
    }
}

/// `[N, H, W, 3] u8` to `[N, 3, H, W]` of the kind that mean and deviation are in.
pub fn normalize(image: &Tensor, [mean, std]: &[Tensor; 2]) -> Tensor {
    // The permuted view of NHWC bytes is channels-last already; every step below keeps that.
    let x = image.permute([0, 3, 1, 2]).to_kind(mean.kind()); // [N, 3, H, W]
    (x / 255.0 - mean) / std
}

/// Bilinear resize, align_corners = false: `[N, C, h, w]` to `[N, C, height, width]`.
pub fn resize(x: &Tensor, height: i64, width: i64) -> Tensor {
    if x.size()[2..] == [height, width] {
        return x.shallow_clone();
    }
    x.upsample_bilinear2d([height, width], false, None, None)
}
