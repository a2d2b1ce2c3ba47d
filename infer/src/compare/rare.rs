//! Which classes are rare, and the table of how models do on them.
//! Not a choice of pictures. Rare is under 2 % of the training set's valid pixels, as the cards tell;
//! where they do not, the split is counted, and where no class is rare there, the rarest are taken.

use std::fmt::Write;

use shared::dataset::Index;
use shared::error::tell;
use shared::metrics::Report;

use crate::session::Model;
use crate::table::{counted, percent};

/// The rare classes, and how it is known that they are.
#[derive(Debug)]
pub struct Rare {
    /// Train ids.
    pub classes: Vec<usize>,
    /// Share of each class, for weights.
    pub share: Vec<f64>,
    /// Whose pixels were counted.
    pub origin: &'static str,
    /// What the classes are called: rare, or but the rarest.
    pub word: &'static str,
    /// What a star in a legend means.
    pub star: &'static str,
}

/// From the first card that tells, else counted in the split.
pub fn rare_classes(models: &[Model], index: &Index) -> Rare {
    if let Some(rare) = from_cards(models) {
        return rare;
    }
    tell("no rare classes in the models' cards: counting classes in the split");
    from_truth(index)
}

fn from_cards(models: &[Model]) -> Option<Rare> {
    let card = models.iter().map(Model::card).find(|c| !c.rare_classes().is_empty())?;
    Some(Rare {
        classes: card.rare_classes(),
        share: card.class_share.clone(),
        origin: "training set",
        word: "rare",
        star: "rare: under 2 % of the training set's pixels",
    })
}

fn from_truth(index: &Index) -> Rare {
    let share = shared::dataset::stats(index, &|_| ()).shares();
    let mut classes = shared::card::rare_classes(&share);
    let (mut word, mut star) = ("rare", "rare: under 2 % of the split's pixels");
    if classes.is_empty() {
        // Then the rarest that occur: there must be something to look at.
        (word, star) =
            ("rarest", "the rarest: no class that occurs is under 2 % of the split's pixels");
        classes = (0..share.len()).filter(|&c| share[c] > 0.0).collect();
        classes.sort_by(|&a, &b| share[a].total_cmp(&share[b]));
        classes.truncate(3);
        classes.sort_unstable();
    }
    Rare { classes, share, origin: "split", word, star }
}

/// Accuracy on the rare classes over the split, and the means, in Markdown.
pub fn table(names: &[String], reports: &[Report], rare: &Rare, index: &Index) -> String {
    let mut rows: Vec<(String, Vec<Option<f64>>)> = Vec::new();
    let mut add = |name: String, value: &dyn Fn(&Report) -> Option<f64>| {
        rows.push((name, reports.iter().map(value).collect()));
    };
    for &class in &rare.classes {
        let name = &index.descriptor.classes[class].name;
        let share = percent(rare.share.get(class).copied(), 2);
        add(format!("{name} ({share} %)"), &|r| r.classes[class].accuracy);
    }
    let is_rare = |id: usize| rare.classes.contains(&id);
    add(format!("mean of the {}", rare.word), &|r| r.mean_over(|c| is_rare(c.id), |c| c.accuracy));
    add("mean accuracy".into(), &|r| r.mean_accuracy);
    add("mean IoU".into(), &|r| r.mean_iou);
    add("pixel accuracy".into(), &|r| r.pixel_accuracy);
    let mut text = format!(
        "{} {}: accuracy on the {} classes, %, over {} (share of the {}'s pixels)\n\n| class |",
        index.descriptor.name,
        index.split,
        rare.word,
        counted(index.samples.len(), "image"),
        rare.origin
    );
    names.iter().for_each(|name| {
        let _ = write!(text, " {} |", name.replace('|', "/"));
    });
    let _ = write!(text, "\n|---|{}\n", "---:|".repeat(names.len()));
    for (name, values) in rows {
        let values: Vec<String> = values.into_iter().map(|v| percent(v, 1)).collect();
        let _ = writeln!(text, "| {name} | {} |", values.join(" | "));
    }
    text
}
