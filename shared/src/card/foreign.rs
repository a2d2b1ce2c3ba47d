//! The card of a model from elsewhere: what a user writes in TOML about an ONNX file that says nothing of
//! itself, such as an export of torchvision, segmentation_models_pytorch or mmsegmentation.
//! Not checked against the graph, which is `infer`'s; here only against itself. models/README.md has examples.

use std::path::Path;

use serde::Deserialize;

use super::{Card, FORMAT, Input, Output, Probe, Training};
use crate::dataset::Descriptor;
use crate::decode::MAX_SIDE;
use crate::digest::sha256;
use crate::error::{Context, Error, Result};
use crate::labels::{Class, MAX_CLASSES};
use crate::preprocess::RESIZE_FILTER;

const HINT: &str = "models/README.md shows such a card";

/// Where the colour channels stand in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Layout {
    /// `[batch, 3, height, width]`, PyTorch's.
    #[serde(rename = "NCHW")]
    ChannelsFirst,
    /// `[batch, height, width, 3]`.
    #[serde(rename = "NHWC")]
    ChannelsLast,
}

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ColorOrder {
    /// Red, green, blue.
    #[serde(rename = "RGB")]
    Rgb,
    /// Blue, green, red, as OpenCV reads images.
    #[serde(rename = "BGR")]
    Bgr,
}

/// What a user says of a model: f32 image in, f32 logits `[batch, classes, h, w]` out.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignCard {
    /// Name for tables and titles; none: the file's.
    pub name: Option<String>,
    /// Data set whose classes it knows.
    pub dataset: String,
    /// Its classes, in the order of its logits.
    pub classes: Vec<Class>,
    /// What goes in.
    pub input: ForeignInput,
    /// Name of the graph's output with the logits; none: the graph has one output.
    pub output: Option<String>,
    /// SHA-256 of its text, followed by the classes as JSON if those stand in another file.
    pub sha256: String,
}

/// What goes into such a model: `(value / 255 * white - mean) / std` per channel.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignInput {
    /// Name of the graph's input; none: the graph has one.
    pub name: Option<String>,
    /// Order of the dimensions.
    #[serde(default = "channels_first")]
    pub layout: Layout,
    /// Order of the channels, also of `mean` and `std`.
    #[serde(default = "rgb")]
    pub color: ColorOrder,
    /// What white is before mean and std: 1 (torchvision) or 255 (mmsegmentation).
    #[serde(default = "one")]
    pub white: f32,
    /// Subtracted.
    pub mean: [f32; 3],
    /// Divided by.
    pub std: [f32; 3],
    /// Width and height that images are resized to; none: the graph's if those are fixed, else their own.
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

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    dataset: Option<String>,
    classes: Option<Vec<Entry>>,
    input: ForeignInput,
    output: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    color: [u8; 3],
    native: Option<u8>,
}

impl ForeignCard {
    /// Reads and checks the card in a file.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a value out of range (exit code 2).
    pub fn read(path: &Path) -> Result<Self> {
        let what = || format!("card: {}", path.display());
        let text = std::fs::read_to_string(path).request(what).map_err(|e| e.hint(HINT))?;
        Self::from_toml(&text).map_err(|e| e.within(what()))
    }

    /// Reads and checks a card.
    ///
    /// # Errors
    /// As [`ForeignCard::read`], without the path.
    pub fn from_toml(text: &str) -> Result<Self> {
        let file: File =
            toml::from_str(text).map_err(|e| Error::request(e.to_string()).hint(HINT))?;
        let mut said = text.to_owned();
        let (classes, dataset) = match (file.classes, file.dataset) {
            (Some(classes), dataset) => (own_classes(classes), dataset.unwrap_or("unknown".into())),
            (None, Some(dataset)) => {
                let descriptor = Descriptor::find(&dataset)?;
                let place = dataset.split(':').next();
                if Descriptor::builtin_names().iter().all(|name| place != Some(name)) {
                    said +=
                        &serde_json::to_string(&descriptor.classes).work(|| "classes".into())?;
                }
                (descriptor.classes, descriptor.name)
            }
            (None, None) => {
                return Err(Error::request("classes: expected classes or a dataset, got neither")
                    .hint("dataset = \"camvid\", or classes = [{ name = \"road\", color = [128, 64, 128] }, ...]"));
            }
        };
        let File { name, input, output, .. } = file;
        let card = Self { name, dataset, classes, input, output, sha256: sha256(said) };
        card.check()?;
        Ok(card)
    }

    fn check(&self) -> Result<()> {
        let refuse = |field: &str, expected: &str, got: String| {
            Err(Error::request(format!("{field}: expected {expected}, got {got}")).hint(HINT))
        };
        let count = self.classes.len();
        if !(1..=MAX_CLASSES).contains(&count) {
            return refuse("classes", "1 to 255", count.to_string());
        }
        for (i, class) in self.classes.iter().enumerate() {
            if class.name.is_empty() || self.classes[..i].iter().any(|c| c.name == class.name) {
                return refuse("classes", "names, each once", format!("{:?}", class.name));
            }
        }
        let input = &self.input;
        if !input.mean.iter().all(|v| v.is_finite()) {
            return refuse("input.mean", "three numbers", format!("{:?}", input.mean));
        }
        for (field, values) in [("input.std", &input.std[..]), ("input.white", &[input.white])] {
            if !values.iter().all(|v| v.is_finite() && *v > 0.0) {
                return refuse(field, "numbers above 0", format!("{values:?}"));
            }
        }
        if !(1..=1024).contains(&input.multiple) {
            return refuse("input.multiple", "1 to 1024", input.multiple.to_string());
        }
        let fits =
            |side: &u32| (1..=MAX_SIDE).contains(side) && side.is_multiple_of(input.multiple);
        match input.size {
            Some(size) if !size.iter().all(fits) => {
                let expected = format!("sides of 1 to {MAX_SIDE}, multiples of {}", input.multiple);
                refuse("input.size", &expected, format!("{size:?}"))
            }
            _ => Ok(()),
        }
    }

    /// The card that commands read, once the graph has been asked for what only it knows: the input's name,
    /// the size (width, height) if it is fixed, the operator set. It has no probe.
    pub fn card(&self, name: &str, input: &str, size: Option<(u32, u32)>, opset: u32) -> Card {
        let raw = &self.input;
        // The card states mean and deviation as (R, G, B) of values in 0..1.
        let stated = |values: [f32; 3]| {
            let [a, b, c] = values.map(|v| v / raw.white);
            if raw.color == ColorOrder::Bgr { [c, b, a] } else { [a, b, c] }
        };
        let layout = match raw.layout {
            Layout::ChannelsFirst => "NCHW",
            Layout::ChannelsLast => "NHWC",
        };
        let color = match raw.color {
            ColorOrder::Rgb => "RGB",
            ColorOrder::Bgr => "BGR",
        };
        Card {
            format: FORMAT,
            name: self.name.clone().unwrap_or_else(|| name.to_owned()),
            dataset: self.dataset.clone(),
            classes: self.classes.clone(),
            class_share: Vec::new(),
            input: Input {
                name: input.to_owned(),
                layout: layout.into(),
                dtype: "f32".into(),
                color: color.into(),
                mean: stated(raw.mean),
                std: stated(raw.std),
                resize: RESIZE_FILTER.into(),
                width: size.map(|s| s.0),
                height: size.map(|s| s.1),
            },
            outputs: vec![Output {
                name: "logits".into(),
                dtype: "f32".into(),
                layout: "NCHW".into(),
            }],
            precision: "fp32".into(),
            quantization: None,
            opset,
            training: Training::default(),
            probe: Probe::default(),
        }
    }
}

fn own_classes(entries: Vec<Entry>) -> Vec<Class> {
    let class = |(place, e): (usize, Entry)| Class {
        name: e.name,
        color: e.color,
        // At most 255 classes are let through, so the place is a byte.
        native_id: e.native.unwrap_or(place.min(255) as u8),
    };
    entries.into_iter().enumerate().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &str = "[input]\nmean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n";

    #[test]
    fn a_data_set_or_a_table_gives_the_classes() {
        let text = format!("dataset = \"camvid\"\n{INPUT}");
        let card = ForeignCard::from_toml(&text).unwrap();
        assert_eq!((card.classes.len(), card.classes[2].name.as_str()), (11, "pole"));
        assert_eq!(card.sha256, sha256(text));
        let table = "classes = [{ name = \"road\", color = [1, 2, 3], native = 7 }, { name = \"sky\", color = [4, 5, 6] }]";
        let card = ForeignCard::from_toml(&format!("{table}\n{INPUT}")).unwrap();
        assert_eq!(card.classes.iter().map(|c| c.native_id).collect::<Vec<_>>(), [7, 1]);
    }

    #[test]
    fn what_commands_read_is_stated_as_rgb_in_0_to_1() {
        let text = "dataset = \"camvid\"\n[input]\ncolor = \"BGR\"\nwhite = 255\nmean = [51, 102, 204]\nstd = [25.5, 51, 51]\n";
        let card = ForeignCard::from_toml(text).unwrap().card("m", "x", Some((64, 32)), 17);
        assert_eq!(card.input.mean, [0.8, 0.4, 0.2]);
        assert_eq!(card.input.std, [0.2, 0.2, 0.1]);
        assert_eq!((card.input.width, card.input.height), (Some(64), Some(32)));
        assert_eq!((card.name.as_str(), card.input.name.as_str()), ("m", "x"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| ForeignCard::from_toml(text).unwrap_err().to_string();
        assert!(error(INPUT).contains("expected classes or a dataset, got neither"));
        assert!(error(&format!("dataset = \"mars\"\n{INPUT}")).contains("mars"));
        assert!(
            error(&format!("dataset = \"camvid\"\n{INPUT}layuot = \"NCHW\"")).contains("layuot")
        );
        assert!(error(&format!("dataset = \"camvid\"\n{INPUT}layout = \"HWC\"")).contains("HWC"));
        let zero = INPUT.replace("0.224", "0.0");
        assert!(
            error(&format!("dataset = \"camvid\"\n{zero}"))
                .contains("input.std: expected numbers above 0")
        );
        let size = format!("dataset = \"camvid\"\n{INPUT}size = [480, 360]\nmultiple = 32");
        assert!(error(&size).contains("input.size: expected sides of 1 to"));
    }
}
