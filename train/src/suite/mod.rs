//! Suites: one recipe, several losses, several seeds, and the paper's tables and figures from what
//! they scored.
//!
//! Not training, which is `run` and `trainer`: here is which cells a grid has, which of them are
//! done, and what is written from their results. A cell is one loss with one seed. Its result is a
//! small JSON file that holds nothing of the machine in its key, so that results travel, in version
//! control or otherwise, and are never computed twice. The tables and figures are those of Tian et
//! al., arXiv 2106.14917: Tables II and III, Figs. 1, 2 and 3.
//!
//! A suite's folder:
//!
//! | path | what it is |
//! |---|---|
//! | `suite.json` | the recipe, the data's fingerprints, the grid asked for |
//! | `cells/LOSS-seedN.json` | the result of a cell |
//! | `runs/LOSS-seedN/` | its run's folder: logs and weights, of use on this machine only |
//! | `table.md`, `table.csv`, `table.tex` | per-class accuracy and IoU, means and spreads |
//! | `scatter.svg`, `scatter.png` | mean accuracy against mean IoU |
//! | `panel.png` | predictions of a few losses, side by side |

mod adjusted;
mod cell;
mod choice;
mod folder;
mod maker;
pub mod panel;
mod plan;
pub mod results;
mod sweep;
pub mod table;
pub mod weights;
pub mod write;

pub use adjusted::adjusted;
pub use cell::Cell;
pub use choice::{Choice, Typed};
pub use folder::Folder;
pub use maker::{Maker, commit};
pub use plan::{Basis, GridRow, Job, Plan, Split, cell_name};
pub use sweep::{CellOutcome, Failure, sweep};
