//! What a recipe minimizes: one loss, or a weighted sum of some:
//! `loss = [{ name = "recall" }, { name = "lovasz", weight = 0.5 }]`.
//! Not the computation: `Loss`, made of this once, has it.

use super::term::{Over, counted, over};
use super::{Counted, LossSettings, Recall};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use shared::error::{Error, Result};
use shared::labels::Class;
use toml::Value;

/// One loss, or a weighted sum of some.
#[derive(Clone, Debug, PartialEq)]
pub struct Objective {
    terms: Vec<Summand>,
}

/// A loss of a sum.
#[derive(Clone, Debug, PartialEq)]
pub struct Summand {
    /// What it is multiplied with.
    pub weight: f64,
    /// The loss.
    pub loss: LossSettings,
}

/// The key of a loss's weight in a sum.
const WEIGHT: &str = "weight";

impl From<LossSettings> for Objective {
    fn from(loss: LossSettings) -> Self {
        Self { terms: vec![Summand { weight: 1.0, loss }] }
    }
}

impl Objective {
    /// Its losses, in the recipe's order.
    pub fn terms(&self) -> &[Summand] {
        &self.terms
    }

    /// Its losses, in the recipe's order.
    pub fn into_terms(self) -> Vec<Summand> {
        self.terms
    }

    /// The loss, where it is one alone.
    pub fn single(&self) -> Option<&LossSettings> {
        match &self.terms[..] {
            [Summand { weight, loss }] if *weight == 1.0 => Some(loss),
            _ => None,
        }
    }

    /// For people and names of folders: `recall`, `recall+lovasz`.
    pub fn name(&self) -> String {
        let names: Vec<&str> = self.terms.iter().map(|term| term.loss.name()).collect();
        names.join("+")
    }

    /// The names of the losses that are computed on each batch by itself, however many a step has.
    pub fn by_batch(&self) -> Vec<&'static str> {
        let by_batch = self.terms.iter().filter(|term| over(&term.loss) == Over::Batch);
        by_batch.map(|term| term.loss.name()).collect()
    }

    /// Whether a step has to be predicted before it is computed, where it is more than one batch.
    pub fn counts_predictions(&self) -> bool {
        self.terms.iter().any(|term| counted(&term.loss) >= Counted::Misses)
    }

    /// Its recall loss, if it has one.
    pub fn recall(&self) -> Option<&Recall> {
        self.terms.iter().find_map(|term| match &term.loss {
            LossSettings::Recall(recall) => Some(recall),
            _ => None,
        })
    }

    /// As [`Objective::recall`], to change it.
    pub fn recall_mut(&mut self) -> Option<&mut Recall> {
        self.terms.iter_mut().find_map(|term| match &mut term.loss {
            LossSettings::Recall(recall) => Some(recall),
            _ => None,
        })
    }

    /// Whether a recipe's key `loss` names losses and gives them settings of their own alone, as
    /// [`LossSettings::check_keys`].
    ///
    /// # Errors
    /// As there.
    pub fn check_keys(value: &Value) -> Result<()> {
        for section in sections(value).into_iter().flatten() {
            let mut section = section.clone();
            if value.is_array() {
                section.remove(WEIGHT);
            }
            LossSettings::check_keys(&section)?;
        }
        Ok(())
    }

    /// Refuses what a person cannot have meant, as [`LossSettings::check_typed`].
    ///
    /// # Errors
    /// As there.
    pub fn check_typed(value: &Value) -> Result<()> {
        sections(value).into_iter().flatten().try_for_each(LossSettings::check_typed)
    }

    /// Whether the values make sense.
    ///
    /// # Errors
    /// No loss, one of them twice, a value outside its range.
    pub fn check(&self) -> Result<()> {
        if self.terms.is_empty() {
            return Err(Error::request("loss: expected at least one, got none"));
        }
        for (place, Summand { weight, loss }) in self.terms.iter().enumerate() {
            loss.check()?;
            let name = loss.name();
            if !(*weight > 0.0 && *weight <= 1e6) {
                let line = format!(
                    "loss: {name}: weight: expected more than 0 and at most 1e6, got {weight}"
                );
                return Err(Error::request(line).hint("leave out a loss that should not count"));
            }
            if self.terms[..place].iter().any(|other| other.loss.name() == name) {
                let line = format!("loss: expected each loss once in a sum, got {name} twice");
                return Err(Error::request(line).hint("give it the sum of the weights"));
            }
        }
        Ok(())
    }

    /// As [`LossSettings::check_classes`], for every loss of the sum.
    ///
    /// # Errors
    /// As there.
    pub fn check_classes(&self, classes: &[Class], pixels: &[u64]) -> Result<()> {
        self.terms.iter().try_for_each(|term| term.loss.check_classes(classes, pixels))
    }
}

/// The losses of a recipe's key `loss` as they stand there; none where it is neither a section nor
/// a list of some.
pub(crate) fn sections(value: &Value) -> Option<Vec<&toml::Table>> {
    match value {
        Value::Table(section) => Some(vec![section]),
        Value::Array(sections) => sections.iter().map(Value::as_table).collect(),
        _ => None,
    }
}

impl Serialize for Objective {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        if let Some(loss) = self.single() {
            return loss.serialize(serializer);
        }
        let table = |term: &Summand| {
            let mut table = toml::Table::try_from(&term.loss).map_err(ser::Error::custom)?;
            table.insert(WEIGHT.into(), term.weight.into());
            Ok(table)
        };
        let tables = self.terms.iter().map(table).collect::<std::result::Result<Vec<_>, _>>()?;
        tables.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Objective {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        let sections = sections(&value)
            .ok_or_else(|| de::Error::custom("loss: expected a loss or a list of losses"))?;
        let term = |section: &toml::Table| {
            let mut section = section.clone();
            let weight = value.is_array().then(|| section.remove(WEIGHT)).flatten();
            let weight = match weight {
                None => 1.0,
                Some(Value::Integer(n)) => n as f64,
                Some(Value::Float(x)) => x,
                Some(other) => {
                    let line = format!("loss: weight: expected a number, got {other}");
                    return Err(de::Error::custom(line));
                }
            };
            let loss = section.try_into().map_err(de::Error::custom)?;
            Ok(Summand { weight, loss })
        };
        let terms = sections.into_iter().map(term).collect::<std::result::Result<_, D::Error>>()?;
        Ok(Self { terms })
    }
}
