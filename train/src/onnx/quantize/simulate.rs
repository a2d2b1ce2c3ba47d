//! The reading of the network that quantization needs: on tensors, with folded constants, every map that an operation
//! reads passing one place, where it is observed, or rounded as the exported graph will round it.
//! Not a training reading: no gradient, running statistics only.

use super::observer::Observer;
use super::{Activations, Grid, Point, Points, Quantization, constants};
use crate::model::Parameters;
use crate::model::ops::{Conv, ConvNorm, Ops};
use crate::model::torch::{normalize, resize};
use crate::onnx::fold::{Folded, Weights};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// What happens to a map that an operation reads.
pub enum Watch<'a> {
    /// Its extremes are noted.
    Widen(&'a mut Vec<Observer>),
    /// Its values are counted between the extremes.
    Count(&'a mut Vec<Observer>),
    /// It is rounded to its grid, and weights to theirs.
    Round(&'a Quantization),
}

/// What the network computes with, made once for many images.
pub struct Constants {
    weights: Weights,
    input_scale: [Tensor; 2],
    /// Weight and bias of each convolution that has run, by name.
    ready: HashMap<String, (Tensor, Tensor)>,
}

impl Constants {
    /// Those of a network on the CPU, in f32.
    pub fn of(parameters: &Parameters) -> Self {
        let input_scale = [0, 1].map(|i| parameters.input_scale[i].to_kind(Kind::Float));
        Self { weights: Weights::of(parameters), input_scale, ready: HashMap::new() }
    }
}

/// The reading.
pub struct Simulate<'a> {
    constants: &'a mut Constants,
    watch: Watch<'a>,
    points: Points,
}

/// A map `[N, C, H, W] f32`, and where its values were produced: none for the image and the scores, which are not
/// rounded.
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
    /// One pass over the network. Rounded constants are others: they need a set of their own.
    pub fn new(constants: &'a mut Constants, watch: Watch<'a>) -> Self {
        Self { constants, watch, points: Points::default() }
    }

    /// What an operation sees of a map.
    fn read(&mut self, x: &Value) -> Tensor {
        let Some(point) = x.point else { return x.tensor.shallow_clone() };
        match &mut self.watch {
            Watch::Widen(all) => {
                let length = all.len().max(point.0 + 1);
                all.resize_with(length, Observer::default);
                all[point.0].widen(&x.tensor);
            }
            Watch::Count(all) => all[point.0].count(&x.tensor),
            Watch::Round(quantization) => {
                let form = quantization.settings.activations;
                return round(&x.tensor, quantization.grid(point), form);
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
        let rounding = match (&self.watch, x.point) {
            (Watch::Round(q), Some(point)) => Some((q.grid(point).scale, q.settings.weight_bits)),
            _ => None,
        };
        let Constants { weights, ready, .. } = &mut *self.constants;
        let (weight, bias) = ready.entry(conv.name.clone()).or_insert_with(|| {
            let folded = folded(weights);
            let folded = match rounding {
                Some((scale, bits)) => rounded(&folded, scale, bits),
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

/// A map on its grid: what QuantizeLinear and DequantizeLinear make of it.
fn round(x: &Tensor, grid: Grid, form: Activations) -> Tensor {
    let zero = f64::from(grid.zero);
    let (lowest, highest) = match form {
        Activations::U8 => (0.0, 255.0),
        Activations::S8 => (-128.0, 127.0),
    };
    let scale = f64::from(grid.scale);
    ((x / scale).round() + zero).clamp(lowest, highest).g_sub_scalar(zero) * scale
}

/// Constants rounded and brought back.
fn rounded(folded: &Folded, input: f32, bits: u32) -> Folded {
    let whole = constants(folded, input, bits);
    let per_output = whole.weight.len() / whole.bias.len();
    let weight = whole.weight.iter().enumerate();
    let bias = whole.bias.iter().zip(&whole.scale);
    Folded {
        weight: weight.map(|(i, &w)| f32::from(w) * whole.scale[i / per_output]).collect(),
        bias: bias
            .map(|(&b, s)| (f64::from(b) * f64::from(input) * f64::from(*s)) as f32)
            .collect(),
    }
}

impl Ops for Simulate<'_> {
    type Value = Value;

    fn normalize(&mut self, image: &Value) -> Value {
        let x = normalize(&image.tensor, &self.constants.input_scale);
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
