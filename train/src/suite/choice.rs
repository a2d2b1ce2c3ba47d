//! A loss of a suite's grid, with settings where they are not the defaults: `recall`, `focal:gamma=1`,
//! `recall:floor=false:momentum=0.9`. Not the loss: the recipe's own reader checks names and values.

use crate::loss::LossSettings;
use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// A loss's name and settings. Settings are kept in the order of their names: the order they were typed in
/// makes no difference.
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

    /// The same loss said shortest: without settings that have the loss's own default, so that `focal:gamma=2` and
    /// `focal` are one. `read` gives the settings of a choice as the recipe's reader takes them.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn shortest(mut self, read: impl Fn(&Self) -> Result<LossSettings>) -> Result<Self> {
        let whole = read(&self)?;
        for (key, _) in self.settings.clone() {
            let mut less = self.clone();
            less.settings.retain(|(other, _)| *other != key);
            if read(&less)? == whole {
                self = less;
            }
        }
        Ok(self)
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
        let mut settings = Vec::new();
        for word in words {
            let (key, value) = word.split_once('=').ok_or_else(|| wrong(text))?;
            let (key, value) = (key.trim(), value.trim());
            if !plain(key) || !plain(value) || settings.iter().any(|(known, _)| known == key) {
                return Err(wrong(text));
            }
            settings.push((key.to_string(), value.to_string()));
        }
        settings.sort();
        Ok(Self { name: name.to_string(), settings })
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
    fn settings_that_have_their_defaults_are_left_out() {
        let read = |choice: &Choice| {
            let section = choice.settings.iter().map(|(k, v)| format!("{k} = {v}\n"));
            let text = format!("name = \"{}\"\n{}", choice.name, section.collect::<String>());
            Ok(toml::from_str(&text).expect("a loss"))
        };
        for (text, shortest) in [
            ("focal:gamma=2", "focal"),
            ("focal:gamma=1", "focal:gamma=1"),
            ("recall:floor=true:momentum=0.9", "recall:momentum=0.9"),
            ("lovasz", "lovasz"),
        ] {
            let choice: Choice = text.parse().expect("parses");
            assert_eq!(choice.shortest(read).expect("reads").to_string(), shortest);
        }
    }

    #[test]
    fn what_is_no_choice_is_refused() {
        for text in ["", "focal:gamma", "focal:gamma=", "a/b", "..:=", "focal:gamma=1:gamma=2"] {
            assert!(text.parse::<Choice>().is_err(), "{text:?}");
        }
    }
}
