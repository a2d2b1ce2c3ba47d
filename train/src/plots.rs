//! From runs' metrics.jsonl to charts: what happened to the weights of classes (the paper's Fig. 4), losses and
//! validation metrics over iterations. Not their drawing, which is `shared::plot`.

mod curves;
mod smoothing;
mod weights;

pub use curves::curves;
pub use weights::weights;

use std::path::Path;

/// What a run is called in a figure: its folder's name.
fn name(run: &Path) -> String {
    let absolute = run.canonicalize();
    let name = absolute.as_deref().unwrap_or(run).file_name();
    name.map_or_else(|| run.display().to_string(), |name| name.to_string_lossy().into_owned())
}
