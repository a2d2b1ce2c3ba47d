//! Which loss, and its settings, as a recipe gives them: `{ name = "recall", floor = false }`. Not
//! the computation: `Loss`, made of this once, has it. Names, equations and sources are in
//! `catalogue`.

use super::{Balanced, Focal, Form, Ldam, LogitAdjusted, Ohem, Recall, Tversky, Weighted};
use serde::{Deserialize, Serialize};
use shared::error::{Context, Error, Result};
use shared::labels::Class;

/// A loss and its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum LossSettings {
    /// The mean of the cross entropy over the valid pixels.
    CrossEntropy(Plain),
    /// Cross entropy weighted by inverse frequency, or by a milder function of it.
    Weighted(Weighted),
    /// Cross entropy weighted by the effective number of samples.
    Balanced(Balanced),
    /// Recall loss.
    Recall(Recall),
    /// Focal loss.
    Focal(Focal),
    /// Cross entropy of the hardest pixels.
    Ohem(Ohem),
    /// Soft IoU, also called soft Jaccard.
    SoftIou(Form),
    /// Soft Dice.
    SoftDice(Plain),
    /// Soft Tversky.
    Tversky(Tversky),
    /// Lovász-softmax.
    Lovasz(Form),
    /// Cross entropy with margins.
    Ldam(Ldam),
    /// Cross entropy of logits shifted by the log of the frequencies.
    LogitAdjusted(LogitAdjusted),
    /// The ablation with precision in recall's place.
    OneMinusPrecision(Plain),
    /// The ablation with Dice in recall's place, whose other name is F1.
    #[serde(alias = "one-minus-f1")]
    OneMinusDice(Plain),
    /// The ablation with Jaccard (IoU) in recall's place.
    OneMinusJaccard(Plain),
    /// The ablation with Tversky's index in recall's place.
    OneMinusTversky(Tversky),
}

/// No settings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plain {}

impl LossSettings {
    /// The settings of this loss by key, as TOML: none for a loss without.
    pub fn values(&self) -> toml::Table {
        let mut table = toml::Table::try_from(self).unwrap_or_default();
        table.remove("name");
        table
    }

    /// The settings of a loss that have no default, and so are not among its [`LossSettings::values`].
    pub fn optional_keys(name: &str) -> &'static [&'static str] {
        if name == "recall" { &["weights_from"] } else { &[] }
    }

    /// The loss of this name with its defaults.
    ///
    /// # Errors
    /// A name that is no loss's; the line lists those that are.
    pub fn named(name: &str) -> Result<Self> {
        let table = toml::Table::from_iter([("name".to_string(), toml::Value::from(name))]);
        table.try_into().map_err(|_| {
            let names = Self::names().join(", ");
            Error::request(format!("loss.name: expected one of {names}, got {name}")).hint(LIST)
        })
    }

    /// The loss of a recipe's section `loss`, with names and values checked.
    ///
    /// # Errors
    /// As [`LossSettings::check_keys`], [`LossSettings::check_typed`] and [`LossSettings::check`];
    /// a value of another type.
    pub fn of_section(section: toml::Table) -> Result<Self> {
        Self::check_keys(&section)?;
        Self::check_typed(&section)?;
        let loss: Self = section.try_into().request(|| "loss".into()).map_err(|e| e.hint(LIST))?;
        loss.check().map(|()| loss)
    }

    /// Whether a recipe's section `loss` names a loss and gives it settings of its own alone. The
    /// values are looked at when it is read.
    ///
    /// # Errors
    /// Another name, or a key of another loss; the line lists what there is.
    pub fn check_keys(section: &toml::Table) -> Result<()> {
        let Some(name) = section.get("name").and_then(toml::Value::as_str) else {
            return Ok(()); // whoever reads it says what is missing
        };
        let known = Self::named(name)?.values();
        let optional = Self::optional_keys(name);
        let known_key = |k: &str| k == "name" || known.contains_key(k) || optional.contains(&k);
        let Some(stranger) = section.keys().find(|&k| !known_key(k)) else {
            return Ok(());
        };
        let keys: Vec<&str> =
            known.keys().map(String::as_str).chain(optional.iter().copied()).collect();
        let keys = if keys.is_empty() { "none".into() } else { keys.join(", ") };
        Err(Error::request(format!(
            "loss.{stranger}: expected a setting of the loss {name} ({keys}), got {stranger}"
        ))
        .hint(LIST))
    }

    /// Refuses settings that contradict each other, in a section as a person typed it. Older
    /// programs wrote defaults out beside settings that they do not go with.
    ///
    /// # Errors
    /// The floor of recall loss beside a running recall, which has none.
    pub fn check_typed(section: &toml::Table) -> Result<()> {
        let momentum = section
            .get("momentum")
            .and_then(|it| it.as_float().or(it.as_integer().map(|n| n as f64)));
        let floor = section.get("floor").and_then(toml::Value::as_bool);
        match (momentum, floor) {
            (Some(momentum), Some(true)) if momentum > 0.0 => Err(Error::request(format!(
                "loss.floor: expected none with a running recall (momentum = {momentum}), got true"
            ))
            .hint("leave out floor: a running recall has none; or momentum: the floor is the batch's own")),
            _ => Ok(()),
        }
    }

    /// Whether the values make sense.
    ///
    /// # Errors
    /// A value outside its range, named.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Recall(recall) => recall.check(),
            Self::Balanced(balanced) => balanced.check(),
            Self::Focal(focal) => focal.check(),
            Self::Ohem(ohem) => ohem.check(),
            Self::Tversky(tversky) | Self::OneMinusTversky(tversky) => tversky.check(),
            Self::Ldam(ldam) => ldam.check(),
            Self::LogitAdjusted(adjusted) => adjusted.check(),
            Self::Weighted(weighted) => weighted.check(),
            Self::CrossEntropy(Plain {})
            | Self::SoftIou(Form { .. })
            | Self::SoftDice(Plain {})
            | Self::Lovasz(Form { .. })
            | Self::OneMinusPrecision(Plain {})
            | Self::OneMinusDice(Plain {})
            | Self::OneMinusJaccard(Plain {}) => Ok(()),
        }
    }

    /// Whether the loss can be trained on a set with these pixels per class: those that divide by
    /// them need some of each.
    ///
    /// # Errors
    /// Classes without a pixel, named.
    pub fn check_classes(&self, classes: &[Class], pixels: &[u64]) -> Result<()> {
        let divides = matches!(
            self,
            Self::Weighted(_) | Self::Balanced(_) | Self::Ldam(_) | Self::LogitAdjusted(_)
        );
        if !divides {
            return Ok(());
        }
        let empty = classes.iter().zip(pixels).filter(|(_, n)| **n == 0);
        let empty: Vec<&str> = empty.map(|(class, _)| class.name.as_str()).collect();
        if empty.is_empty() {
            return Ok(());
        }
        let name = self.name();
        Err(Error::request(format!(
            "loss: {name}: expected pixels of every class in the training set, got none of {}",
            empty.join(", ")
        ))
        .hint("recall, focal and the overlap losses do not use the training set's counts; or ignore the class in a descriptor of your own"))
    }
}

const LIST: &str = "`train losses` lists every loss with its settings";

/// A setting outside its range, as an error; NaN is outside every range.
pub(super) fn range(
    key: &str,
    value: f64,
    expected: &str,
    range: std::ops::RangeInclusive<f64>,
    hint: &str,
) -> Result<()> {
    if range.contains(&value) {
        return Ok(());
    }
    Err(Error::request(format!("loss.{key}: expected {expected}, got {value}")).hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<LossSettings> {
        toml::from_str(text).ok()
    }

    fn keys(text: &str) -> Result<()> {
        LossSettings::check_keys(&text.parse().expect("TOML"))
    }

    #[test]
    fn every_name_is_a_loss_with_defaults() {
        for name in LossSettings::names() {
            let loss = LossSettings::named(name).expect("defaults are enough");
            assert_eq!(&loss.name(), name);
            loss.check().expect("defaults are valid");
        }
    }

    #[test]
    fn f1_is_dice_by_its_other_name() {
        let dice = LossSettings::named("one-minus-dice").expect("a name");
        assert_eq!(LossSettings::named("one-minus-f1").expect("its other name"), dice);
        keys("name = \"one-minus-f1\"").expect("its other name");
    }

    #[test]
    fn a_wrong_name_is_answered_with_all_names() {
        let error = keys("name = \"recal\"").unwrap_err();
        let names = LossSettings::names().join(", ");
        assert_eq!(error.to_string(), format!("loss.name: expected one of {names}, got recal"));
        assert!(error.hint_text().is_some());
    }

    #[test]
    fn a_setting_of_another_loss_is_refused() {
        let line = |text| keys(text).unwrap_err().to_string();
        assert_eq!(
            line("name = \"soft-dice\"\ngamma = 2"),
            "loss.gamma: expected a setting of the loss soft-dice (none), got gamma"
        );
        assert_eq!(
            line("name = \"tversky\"\ngamma = 2"),
            "loss.gamma: expected a setting of the loss tversky (alpha, beta), got gamma"
        );
        keys("name = \"focal\"\ngamma = 1").expect("its own");
        for name in LossSettings::names() {
            assert!(parse(&format!("name = \"{name}\"\nstranger = 1")).is_none(), "{name}");
        }
    }

    #[test]
    fn a_value_outside_its_range_is_refused() {
        for text in [
            "name = \"recall\"\nmomentum = 1.0",
            "name = \"focal\"\ngamma = -1",
            "name = \"focal\"\ngamma = nan",
            "name = \"ohem\"\nkeep = 0",
            "name = \"ohem\"\nkeep = 1.5",
            "name = \"tversky\"\nbeta = 0",
            "name = \"one-minus-tversky\"\nalpha = -1",
            "name = \"balanced\"\nvolume = 0",
            "name = \"ldam\"\nmax_margin = inf",
            "name = \"ldam\"\nscale = 0",
            "name = \"weighted\"\npower = -1",
            "name = \"logit-adjusted\"\ntau = -1",
        ] {
            let loss = parse(text).expect("parses");
            let error = loss.check().expect_err(text);
            assert!(error.to_string().starts_with("loss.") && error.hint_text().is_some());
        }
    }

    #[test]
    fn a_class_without_a_pixel_is_refused_by_the_losses_that_divide_by_its_pixels() {
        let class = |name: &str| Class { name: name.into(), color: [0; 3], native_id: 0 };
        let classes = ["sky", "pole", "bicycle"].map(class);
        for name in LossSettings::names() {
            let loss = LossSettings::named(name).expect("a name");
            loss.check_classes(&classes, &[5, 1, 2]).expect("every class occurs");
            let refused = loss.check_classes(&classes, &[5, 0, 0]);
            let divides = ["weighted", "balanced", "ldam", "logit-adjusted"].contains(name);
            assert_eq!(refused.is_err(), divides, "{name}");
            if let Err(error) = refused {
                assert!(error.to_string().ends_with("got none of pole, bicycle"), "{error}");
            }
        }
    }

    #[test]
    fn the_papers_recall_loss_is_the_default() {
        let recall = Recall {
            floor: true,
            normalize: super::super::Normalize::None,
            momentum: 0.0,
            weights_from: None,
        };
        assert_eq!(parse("name = \"recall\""), Some(LossSettings::Recall(recall)));
    }
}
