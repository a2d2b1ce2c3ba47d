//! Export to ONNX: the network read as graph nodes, its card in the metadata, verified through `infer`.
//!
//! [`proto`] is the file format, [`graph`] builds graphs, [`emit`] is the reading of the network, [`probe`] computes
//! what the card promises, [`export`](mod@export) puts a file together and [`verify`](mod@verify) has it replayed.
//! No ONNX library is involved: the messages are few, and the graph is ours to shape.

pub mod emit;
pub mod export;
pub mod graph;
pub mod probe;
pub mod proto;
pub mod verify;

pub use export::{ExportSettings, Outputs, export};
pub use verify::{Verification, verify};
