//! What a user writes to describe a data set: the raw form of a descriptor, as parsed from TOML.
//! Not checked beyond types and unknown keys; `descriptor` does the rest, once.
//! The page of the module `dataset` explains every key.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};

use super::split::{Scheme, Split};
use crate::decode::{LabelEncoding, Tone};
use crate::error::{Context, Error, Result};

/// For whoever has to write or mend a descriptor.
pub(super) const HINT: &str = "a descriptor is a TOML file that says where images and labels lie and what values mean: \
     README.md leads to an example and its keys";

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DescriptorFile {
    pub name: String,
    pub images: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Tone>,
    #[serde(default = "just_the_name")]
    pub sample: String,
    pub labels: Vec<LabelFile>,
    /// Skipped where empty: what is written here is a data set's fingerprint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub label_names: BTreeMap<String, String>,
    pub list: Option<String>,
    #[serde(default)]
    pub split: Split,
    pub classes: Vec<Entry>,
    #[serde(default)]
    pub ignored: Vec<Entry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LabelFile {
    pub files: String,
    /// Left out, it is `index`, and palettes are compared; it is written as `index` in either case.
    #[serde(default, serialize_with = "index_if_left_out")]
    pub encoding: Option<Encoding>,
    pub channel: Option<u8>,
    #[serde(default)]
    pub ids: Ids,
    pub rest: Option<String>,
    pub unmasked: Option<Unmasked>,
}

/// What an image without a single mask is, where labels are masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Unmasked {
    /// An image whose label is missing.
    Missing,
    /// All `rest`.
    Rest,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Encoding {
    #[default]
    Index,
    Channel,
    Rgb,
}

/// What the numbers in a label file are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Ids {
    #[default]
    Native,
    Train,
}

/// A class, or something that is ignored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub name: String,
    #[serde(default)]
    pub color: [u8; 3],
    pub native: Option<OneOrMany>,
    pub rgb: Option<Vec<[u8; 3]>>,
    pub mask: Option<String>,
    #[serde(default = "yes")]
    pub scored: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany {
    One(u16),
    Many(Vec<u16>),
}

fn index_if_left_out<S: Serializer>(
    encoding: &Option<Encoding>,
    to: S,
) -> std::result::Result<S::Ok, S::Error> {
    encoding.unwrap_or_default().serialize(to)
}

fn just_the_name() -> String {
    "{name}".into()
}

fn yes() -> bool {
    true
}

impl DescriptorFile {
    pub fn parse(text: &str, origin: &str) -> Result<Self> {
        toml::from_str(text).request(|| origin.to_string()).map_err(|e| e.hint(HINT))
    }

    /// Applies one `key=value` as [`super::Descriptor::find`] describes.
    pub fn set(&mut self, setting: &str) -> Result<()> {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        let bad = |expected: &str| {
            Err(Error::request(format!("{key}: expected {expected}, got \"{value}\"")))
        };
        match key {
            "split" | "seed" if self.split.by == Scheme::Folder => {
                return bad("no such setting (the splits of this data set are folders)");
            }
            "split" => match value {
                "random" => self.split.by = Scheme::Random,
                "blocks" => self.split.by = Scheme::Blocks,
                _ => return bad("random or blocks"),
            },
            "seed" => match value.parse() {
                Ok(seed) => self.split.seed = seed,
                Err(_) => return bad("a number"),
            },
            _ => {
                let Some(at) = self.ignored.iter().position(|e| e.name == key) else {
                    let names: Vec<&str> = self.ignored.iter().map(|e| e.name.as_str()).collect();
                    return Err(Error::request(format!(
                        "expected the setting split, seed, or an ignored entry ({}), got {key}",
                        names.join(", ")
                    )));
                };
                match value {
                    "ignore" => {}
                    "train" | "unscored" => {
                        let mut entry = self.ignored.remove(at);
                        entry.scored = value == "train";
                        self.classes.push(entry);
                    }
                    _ => return bad("ignore, train or unscored"),
                }
            }
        }
        Ok(())
    }
}

impl Entry {
    /// The values that stand for it; `default` if it names none.
    pub fn values(&self, default: Option<u16>) -> Vec<u16> {
        match &self.native {
            Some(OneOrMany::One(v)) => vec![*v],
            Some(OneOrMany::Many(v)) => v.clone(),
            None => default.into_iter().collect(),
        }
    }

    /// The colours that stand for it in colour-coded labels.
    pub fn colors(&self) -> Vec<[u8; 3]> {
        self.rgb.clone().unwrap_or_else(|| vec![self.color])
    }
}

impl LabelFile {
    pub fn encoding(&self) -> Result<LabelEncoding> {
        match (self.encoding.unwrap_or_default(), self.channel) {
            (Encoding::Index, None) => Ok(LabelEncoding::Index),
            (Encoding::Rgb, None) => Ok(LabelEncoding::Rgb),
            (Encoding::Channel, channel) => Ok(LabelEncoding::Channel(channel.unwrap_or(0))),
            _ => Err(Error::request("labels: expected channel only with encoding = \"channel\"")),
        }
    }
}
