//! A suite's folder: its plan, its cells, and who is at work on which of them.
//! Several processes may share it, on one machine or, where locks work over the network, on several.

use super::{Cell, Job, Plan};
use crate::run::LOCKABLE;
use shared::error::{Context, Error, Result};
use shared::files::{lock, write_atomic};
use shared::output_path::make_folder;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The plan's file.
const PLAN: &str = "suite.json";

/// A suite's folder.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

/// Held as long as a cell is being computed.
pub struct Claim {
    _lock: File,
}

impl Folder {
    /// The folder at `root`, which need not be there yet.
    pub fn new(root: &Path) -> Self {
        Self { root: root.into() }
    }

    /// Where it lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Where the plan stands.
    pub fn plan_path(&self) -> PathBuf {
        self.root.join(PLAN)
    }

    /// The plan in the folder.
    ///
    /// # Errors
    /// No plan, or one that cannot be read.
    pub fn plan(&self) -> Result<Plan> {
        let path = self.plan_path();
        let what = || format!("suite: {}", path.display());
        let text = std::fs::read_to_string(&path).request(what).map_err(|e| {
            e.hint("`train suite --recipe FILE --losses A,B --out FOLDER` starts a suite")
        })?;
        let other = "move suite.json away, or name another --out";
        let plan: Plan = serde_json::from_str(&text).request(what).map_err(|e| e.hint(other))?;
        if plan.format != Plan::FORMAT {
            let (expected, got) = (Plan::FORMAT, plan.format);
            return Err(Error::request(format!(
                "{}: expected format {expected}, got {got}",
                what()
            ))
            .hint(other));
        }
        Ok(plan)
    }

    /// Starts a suite here, or adds to the one that is here; gives the whole plan.
    ///
    /// # Errors
    /// A suite of another recipe or other data, or a cell of one: nothing is written then.
    pub fn open(&self, asked: Plan) -> Result<Plan> {
        let within = |e: Error| e.within(format!("suite: {}", self.root.display()));
        let path = self.plan_path();
        let whole = |asked: Plan| match path.exists() {
            true => self.plan()?.merge(asked).map_err(within),
            false => asked.check().map(|()| asked),
        };
        self.cells(&whole(asked.clone())?)?;
        for part in ["cells", "runs"] {
            make_folder(&self.root.join(part)).map_err(|e| e.within("suite"))?;
        }
        // Two processes that start at once must not lose each other's losses.
        let place = self.root.join("runs/.plan.lock");
        let held = File::create(&place).and_then(|file| file.lock().map(|()| file));
        let _held = held
            .request(|| format!("suite: {}: cannot lock", place.display()))
            .map_err(|e| e.hint(LOCKABLE))?;
        let plan = whole(asked)?;
        if !path.exists() || self.plan()? != plan {
            let text = serde_json::to_string_pretty(&plan).work(|| "suite".into())?;
            write_atomic(&path, format!("{text}\n").as_bytes())?;
        }
        Ok(plan)
    }

    /// Every cell that is there, whether the plan asks for it or not, in the order of their names.
    ///
    /// # Errors
    /// A file that is no cell, or a cell of another suite.
    pub fn cells(&self, plan: &Plan) -> Result<Vec<Cell>> {
        let cells = self.read_cells()?;
        cells.iter().try_for_each(|cell| cell.check(plan))?;
        Ok(cells)
    }

    fn read_cells(&self) -> Result<Vec<Cell>> {
        let folder = self.root.join("cells");
        let Ok(entries) = std::fs::read_dir(&folder) else { return Ok(vec![]) };
        let mut paths = Vec::new();
        for entry in entries {
            let path = entry.request(|| format!("suite: {}", folder.display()))?.path();
            if path.extension().is_some_and(|e| e == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        let read = |path: &PathBuf| {
            let cell = Cell::read(path)?;
            // A copy under another name would stand in for the result itself.
            if path.file_stem().is_some_and(|stem| stem == cell.name().as_str()) {
                return Ok(cell);
            }
            let (path, name) = (path.display(), cell.name());
            Err(Error::request(format!("cell: {path}: expected the name {name}.json, got another"))
                .hint("move the file out of cells/, or give it the name of its loss and seed"))
        };
        paths.iter().map(read).collect()
    }

    /// The result of a job, if there is one.
    ///
    /// # Errors
    /// A file that is no cell, or one of another suite.
    pub fn cell(&self, job: &Job, plan: &Plan) -> Result<Option<Cell>> {
        let path = self.cell_path(&job.name());
        if !path.exists() {
            return Ok(None);
        }
        let cell = Cell::read(&path)?;
        if !cell.answers(job, &plan.basis)? {
            cell.check(plan)?;
            return Err(Error::request(format!(
                "cell: {}: expected the loss {}, got another's settings",
                path.display(),
                job.loss
            ))
            .hint("move the file out of cells/"));
        }
        Ok(Some(cell))
    }

    /// Writes a result.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn write(&self, cell: &Cell) -> Result<()> {
        cell.write(&self.cell_path(&cell.name()))
    }

    fn cell_path(&self, name: &str) -> PathBuf {
        self.root.join("cells").join(format!("{name}.json"))
    }

    /// The folder of a cell's run, by the cell's name.
    pub fn run(&self, name: &str) -> PathBuf {
        self.root.join("runs").join(name)
    }

    /// Makes a job this process's own; nothing if another process is at work on it.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn claim(&self, job: &Job) -> Result<Option<Claim>> {
        let path = self.root.join("runs").join(format!(".{}.lock", job.name()));
        let lock = lock(&path).work(|| format!("suite: {}: cannot lock", path.display()));
        let lock =
            lock.map_err(|e| e.hint("when it can be written again, the same command goes on"))?;
        Ok(lock.map(|lock| Claim { _lock: lock }))
    }
}
