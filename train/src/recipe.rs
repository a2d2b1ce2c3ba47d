//! A recipe: one TOML file that says everything about an experiment. Read once, checked once, passed on.
//!
//! `--set key=value` changes single keys before anything is checked; `--set loss=recall` is short for
//! `--set loss.name=recall`. Unknown keys are errors. The resolved recipe stands in the run's folder.

mod changes;
pub mod numerics;
mod scale;
mod training;

use crate::data::DataSettings;
use crate::inspect::Damaged;
use crate::loss::Objective;
use crate::model::ModelSettings;
use crate::optimizer::OptimizerSettings;
use crate::schedule::Schedule;
use serde::{Deserialize, Serialize};
use shared::dataset::{Descriptor, Index};
use shared::error::{Context, Error, Result};
use shared::home::expand_path;
use std::path::{Path, PathBuf};

use changes::{LOSS_KEYS, apply, key_and_value};

pub(crate) use changes::value_of;
pub use training::{PrecisionChoice, TrainSettings};

/// An experiment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// What the run and the exported model are called.
    pub name: String,
    /// Which data.
    pub data: DataChoice,
    /// What happens to a training sample on its way to the network.
    #[serde(default)]
    pub augment: DataSettings,
    /// How the validation split is scored.
    #[serde(default)]
    pub evaluation: EvaluationSettings,
    /// The network.
    #[serde(default)]
    pub model: ModelSettings,
    /// Where its weights start.
    #[serde(default)]
    pub start: StartSettings,
    /// What is minimized.
    pub loss: Objective,
    /// How it is minimized.
    pub optimizer: OptimizerSettings,
    /// How the learning rate goes over the run.
    #[serde(default)]
    pub schedule: Schedule,
    /// The loop.
    pub train: TrainSettings,
}

/// Which data set, and where it lies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataChoice {
    /// A built-in data set's name, or the path of a descriptor.
    pub dataset: String,
    /// Its folder on this machine; `--data-root` wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<PathBuf>,
    /// The split to train on.
    #[serde(default = "train_split")]
    pub train: String,
    /// The split to score while training.
    #[serde(default = "val_split")]
    pub val: String,
    /// What becomes of pairs that cannot be decoded.
    #[serde(default, skip_serializing_if = "stops")]
    pub damaged: Damaged,
    /// The largest share of a split's pairs that may be left out so.
    #[serde(default = "one_in_a_hundred", skip_serializing_if = "is_one_in_a_hundred")]
    pub max_damaged: f64,
}

// Both at their defaults are not written: recipes and suites from before they were there stay the same.
fn stops(damaged: &Damaged) -> bool {
    *damaged == Damaged::Stop
}

fn one_in_a_hundred() -> f64 {
    0.01
}

#[allow(clippy::trivially_copy_pass_by_ref)] // as serde asks
fn is_one_in_a_hundred(share: &f64) -> bool {
    *share == one_in_a_hundred()
}

fn train_split() -> String {
    "train".into()
}

fn val_split() -> String {
    "val".into()
}

/// How the validation split is scored.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EvaluationSettings {
    /// `[width, height]` images are resized to before the network; their own size if absent. Scores
    /// are resized back, so that the labels' own resolution is what counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<[u32; 2]>,
}

/// Where the weights start: by default all fresh.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StartSettings {
    /// A safetensors file: a torchvision/timm ResNet (for the backbone) or a whole DeepLabV3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weights: Option<PathBuf>,
    /// Whether the last layers start fresh although a whole network is loaded: other classes.
    pub new_head: bool,
}

impl Recipe {
    /// Reads a recipe, applies `key=value` changes to it, and checks the result.
    pub fn read(path: &Path, changes: &[String]) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .request(|| format!("recipe: {}", path.display()))
            .map_err(|e| e.hint("recipes/ holds the ones that come with the program"))?;
        Self::parse_from(&text, changes, Text::Typed)
            .map_err(|e| e.within(format!("recipe: {}", path.display())))
    }

    /// As [`Recipe::read`], from text that a program may have written.
    pub fn parse(text: &str, changes: &[String]) -> Result<Self> {
        Self::parse_from(text, changes, Text::Stored)
    }

    fn parse_from(text: &str, changes: &[String], from: Text) -> Result<Self> {
        Self::parse_and_check(text, changes, from).map_err(|e| match e.hint_text() {
            Some(_) => e,
            None => e.hint("the keys are documented in recipes/README.md"),
        })
    }

    fn parse_and_check(text: &str, changes: &[String], from: Text) -> Result<Self> {
        let mut table: toml::Table = text.parse().request(|| "not TOML".into())?;
        let mut changes = changes.iter().map(|c| key_and_value(c)).collect::<Result<Vec<_>>>()?;
        // A loss starts from its defaults: it comes before its settings, in whatever order they were typed.
        changes.sort_by_key(|(key, _)| !LOSS_KEYS.contains(key));
        for (key, value) in changes {
            apply(&mut table, key, value)?;
        }
        if let Some(loss) = table.get("loss") {
            Objective::check_keys(loss)?;
            if from == Text::Typed {
                Objective::check_typed(loss)?;
            }
        }
        let says_normalize = scale::says_normalize(table.get("loss"));
        let mut recipe: Self = table.try_into().request(|| "unknown or wrong key".into())?;
        if !says_normalize {
            recipe.settle_scale();
        }
        let held = recipe.loss.recall_mut().and_then(|recall| recall.weights_from.as_mut());
        let paths = [recipe.data.root.as_mut(), recipe.start.weights.as_mut(), held];
        for path in paths.into_iter().flatten() {
            *path = expand_path(path);
        }
        recipe.check()?;
        Ok(recipe)
    }

    /// As TOML, every default written out.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).work(|| "recipe: cannot be written as TOML".into())
    }

    /// What decides the numbers that a run gives. Where the data lie, what computes, how it is loaded and how often it is
    /// logged, validated and saved stand at their defaults: they may change from one sitting or machine to the next.
    pub fn essence(&self) -> Self {
        let mut recipe = self.clone();
        recipe.data.root = None;
        // What is left out is not in the data's fingerprint: that says it better.
        recipe.data.damaged = Damaged::default();
        recipe.data.max_damaged = one_in_a_hundred();
        recipe.augment.cache_mb = DataSettings::default().cache_mb;
        recipe.train.reset_machine_settings();
        recipe
    }

    /// The lines in which two recipes differ, as `this -> other`.
    ///
    /// # Errors
    /// As [`Recipe::to_toml`].
    pub fn differences(&self, other: &Self) -> Result<String> {
        let (this, other) = (self.to_toml()?, other.to_toml()?);
        let only = |a: &str, b: &str| -> String {
            let known: Vec<&str> = b.lines().collect();
            let lines: Vec<&str> = a.lines().filter(|line| !known.contains(line)).collect();
            lines.join(", ")
        };
        Ok(format!("{} -> {}", only(&this, &other), only(&other, &this)))
    }

    /// Opens the training and the validation split.
    ///
    /// # Errors
    /// No folder named, or a data set that is not complete.
    pub fn open_data(&self) -> Result<(Index, Index)> {
        let descriptor = Descriptor::find(&self.data.dataset)?;
        let root = self.data.root.as_deref().ok_or_else(|| {
            Error::request(format!("data: expected a folder that holds {}", descriptor.name))
                .hint("--data-root FOLDER, or data.root in the recipe")
        })?;
        let open = |key: &str, split: &str| {
            Index::open(&descriptor, root, split).map_err(|e| {
                match other_name(split, &Index::splits(&descriptor, root)) {
                    Some(other) => {
                        e.hint(format!("the split is called so here: --set {key}={other}"))
                    }
                    None => e,
                }
            })
        };
        Ok((open("data.train", &self.data.train)?, open("data.val", &self.data.val)?))
    }

    /// Remembers the data set's folder, so that the run's later commands need not be told again.
    ///
    /// # Errors
    /// A working directory that is not there.
    pub fn with_root(mut self, root: &Path) -> Result<Self> {
        let absolute = std::path::absolute(root).request(|| format!("data: {}", root.display()))?;
        self.data.root = Some(absolute);
        Ok(self)
    }

    fn check(&self) -> Result<()> {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return Err(Error::request(format!(
                "name: expected letters, digits, '-', '_', '.', got {:?}",
                self.name
            )));
        }
        if !(0.0..=1.0).contains(&self.data.max_damaged) {
            let got = self.data.max_damaged;
            return Err(Error::request(format!(
                "data.max_damaged: expected a share of 0 to 1, got {got}"
            )));
        }
        self.model.check()?;
        self.loss.check()?;
        self.optimizer.check()?;
        self.augment.check()?;
        self.train.check()?;
        self.schedule.check(self.train.learning_rate)?; // a sound rate first
        if let Some([width, height]) = self.evaluation.size
            && !(SIDES.contains(&width) && SIDES.contains(&height))
        {
            return Err(Error::request(format!(
                "evaluation.size: expected 16 x 16 to 16384 x 16384, got {width} x {height}"
            )));
        }
        Ok(())
    }
}

/// The split among those `there` that goes by another name of the one asked for; none if that is there itself.
fn other_name(asked: &str, there: &[String]) -> Option<String> {
    if there.iter().any(|name| name == asked) {
        return None;
    }
    let same = SPLIT_NAMES.iter().find(|names| names.contains(&asked))?;
    there.iter().find(|name| same.contains(&name.to_lowercase().as_str())).cloned()
}

/// Names that data sets have for the same split.
const SPLIT_NAMES: [&[&str]; 2] =
    [&["train", "training", "trainset"], &["val", "valid", "validation", "dev", "eval"]];

/// Whose text a recipe is read from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Text {
    /// A person's, who may have meant something else.
    Typed,
    /// A program's, with every default written out.
    Stored,
}

/// Sides of an image that the network can be evaluated on.
const SIDES: std::ops::RangeInclusive<u32> = 16..=16384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_known_by_its_other_names() {
        let other = |asked: &str, there: &[&str]| {
            other_name(asked, &there.iter().map(|name| name.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(other("val", &["test", "train", "valid"]).as_deref(), Some("valid"));
        assert_eq!(other("train", &["Training", "val"]).as_deref(), Some("Training"));
        assert_eq!(other("val", &["train", "val", "valid"]), None);
        assert_eq!(other("val", &["train", "test"]), None);
        assert_eq!(other("night", &["train", "val"]), None);
    }
}
