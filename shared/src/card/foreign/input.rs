//! What goes into a model from elsewhere, as its card says: the table `[input]`.
//! Not the pixels themselves: `infer` computes those, and compares this with the graph.

use serde::Deserialize;

use super::refuse;
use crate::decode::{MAX_SIDE, Tone};
use crate::error::Result;

/// Where the channels stand, in an input or in logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Layout {
    /// `[batch, channels, height, width]`, PyTorch's.
    #[serde(rename = "NCHW")]
    ChannelsFirst,
    /// `[batch, height, width, channels]`, TensorFlow's.
    #[serde(rename = "NHWC")]
    ChannelsLast,
}

impl Layout {
    /// Its name in a card.
    pub fn name(self) -> &'static str {
        match self {
            Self::ChannelsFirst => "NCHW",
            Self::ChannelsLast => "NHWC",
        }
    }
}

/// The color channels and their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ColorOrder {
    /// Red, green, blue.
    #[serde(rename = "RGB")]
    Rgb,
    /// Blue, green, red, as OpenCV reads images.
    #[serde(rename = "BGR")]
    Bgr,
    /// One channel: the luma of ITU-R 601, as Pillow and OpenCV compute it.
    #[serde(rename = "gray", alias = "grey", alias = "GRAY", alias = "GREY")]
    Gray,
}

impl ColorOrder {
    /// Channels of the input.
    pub fn channels(self) -> usize {
        match self {
            Self::Rgb | Self::Bgr => 3,
            Self::Gray => 1,
        }
    }

    /// Its name in a card.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rgb => "RGB",
            Self::Bgr => "BGR",
            Self::Gray => "gray",
        }
    }
}

/// What goes into such a model: `(value / 255 * white - mean) / std` per channel, or the bytes as
/// they are.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignInput {
    /// Name of the graph's input; none: the graph has one.
    pub name: Option<String>,
    /// Order of the dimensions.
    #[serde(default = "channels_first")]
    pub layout: Layout,
    /// How images come to 8 bits, in place of the upper 8 of 16: as in a data set's descriptor.
    pub image: Option<Tone>,
    /// Order of the channels, also of `mean` and `std`.
    #[serde(default = "rgb")]
    pub color: ColorOrder,
    /// What white is before mean and std: 1 (torchvision) or 255 (mmsegmentation).
    #[serde(default = "one")]
    pub white: f32,
    /// Subtracted, one value per channel; none: the graph takes bytes.
    #[serde(default)]
    pub mean: Vec<f32>,
    /// Divided by, one value per channel; none: the graph takes bytes.
    #[serde(default)]
    pub std: Vec<f32>,
    /// Width and height that images are resized to; none: the graph's if those are fixed, else
    /// their own.
    pub size: Option<[u32; 2]>,
    /// Width and height are rounded up to multiples of this.
    #[serde(default = "every_size")]
    pub multiple: u32,
}

fn channels_first() -> Layout {
    Layout::ChannelsFirst
}

fn rgb() -> ColorOrder {
    ColorOrder::Rgb
}

fn one() -> f32 {
    1.0
}

fn every_size() -> u32 {
    1
}

impl ForeignInput {
    /// Whether the card says how pixels are normalized, which a graph of floats needs and one of
    /// bytes does not.
    pub fn normalizes(&self) -> bool {
        !self.mean.is_empty() || !self.std.is_empty()
    }

    pub(super) fn check(&self) -> Result<()> {
        self.image.map_or(Ok(()), Tone::check).map_err(|e| e.within("input"))?;
        let channels = self.color.channels();
        if self.normalizes() {
            for (field, values) in [("input.mean", &self.mean), ("input.std", &self.std)] {
                if values.len() != channels || !values.iter().all(|v| v.is_finite()) {
                    let expected = format!("{channels} finite numbers, one per channel");
                    return refuse(field, &expected, format!("{values:?}"));
                }
            }
        }
        for (field, values) in [("input.std", &self.std[..]), ("input.white", &[self.white])] {
            if !values.iter().all(|v| v.is_finite() && *v > 0.0) {
                return refuse(field, "numbers above 0", format!("{values:?}"));
            }
        }
        if !(1..=1024).contains(&self.multiple) {
            return refuse("input.multiple", "1 to 1024", self.multiple.to_string());
        }
        let fits = |side: &u32| (1..=MAX_SIDE).contains(side) && side.is_multiple_of(self.multiple);
        match self.size {
            Some(size) if !size.iter().all(fits) => {
                let expected = format!("sides of 1 to {MAX_SIDE}, multiples of {}", self.multiple);
                refuse("input.size", &expected, format!("{size:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Mean and deviation as a card states them: of (R, G, B) in 0..1; those of gray are three
    /// times the same.
    pub(super) fn stated(&self) -> [[f32; 3]; 2] {
        [(&self.mean, 0.0), (&self.std, 1.0)].map(|(values, none)| {
            let at = |i: usize| match values[..] {
                [a, b, c] => [a, b, c][i] / self.white,
                [gray] => gray / self.white,
                _ => none,
            };
            let order = if self.color == ColorOrder::Bgr { [2, 1, 0] } else { [0, 1, 2] };
            order.map(at)
        })
    }
}
