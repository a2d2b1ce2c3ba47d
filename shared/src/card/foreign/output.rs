//! What comes out of a model from elsewhere, as its card says: a name, or a table.
//! Not the values: `infer` reads those. What the table leaves out, the graph is asked for.

use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::input::Layout;
use super::refuse;
use crate::error::Result;

/// What an output gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Gives {
    /// One value per class and pixel, or a single one per pixel.
    Logits,
    /// The class itself.
    Labels,
}

/// What the graph has done to its logits already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// Nothing.
    None,
    /// They are probabilities: of one pixel they add up to 1.
    Softmax,
    /// Each is a probability of its own.
    Sigmoid,
}

impl Activation {
    /// Its name in a card.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Softmax => "softmax",
            Self::Sigmoid => "sigmoid",
        }
    }
}

/// The output that is read: `output = "NAME"`, or a table.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForeignOutput {
    /// Its name; none: the graph has one.
    pub name: Option<String>,
    /// What it gives; none: what its type and its shape say.
    pub gives: Option<Gives>,
    /// Where the classes stand in it; none: where the graph has as many.
    pub layout: Option<Layout>,
    /// What was done to it; none: what the graph or its values say.
    pub activation: Option<Activation>,
    /// Above which probability a single channel means the second class; none: 0.5.
    pub threshold: Option<f32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    name: Option<String>,
    kind: Option<Gives>,
    layout: Option<Layout>,
    activation: Option<Activation>,
    threshold: Option<f32>,
}

impl<'de> Deserialize<'de> for ForeignOutput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(NameOrTable)
    }
}

/// By hand and not `untagged`, whose errors do not say which key is wrong.
struct NameOrTable;

impl<'de> Visitor<'de> for NameOrTable {
    type Value = ForeignOutput;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the name of an output, or a table")
    }

    fn visit_str<E>(self, name: &str) -> std::result::Result<ForeignOutput, E> {
        Ok(ForeignOutput { name: Some(name.to_owned()), ..ForeignOutput::default() })
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<ForeignOutput, A::Error> {
        let Table { name, kind, layout, activation, threshold } =
            Table::deserialize(MapAccessDeserializer::new(map))?;
        Ok(ForeignOutput { name, gives: kind, layout, activation, threshold })
    }
}

impl ForeignOutput {
    pub(super) fn check(&self, classes: usize) -> Result<()> {
        if let Some(threshold) = self.threshold {
            if !(threshold > 0.0 && threshold < 1.0) {
                return refuse(
                    "output.threshold",
                    "a number between 0 and 1",
                    threshold.to_string(),
                );
            }
            if classes != 2 {
                let expected = "two classes, which one channel is divided into";
                return refuse("output.threshold", expected, classes.to_string());
            }
        }
        let of_logits = [
            ("output.layout", self.layout.map(Layout::name)),
            ("output.activation", self.activation.map(Activation::name)),
            ("output.threshold", self.threshold.map(|_| "one")),
        ];
        for (field, got) in of_logits {
            if let (Some(Gives::Labels), Some(got)) = (self.gives, got) {
                return refuse(field, "none, since the output gives labels", got.to_owned());
            }
        }
        Ok(())
    }
}
