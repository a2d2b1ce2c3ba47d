//! What turns the backbone's maps into class scores: the head of DeepLabV3 or the decoder of DeepLabV3+.
//!
//! DeepLabV3 (Chen et al. 2017) uses the ASPP alone. DeepLabV3+ (Chen et al. 2018, "Encoder-Decoder with Atrous
//! Separable Convolution", Sec. 3.1) concatenates it with the low-level features of stage 1; plain convolutions here.

use super::aspp::{Aspp, CHANNELS};
use super::deeplab::ModelSettings;
use super::ops::{Conv, ConvNorm, Ops};
use super::resnet::Features;
use serde::{Deserialize, Serialize};

/// Which head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HeadKind {
    /// DeepLabV3: ASPP, one 3 x 3 convolution, classifier. torchvision's layout and names.
    #[default]
    DeepLabV3,
    /// DeepLabV3+: ASPP resized to a quarter of the image's size, with 48 channels of stage 1, two 3 x 3 convolutions,
    /// classifier. It is what the paper's published code trains, at output stride 16.
    DeepLabV3Plus,
}

/// Channels that stage 1 is reduced to before the concatenation (Chen et al. 2018, Table 1).
const SKIP_CHANNELS: i64 = 48;

/// A head: maps of the backbone to scores at their own size.
pub struct Head {
    aspp: Aspp,
    /// The 1 x 1 on stage 1, where there is a decoder.
    skip: Option<ConvNorm>,
    /// The 3 x 3 convolutions before the classifier.
    refine: Vec<ConvNorm>,
    classifier: Conv,
}

impl HeadKind {
    /// Every head.
    pub const ALL: [Self; 2] = [Self::DeepLabV3, Self::DeepLabV3Plus];

    /// Name of the convolution that gives the scores: the one whose shape depends on the classes.
    pub fn last_layer(self) -> &'static str {
        match self {
            Self::DeepLabV3 => "classifier.4",
            Self::DeepLabV3Plus => "classifier.classifier.6",
        }
    }
}

impl Head {
    /// The head that the settings describe.
    pub fn new(settings: &ModelSettings, classes: i64) -> Self {
        let refine = |name: &str, index: usize, inputs| {
            let conv = Conv::new(format!("{name}.{index}"), inputs, CHANNELS, 3);
            ConvNorm::new(conv, format!("{name}.{}", index + 1))
        };
        let (aspp, skip, refine) = match settings.head {
            HeadKind::DeepLabV3 => ("classifier.0", None, vec![refine("classifier", 1, CHANNELS)]),
            HeadKind::DeepLabV3Plus => {
                let stage1 = settings.backbone.channels(0);
                let skip = Conv::new("classifier.project.0", stage1, SKIP_CHANNELS, 1);
                let name = "classifier.classifier";
                (
                    "classifier.aspp",
                    Some(ConvNorm::new(skip, "classifier.project.1")),
                    vec![refine(name, 0, SKIP_CHANNELS + CHANNELS), refine(name, 3, CHANNELS)],
                )
            }
        };
        let inputs = settings.backbone.channels(3);
        Self {
            aspp: Aspp::new(aspp, inputs, settings.output_stride, settings.dropout),
            skip,
            refine,
            classifier: Conv::new(settings.head.last_layer(), CHANNELS, classes, 1).biased(),
        }
    }

    /// Scores `[N, C, h, w]`: at the output stride, or at a quarter of the image's size with a decoder.
    pub fn forward<O: Ops>(&self, ops: &mut O, features: &Features<O::Value>) -> O::Value {
        let mut x = self.aspp.forward(ops, &features.stage4); // [N, 256, h, w]
        if let Some(layer) = &self.skip {
            let skip = ops.conv_norm(&features.stage1, layer);
            let skip = ops.relu(skip); // [N, 48, H/4, W/4]
            let pyramid = ops.resize_like(&x, &skip);
            x = ops.concat(&[skip, pyramid]); // [N, 304, H/4, W/4]
        }
        for layer in &self.refine {
            x = ops.conv_norm(&x, layer);
            x = ops.relu(x);
        }
        let x = ops.conv(&x, &self.classifier);
        ops.scores(x)
    }
}
