//! A cell's result: one loss, one seed, everything that was scored, and who computed it. A small JSON file.
//! Not its weights or its log, which stay in the run's folder on the machine that trained.

use super::plan::cell_name;
use super::{Basis, Choice, Job, Maker, Plan};
use crate::recipe::Recipe;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shared::error::{Context, Error, Result};
use shared::files::write_atomic;
use shared::metrics::Report;
use std::path::Path;

/// What a cell's file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// Version of this form.
    pub format: u32,
    /// [`Job::key`], as the program that computed it made it.
    pub key: String,
    /// The loss.
    pub loss: Choice,
    /// The seed.
    pub seed: u64,
    /// [`Job::essence`]: the resolved recipe without the machine's part, TOML.
    pub recipe: String,
    /// Data, numerics and starting weights.
    pub basis: Basis,
    /// Program and machine.
    pub maker: Maker,
    /// Optimizer steps done.
    pub iterations: u64,
    /// The step that the last sitting began at: 0 for a run in one piece.
    pub last_sitting_from: u64,
    /// What the last sitting took, validations included.
    pub last_sitting_seconds: f64,
    /// Best mean IoU over all validations of the run; `report` is of the last weights, not of those.
    pub best_mean_iou: Option<f64>,
    /// Steps that did not count, because loss or gradient was not finite; none if the cell's program did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<u64>,
    /// What the last weights scored on the validation split.
    pub report: Report,
}

impl Cell {
    /// The current version of the form.
    pub const FORMAT: u32 = 1;

    /// The name of its file, without the ending.
    pub fn name(&self) -> String {
        cell_name(&self.loss, self.seed)
    }

    /// Reads a cell.
    ///
    /// # Errors
    /// A file that is no cell of this form.
    pub fn read(path: &Path) -> Result<Self> {
        let what = || format!("cell: {}", path.display());
        let text = std::fs::read_to_string(path).request(what)?;
        let cell: Self = serde_json::from_str(&text)
            .request(what)
            .map_err(|e| e.hint("move the file away, and the same command computes it again"))?;
        if cell.format != Self::FORMAT {
            let (expected, got) = (Self::FORMAT, cell.format);
            return Err(Error::request(format!(
                "{}: expected format {expected}, got {got}",
                what()
            )));
        }
        Ok(cell)
    }

    /// Writes the cell, a line for each field, so that differences between two are readable.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, path: &Path) -> Result<()> {
        let what = || format!("cell: {}", path.display());
        let value = serde_json::to_value(self).work(what)?;
        let lines: Vec<String> = match &value {
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| format!(" {}:{value}", Value::from(&**key)))
                .collect(),
            other => vec![other.to_string()],
        };
        write_atomic(path, format!("{{\n{}\n}}\n", lines.join(",\n")).as_bytes())
    }

    /// Whether it is this job's result. Equal keys say so at once; others may differ because a newer program knows
    /// more keys, so the recipes are compared as this program reads them.
    ///
    /// # Errors
    /// A recipe in the cell that this program cannot read.
    pub fn answers(&self, job: &Job, basis: &Basis) -> Result<bool> {
        if self.key == job.key(basis)? {
            return Ok(true);
        }
        let then = Recipe::parse(&self.recipe, &[]).map_err(|e| e.within(self.name()))?.essence();
        let now = Recipe::parse(&job.essence(basis)?, &[])?;
        Ok(self.basis == *basis && then == now)
    }

    /// Refuses a cell of another suite: one that does not stand on the plan's recipe and basis.
    ///
    /// # Errors
    /// The differences.
    pub fn check(&self, plan: &Plan) -> Result<()> {
        let job = Job {
            loss: self.loss.clone(),
            seed: self.seed,
            recipe: Recipe::parse(&self.recipe, &[])?,
        };
        let own = Plan::new(&[job], self.basis.clone())?;
        plan.agrees_with(&own).map_err(|e| {
            e.within(format!("cell {}", self.name()))
                .hint("it belongs to another suite: move the file out of cells/")
        })
    }
}
