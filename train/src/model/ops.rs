//! The operations that the network is written in.
//!
//! Whoever implements [`Ops`] decides what a value is: a tensor to compute with, an ONNX name to emit,
//! nothing at all when only the parameters are to be listed. Train and export cannot drift apart.

/// A 2-D convolution: its parameter's name and its geometry. Padding keeps the size at stride 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conv {
    /// Name of the module, as in torchvision: `backbone.layer1.0.conv1`.
    pub name: String,
    /// Channels in.
    pub inputs: i64,
    /// Channels out.
    pub outputs: i64,
    /// Kernel height and width, odd.
    pub kernel: i64,
    /// Stride, both ways.
    pub stride: i64,
    /// Dilation (atrous rate), both ways.
    pub dilation: i64,
    /// Whether it has a bias: only where no normalization follows.
    pub bias: bool,
}

impl Conv {
    /// A convolution of stride 1 and dilation 1 without bias.
    pub fn new(name: impl Into<String>, inputs: i64, outputs: i64, kernel: i64) -> Self {
        let name = name.into();
        Self { name, inputs, outputs, kernel, stride: 1, dilation: 1, bias: false }
    }

    /// The same with another stride.
    pub fn stride(self, stride: i64) -> Self {
        Self { stride, ..self }
    }

    /// The same with another dilation.
    pub fn dilation(self, dilation: i64) -> Self {
        Self { dilation, ..self }
    }

    /// The same with a bias.
    pub fn biased(self) -> Self {
        Self { bias: true, ..self }
    }

    /// Zeros added on each side: the size stays at stride 1.
    pub fn padding(&self) -> i64 {
        self.dilation * (self.kernel - 1) / 2
    }
}

/// A batch normalization over channels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Norm {
    /// Name of the module, as in torchvision: `backbone.bn1`.
    pub name: String,
    /// Channels.
    pub channels: i64,
}

/// Added to the variance by batch normalization, as in PyTorch.
pub const NORM_EPSILON: f64 = 1e-5;

/// Weight of a new batch in the running statistics, as in PyTorch.
pub const NORM_MOMENTUM: f64 = 0.1;

/// A convolution and the normalization after it, the pair that the network is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConvNorm {
    /// The convolution, without bias.
    pub conv: Conv,
    /// The normalization of its outputs.
    pub norm: Norm,
}

impl ConvNorm {
    /// Names the normalization after a convolution.
    pub fn new(conv: Conv, norm: impl Into<String>) -> Self {
        let norm = Norm { name: norm.into(), channels: conv.outputs };
        Self { conv, norm }
    }
}

/// The operations of the network. Values are maps `[N, C, H, W]` unless said otherwise.
pub trait Ops {
    /// What flows between operations.
    type Value;

    /// `[N, H, W, 3] u8` RGB to a normalized map `[N, 3, H, W]`: (x / 255 - mean) / std.
    fn normalize(&mut self, image: &Self::Value) -> Self::Value;

    /// A convolution with bias, without normalization.
    fn conv(&mut self, x: &Self::Value, conv: &Conv) -> Self::Value;

    /// A convolution and its batch normalization.
    fn conv_norm(&mut self, x: &Self::Value, layer: &ConvNorm) -> Self::Value;

    /// max(x, 0).
    fn relu(&mut self, x: Self::Value) -> Self::Value;

    /// Maximum over 3 x 3 windows, stride 2, one pixel of padding.
    fn max_pool(&mut self, x: &Self::Value) -> Self::Value;

    /// Elementwise sum of two maps of one shape.
    fn add(&mut self, a: Self::Value, b: &Self::Value) -> Self::Value;

    /// Concatenates maps of one size along channels.
    fn concat(&mut self, maps: &[Self::Value]) -> Self::Value;

    /// Mean over height and width: `[N, C, 1, 1]`.
    fn mean(&mut self, x: &Self::Value) -> Self::Value;

    /// Bilinear resize (align_corners = false) to the height and width of another map.
    fn resize_like(&mut self, x: &Self::Value, like: &Self::Value) -> Self::Value;

    /// Sets values to zero with a probability while training, nothing otherwise.
    fn dropout(&mut self, x: Self::Value, probability: f64) -> Self::Value;

    /// The score maps: back to full precision where an implementation computes in less.
    fn scores(&mut self, x: Self::Value) -> Self::Value;
}
