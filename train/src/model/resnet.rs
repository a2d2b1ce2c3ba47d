//! ResNet-18, 34, 50 and 101 (He et al. 2015), dilated as in torchvision, without the classifier.
//!
//! Stages 3 and 4 trade their stride for dilation where the output stride asks for it; the first block
//! of such a stage keeps the dilation of the stage before (torchvision's rule). In basic blocks both
//! 3 x 3 convolutions use the block's dilation.

use super::ops::{Conv, ConvNorm, Ops};
use serde::{Deserialize, Serialize};

/// Which ResNet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Depth {
    Resnet18,
    Resnet34,
    Resnet50,
    Resnet101,
}

impl Depth {
    /// Blocks in each of the four stages.
    fn blocks(self) -> [usize; 4] {
        match self {
            Self::Resnet18 => [2, 2, 2, 2],
            Self::Resnet34 | Self::Resnet50 => [3, 4, 6, 3],
            Self::Resnet101 => [3, 4, 23, 3],
        }
    }

    /// Whether blocks are bottlenecks (1 x 1, 3 x 3, 1 x 1) or basic (two 3 x 3).
    fn bottleneck(self) -> bool {
        matches!(self, Self::Resnet50 | Self::Resnet101)
    }

    /// Channels out of a stage (0 to 3).
    pub fn channels(self, stage: usize) -> i64 {
        WIDTHS[stage] * if self.bottleneck() { 4 } else { 1 }
    }
}

/// Width of each stage: the channels inside its blocks.
const WIDTHS: [i64; 4] = [64, 128, 256, 512];

struct Block {
    /// Convolutions of the residual branch, in order; a ReLU stands between them.
    branch: Vec<ConvNorm>,
    /// The 1 x 1 convolution of the shortcut, where sizes or channels change.
    shortcut: Option<ConvNorm>,
}

/// The backbone: stem and four stages.
pub struct ResNet {
    stem: ConvNorm,
    stages: Vec<Vec<Block>>,
}

/// What the heads read.
pub struct Features<V> {
    /// Out of stage 1, at a quarter of the image's size, for the decoder of DeepLabV3+.
    pub stage1: V,
    /// Out of stage 3, for the auxiliary head.
    pub stage3: V,
    /// Out of stage 4, at the output stride.
    pub stage4: V,
}

impl ResNet {
    /// A backbone whose last map is smaller than the image by `output_stride` (8 or 16).
    pub fn new(depth: Depth, output_stride: i64) -> Self {
        let stem =
            ConvNorm::new(Conv::new("backbone.conv1", 3, WIDTHS[0], 7).stride(2), "backbone.bn1");
        let mut channels = WIDTHS[0];
        let mut reached = 4; // stride after the stem's convolution and pooling
        let mut dilation = 1;
        let mut stages = Vec::new();
        for (stage, &count) in depth.blocks().iter().enumerate() {
            let wanted = if stage == 0 { 1 } else { 2 };
            let first_dilation = dilation;
            let stride = if reached * wanted <= output_stride { wanted } else { 1 };
            dilation *= wanted / stride;
            reached *= stride;
            let mut blocks = Vec::new();
            for index in 0..count {
                let geometry = Geometry {
                    inputs: channels,
                    width: WIDTHS[stage],
                    stride: if index == 0 { stride } else { 1 },
                    dilation: if index == 0 { first_dilation } else { dilation },
                };
                let name = format!("backbone.layer{}.{index}", stage + 1);
                blocks.push(Block::new(&name, depth, stage, &geometry));
                channels = depth.channels(stage);
            }
            stages.push(blocks);
        }
        Self { stem, stages }
    }

    /// `[N, 3, H, W]` to the maps of stages 1, 3 and 4.
    pub fn forward<O: Ops>(&self, ops: &mut O, image: &O::Value) -> Features<O::Value> {
        let x = ops.conv_norm(image, &self.stem); // [N, 64, H/2, W/2]
        let x = ops.relu(x);
        let x = ops.max_pool(&x); // [N, 64, H/4, W/4]
        let stage1 = stage(ops, &self.stages[0], &x); // [N, C1, H/4, W/4]
        let x = stage(ops, &self.stages[1], &stage1); // [N, C2, H/8, W/8]
        let stage3 = stage(ops, &self.stages[2], &x);
        let stage4 = stage(ops, &self.stages[3], &stage3); // [N, C4, H/stride, W/stride]
        Features { stage1, stage3, stage4 }
    }
}

fn stage<O: Ops>(ops: &mut O, blocks: &[Block], x: &O::Value) -> O::Value {
    let first = blocks[0].forward(ops, x);
    blocks[1..].iter().fold(first, |x, block| block.forward(ops, &x))
}

struct Geometry {
    inputs: i64,
    width: i64,
    stride: i64,
    dilation: i64,
}

impl Block {
    fn new(name: &str, depth: Depth, stage: usize, at: &Geometry) -> Self {
        let outputs = depth.channels(stage);
        let conv = |index: usize, inputs, outputs, kernel| {
            Conv::new(format!("{name}.conv{index}"), inputs, outputs, kernel)
        };
        let spatial = |conv: Conv| conv.stride(at.stride).dilation(at.dilation);
        let convs = if depth.bottleneck() {
            vec![
                conv(1, at.inputs, at.width, 1),
                spatial(conv(2, at.width, at.width, 3)),
                conv(3, at.width, outputs, 1),
            ]
        } else {
            let second = conv(2, at.width, outputs, 3).dilation(at.dilation);
            vec![spatial(conv(1, at.inputs, at.width, 3)), second]
        };
        let branch = convs
            .into_iter()
            .zip(1..)
            .map(|(conv, index)| ConvNorm::new(conv, format!("{name}.bn{index}")))
            .collect();
        let changes = at.stride != 1 || at.inputs != outputs;
        let shortcut = changes.then(|| {
            let conv = Conv::new(format!("{name}.downsample.0"), at.inputs, outputs, 1);
            ConvNorm::new(conv.stride(at.stride), format!("{name}.downsample.1"))
        });
        Self { branch, shortcut }
    }

    fn forward<O: Ops>(&self, ops: &mut O, x: &O::Value) -> O::Value {
        let mut y = ops.conv_norm(x, &self.branch[0]);
        for layer in &self.branch[1..] {
            y = ops.relu(y);
            y = ops.conv_norm(&y, layer);
        }
        let sum = match &self.shortcut {
            Some(layer) => {
                let short = ops.conv_norm(x, layer);
                ops.add(y, &short)
            }
            None => ops.add(y, x),
        };
        ops.relu(sum)
    }
}
