//! Running an exported model through ONNX Runtime: scores, pictures, comparisons, facts.
//! Not training and not export; it knows neither torch nor the trainer, and prints nothing on its own to
//! standard output. One file or folder per command (`eval`, `predict`, `compare`, `live`, `bench`, `gate`, `info`), on top
//! of `session`.

// A log that cannot be written must not end the work: `shared::error::tell` in place of `eprintln!`.
#![warn(clippy::print_stderr)]

pub mod args;
pub mod average;
pub mod bench;
pub mod compare;
mod contract;
pub mod eval;
mod feed;
pub mod gate;
pub mod info;
pub mod interrupt;
pub mod live;
pub mod manifest;
pub mod model_file;
mod other_file;
mod outline;
pub mod output;
mod placement;
pub mod predict;
pub mod provider;
mod refused;
pub mod runtime;
pub mod score;
pub mod session;
pub mod source;
pub mod table;
mod tail;
pub mod timing;
mod tone;
pub mod upsample;
pub mod verify;
