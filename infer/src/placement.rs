//! Which node of a graph ran where, from a profiled run of ONNX Runtime.
//! Not timing, and not a decision: `provider` judges.
//! The report is ONNX Runtime's own trace, JSON, one event per node that ran.

use ort::session::Session;
use serde::Deserialize;
use shared::error::{Context, Error, Result};

use crate::session::Input;

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

/// Runs a session made with profiling once, on a black 64 x 64 image; what ran where. Ends the profiling.
pub(crate) fn watch(session: &mut Session) -> Result<Vec<Node>> {
    let what = || "profiled run".to_owned();
    let name = session.inputs().first().map(|i| i.name().to_owned()).unwrap_or_default();
    let pixels = [0; 64 * 64 * 3];
    let image = Input { pixels: &pixels, batch: 1, height: 64, width: 64 };
    session.run(ort::inputs![name => image.tensor()?]).work(what)?;
    let file = session.end_profiling().work(what)?;
    let text = std::fs::read_to_string(&file).work(what)?;
    read_profile(&text)
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
