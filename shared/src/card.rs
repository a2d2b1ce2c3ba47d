//! What an exported model says of itself: JSON in the ONNX metadata, under [`Card::KEY`].
//! Not the model's weights, and not trusted: it is parsed strictly and checked before use.
//! A probe goes along, so that any runtime can show that it computes what the trainer computed.

use serde::{Deserialize, Serialize};

use crate::decode::Tone;
use crate::error::{Context, Error, Result};
use crate::labels::{Class, MAX_CLASSES};

mod foreign;
mod probe;

pub use foreign::{
    Activation, ColorOrder, ForeignCard, ForeignInput, ForeignOutput, Gives, Graph, Layout,
};
pub use probe::{Probe, probe_image};

/// Newest version of the card that this program reads; it reads all from 1 on.
///
/// It is raised when the meaning of a field changes or a field becomes necessary. A field that an older
/// program can do without is added under the same number, therefore unknown fields are no error. Version 2 has
/// [`Input::image`], and is written only where that is said, so that older programs read the other cards.
pub const FORMAT: u32 = 2;

/// The rare classes are those under this share of the training set's valid pixels.
pub const RARE_SHARE: f64 = 0.02;

/// Train ids of the classes under [`RARE_SHARE`] that do occur, given each class's share of the valid pixels.
pub fn rare_classes(share: &[f64]) -> Vec<usize> {
    (0..share.len()).filter(|&class| share[class] > 0.0 && share[class] < RARE_SHARE).collect()
}

const HINT: &str = "export the model again";

/// All that an exported model says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of the card, 1 to [`FORMAT`]; see [`Input::format`].
    pub format: u32,
    /// Name of the model, such as the run's.
    pub name: String,
    /// Name of the data set it was trained on.
    pub dataset: String,
    /// Its classes, by train id.
    pub classes: Vec<Class>,
    /// Share of each class in the training set's valid pixels; empty if unknown.
    pub class_share: Vec<f64>,
    /// What goes in.
    pub input: Input,
    /// What comes out.
    pub outputs: Vec<Output>,
    /// Arithmetic of the graph: "fp32", "fp16" or "int8".
    pub precision: String,
    /// How an int8 graph came to its integers; none for other graphs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantization: Option<Quantization>,
    /// ONNX operator set of the graph.
    pub opset: u32,
    /// Where it comes from.
    pub training: Training,
    /// What the trainer computed on an image that anyone can make; empty in a model from elsewhere.
    pub probe: Probe,
}

/// What goes into the graph: [batch, height, width, 3], all three dynamic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// Name of the graph's input.
    pub name: String,
    /// "NHWC".
    pub layout: String,
    /// "u8".
    pub dtype: String,
    /// "RGB".
    pub color: String,
    /// Mean that the graph subtracts, of (R, G, B) in 0..1.
    pub mean: [f32; 3],
    /// Deviation that the graph divides by.
    pub std: [f32; 3],
    /// Filter that images are resized with, [`crate::preprocess::RESIZE_FILTER`].
    pub resize: String,
    /// How images come to 8 bits; none: of 16 bits the upper 8 are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Tone>,
    /// Width that images are resized to for evaluation; none: their own.
    pub width: Option<u32>,
    /// Height that images are resized to for evaluation; none: their own.
    pub height: Option<u32>,
}

/// One output of the graph, at the size of the input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Output {
    /// "labels" or "logits".
    pub name: String,
    /// "u8" for labels, "f32" for logits.
    pub dtype: String,
    /// "NHW" for labels, "NCHW" for logits.
    pub layout: String,
}

/// Where the weights come from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Name of the loss.
    pub loss: String,
    /// The resolved recipe, TOML.
    pub recipe: String,
    /// Optimizer steps taken.
    pub iterations: u64,
    /// Seed of the run.
    pub seed: u64,
    /// Version of the program, with its commit where it is known.
    pub version: String,
}

/// How an int8 graph came to its integers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantization {
    /// How ranges follow from what was seen: "minmax", "percentile:99.99" or "entropy".
    pub method: String,
    /// Images that were looked at.
    pub images: usize,
    /// The data set and split they are from.
    pub source: String,
    /// Fingerprint of that split.
    pub fingerprint: String,
    /// "u8" with a zero point, or "s8" around zero.
    pub activations: String,
    /// Bits of a weight, 7 or 8; one scale a channel.
    pub weight_bits: u32,
}

impl Card {
    /// Key of the card in the ONNX metadata.
    pub const KEY: &str = "recall-seg.card";

    /// The card as JSON, on one line. Fails if [`Card::check`] does.
    pub fn to_json(&self) -> Result<String> {
        self.check()?;
        serde_json::to_string(self).work(|| "model card: cannot write".into())
    }

    /// Reads and checks a card.
    pub fn from_json(json: &str) -> Result<Card> {
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        // The number first: of another version nothing else can be said.
        let version: Version = parse(json)?;
        check_format(version.format)?;
        let card: Card = parse(json)?;
        card.check()?;
        Ok(card)
    }

    /// Refuses a card that contradicts itself, naming the field.
    pub fn check(&self) -> Result<()> {
        check_format(self.format)?;
        let c = self.classes.len();
        expect(c > 0 && c <= MAX_CLASSES, "classes", format!("1 to {MAX_CLASSES}"), c)?;
        for (i, class) in self.classes.iter().enumerate() {
            let twice = self.classes[..i].iter().any(|o| o.name == class.name);
            expect(!twice && !class.name.is_empty(), "classes", "names, each once", &class.name)?;
        }
        let shares = &self.class_share;
        expect(
            shares.is_empty() || shares.len() == c,
            "class_share",
            format!("none or {c}"),
            shares.len(),
        )?;
        if let Some(bad) = shares.iter().find(|s| !(0.0..=1.0).contains(*s)) {
            expect(false, "class_share", "shares in 0..1", bad)?;
        }
        self.input.check()?;
        let needed = self.input.format();
        expect(self.format >= needed, "format", format!("{needed} with input.image"), self.format)?;
        expect(!self.outputs.is_empty(), "outputs", "labels, logits or both", "none")?;
        for (i, output) in self.outputs.iter().enumerate() {
            let got = (output.name.as_str(), output.dtype.as_str(), output.layout.as_str());
            let known = [("labels", "u8", "NHW"), ("logits", "f32", "NCHW")].contains(&got);
            expect(known, "outputs", "labels u8 NHW or logits f32 NCHW", format!("{got:?}"))?;
            let twice = self.outputs[..i].iter().any(|o| o.name == output.name);
            expect(!twice, "outputs", "each once", got.0)?;
        }
        let precision = self.precision.as_str();
        expect(
            ["fp32", "fp16", "int8"].contains(&precision),
            "precision",
            "fp32, fp16 or int8",
            precision,
        )?;
        expect((17..=64).contains(&self.opset), "opset", "17 or newer", self.opset)?;
        self.probe.check(c)
    }

    /// Train ids of the [`rare_classes`]; none if the shares are unknown.
    pub fn rare_classes(&self) -> Vec<usize> {
        rare_classes(&self.class_share)
    }

    /// The output called `name`, if the graph has it.
    pub fn output(&self, name: &str) -> Option<&Output> {
        self.outputs.iter().find(|o| o.name == name)
    }
}

impl Input {
    /// The input of every graph that this project exports, for images resized to `[width, height]` or left as they are.
    pub fn new(size: Option<[u32; 2]>) -> Self {
        Self {
            name: "image".into(),
            layout: "NHWC".into(),
            dtype: "u8".into(),
            color: "RGB".into(),
            mean: crate::preprocess::MEAN,
            std: crate::preprocess::STD,
            resize: crate::preprocess::RESIZE_FILTER.into(),
            image: None,
            width: size.map(|[width, _]| width),
            height: size.map(|[_, height]| height),
        }
    }

    /// The oldest version of the card that can say this.
    pub fn format(&self) -> u32 {
        if self.image.is_some() { 2 } else { 1 }
    }

    fn check(&self) -> Result<()> {
        self.image.map_or(Ok(()), Tone::check).map_err(|e| e.within("model card"))?;
        let got =
            (self.name.as_str(), self.layout.as_str(), self.dtype.as_str(), self.color.as_str());
        expect(
            got == ("image", "NHWC", "u8", "RGB"),
            "input",
            "image NHWC u8 RGB",
            format!("{got:?}"),
        )?;
        let finite = self.mean.iter().chain(&self.std).all(|v| v.is_finite());
        let std = self.std.iter().all(|v| *v > 0.0);
        expect(
            finite && std,
            "input",
            "a mean, and a std above 0",
            format!("{:?}, {:?}", self.mean, self.std),
        )?;
        let resize = crate::preprocess::RESIZE_FILTER;
        expect(self.resize == resize, "input.resize", resize, &self.resize)?;
        let sides = [self.width, self.height];
        let sane = |s: Option<u32>| s.is_none_or(|s| s > 0 && s <= crate::decode::MAX_SIDE);
        let both = self.width.is_some() == self.height.is_some();
        expect(
            both && sides.into_iter().all(sane),
            "input",
            "a width and a height, or neither",
            format!("{sides:?}"),
        )
    }
}

fn parse<'a, T: Deserialize<'a>>(json: &'a str) -> Result<T> {
    let parsed = serde_json::from_str(json).request(|| "model card: not readable".into());
    parsed.map_err(|e| e.hint(HINT))
}

fn check_format(format: u32) -> Result<()> {
    let newer = format > FORMAT;
    let known = (1..=FORMAT).contains(&format);
    expect(known, "format", format!("1 to {FORMAT}"), format).map_err(|e| {
        if newer { e.hint("the model was exported by a newer version: update") } else { e }
    })
}

fn expect(
    holds: bool,
    field: &str,
    expected: impl std::fmt::Display,
    got: impl std::fmt::Display,
) -> Result<()> {
    if holds {
        return Ok(());
    }
    Err(Error::request(format!("model card: {field}: expected {expected}, got {got}")).hint(HINT))
}

#[cfg(test)]
mod tests;
