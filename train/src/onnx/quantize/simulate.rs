//! The operations that quantization needs: on tensors, with normalizations folded into the convolutions, and every map
//! that an operation reads either observed or fake-quantized, as the exported graph will quantize it.
//! Not for training: no gradient, running statistics only.

use super::observer::Observer;
use super::{Activations, Point, Points, QuantParams, Quantization, Settings, quantize_conv};
use crate::model::Parameters;
use crate::model::ops::{Conv, ConvNorm, Ops};
use crate::model::torch::{normalize, resize};
use crate::onnx::fold::{Folded, Weights};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// What happens to a map that an operation reads.
pub enum Watch<'a> {
    /// It extends the observed range.
    Range(&'a mut Vec<Observer>),
    /// It is added to the histogram over that range.
    Histogram(&'a mut Vec<Observer>),
    /// It is quantized and dequantized, and so are weights.
    FakeQuantize(&'a Quantization),
}

/// A network's convolutions with their normalizations folded in, made once for many images.
pub struct FoldedNetwork {
    weights: Weights,
    input_scale: [Tensor; 2],
    /// Weight and bias of each convolution that has run, by name.
    ready: HashMap<String, (Tensor, Tensor)>,
}

impl FoldedNetwork {
    /// Of a network on the CPU, in f32.
    pub fn of(parameters: &Parameters) -> Self {
        let input_scale = [0, 1].map(|i| parameters.input_scale[i].to_kind(Kind::Float));
        Self { weights: Weights::of(parameters), input_scale, ready: HashMap::new() }
    }
}

/// The network's operations on folded constants.
pub struct Simulate<'a> {
    network: &'a mut FoldedNetwork,
    watch: Watch<'a>,
    points: Points,
}

/// A map `[N, C, H, W] f32`, and where its values were produced: none for the image and the scores, which are not
/// quantized.
pub struct Value {
    /// The values.
    pub tensor: Tensor,
    point: Option<Point>,
}

impl Value {
    /// What goes into the network, `[N, H, W, 3] u8`.
    pub fn image(tensor: Tensor) -> Self {
        Self { tensor, point: None }
    }
}

impl<'a> Simulate<'a> {
    /// One pass over the network. Its constants are kept as they are first computed: those of [`Watch::FakeQuantize`]
    /// are others, and need a [`FoldedNetwork`] of their own.
    pub fn new(network: &'a mut FoldedNetwork, watch: Watch<'a>) -> Self {
        Self { network, watch, points: Points::default() }
    }

    /// What an operation sees of a map.
    fn read(&mut self, x: &Value) -> Tensor {
        let Some(point) = x.point else { return x.tensor.shallow_clone() };
        match &mut self.watch {
            Watch::Range(all) => {
                let length = all.len().max(point.0 + 1);
                all.resize_with(length, Observer::default);
                all[point.0].extend_range(&x.tensor);
            }
            Watch::Histogram(all) => all[point.0].add_to_histogram(&x.tensor),
            Watch::FakeQuantize(quantization) => {
                let form = quantization.settings.activations;
                return fake_quantize(&x.tensor, quantization.params(point), form);
            }
        }
        x.tensor.shallow_clone()
    }

    fn made(&mut self, tensor: Tensor) -> Value {
        Value { tensor, point: Some(self.points.take()) }
    }

    fn convolution(
        &mut self,
        x: &Value,
        conv: &Conv,
        folded: impl Fn(&Weights) -> Folded,
    ) -> Value {
        let input = self.read(x);
        let quantized = match (&self.watch, x.point) {
            (Watch::FakeQuantize(q), Some(point)) => Some((q.params(point).scale, q.settings)),
            _ => None,
        };
        let FoldedNetwork { weights, ready, .. } = &mut *self.network;
        let (weight, bias) = ready.entry(conv.name.clone()).or_insert_with(|| {
            let folded = folded(weights);
            let folded = match quantized {
                Some((scale, settings)) => fake_quantize_conv(folded, scale, settings),
                None => folded,
            };
            let shape = [conv.outputs, conv.inputs, conv.kernel, conv.kernel];
            (Tensor::from_slice(&folded.weight).view(shape), Tensor::from_slice(&folded.bias))
        });
        let (pad, stride, dilation) = (conv.padding(), conv.stride, conv.dilation);
        let y = input.conv2d(
            weight,
            Some(&*bias),
            [stride, stride],
            [pad, pad],
            [dilation, dilation],
            1,
        );
        self.made(y)
    }
}

/// What QuantizeLinear and DequantizeLinear make of a map.
fn fake_quantize(x: &Tensor, params: QuantParams, form: Activations) -> Tensor {
    let zero_point = f64::from(params.zero_point);
    let (lowest, highest) = match form {
        Activations::U8 => (0.0, 255.0),
        Activations::S8 => (-128.0, 127.0),
    };
    let scale = f64::from(params.scale);
    ((x / scale).round() + zero_point).clamp(lowest, highest).g_sub_scalar(zero_point) * scale
}

/// A convolution's constants, quantized and dequantized; `input` is the scale of its input.
fn fake_quantize_conv(folded: Folded, input: f32, settings: Settings) -> Folded {
    let conv = quantize_conv(&folded, input, settings.weight_bits);
    let per_output = conv.weight.len() / conv.bias.len();
    let weight = conv.weight.iter().enumerate();
    let bias = conv.bias.iter().zip(&conv.scale);
    Folded {
        weight: weight.map(|(i, &w)| f32::from(w) * conv.scale[i / per_output]).collect(),
        bias: match settings.activations {
            Activations::U8 => bias
                .map(|(&b, s)| (f64::from(b) * f64::from(input) * f64::from(*s)) as f32)
                .collect(),
            Activations::S8 => folded.bias,
        },
    }
}

impl Ops for Simulate<'_> {
    type Value = Value;

    fn normalize(&mut self, image: &Value) -> Value {
        let x = normalize(&image.tensor, &self.network.input_scale);
        self.made(x)
    }

    fn conv(&mut self, x: &Value, conv: &Conv) -> Value {
        self.convolution(x, conv, |weights| weights.conv(conv))
    }

    fn conv_norm(&mut self, x: &Value, layer: &ConvNorm) -> Value {
        self.convolution(x, &layer.conv, |weights| weights.conv_norm(layer))
    }

    fn relu(&mut self, x: Value) -> Value {
        self.made(x.tensor.relu())
    }

    fn max_pool(&mut self, x: &Value) -> Value {
        let tensor = self.read(x).max_pool2d([3, 3], [2, 2], [1, 1], [1, 1], false);
        Value { tensor, ..*x }
    }

    fn add(&mut self, a: Value, b: &Value) -> Value {
        let sum = self.read(&a) + self.read(b);
        self.made(sum)
    }

    fn concat(&mut self, maps: &[Value]) -> Value {
        let maps: Vec<Tensor> = maps.iter().map(|map| self.read(map)).collect();
        self.made(Tensor::cat(&maps, 1))
    }

    fn mean(&mut self, x: &Value) -> Value {
        let mean = self.read(x).adaptive_avg_pool2d([1, 1]);
        self.made(mean)
    }

    fn resize_like(&mut self, x: &Value, like: &Value) -> Value {
        let size = like.tensor.size();
        Value { tensor: resize(&self.read(x), size[2], size[3]), ..*x }
    }

    fn dropout(&mut self, x: Value, _: f64) -> Value {
        x
    }

    fn scores(&mut self, x: Value) -> Value {
        Value { point: None, ..x }
    }
}
