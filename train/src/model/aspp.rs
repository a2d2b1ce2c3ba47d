//! Atrous spatial pyramid pooling (Chen et al. 2017, "Rethinking Atrous Convolution", Fig. 5).
//!
//! Five parallel branches (a 1 x 1 convolution, three atrous 3 x 3, image pooling), concatenated and projected by a 1 x 1.

use super::ops::{Conv, ConvNorm, Ops};

/// Channels of each branch and of the result.
pub const CHANNELS: i64 = 256;

/// Atrous rates at output stride 16; twice these at 8.
const RATES_AT_16: [i64; 3] = [6, 12, 18];

/// The pyramid.
pub struct Aspp {
    branches: Vec<ConvNorm>,
    pooling: ConvNorm,
    project: ConvNorm,
    dropout: f64,
}

impl Aspp {
    /// A pyramid over a map of `inputs` channels; names as in torchvision, below `name`.
    pub fn new(name: &str, inputs: i64, output_stride: i64, dropout: f64) -> Self {
        let layer = |path: &str, conv: usize, kernel, dilation| {
            let conv_name = format!("{name}.{path}.{conv}");
            let conv_op = Conv::new(conv_name, inputs, CHANNELS, kernel).dilation(dilation);
            ConvNorm::new(conv_op, format!("{name}.{path}.{}", conv + 1))
        };
        let mut branches = vec![layer("convs.0", 0, 1, 1)];
        for (index, rate) in RATES_AT_16.iter().enumerate() {
            let rate = rate * 16 / output_stride;
            branches.push(layer(&format!("convs.{}", index + 1), 0, 3, rate));
        }
        let project = Conv::new(format!("{name}.project.0"), 5 * CHANNELS, CHANNELS, 1);
        Self {
            branches,
            pooling: layer("convs.4", 1, 1, 1),
            project: ConvNorm::new(project, format!("{name}.project.1")),
            dropout,
        }
    }

    /// `[N, C, h, w]` to `[N, 256, h, w]`.
    pub fn forward<O: Ops>(&self, ops: &mut O, x: &O::Value) -> O::Value {
        let mut maps = Vec::with_capacity(self.branches.len() + 1);
        for branch in &self.branches {
            let map = ops.conv_norm(x, branch);
            maps.push(ops.relu(map));
        }
        let mean = ops.mean(x); // [N, C, 1, 1]
        let mean = ops.conv_norm(&mean, &self.pooling);
        let mean = ops.relu(mean);
        maps.push(ops.resize_like(&mean, x));
        let joined = ops.concat(&maps); // [N, 1280, h, w]
        let joined = ops.conv_norm(&joined, &self.project);
        let joined = ops.relu(joined);
        ops.dropout(joined, self.dropout)
    }
}
