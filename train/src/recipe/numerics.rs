//! The version of what training computes: goes up by hand whenever the same recipe, data and seed
//! would give other numbers than before (beyond rounding), so that old cells and checkpoints are
//! not mistaken for new ones. A recipe without what has changed keeps the version that it had.

use super::Recipe;
use shared::error::{Error, Result};

/// Of every recipe to begin with.
pub const FIRST: u32 = 1;

/// Of recipes with accumulation or an auxiliary head, since a step of several batches is as one
/// batch, and the auxiliary loss has the size of the main loss's weights.
const PARTS: u32 = 2;

impl Recipe {
    /// The version of what training computes with this recipe.
    pub fn numerics(&self) -> u32 {
        match self.train.accumulate > 1 || self.model.auxiliary {
            true => PARTS,
            false => FIRST,
        }
    }

    /// Refuses what was computed with this recipe in another version.
    ///
    /// # Errors
    /// Another version.
    pub fn check_numerics(&self, then: u32) -> Result<()> {
        let now = self.numerics();
        if then == now {
            return Ok(());
        }
        Err(Error::request(format!(
            "expected a run that computes as this program does (numerics {now}), got another's ({then})"
        ))
        .hint("what accumulation and an auxiliary head compute has changed: start another run with another --out"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_is_not_gone_on_with_and_all_else_is() {
        let recipe = |change: &str| {
            let text = "name = 'x'\ndata = { dataset = 'streets' }\nloss = { name = 'recall' }\n\
                optimizer = { name = 'adam' }\ntrain = { iterations = 1, batch = 2, learning_rate = 1e-3 }";
            Recipe::parse(text, &[change.to_string()]).expect("a recipe")
        };
        recipe("loss=focal").check_numerics(FIRST).expect("as ever");
        for change in ["train.accumulate=2", "model.auxiliary=true"] {
            let error = recipe(change).check_numerics(FIRST).expect_err("computed otherwise");
            assert!(error.to_string().contains("(numerics 2), got another's (1)"), "{error}");
            recipe(change).check_numerics(PARTS).expect("as now");
        }
    }
}
