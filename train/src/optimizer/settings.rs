//! Settings of the optimizers, as a recipe gives them.
//! Not the learning rate, which is the schedule's.
//! Names and defaults as in torch.optim, but for SGD's momentum.

use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};

/// Which optimizer, and its settings: `{ name = "adam", weight_decay = 1e-4 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case")]
pub enum OptimizerSettings {
    /// Adam with L2 decay added to the gradient.
    Adam(Adam),
    /// SGD with momentum and L2 decay added to the gradient.
    Sgd(Sgd),
}

/// Settings of Adam; the defaults are those of torch.optim.Adam.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Adam {
    /// Decay of the running mean of gradients.
    pub beta1: f64,
    /// Decay of the running mean of squared gradients.
    pub beta2: f64,
    /// Added to the denominator.
    pub eps: f64,
    /// L2 decay, for the groups that decay.
    pub weight_decay: f64,
}

/// Settings of SGD; momentum 0.9, as DeepLab's papers have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sgd {
    /// Share of the last step's direction that is kept.
    pub momentum: f64,
    /// Nesterov's variant.
    pub nesterov: bool,
    /// L2 decay, for the groups that decay.
    pub weight_decay: f64,
}

impl Default for Adam {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 0.0 }
    }
}

impl Default for Sgd {
    fn default() -> Self {
        Self { momentum: 0.9, nesterov: false, weight_decay: 0.0 }
    }
}

impl Default for OptimizerSettings {
    fn default() -> Self {
        Self::Adam(Adam::default())
    }
}

impl OptimizerSettings {
    /// Whether the values make sense.
    ///
    /// # Errors
    /// A value outside its range, named.
    pub fn check(&self) -> Result<()> {
        let (shares, amounts) = match self {
            Self::Adam(a) => (
                vec![("beta1", a.beta1), ("beta2", a.beta2)],
                vec![("eps", a.eps), ("weight_decay", a.weight_decay)],
            ),
            Self::Sgd(s) => {
                (vec![("momentum", s.momentum)], vec![("weight_decay", s.weight_decay)])
            }
        };
        if let Some((key, got)) = shares.iter().find(|(_, v)| !(0.0..1.0).contains(v)) {
            let line = format!("optimizer.{key}: expected 0 or more and below 1, got {got}");
            return Err(Error::request(line));
        }
        if let Self::Adam(Adam { eps, .. }) = self
            && (eps.is_nan() || *eps as f32 <= 0.0)
        {
            // With 0 a gradient of 0 would divide 0 by 0.
            return Err(Error::request(format!("optimizer.eps: expected more than 0, got {eps}")));
        }
        if let Some((key, got)) = amounts.iter().find(|(_, v)| !(*v >= 0.0 && v.is_finite())) {
            return Err(Error::request(format!("optimizer.{key}: expected 0 or more, got {got}")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_checked_and_unknown_keys_are_errors() {
        let parse = |text: &str| toml::from_str::<OptimizerSettings>(text);
        assert_eq!(parse("name = \"adam\"").expect("defaults"), OptimizerSettings::default());
        assert!(parse("name = \"sgd\"\nbeta1 = 0.9").is_err());
        assert!(parse("name = \"sgd\"\nmomentum = 1.0").expect("parses").check().is_err());
        assert!(parse("name = \"adam\"\neps = nan").expect("parses").check().is_err());
    }
}
