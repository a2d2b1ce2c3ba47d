//! The reading of the network that writes ONNX nodes.
//! Not the file around them (`export`), and nothing about classes or cards.
//! Batch normalization is folded into the convolution before it: gamma (w x - mean) / sqrt(var + eps) + beta.

use super::graph::{Builder, int, ints, word};
use crate::model::Parameters;
use crate::model::ops::{Conv, ConvNorm, NORM_EPSILON, Ops};
use shared::preprocess::{MEAN, STD};
use std::collections::HashMap;
use tch::{Kind, Tensor};

/// Graph builder and the weights that become its constants.
pub struct Emit {
    /// What has been written so far.
    pub graph: Builder,
    weights: HashMap<String, Tensor>,
}

/// A value of the graph: a map `[N, C, H, W] f32` unless it is the image.
pub struct Value {
    /// Its name.
    pub name: String,
    /// Whether height and width are known to be 1: the mean of a map.
    point: bool,
}

impl Value {
    /// A map of any size.
    pub fn map(name: String) -> Self {
        Self { name, point: false }
    }
}

impl Emit {
    /// Emits a network with these parameters.
    pub fn new(parameters: &Parameters) -> Self {
        Self { graph: Builder::default(), weights: parameters.named().into_iter().collect() }
    }

    /// A tensor's values in torch's order. Names come from the network itself.
    fn weight(&self, name: &str) -> Vec<f64> {
        let tensor = self.weights[name].to_kind(Kind::Double).contiguous().view([-1]);
        let mut values = vec![0.0; tensor.numel()];
        tensor.copy_data(&mut values, tensor.numel());
        values
    }

    fn convolution(&mut self, x: &Value, conv: &Conv, weight: &[f32], bias: &[f32]) -> Value {
        let name = &conv.name;
        let shape = [conv.outputs, conv.inputs, conv.kernel, conv.kernel];
        let weight = self.graph.floats(&format!("{name}.weight"), &shape, weight);
        let bias = self.graph.floats(&format!("{name}.bias"), &[conv.outputs], bias);
        let attributes = vec![
            ints("dilations", &[conv.dilation; 2]),
            int("group", 1),
            ints("kernel_shape", &[conv.kernel; 2]),
            ints("pads", &[conv.padding(); 4]),
            ints("strides", &[conv.stride; 2]),
        ];
        // A point stays one: padding keeps the size at stride 1, and no stride makes less of it.
        Value { name: self.graph.node("Conv", name, &[&x.name, &weight, &bias], attributes), ..*x }
    }

    /// The lengths of a map's dimensions `start` to `end`, a vector of whole numbers.
    fn lengths(&mut self, of: &Value, start: i64, end: i64, name: &str) -> String {
        self.graph.node("Shape", name, &[&of.name], vec![int("start", start), int("end", end)])
    }

    /// A node that reads one map and gives another, called after both.
    fn unary(&mut self, op: &str, x: &Value, suffix: &str) -> Value {
        Value {
            name: self.graph.node(op, &format!("{}.{suffix}", x.name), &[&x.name], vec![]),
            ..*x
        }
    }
}

impl Ops for Emit {
    type Value = Value;

    /// The Cast comes first: that is where TensorRT takes bytes.
    fn normalize(&mut self, image: &Value) -> Value {
        let graph = &mut self.graph;
        let float = int("to", super::proto::ElementType::Float as i64);
        let x = graph.node("Cast", "image.float", &[&image.name], vec![float]); // [N, H, W, 3]
        let order = vec![ints("perm", &[0, 3, 1, 2])];
        let x = graph.node("Transpose", "image.channels_first", &[&x], order); // [N, 3, H, W]
        // (x / 255 - mean) / std in two steps; bytes and 255 mean are exact or nearly so in f32.
        let mean = MEAN.map(|m| (255.0 * f64::from(m)) as f32);
        let scale = STD.map(|s| (1.0 / (255.0 * f64::from(s))) as f32);
        let mean = graph.floats("image.mean", &[1, 3, 1, 1], &mean);
        let scale = graph.floats("image.scale", &[1, 3, 1, 1], &scale);
        let x = graph.node("Sub", "image.centered", &[&x, &mean], vec![]);
        Value::map(graph.node("Mul", "image.normalized", &[&x, &scale], vec![]))
    }

    fn conv(&mut self, x: &Value, conv: &Conv) -> Value {
        let single = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect::<Vec<_>>();
        let weight = single(self.weight(&format!("{}.weight", conv.name)));
        let bias = match conv.bias {
            true => single(self.weight(&format!("{}.bias", conv.name))),
            false => vec![0.0; conv.outputs as usize],
        };
        self.convolution(x, conv, &weight, &bias)
    }

    fn conv_norm(&mut self, x: &Value, layer: &ConvNorm) -> Value {
        let weight = self.weight(&format!("{}.weight", layer.conv.name));
        let norm = |suffix: &str| self.weight(&format!("{}.{suffix}", layer.norm.name));
        let (gamma, beta) = (norm("weight"), norm("bias"));
        let (mean, variance) = (norm("running_mean"), norm("running_var"));
        let per_output = weight.len() / gamma.len();
        let scale: Vec<f64> =
            gamma.iter().zip(variance).map(|(g, v)| g / (v + NORM_EPSILON).sqrt()).collect();
        let weight: Vec<f32> =
            weight.iter().enumerate().map(|(i, w)| (w * scale[i / per_output]) as f32).collect();
        let bias: Vec<f32> =
            beta.iter().zip(mean).zip(&scale).map(|((b, m), s)| (b - m * s) as f32).collect();
        self.convolution(x, &layer.conv, &weight, &bias)
    }

    fn relu(&mut self, x: Value) -> Value {
        self.unary("Relu", &x, "relu")
    }

    fn max_pool(&mut self, x: &Value) -> Value {
        let name = format!("{}.max_pool", x.name);
        let attributes =
            vec![ints("kernel_shape", &[3, 3]), ints("pads", &[1; 4]), ints("strides", &[2, 2])];
        Value::map(self.graph.node("MaxPool", &name, &[&x.name], attributes))
    }

    fn add(&mut self, a: Value, b: &Value) -> Value {
        Value::map(self.graph.node("Add", &format!("{}.add", a.name), &[&a.name, &b.name], vec![]))
    }

    fn concat(&mut self, maps: &[Value]) -> Value {
        let names: Vec<&str> = maps.iter().map(|map| map.name.as_str()).collect();
        let name = format!("{}.concat", names[0]);
        Value::map(self.graph.node("Concat", &name, &names, vec![int("axis", 1)]))
    }

    fn mean(&mut self, x: &Value) -> Value {
        Value { point: true, ..self.unary("GlobalAveragePool", x, "mean") }
    }

    fn resize_like(&mut self, x: &Value, like: &Value) -> Value {
        let name = format!("{}.resize", x.name);
        let sides = self.lengths(like, 2, 4, &format!("{name}.sides"));
        let join = |graph: &mut Builder, first: &str| {
            graph.node("Concat", &format!("{name}.sizes"), &[first, &sides], vec![int("axis", 0)])
        };
        if x.point {
            // Between equal values there is nothing to interpolate.
            let ones = self.graph.ints(&format!("{name}.ones"), &[1, 1]);
            let sizes = join(&mut self.graph, &ones);
            return Value::map(self.graph.node("Expand", &name, &[&x.name, &sizes], vec![]));
        }
        let first = self.lengths(x, 0, 2, &format!("{name}.channels"));
        let sizes = join(&mut self.graph, &first);
        let attributes =
            vec![word("coordinate_transformation_mode", "half_pixel"), word("mode", "linear")];
        Value::map(self.graph.node("Resize", &name, &[&x.name, "", "", &sizes], attributes))
    }

    fn dropout(&mut self, x: Value, _: f64) -> Value {
        x
    }

    fn scores(&mut self, x: Value) -> Value {
        x
    }
}
