//! The complete DeepLab: a ResNet, the head of DeepLabV3 or DeepLabV3+, an optional auxiliary head.
//! In torchvision's layout; the heads themselves are `head`'s.

use super::head::{Head, HeadKind};
use super::ops::{Conv, ConvNorm, Ops};
use super::resnet::{Depth, ResNet};
use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};

/// The recipe's `[model]`: what the network looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSettings {
    /// The ResNet.
    pub backbone: Depth,
    /// The head on top of it.
    pub head: HeadKind,
    /// How many times smaller than the image the last map is: 8 or 16.
    pub output_stride: i64,
    /// Whether an auxiliary head is trained on stage 3.
    pub auxiliary: bool,
    /// What its loss is multiplied with: 0.5 in torchvision, 0.4 elsewhere.
    pub auxiliary_weight: f64,
    /// Its loss.
    pub auxiliary_loss: AuxiliaryLoss,
    /// Dropout probability after the ASPP.
    pub dropout: f64,
}

/// What the auxiliary head is trained with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuxiliaryLoss {
    /// Cross entropy, times the mean of the weights that the main loss gives its pixels.
    #[default]
    CrossEntropy,
    /// The main loss. Where it weighs classes by what is missed, that is counted on the main head.
    Same,
}

impl Default for ModelSettings {
    fn default() -> Self {
        Self {
            backbone: Depth::Resnet18,
            head: HeadKind::default(),
            output_stride: 8,
            auxiliary: false,
            auxiliary_weight: 0.5,
            auxiliary_loss: AuxiliaryLoss::default(),
            dropout: 0.5,
        }
    }
}

/// Name of the convolution that gives the auxiliary scores, as [`HeadKind::last_layer`] for the main ones.
pub(super) const AUXILIARY_CLASSIFIER: &str = "aux_classifier.4";

/// Most dropout that the auxiliary head gets, as in torchvision; less where the recipe asks for less.
const AUXILIARY_DROPOUT: f64 = 0.1;

impl ModelSettings {
    /// Refuses what no network can be built from.
    ///
    /// # Errors
    /// The first setting that makes no sense, named.
    pub fn check(&self) -> Result<()> {
        if ![8, 16].contains(&self.output_stride) {
            let got = self.output_stride;
            return Err(Error::request(format!(
                "model.output_stride: expected 8 or 16, got {got}"
            )));
        }
        if !(self.auxiliary_weight > 0.0 && self.auxiliary_weight <= 1e3) {
            let got = self.auxiliary_weight;
            return Err(Error::request(format!(
                "model.auxiliary_weight: expected more than 0 and at most 1000, got {got}"
            )));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            let got = self.dropout;
            return Err(Error::request(format!(
                "model.dropout: expected at least 0 and under 1, got {got}"
            )));
        }
        Ok(())
    }
}

/// The network: its layers, without their parameters.
pub struct DeepLab {
    backbone: ResNet,
    head: Head,
    auxiliary: Option<Auxiliary>,
    /// Number of classes.
    pub classes: i64,
}

struct Auxiliary {
    hidden: ConvNorm,
    classifier: Conv,
    dropout: f64,
}

/// Score maps, both `[N, C, H, W]` at the image's size.
pub struct Scores<V> {
    /// Of the main head.
    pub main: V,
    /// Of the auxiliary head, where there is one and it was asked for.
    pub auxiliary: Option<V>,
}

/// Whether the auxiliary head is computed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Heads {
    /// All that the network has: training.
    All,
    /// The main head alone: evaluation and export.
    Main,
}

impl DeepLab {
    /// The network that the settings describe, for a number of classes.
    pub fn new(settings: &ModelSettings, classes: i64) -> Self {
        let depth = settings.backbone;
        let auxiliary = settings.auxiliary.then(|| {
            let inputs = depth.channels(2);
            let hidden = Conv::new("aux_classifier.0", inputs, inputs / 4, 3);
            Auxiliary {
                hidden: ConvNorm::new(hidden, "aux_classifier.1"),
                classifier: Conv::new(AUXILIARY_CLASSIFIER, inputs / 4, classes, 1).biased(),
                dropout: AUXILIARY_DROPOUT.min(settings.dropout),
            }
        });
        Self {
            backbone: ResNet::new(depth, settings.output_stride),
            head: Head::new(settings, classes),
            auxiliary,
            classes,
        }
    }

    /// `[N, H, W, 3] u8` to score maps at the image's size.
    pub fn forward<O: Ops>(&self, ops: &mut O, image: &O::Value, heads: Heads) -> Scores<O::Value> {
        let input = ops.normalize(image); // [N, 3, H, W]
        let features = self.backbone.forward(ops, &input);
        let x = self.head.forward(ops, &features); // [N, C, h, w]
        let main = ops.resize_like(&x, &input); // [N, C, H, W]
        let wanted = self.auxiliary.as_ref().filter(|_| heads == Heads::All);
        let auxiliary = wanted.map(|head| {
            let x = ops.conv_norm(&features.stage3, &head.hidden);
            let x = ops.relu(x);
            let x = ops.dropout(x, head.dropout);
            let x = ops.conv(&x, &head.classifier);
            let x = ops.scores(x);
            ops.resize_like(&x, &input)
        });
        Scores { main, auxiliary }
    }
}
