//! From runs' metrics.jsonl to charts: what happened to the weights of classes (the paper's Fig. 4), losses and
//! validation metrics over iterations. Not their drawing, which is `shared::plot`.

mod curves;
mod lines;
mod weights;

pub use curves::curves;
pub use weights::weights;
