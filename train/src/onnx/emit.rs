//! The network's operations as ONNX nodes, in one of three arithmetics.
//! Not the file around them (`export`), and nothing about classes or cards.
//!
//! In f16 everything between normalization and scores is half precision. In integers every map that an operation reads
//! passes QuantizeLinear and DequantizeLinear (QDQ), and so do the weights: runtimes fuse the pairs into integer kernels.

use super::fold::{Folded, Weights};
use super::graph::{Builder, int, ints, word};
use super::proto::ElementType;
use super::quantize::{Activations, Point, Points, Quantization, quantize_conv};
use crate::model::Parameters;
use crate::model::ops::{Conv, ConvNorm, Ops};
use shared::preprocess::{MEAN, STD};
use std::collections::HashMap;

/// What a graph computes in.
#[derive(Clone, Copy, Debug, Default)]
pub enum Arithmetic<'a> {
    /// 32 bits throughout.
    #[default]
    Fp32,
    /// Half precision between normalization and scores.
    Fp16,
    /// 8-bit integers with these quantization parameters.
    Int8(&'a Quantization),
}

impl Arithmetic<'_> {
    /// Its name in cards and on the command line.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Fp16 => "fp16",
            Self::Int8(_) => "int8",
        }
    }
}

/// Graph builder and the weights that become its constants.
pub struct Emit<'a> {
    /// What has been written so far.
    pub graph: Builder,
    weights: Weights,
    arithmetic: Arithmetic<'a>,
    points: Points,
    /// Maps that are quantized already, by their own names.
    quantized: HashMap<String, Quantized>,
}

/// The names of a map once it is quantized.
#[derive(Clone)]
struct Quantized {
    /// Its integers.
    quantized: String,
    /// The real numbers that they stand for: what operations read.
    dequantized: String,
}

/// A value of the graph: a map `[N, C, H, W]` unless it is the image.
#[derive(Clone)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// Where its values were produced; none where they are not quantized: the image, the scores.
    point: Option<Point>,
    /// Whether height and width are known to be 1: the mean of a map.
    single: bool,
}

impl Value {
    /// What goes into the graph.
    pub fn image(name: String) -> Self {
        Self { name, point: None, single: false }
    }
}

impl<'a> Emit<'a> {
    /// Emits a network with these parameters.
    pub fn new(parameters: &Parameters, arithmetic: Arithmetic<'a>) -> Self {
        Self {
            graph: Builder::default(),
            weights: Weights::of(parameters),
            arithmetic,
            points: Points::default(),
            quantized: HashMap::new(),
        }
    }

    /// A map whose values are produced here.
    fn made(&mut self, name: String, single: bool) -> Value {
        Value { name, point: Some(self.points.take()), single }
    }

    /// Constants in the arithmetic of the graph.
    fn floats(&mut self, name: &str, shape: &[i64], values: &[f32]) -> String {
        match self.arithmetic {
            Arithmetic::Fp16 => self.graph.halves(name, shape, values),
            _ => self.graph.floats(name, shape, values),
        }
    }

    /// The name under which an operation reads a map.
    fn read(&mut self, x: &Value) -> String {
        self.quantize(x).dequantized
    }

    /// Quantizes and dequantizes a map, once; in other arithmetics it stays as it is.
    fn quantize(&mut self, x: &Value) -> Quantized {
        let (Arithmetic::Int8(quantization), Some(point)) = (self.arithmetic, x.point) else {
            return Quantized { quantized: x.name.clone(), dequantized: x.name.clone() };
        };
        if let Some(known) = self.quantized.get(&x.name) {
            return known.clone();
        }
        let params = quantization.params(point);
        let kind = match quantization.settings.activations {
            Activations::U8 => ElementType::Uint8,
            Activations::S8 => ElementType::Int8,
        };
        let graph = &mut self.graph;
        let scale = graph.floats(&format!("{}.scale", x.name), &[], &[params.scale]);
        let zero_point = vec![params.zero_point as u8];
        let zero_point = graph.constant(&format!("{}.zero", x.name), &[], kind, zero_point);
        let name = format!("{}.quantized", x.name);
        let inputs = [x.name.as_str(), &scale, &zero_point];
        let quantized = graph.node("QuantizeLinear", &name, &inputs, vec![]);
        let name = format!("{}.real", x.name);
        let inputs = [quantized.as_str(), &scale, &zero_point];
        let dequantized = graph.node("DequantizeLinear", &name, &inputs, vec![]);
        let both = Quantized { quantized, dequantized };
        self.quantized.insert(x.name.clone(), both.clone());
        both
    }

    fn convolution(&mut self, x: &Value, conv: &Conv, folded: &Folded) -> Value {
        let name = &conv.name;
        let input = self.read(x);
        let (weight, bias) = match (self.arithmetic, x.point) {
            (Arithmetic::Int8(quantization), Some(point)) => {
                self.quantized_constants(conv, folded, quantization, point)
            }
            _ => {
                let shape = [conv.outputs, conv.inputs, conv.kernel, conv.kernel];
                (
                    self.floats(&format!("{name}.weight"), &shape, &folded.weight),
                    self.floats(&format!("{name}.bias"), &[conv.outputs], &folded.bias),
                )
            }
        };
        let attributes = vec![
            ints("dilations", &[conv.dilation; 2]),
            int("group", 1),
            ints("kernel_shape", &[conv.kernel; 2]),
            ints("pads", &[conv.padding(); 4]),
            ints("strides", &[conv.stride; 2]),
        ];
        let name = self.graph.node("Conv", name, &[&input, &weight, &bias], attributes);
        // A single pixel stays one: padding keeps the size at stride 1, and no stride makes less of it.
        self.made(name, x.single)
    }

    /// A convolution's weight as integers, dequantized per channel, and its bias: likewise, or f32 for TensorRT. `input`
    /// is where its input was produced.
    fn quantized_constants(
        &mut self,
        conv: &Conv,
        folded: &Folded,
        quantization: &Quantization,
        input: Point,
    ) -> (String, String) {
        let input = quantization.params(input).scale;
        let quantized = quantize_conv(folded, input, quantization.settings.weight_bits);
        let (name, outputs) = (&conv.name, conv.outputs);
        let graph = &mut self.graph;
        let weight = quantized.weight.iter().map(|w| *w as u8).collect();
        let shape = [outputs, conv.inputs, conv.kernel, conv.kernel];
        let mut dequantized = |part: &str, shape: &[i64], kind, bytes: Vec<u8>, scale: &[f32]| {
            let name = format!("{name}.{part}");
            let scale = graph.floats(&format!("{name}.scale"), &[outputs], scale);
            let values = graph.constant(&format!("{name}.quantized"), shape, kind, bytes);
            graph.node("DequantizeLinear", &name, &[&values, &scale], vec![int("axis", 0)])
        };
        let weight = dequantized("weight", &shape, ElementType::Int8, weight, &quantized.scale);
        let bias = match quantization.settings.activations {
            Activations::U8 => {
                let bias = quantized.bias.iter().flat_map(|b| b.to_le_bytes()).collect();
                let scale: Vec<f32> = quantized.scale.iter().map(|s| s * input).collect();
                dequantized("bias", &[outputs], ElementType::Int32, bias, &scale)
            }
            // TensorRT dequantizes 8 bits and fewer, and adds a bias in f32.
            Activations::S8 => graph.floats(&format!("{name}.bias"), &[outputs], &folded.bias),
        };
        (weight, bias)
    }

    /// The lengths of a map's dimensions `start` to `end`, a vector of i64.
    fn lengths(&mut self, of: &str, start: i64, end: i64, name: &str) -> String {
        self.graph.node("Shape", name, &[of], vec![int("start", start), int("end", end)])
    }

    fn cast(&mut self, x: &str, to: ElementType, name: &str) -> String {
        self.graph.node("Cast", name, &[x], vec![int("to", to as i64)])
    }
}

impl Ops for Emit<'_> {
    type Value = Value;

    /// The Cast comes first: that is where TensorRT takes bytes.
    fn normalize(&mut self, image: &Value) -> Value {
        let x = self.cast(&image.name, ElementType::Float, "image.float"); // [N, H, W, 3]
        let graph = &mut self.graph;
        let order = vec![ints("perm", &[0, 3, 1, 2])];
        let x = graph.node("Transpose", "image.channels_first", &[&x], order); // [N, 3, H, W]
        // (x / 255 - mean) / std in two steps; bytes and 255 mean are exact or nearly so in f32.
        let mean = MEAN.map(|m| (255.0 * f64::from(m)) as f32);
        let scale = STD.map(|s| (1.0 / (255.0 * f64::from(s))) as f32);
        let mean = graph.floats("image.mean", &[1, 3, 1, 1], &mean);
        let scale = graph.floats("image.scale", &[1, 3, 1, 1], &scale);
        let x = graph.node("Sub", "image.centered", &[&x, &mean], vec![]);
        let x = graph.node("Mul", "image.normalized", &[&x, &scale], vec![]);
        let x = match self.arithmetic {
            Arithmetic::Fp16 => self.cast(&x, ElementType::Float16, "image.half"),
            _ => x,
        };
        self.made(x, false)
    }

    fn conv(&mut self, x: &Value, conv: &Conv) -> Value {
        let folded = self.weights.conv(conv);
        self.convolution(x, conv, &folded)
    }

    fn conv_norm(&mut self, x: &Value, layer: &ConvNorm) -> Value {
        let folded = self.weights.conv_norm(layer);
        self.convolution(x, &layer.conv, &folded)
    }

    fn relu(&mut self, x: Value) -> Value {
        let name = self.graph.node("Relu", &format!("{}.relu", x.name), &[&x.name], vec![]);
        self.made(name, x.single)
    }

    fn max_pool(&mut self, x: &Value) -> Value {
        let input = self.read(x);
        let attributes =
            vec![ints("kernel_shape", &[3, 3]), ints("pads", &[1; 4]), ints("strides", &[2, 2])];
        let name = format!("{}.max_pool", x.name);
        Value { name: self.graph.node("MaxPool", &name, &[&input], attributes), ..*x }
    }

    fn add(&mut self, a: Value, b: &Value) -> Value {
        let (left, right) = (self.read(&a), self.read(b));
        let name = self.graph.node("Add", &format!("{}.add", a.name), &[&left, &right], vec![]);
        self.made(name, a.single)
    }

    fn concat(&mut self, maps: &[Value]) -> Value {
        let names: Vec<String> = maps.iter().map(|map| self.read(map)).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let name = format!("{}.concat", maps[0].name);
        let name = self.graph.node("Concat", &name, &names, vec![int("axis", 1)]);
        self.made(name, false)
    }

    fn mean(&mut self, x: &Value) -> Value {
        let input = self.read(x);
        let name = format!("{}.mean", x.name);
        let name = self.graph.node("GlobalAveragePool", &name, &[&input], vec![]);
        self.made(name, true)
    }

    fn resize_like(&mut self, x: &Value, like: &Value) -> Value {
        // Sizes are taken from the quantized maps: another reader of the map itself would keep it from being fused.
        let (input, like) = (self.quantize(x), self.quantize(like).quantized);
        let name = format!("{}.resize", x.name);
        let sides = self.lengths(&like, 2, 4, &format!("{name}.sides"));
        let join = |graph: &mut Builder, first: &str| {
            graph.node("Concat", &format!("{name}.sizes"), &[first, &sides], vec![int("axis", 0)])
        };
        let resized = if x.single {
            // Between equal values there is nothing to interpolate.
            let ones = self.graph.ints(&format!("{name}.ones"), &[1, 1]);
            let sizes = join(&mut self.graph, &ones);
            self.graph.node("Expand", &name, &[&input.dequantized, &sizes], vec![])
        } else {
            let first = self.lengths(&input.quantized, 0, 2, &format!("{name}.channels"));
            let sizes = join(&mut self.graph, &first);
            let attributes =
                vec![word("coordinate_transformation_mode", "half_pixel"), word("mode", "linear")];
            self.graph.node("Resize", &name, &[&input.dequantized, "", "", &sizes], attributes)
        };
        Value { name: resized, point: x.point, single: false }
    }

    fn dropout(&mut self, x: Value, _: f64) -> Value {
        x
    }

    fn scores(&mut self, x: Value) -> Value {
        let name = match self.arithmetic {
            Arithmetic::Fp16 => self.cast(&x.name, ElementType::Float, "scores"),
            _ => x.name,
        };
        Value { name, point: None, single: x.single }
    }
}
