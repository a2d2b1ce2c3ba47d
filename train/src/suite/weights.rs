//! What stays of a finished cell's checkpoints: its last weights, without the trainer's state, a third of the size or
//! less, and all that pictures and an export need. Not training's own checkpoints, which are `crate::checkpoint`'s.

use super::{Choice, Folder, Plan};
use crate::checkpoint;
use crate::model::params::Precision;
use crate::run::{BEST, FINAL, LAST};
use shared::error::{Context, Result};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// Writes a finished run's last weights alone.
///
/// # Errors
/// A checkpoint that cannot be read; those of the file system.
pub fn keep_last(run: &Path) -> Result<()> {
    let (trained, _) = checkpoint::load(&run.join(LAST), tch::Device::Cpu, Precision::F32)?;
    checkpoint::save(&run.join(FINAL), &trained.parameters, &vec![], &trained.about)
}

/// Removes the checkpoints that [`keep_last`] stands in for, of every cell that is done.
///
/// # Errors
/// A cell that cannot be read; those of the file system.
pub fn tidy(folder: &Folder, plan: &Plan) -> Result<()> {
    for cell in folder.cells(plan)? {
        let run = folder.run(&cell.name());
        if !run.join(FINAL).exists() {
            continue;
        }
        for path in [LAST, BEST].map(|name| run.join(name)) {
            match std::fs::remove_file(&path) {
                Err(e) if e.kind() != ErrorKind::NotFound => {
                    return Err(e).work(|| format!("suite: {}", path.display()));
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// The weights of a loss on this machine, and their seed: of the first cell that is done and has some.
///
/// # Errors
/// A cell that cannot be read.
pub fn find(folder: &Folder, plan: &Plan, loss: &Choice) -> Result<Option<(u64, PathBuf)>> {
    let mut cells = folder.cells(plan)?;
    cells.retain(|cell| cell.loss == *loss);
    cells.sort_by_key(|cell| cell.seed);
    Ok(cells.iter().find_map(|cell| {
        let run = folder.run(&cell.name());
        let path = [FINAL, LAST].map(|name| run.join(name)).into_iter().find(|p| p.exists())?;
        Some((cell.seed, path))
    }))
}
