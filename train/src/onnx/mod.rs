//! Export to ONNX: the network as graph nodes, its card in the metadata, verified through `infer`.
//!
//! [`proto`] is the file format, [`graph`] builds graphs, [`fold`] makes constants of parameters, [`emit`] turns operations
//! into nodes, [`quantize`] finds the quantization parameters of int8 graphs, [`probe`] computes what the card promises,
//! [`export`](mod@export) puts a file together and [`verify`](mod@verify) has it replayed.
//! No ONNX library is involved: the messages are few, and the graph is ours to shape.

pub mod emit;
pub mod export;
pub mod fold;
pub mod graph;
pub mod probe;
pub mod proto;
pub mod quantize;
pub mod verify;

pub use emit::Arithmetic;
pub use export::{ExportSettings, Outputs, export};
pub use verify::{Verification, verify};
