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
    /// From the base rate down to `min_rate`: (base - min_rate) (1 - step / total)^power + min_rate.
    Poly {
        /// The exponent, usually 0.9.
        #[serde(default = "poly_power")]
        power: f64,
        /// The rate that the decay ends at, not a fraction of the base rate: mmsegmentation's `eta_min`.
        #[serde(default, skip_serializing_if = "is_zero")]
        min_rate: f64,
        /// Iterations over which the rate rises linearly at the beginning; 0 for none.
        #[serde(default)]
        warmup: u64,
    },
}

fn poly_power() -> f64 {
    0.9
}

fn is_zero(rate: &f64) -> bool {
    *rate == 0.0
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant { warmup: 0 }
    }
}

impl Schedule {
    /// The learning rate of step `step` (0 is the first) out of `total`. The first step of a warm-up already moves:
    /// its factor is 1 / warmup. A warm-up starts below `min_rate`.
    pub fn lr(&self, base: f64, step: u64, total: u64) -> f64 {
        let (rate, warmup) = match *self {
            Self::Constant { warmup } => (base, warmup),
            Self::Poly { power, min_rate, warmup } => {
                let done = step.min(total) as f64 / total.max(1) as f64;
                ((base - min_rate) * (1.0 - done).powf(power) + min_rate, warmup)
            }
        };
        let rise = if step < warmup { (step + 1) as f64 / warmup as f64 } else { 1.0 };
        rate * rise
    }

    /// Whether the values make sense for the learning rate `base` that they start from.
    ///
    /// # Errors
    /// A power that is negative or not finite; a `min_rate` below 0 or above `base`.
    pub fn check(&self, base: f64) -> Result<()> {
        let Self::Poly { power, min_rate, .. } = *self else { return Ok(()) };
        if !(power >= 0.0 && power.is_finite()) {
            let line = format!("schedule.power: expected 0 or more, got {power}");
            return Err(Error::request(line).hint("DeepLab's papers use 0.9"));
        }
        if !(0.0..=base).contains(&min_rate) {
            let line = format!(
                "schedule.min_rate: expected 0 to train.learning_rate ({base}), got {min_rate}"
            );
            return Err(Error::request(line)
                .hint("it is a rate, not a factor; mmsegmentation goes from 0.01 to 0.0001"));
        }
        Ok(())
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
        let schedule = Schedule::Poly { power: 0.9, min_rate: 0.0, warmup: 0 };
        for (step, want) in want.into_iter().enumerate() {
            let got = schedule.lr(0.1, step as u64, 10);
            assert!((got - want).abs() < 1e-12, "step {step}: expected {want}, got {got}");
        }
        assert_eq!(schedule.lr(0.1, 10, 10), 0.0);
    }

    #[test]
    fn the_poly_decay_ends_at_the_least_rate_as_that_of_mmsegmentation() {
        // By hand from its formula, (0.01 - 1e-4) (1 - t / T)^0.9 + 1e-4 with T = 80000:
        // python -c "print([(0.01 - 1e-4) * (1 - t / 80000) ** 0.9 + 1e-4 for t in (0, 20000, 40000, 79999, 80000)])"
        let want = [
            (0, 0.01),
            (20000, 0.0077417061165633485),
            (40000, 0.005405278639554652),
            (79999, 0.00010038269624970405),
            (80000, 0.0001),
        ];
        let schedule = Schedule::Poly { power: 0.9, min_rate: 1e-4, warmup: 0 };
        for (step, want) in want {
            let got = schedule.lr(0.01, step, 80_000);
            assert!((got - want).abs() < 1e-15, "step {step}: expected {want}, got {got}");
        }
    }

    #[test]
    fn a_least_rate_lies_between_zero_and_the_learning_rate() {
        let check = |min_rate: f64| Schedule::Poly { power: 0.9, min_rate, warmup: 0 }.check(0.01);
        assert!([0.0, 1e-4, 0.01].into_iter().all(|rate| check(rate).is_ok()));
        for rate in [-1e-4, 0.1, f64::NAN, f64::INFINITY] {
            let error = check(rate).expect_err("no rate to end at").to_string();
            assert!(error.contains("schedule.min_rate") && error.contains("0.01"), "{error}");
        }
        assert!(toml::from_str::<Schedule>("name = \"constant\"\nmin_rate = 0.1").is_err());
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
        assert_eq!(schedule, Schedule::Poly { power: 0.9, min_rate: 0.0, warmup: 0 });
        assert!(Schedule::Poly { power: -1.0, min_rate: 0.0, warmup: 0 }.check(0.1).is_err());
    }
}
