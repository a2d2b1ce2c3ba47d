//! What a suite is to compute: recipe, data, losses and seeds; and when two suites are the same one.
//!
//! Not its results. What decides a cell's numbers is its recipe without the machine's part, the version of the
//! numerics, the data's fingerprints and the weights it starts from: nothing else is in its key.

use super::Choice;
use crate::recipe::Recipe;
use serde::{Deserialize, Serialize};
use shared::dataset::Index;
use shared::digest::sha256;
use shared::error::{Context, Error, Result};
use std::path::Path;

/// A split, as far as results depend on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// Its name.
    pub name: String,
    /// Pairs of image and label.
    pub images: u64,
    /// [`Index::fingerprint`]: names, sizes and classes, nothing of the place.
    pub fingerprint: String,
}

impl Split {
    fn of(index: &Index) -> Self {
        let images = index.samples.len() as u64;
        Self { name: index.split.clone(), images, fingerprint: index.fingerprint() }
    }
}

/// What all cells of a suite stand on, besides the recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// [`Recipe::numerics`] of the program that computes.
    pub numerics: u32,
    /// The data set's name.
    pub dataset: String,
    /// Trained on.
    pub train: Split,
    /// Scored on.
    pub val: Split,
    /// SHA-256 of the file that the weights start from.
    pub start_weights: Option<String>,
}

impl Basis {
    /// The basis of a recipe on its two splits; hashes the starting weights.
    ///
    /// # Errors
    /// A file of starting weights that cannot be read.
    pub fn of(recipe: &Recipe, train: &Index, val: &Index) -> Result<Self> {
        let start_weights = recipe.start.weights.as_deref().map(file_hash).transpose()?;
        Ok(Self {
            numerics: recipe.numerics(),
            dataset: train.descriptor.name.clone(),
            train: Split::of(train),
            val: Split::of(val),
            start_weights,
        })
    }

    /// The recipe without what the basis says better: files are told by their content, not by their path.
    fn strip(&self, recipe: &Recipe) -> Recipe {
        let mut recipe = recipe.essence();
        recipe.data.dataset.clone_from(&self.dataset);
        recipe.start.weights = None;
        recipe
    }
}

fn file_hash(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path)
        .request(|| format!("weights: {}", path.display()))
        .map_err(|e| e.hint("start.weights is a .safetensors file to start from"))?;
    Ok(sha256(bytes))
}

/// A cell to compute.
#[derive(Clone, Debug)]
pub struct Job {
    /// The loss.
    pub loss: Choice,
    /// The seed.
    pub seed: u64,
    /// The recipe with both.
    pub recipe: Recipe,
}

impl Job {
    /// Its name, which is also its files': `LOSS-seedN`.
    pub fn name(&self) -> String {
        cell_name(&self.loss, self.seed)
    }

    /// The job that trains what this one only moves the thresholds of; none where it is trained itself.
    pub fn base(&self) -> Option<Self> {
        self.loss.adjusted()?;
        Some(Self { loss: self.loss.trained(), ..self.clone() })
    }

    /// For people: `recall, seed 0`.
    pub fn label(&self) -> String {
        format!("{}, seed {}", self.loss.label(), self.seed)
    }

    /// What decides its numbers, as TOML.
    ///
    /// # Errors
    /// None that a checked recipe can cause.
    pub fn essence(&self, basis: &Basis) -> Result<String> {
        basis.strip(&self.recipe).to_toml()
    }

    /// SHA-256 over everything that decides its numbers, in hexadecimal.
    ///
    /// # Errors
    /// As [`Job::essence`].
    pub fn key(&self, basis: &Basis) -> Result<String> {
        let basis_text = serde_json::to_string(basis).work(|| "suite: key".into())?;
        let adjusted =
            self.loss.adjusted().map_or(String::new(), |rule| format!("\nadjusted: {rule}"));
        Ok(sha256(format!("{basis_text}\n{}{adjusted}", self.essence(basis)?)))
    }
}

/// The name of a cell's files, `LOSS-seedN`.
pub fn cell_name(loss: &Choice, seed: u64) -> String {
    format!("{}-seed{seed}", loss.slug())
}

/// A loss of the grid and the seeds it is asked for with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridRow {
    /// The loss.
    pub loss: Choice,
    /// Its seeds, ascending.
    pub seeds: Vec<u64>,
}

/// What a suite's folder is for, as its suite.json says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// Version of this form.
    pub format: u32,
    /// The recipe's name.
    pub name: String,
    /// What decides the numbers of all cells, TOML; loss and seed stand for those of the grid.
    pub recipe: String,
    /// Data, numerics and starting weights.
    pub basis: Basis,
    /// Losses in the order of the tables.
    pub grid: Vec<GridRow>,
    /// The loss that others are compared with, if one was asked for.
    pub reference: Option<Choice>,
    /// The losses whose predictions are drawn side by side, if some were asked for.
    pub panel: Option<Vec<Choice>>,
}

/// The reference unless another is asked for: the paper's Table II.
const REFERENCE: &str = "cross-entropy";

/// Drawn beside the reference unless others are asked for.
const PANEL: &str = "recall";

impl Plan {
    /// The current version of the form.
    pub const FORMAT: u32 = 1;

    /// The plan of a grid of `jobs`, which share everything but loss and seed.
    ///
    /// # Errors
    /// No job at all.
    pub fn new(jobs: &[Job], basis: Basis) -> Result<Self> {
        let first = jobs.first().ok_or_else(|| {
            Error::request("suite: expected at least one loss and one seed, got none")
        })?;
        let mut plan = Self {
            format: Self::FORMAT,
            name: first.recipe.name.clone(),
            recipe: common(&basis.strip(&first.recipe))?,
            basis,
            grid: Vec::new(),
            reference: None,
            panel: None,
        };
        jobs.iter().for_each(|job| plan.ask(&job.loss, job.seed));
        Ok(plan)
    }

    /// Every (loss, seed) asked for, in the order of the tables.
    pub fn cells(&self) -> impl Iterator<Item = (&Choice, u64)> {
        self.grid.iter().flat_map(|row| row.seeds.iter().map(|&seed| (&row.loss, seed)))
    }

    /// The loss that others are compared with: dagger classes, quadrants.
    pub fn reference(&self) -> Choice {
        self.reference.clone().unwrap_or_else(|| Choice::plain(REFERENCE))
    }

    /// The losses whose predictions are drawn side by side; without a wish the reference and recall, if both are in
    /// the grid.
    pub fn panel(&self) -> Vec<Choice> {
        self.panel.clone().unwrap_or_else(|| {
            // Recall loss as the recipe takes it by default, if it is there.
            let recall = self.grid.iter().map(|row| &row.loss).find(|loss| loss.name() == PANEL);
            let recall = recall.cloned().unwrap_or_else(|| Choice::plain(PANEL));
            let plain = Some(Choice::plain(PANEL)).filter(|plain| self.asks_for(plain));
            let mut panel = vec![self.reference(), plain.unwrap_or(recall)];
            panel.dedup();
            if panel.iter().all(|choice| self.asks_for(choice)) { panel } else { vec![] }
        })
    }

    fn asks_for(&self, loss: &Choice) -> bool {
        self.grid.iter().any(|row| row.loss == *loss)
    }

    /// Refuses a reference or a panel of losses that the grid does not have.
    ///
    /// # Errors
    /// The first such loss.
    pub fn check(&self) -> Result<()> {
        let reference = self.reference.iter().map(|loss| ("--reference", loss));
        let panel = self.panel.iter().flatten().map(|loss| ("--panel", loss));
        match reference.chain(panel).find(|(_, loss)| !self.asks_for(loss)) {
            None => Ok(()),
            Some((flag, odd)) => {
                let known: Vec<String> = self.grid.iter().map(|row| row.loss.to_string()).collect();
                let line = format!("{flag}: expected a loss of the grid, got {odd}");
                Err(Error::request(line).hint(format!("the grid has {}", known.join(", "))))
            }
        }
    }

    /// Refuses a plan that another suite would have.
    ///
    /// # Errors
    /// Another recipe, other data, other numerics: the differences.
    pub fn agrees_with(&self, other: &Self) -> Result<()> {
        let differences = self.differences(other)?;
        if differences.is_empty() {
            return Ok(());
        }
        Err(Error::request(format!(
            "expected the recipe and data that the suite was started with, got others: {}",
            differences.join("; ")
        ))
        .hint("start another suite with another --out"))
    }

    /// Adds to the grid what `other` asks for; the reference and panel of before stay, unless it asks for others.
    ///
    /// # Errors
    /// As [`Plan::agrees_with`] and [`Plan::check`].
    pub fn merge(mut self, other: Self) -> Result<Self> {
        self.agrees_with(&other)?;
        for (loss, seed) in other.cells() {
            self.ask(loss, seed);
        }
        let reference = other.reference.or(self.reference);
        let merged = Self { reference, panel: other.panel.or(self.panel), ..self };
        merged.check()?;
        Ok(merged)
    }

    fn ask(&mut self, loss: &Choice, seed: u64) {
        if !self.grid.iter().any(|row| row.loss == *loss) {
            self.grid.push(GridRow { loss: loss.clone(), seeds: Vec::new() });
        }
        let row = self.grid.iter_mut().find(|row| row.loss == *loss);
        if let Some(row) = row
            && let Err(place) = row.seeds.binary_search(&seed)
        {
            row.seeds.insert(place, seed);
        }
    }

    /// What differs, `then -> now`, in words.
    fn differences(&self, other: &Self) -> Result<Vec<String>> {
        let mut found = Vec::new();
        let mut differ = |what: &str, then: &str, now: &str| {
            if then != now {
                found.push(format!("{what} {then} -> {now}"));
            }
        };
        let (then, now) = (&self.basis, &other.basis);
        differ("data set", &then.dataset, &now.dataset);
        for (then, now) in [(&then.train, &now.train), (&then.val, &now.val)] {
            let short =
                |split: &Split| format!("{} ({:.12})", split.images, split.fingerprint.as_str());
            differ(&format!("files of {}", then.name), &short(then), &short(now));
        }
        let weights = |basis: &Basis| basis.start_weights.clone().unwrap_or_else(|| "none".into());
        differ("starting weights", &weights(then), &weights(now));
        differ("numerics", &then.numerics.to_string(), &now.numerics.to_string());
        // Read anew, so that a key that came into being since then stands in both with its default.
        let read = |text: &str| Recipe::parse(text, &[]).map(|recipe| recipe.essence());
        let (then, now) = (read(&self.recipe)?, read(&other.recipe)?);
        if then != now {
            found.push(then.differences(&now)?);
        }
        Ok(found)
    }
}

/// A recipe with loss and seed made equal for all cells.
fn common(recipe: &Recipe) -> Result<String> {
    let text = recipe.to_toml()?;
    let changes = ["loss=cross-entropy", "train.seed=0"].map(str::to_string);
    Recipe::parse(&text, &changes)?.to_toml()
}
