//! Which node of a graph ran where, from a profiled run of ONNX Runtime.
//! Not timing, and not a decision: `provider` judges.
//! The report is ONNX Runtime's own trace, JSON, one event per node that ran.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, TensorRef};
use serde::Deserialize;
use shared::error::{Context, Error, Result};

/// A node of a profiled run.
pub(crate) struct Node {
    /// ONNX operator.
    pub operator: String,
    provider: String,
    output_bytes: u64,
}

/// A size is a handful of i64 values; an image, even the small one of the profiled run, is far more.
const SIZE_BYTES: u64 = 1024;

impl Node {
    /// Whether the CPU ran it.
    pub fn is_on_cpu(&self) -> bool {
        self.provider == "CPUExecutionProvider"
    }

    /// Whether the CPU ran it and it was more than the arithmetic of sizes.
    pub fn is_computation_on_cpu(&self) -> bool {
        self.is_on_cpu() && self.output_bytes > SIZE_BYTES
    }
}

/// Runs a session made with profiling once, on a small black image; what ran where. Ends the profiling.
pub(crate) fn watch(session: &mut Session) -> Result<Vec<Node>> {
    let what = || "profiled run".to_owned();
    let input = session.inputs().first().ok_or_else(|| {
        Error::request("graph: expected an input, got none").hint("export the model again")
    })?;
    let (name, shape) = (input.name().to_owned(), small_shape(input));
    let count = shape.iter().product::<i64>() as usize;
    let (bytes, floats) = (vec![0_u8; count], vec![0_f32; count]);
    let image = match input.dtype().tensor_type() {
        Some(TensorElementType::Float32) => {
            TensorRef::from_array_view((shape, &floats[..])).work(what)?.into_dyn()
        }
        _ => TensorRef::from_array_view((shape, &bytes[..])).work(what)?.into_dyn(),
    };
    session.run(ort::inputs![name => image]).work(what)?;
    let file = session.end_profiling().work(what)?;
    let text = std::fs::read_to_string(&file).work(what)?;
    read_profile(&text)
}

/// The graph's own sizes where it fixes them, else one image of 64 x 64.
fn small_shape(input: &Outlet) -> Vec<i64> {
    let shape = input.dtype().tensor_shape().map(|s| s.to_vec()).unwrap_or_default();
    let free = |place: usize| if place == 0 { 1 } else { 64 };
    shape.iter().enumerate().map(|(i, &s)| if s > 0 { s } else { free(i) }).collect()
}

fn read_profile(text: &str) -> Result<Vec<Node>> {
    #[derive(Deserialize)]
    struct Event {
        #[serde(default)]
        cat: String,
        #[serde(default)]
        args: Args,
    }
    #[derive(Deserialize, Default)]
    struct Args {
        op_name: Option<String>,
        provider: Option<String>,
        output_size: Option<String>,
    }
    let events: Vec<Event> =
        serde_json::from_str(text).work(|| "profiled run: its report".into())?;
    let nodes = events.into_iter().filter(|e| e.cat == "Node").filter_map(|e| {
        Some(Node {
            operator: e.args.op_name?,
            provider: e.args.provider?,
            output_bytes: e.args.output_size?.parse().ok()?,
        })
    });
    let nodes: Vec<Node> = nodes.collect();
    if nodes.is_empty() {
        return Err(Error::work("profiled run: expected the nodes that ran, got none"));
    }
    Ok(nodes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::runtime;

    const MODEL: &[u8] = include_bytes!("../tests/models/both.onnx");

    #[test]
    fn a_profiled_run_tells_computation_on_the_cpu_from_the_arithmetic_of_sizes() {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::builder(&runtime().unwrap().environment)
            .unwrap()
            .with_profiling(folder.path().join("nodes"))
            .unwrap()
            .commit_from_memory(MODEL)
            .unwrap();
        let nodes = watch(&mut session).unwrap();
        let of = |operator: &str| nodes.iter().find(|n| n.operator == operator).unwrap();
        assert!(of("Conv").is_computation_on_cpu());
        assert!(of("Resize").is_computation_on_cpu());
        assert!(of("Shape").is_on_cpu() && !of("Shape").is_computation_on_cpu());
        assert!(of("Concat").is_on_cpu() && !of("Concat").is_computation_on_cpu());
    }
}
