//! The size of recall loss beside what it is trained with. Without the floor its mean weight is 1 -
//! pixel accuracy: it shrinks tenfold while a network learns, and what does not shrink with it is
//! out of step. So where something does not, its weights have a mean of one unless the recipe says
//! otherwise, and the run says so. Not the loss itself, which computes what it is told to.

use super::Recipe;
use crate::loss::{Normalize, Recall};
use crate::optimizer::OptimizerSettings;
use toml::Value;

/// Whether a recipe's text says what recall loss is normalized by.
pub(super) fn says_normalize(loss: Option<&Value>) -> bool {
    let sections = loss.and_then(crate::loss::sections).unwrap_or_default();
    let recall =
        |section: &&toml::Table| section.get("name").and_then(Value::as_str) == Some("recall");
    sections.into_iter().find(recall).is_some_and(|section| section.contains_key("normalize"))
}

impl Recipe {
    /// What does not shrink with recall loss, in words; nothing without recall loss.
    fn out_of_step(&self) -> Vec<&'static str> {
        let (sgd, decay) = match &self.optimizer {
            OptimizerSettings::Sgd(sgd) => (true, sgd.weight_decay > 0.0),
            OptimizerSettings::Adam(adam) => (false, adam.weight_decay > 0.0),
        };
        let all = [
            (sgd, "SGD's rate"),
            (decay, "weight decay"),
            (self.train.clip_norm.is_some(), "clip_norm"),
            (self.model.auxiliary, "an auxiliary head"),
            (self.loss.terms().len() > 1, "another loss"),
        ];
        let recall = self.loss.recall().is_some();
        all.into_iter().filter_map(|(there, what)| (there && recall).then_some(what)).collect()
    }

    /// Chooses what recall loss is normalized by, where the recipe does not say it.
    pub(super) fn settle_scale(&mut self) {
        let normalize =
            if self.out_of_step().is_empty() { Normalize::None } else { Normalize::MeanOne };
        if let Some(recall) = self.loss.recall_mut() {
            recall.normalize = normalize;
        }
    }

    /// What follows from the recipe and is easily overlooked, a line each.
    pub fn notes(&self) -> Vec<String> {
        [self.scale_note(), self.accumulation_note()].into_iter().flatten().collect()
    }

    fn scale_note(&self) -> Option<String> {
        let Recall { normalize, .. } = self.loss.recall()?;
        let beside = self.out_of_step();
        if beside.is_empty() {
            return None;
        }
        let beside = beside.join(", ");
        Some(match normalize {
            Normalize::MeanOne => format!(
                "recall loss has weights with a mean of one (loss.normalize = mean-one, the default beside {beside})"
            ),
            Normalize::None => format!(
                "recall loss shrinks as the network gets better, and this does not: {beside}; loss.normalize = mean-one keeps its size"
            ),
        })
    }

    fn accumulation_note(&self) -> Option<String> {
        let (batch, accumulate) = (self.train.batch, self.train.accumulate);
        if accumulate == 1 {
            return None;
        }
        let mut parts = Vec::new();
        let by_batch = self.loss.by_batch();
        if !by_batch.is_empty() {
            parts.push(format!(
                "{} is computed on each batch of {batch} by itself, not on all {} images",
                by_batch.join(" and "),
                batch * accumulate
            ));
        }
        if self.loss.counts_predictions() {
            parts.push(
                "each batch passes through the network once more, without gradient, to count over the whole step".into(),
            );
        }
        if !self.train.freeze_norm {
            parts.push(format!("batch normalization sees {batch} images at a time"));
        }
        let is = match parts.is_empty() {
            true => format!("as one batch of {}", batch * accumulate),
            false => parts.join("; "),
        };
        Some(format!("a step is {accumulate} batches: {is}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECIPE: &str = r#"
name = "test"
data = { dataset = "streets" }
loss = { name = "recall" }
optimizer = { name = "adam" }
train = { iterations = 8, batch = 2, learning_rate = 1e-3 }
"#;

    fn recipe(changes: &[&str]) -> Recipe {
        let changes: Vec<String> = changes.iter().map(|c| c.to_string()).collect();
        Recipe::parse(RECIPE, &changes).expect("a recipe")
    }

    fn normalize(recipe: &Recipe) -> Normalize {
        recipe.loss.recall().expect("recall loss").normalize
    }

    #[test]
    fn recall_loss_keeps_its_size_beside_what_does_not_shrink_and_the_run_says_so() {
        let alone = recipe(&[]);
        assert_eq!((normalize(&alone), alone.notes()), (Normalize::None, vec![]));
        for (change, what) in [
            ("optimizer.name=sgd", "SGD's rate"),
            ("optimizer.weight_decay=1e-4", "weight decay"),
            ("train.clip_norm=1", "clip_norm"),
            ("model.auxiliary=true", "an auxiliary head"),
            (r#"loss=[{ name = "recall" }, { name = "lovasz" }]"#, "another loss"),
        ] {
            let coupled = recipe(&[change]);
            assert_eq!(normalize(&coupled), Normalize::MeanOne, "{change}");
            let notes = coupled.notes().join("\n");
            assert!(notes.contains(&format!("the default beside {what})")), "{notes}");
            // What was said is kept, wherever it is read again.
            let text = coupled.to_toml().expect("TOML");
            assert_eq!(Recipe::parse(&text, &[]).expect("a recipe"), coupled);
        }
        let said = recipe(&["optimizer.name=sgd", "loss.normalize=none"]);
        assert_eq!(normalize(&said), Normalize::None);
        assert!(
            said.notes().join("\n").contains("does not: SGD's rate; loss.normalize = mean-one")
        );
        let text = said.to_toml().expect("TOML");
        assert_eq!(Recipe::parse(&text, &[]).expect("a recipe"), said);
        assert!(recipe(&["optimizer.name=sgd", "loss=cross-entropy"]).notes().is_empty());
    }

    #[test]
    fn a_floor_beside_a_running_recall_is_refused_where_a_person_wrote_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("recipe.toml");
        std::fs::write(&path, RECIPE).expect("written");
        let read = |changes: &[&str]| {
            let changes: Vec<String> = changes.iter().map(|c| c.to_string()).collect();
            Recipe::read(&path, &changes)
        };
        let error = read(&["loss.momentum=0.9", "loss.floor=true"]).expect_err("no floor");
        assert!(
            error.to_string().ends_with(
                "loss.floor: expected none with a running recall (momentum = 0.9), got true"
            ),
            "{error}"
        );
        assert!(error.hint_text().is_some());
        let running = read(&["loss.momentum=0.9"]).expect("a recipe");
        assert!(!running.to_toml().expect("TOML").contains("floor"));
        // As older programs wrote it.
        let changes = ["loss.momentum=0.9", "loss.floor=true"].map(str::to_string);
        assert_eq!(Recipe::parse(RECIPE, &changes).expect("a recipe"), running);
    }

    #[test]
    fn a_step_of_several_batches_is_told_of_once() {
        let notes = |changes: &[&str]| {
            recipe(&[&["train.accumulate=4"], changes].concat()).notes().join(" ")
        };
        assert_eq!(
            notes(&["loss=ohem", "train.freeze_norm=true"]),
            "a step is 4 batches: ohem is computed on each batch of 2 by itself, not on all 8 images"
        );
        assert!(notes(&[]).contains("passes through the network once more, without gradient"));
        assert!(notes(&["loss=focal"]).contains("batch normalization sees 2 images at a time"));
        assert!(recipe(&[]).notes().is_empty());
    }
}
