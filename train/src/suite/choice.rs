//! A loss of a suite's grid, with settings where they are not the defaults: `recall`,
//! `focal:gamma=1`,
//! `recall:floor=false:momentum=0.9`; and with the rule that moves its thresholds after training,
//! where one does:
//! `cross-entropy+recall`, `cross-entropy+prior:0.3`. Not the loss, whose own reader checks names
//! and values.

use crate::adjust::Rule;
use crate::loss::{LossSettings, Objective};
use crate::recipe::value_of;
use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// A loss's name and settings, said in the one way that all agree on: by the loss's own name, with
/// what differs from its defaults, in the order of the settings' names. So `focal:gamma=2.0`,
/// `focal:gamma=2` and `focal` are one, wherever they were typed or read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Choice {
    name: String,
    settings: Vec<(String, String)>,
    adjusted: Option<Rule>,
}

impl Choice {
    /// A loss with its default settings.
    pub(super) fn plain(name: &str) -> Self {
        Self { name: name.into(), settings: Vec::new(), adjusted: None }
    }

    /// The loss's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The rule that moves its thresholds after training, if one does: then nothing is trained for
    /// it.
    pub fn adjusted(&self) -> Option<&Rule> {
        self.adjusted.as_ref()
    }

    /// The loss that is trained.
    pub fn trained(&self) -> Self {
        Self { adjusted: None, ..self.clone() }
    }

    /// Every loss with its defaults, and focal loss as the paper has it beside that of its authors.
    pub fn all() -> Vec<String> {
        let spelled = |name: &&str| match *name {
            "focal" => vec!["focal:gamma=1".to_string(), "focal".to_string()],
            name => vec![name.to_string()],
        };
        LossSettings::names().iter().flat_map(spelled).collect()
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
        Ok(Self { name: loss.name().into(), settings, adjusted: None })
    }

    /// For people: `recall (floor=false, momentum=0.9)`.
    pub fn label(&self) -> String {
        let settings: Vec<String> = self.settings.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let settings = match settings.is_empty() {
            true => String::new(),
            false => format!(" ({})", settings.join(", ")),
        };
        let adjusted = self.adjusted.as_ref().map_or(String::new(), |rule| format!(" + {rule}"));
        format!("{}{settings}{adjusted}", self.name)
    }

    /// For names of files: letters, digits and `-_.=+`.
    pub fn slug(&self) -> String {
        self.to_string().replace(':', "_")
    }
}

/// A loss as it was typed: with what was said of it, and nothing else, since what was left open may
/// depend on the recipe.
#[derive(Clone, Debug, PartialEq)]
pub struct Typed {
    section: toml::Table,
    adjusted: Option<Rule>,
}

impl Typed {
    /// The changes to a recipe that make it one of this loss, as `--set` takes them.
    pub fn changes(&self) -> Vec<String> {
        let of = |key: &str| match self.section.get(key) {
            Some(toml::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
        let settings = self.section.keys().filter(|key| *key != "name");
        let settings = settings.map(|key| format!("loss.{key}={}", of(key)));
        std::iter::once(format!("loss={}", of("name"))).chain(settings).collect()
    }

    /// The loss that is trained.
    pub fn trained(&self) -> Self {
        Self { adjusted: None, ..self.clone() }
    }

    /// The choice it is in a recipe, changed by [`Typed::changes`], that minimizes `objective`.
    ///
    /// # Errors
    /// None that a checked recipe can cause.
    pub fn choice(&self, objective: &Objective) -> Result<Choice> {
        match objective.single() {
            Some(loss) => Ok(Choice { adjusted: self.adjusted.clone(), ..Choice::of(loss)? }),
            None => Err(Error::work(format!("losses: expected one, got {}", objective.name()))),
        }
    }
}

impl FromStr for Typed {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        // A plus may also stand in a number.
        let (text, adjusted) = match text.rsplit_once('+') {
            Some((loss, rule)) if !rule.starts_with(|c: char| c.is_ascii_digit()) => {
                (loss, Some(rule.trim().parse()?))
            }
            _ => (text, None),
        };
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
        LossSettings::of_section(section.clone())?;
        Ok(Self { section, adjusted })
    }
}

impl FromStr for Choice {
    type Err = Error;

    /// The choice of a loss with its own defaults.
    fn from_str(text: &str) -> Result<Self> {
        let Typed { section, adjusted } = text.parse()?;
        Ok(Self { adjusted, ..Self::of(&LossSettings::of_section(section)?)? })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        self.settings.iter().try_for_each(|(key, value)| write!(f, ":{key}={value}"))?;
        self.adjusted.iter().try_for_each(|rule| write!(f, "+{rule}"))
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
        let text = "recall:normalize=mean-one:floor=false";
        let choice: Choice = text.parse().expect("parses");
        assert_eq!(choice.to_string(), "recall:floor=false:normalize=mean-one");
        let typed: Typed = text.parse().expect("parses");
        assert_eq!(typed.changes(), ["loss=recall", "loss.floor=false", "loss.normalize=mean-one"]);
        assert_eq!(choice.label(), "recall (floor=false, normalize=mean-one)");
        assert_eq!(choice.slug(), "recall_floor=false_normalize=mean-one");
        let moved: Choice = "focal:gamma=1+prior:0.3".parse().expect("parses");
        assert_eq!(moved.label(), "focal (gamma=1) + prior:0.3");
        assert_eq!(moved.slug(), "focal_gamma=1+prior_0.3");
        assert_eq!(moved.trained().to_string(), "focal:gamma=1");
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
            ("recall:floor=false:momentum=0.9", "recall:momentum=0.9"),
            ("weighted:scheme=inverse:power=0.5", "weighted:power=0.5"),
            ("lovasz:per_image=true", "lovasz:per_image=true"),
            ("cross-entropy+recall", "cross-entropy+recall"),
            ("focal:gamma=1e+0+prior:0.30", "focal:gamma=1+prior:0.3"),
            ("focal:gamma=1e+0", "focal:gamma=1"),
        ] {
            let typed: Choice = text.parse().expect("parses");
            let read: Choice = serde_json::from_value(text.into()).expect("parses");
            assert_eq!((typed.to_string(), read), (said.to_string(), typed), "{text}");
        }
    }

    #[test]
    fn what_was_said_of_a_loss_reaches_the_recipe_though_it_is_a_default() {
        let recipe = "name = 'x'\ndata = { dataset = 'streets' }\nloss = { name = 'focal' }\n\
            optimizer = { name = 'sgd' }\ntrain = { iterations = 1, batch = 2, learning_rate = 1e-2 }";
        for (text, said) in [
            ("recall", "recall:normalize=mean-one"),
            ("recall:normalize=none", "recall"),
            ("cross-entropy", "cross-entropy"),
        ] {
            let typed: Typed = text.parse().expect("parses");
            let recipe = crate::recipe::Recipe::parse(recipe, &typed.changes()).expect("a recipe");
            assert_eq!(typed.choice(&recipe.loss).expect("one loss").to_string(), said);
        }
        let all = Choice::all();
        assert!(["focal", "focal:gamma=1"].iter().all(|name| all.contains(&name.to_string())));
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
            "recall:momentum=0.9:floor=true",
            "weighted:scheme=squared",
            "cross-entropy+precision",
            "cross-entropy+prior:much",
        ] {
            let error = text.parse::<Choice>().expect_err(text);
            assert!(error.hint_text().is_some(), "{text:?}: {error}");
        }
    }
}
