//! A loss of a suite's grid, with settings where they are not the defaults: `recall`, `focal:gamma=1`,
//! `recall:floor=false:momentum=0.9`. Not the loss, whose own reader checks names and values.

use crate::loss::LossSettings;
use crate::recipe::value_of;
use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// A loss's name and settings, said in the one way that all agree on: by the loss's own name, with what differs from its
/// defaults, in the order of the settings' names. So `focal:gamma=2.0`, `focal:gamma=2` and `focal` are one, wherever
/// they were typed or read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Choice {
    name: String,
    settings: Vec<(String, String)>,
}

impl Choice {
    /// A loss with its default settings.
    pub(super) fn plain(name: &str) -> Self {
        Self { name: name.into(), settings: Vec::new() }
    }

    /// The loss's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The changes to a recipe that make it one of this loss, as `--set` takes them.
    pub fn changes(&self) -> Vec<String> {
        let settings = self.settings.iter().map(|(key, value)| format!("loss.{key}={value}"));
        std::iter::once(format!("loss={}", self.name)).chain(settings).collect()
    }

    /// The choice of a loss with these settings.
    ///
    /// # Errors
    /// None that settings of a checked recipe can cause.
    pub fn of(loss: &LossSettings) -> Result<Self> {
        let default = LossSettings::named(loss.name())?.values();
        let own = loss.values().into_iter().filter(|(key, value)| default.get(key) != Some(value));
        let spelled = |value: toml::Value| match value {
            toml::Value::String(text) => text,
            toml::Value::Float(number) => number.to_string(),
            other => other.to_string(),
        };
        let settings = own.map(|(key, value)| (key, spelled(value))).collect();
        Ok(Self { name: loss.name().into(), settings })
    }

    /// For people: `recall (floor=false, momentum=0.9)`.
    pub fn label(&self) -> String {
        let settings: Vec<String> = self.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
        if settings.is_empty() {
            return self.name.clone();
        }
        format!("{} ({})", self.name, settings.join(", "))
    }

    /// For names of files: letters, digits and `-_.=`.
    pub fn slug(&self) -> String {
        self.to_string().replace(':', "_")
    }
}

impl FromStr for Choice {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |got: &str| {
            Error::request(format!("losses: expected NAME or NAME:KEY=VALUE, got {got:?}"))
                .hint("for example --losses cross-entropy,recall,focal:gamma=1")
        };
        // What is allowed here can stand in a file's name anywhere.
        let plain = |word: &str| {
            let fits = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
            !word.is_empty() && word.chars().all(fits)
        };
        let mut words = text.split(':').map(str::trim);
        let name = words.next().filter(|name| plain(name)).ok_or_else(|| wrong(text))?;
        let mut section = toml::Table::from_iter([("name".to_string(), name.into())]);
        for word in words {
            let (key, value) = word.split_once('=').ok_or_else(|| wrong(text))?;
            let (key, value) = (key.trim(), value.trim());
            if !plain(key) || !plain(value) || section.contains_key(key) {
                return Err(wrong(text));
            }
            section.insert(key.into(), value_of(value));
        }
        Self::of(&LossSettings::of_section(section)?)
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.settings.iter().try_for_each(|(key, value)| write!(f, ":{key}={value}"))
    }
}

impl TryFrom<String> for Choice {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Choice> for String {
    fn from(choice: Choice) -> Self {
        choice.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_sorted_and_become_changes_labels_and_file_names() {
        let choice: Choice = "recall:momentum=0.9:floor=false".parse().expect("parses");
        assert_eq!(choice.to_string(), "recall:floor=false:momentum=0.9");
        assert_eq!(choice.changes(), ["loss=recall", "loss.floor=false", "loss.momentum=0.9"]);
        assert_eq!(choice.label(), "recall (floor=false, momentum=0.9)");
        assert_eq!(choice.slug(), "recall_floor=false_momentum=0.9");
        let plain: Choice = "soft-iou".parse().expect("parses");
        assert_eq!((plain.label(), plain.slug()), ("soft-iou".into(), "soft-iou".into()));
    }

    #[test]
    fn a_loss_is_said_in_one_way_without_its_defaults() {
        for (text, said) in [
            ("name = 'focal'\ngamma = 2.0", "focal"),
            ("name = 'focal'\ngamma = 1e0", "focal:gamma=1"),
            ("name = 'focal'\ngamma = 0.5", "focal:gamma=0.5"),
            ("name = 'recall'\nfloor = true\nmomentum = 0.9", "recall:momentum=0.9"),
            ("name = 'recall'\nnormalize = 'mean-one'", "recall:normalize=mean-one"),
            ("name = 'lovasz'", "lovasz"),
        ] {
            let loss: LossSettings = toml::from_str(text).expect("a loss");
            assert_eq!(Choice::of(&loss).expect("has a name").to_string(), said);
        }
    }

    #[test]
    fn a_loss_is_said_in_one_way_however_it_was_typed_or_read() {
        for (text, said) in [
            ("one-minus-f1", "one-minus-dice"),
            ("focal:gamma=2", "focal"),
            ("focal:gamma=1.0", "focal:gamma=1"),
            ("recall:normalize=none:momentum=0.9", "recall:momentum=0.9"),
            ("recall:normalize=mean-one", "recall:normalize=mean-one"),
        ] {
            let typed: Choice = text.parse().expect("parses");
            let read: Choice = serde_json::from_value(text.into()).expect("parses");
            assert_eq!((typed.to_string(), read), (said.to_string(), typed), "{text}");
        }
    }

    #[test]
    fn what_is_no_choice_is_refused() {
        for text in [
            "",
            "focal:gamma",
            "focal:gamma=",
            "a/b",
            "..:=",
            "focal:gamma=1:gamma=2",
            "focal:name=recall",
            "recal",
            "recall:gamma=1",
            "focal:gamma=much",
            "focal:gamma=-1",
        ] {
            let error = text.parse::<Choice>().expect_err(text);
            assert!(error.hint_text().is_some(), "{text:?}: {error}");
        }
    }
}
