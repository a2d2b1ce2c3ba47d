//! The learning rate as a function of the step.
//! Not state: resuming needs the step's number alone.
//! Sources: Tian et al., arXiv 2106.14917 (no annealing); the poly decay of Chen et al., arXiv 1606.00915, section 4.1.2.

use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};

/// How the learning rate goes over a run: `{ name = "poly", power = 0.9, warmup = 500 }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Schedule {
    /// The base rate throughout.
    Constant {
        /// Iterations over which the rate rises linearly at the beginning; 0 for none.
        #[serde(default)]
        warmup: u64,
    },
    /// The base rate times (1 - step / total)^power.
    Poly {
        /// The exponent, usually 0.9.
        #[serde(default = "poly_power")]
        power: f64,
        /// Iterations over which the rate rises linearly at the beginning; 0 for none.
        #[serde(default)]
        warmup: u64,
    },
}

fn poly_power() -> f64 {
    0.9
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant { warmup: 0 }
    }
}

impl Schedule {
    /// The learning rate of step `step` (0 is the first) out of `total`. The first step of a warm-up already moves:
    /// its factor is 1 / warmup.
    pub fn lr(&self, base: f64, step: u64, total: u64) -> f64 {
        let (decay, warmup) = match *self {
            Self::Constant { warmup } => (1.0, warmup),
            Self::Poly { power, warmup } => {
                let done = step.min(total) as f64 / total.max(1) as f64;
                ((1.0 - done).powf(power), warmup)
            }
        };
        let rise = if step < warmup { (step + 1) as f64 / warmup as f64 } else { 1.0 };
        base * decay * rise
    }

    /// Whether the values make sense.
    ///
    /// # Errors
    /// A power that is negative or not finite.
    pub fn check(&self) -> Result<()> {
        match *self {
            Self::Poly { power, .. } if !(power >= 0.0 && power.is_finite()) => {
                let line = format!("schedule.power: expected 0 or more, got {power}");
                Err(Error::request(line).hint("DeepLab's papers use 0.9"))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_constant_rate_is_constant() {
        let schedule = Schedule::default();
        assert!([0, 1, 99, 100].iter().all(|&step| schedule.lr(1e-3, step, 100) == 1e-3));
    }

    #[test]
    fn the_poly_decay_is_that_of_torch() {
        // torch.optim.lr_scheduler.PolynomialLR(SGD(lr=0.1), total_iters=10, power=0.9).get_last_lr()
        let want = [
            0.1,
            0.09095325760829623,
            0.08180521460508584,
            0.072541784693722,
            0.06314458674893553,
            0.05358867312681466,
        ];
        let schedule = Schedule::Poly { power: 0.9, warmup: 0 };
        for (step, want) in want.into_iter().enumerate() {
            let got = schedule.lr(0.1, step as u64, 10);
            assert!((got - want).abs() < 1e-12, "step {step}: expected {want}, got {got}");
        }
        assert_eq!(schedule.lr(0.1, 10, 10), 0.0);
    }

    #[test]
    fn a_warm_up_rises_linearly_and_then_lets_go() {
        let schedule = Schedule::Constant { warmup: 4 };
        let rates: Vec<f64> = (0..6).map(|step| schedule.lr(1.0, step, 100)).collect();
        assert_eq!(rates, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
    }

    #[test]
    fn unknown_keys_and_bad_powers_are_errors() {
        assert!(toml::from_str::<Schedule>("name = \"poly\"\nwarm_up = 3").is_err());
        assert!(toml::from_str::<Schedule>("name = \"constant\"\npower = 3.0").is_err());
        let schedule: Schedule = toml::from_str("name = \"poly\"").expect("defaults are enough");
        assert_eq!(schedule, Schedule::Poly { power: 0.9, warmup: 0 });
        assert!(Schedule::Poly { power: -1.0, warmup: 0 }.check().is_err());
    }
}
