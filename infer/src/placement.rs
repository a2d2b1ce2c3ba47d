//! Which node of a graph ran where, from a profiled run of ONNX Runtime, and whether that is where it was to run.
//! Not timing.
//! The report is ONNX Runtime's own trace, JSON, one event per node that ran.

use half::f16;
use ort::session::Session;
use ort::value::{Outlet, TensorElementType, TensorRef};
use serde::Deserialize;
use shared::error::{Context, Error, Result};

use crate::provider::Provider;
use crate::refused::plain;
use crate::table::counted;

/// A node of a profiled run.
pub(crate) struct Node {
    /// ONNX operator.
    operator: String,
    /// ONNX Runtime's name of what ran it.
    provider: String,
    output_bytes: u64,
}

/// At most eight i64, such as the padding of four dimensions: no more comes of the arithmetic of sizes. Not far above
/// lie feature maps, since the image of the profiled run is small.
const SIZE_BYTES: u64 = 64;

impl Node {
    /// Whether this provider ran it.
    fn runs_on(&self, provider: Provider) -> bool {
        self.provider
            == match provider {
                Provider::Cpu => "CPUExecutionProvider",
                Provider::Cuda => "CUDAExecutionProvider",
                Provider::Tensorrt => "TensorrtExecutionProvider",
            }
    }

    /// Whether the CPU ran it and it was more than the arithmetic of sizes.
    fn is_computation_on_cpu(&self) -> bool {
        self.runs_on(Provider::Cpu) && self.output_bytes > SIZE_BYTES
    }
}

/// Runs a session made with profiling once, on a small black image; what ran where, but for copies between devices.
/// Ends the profiling.
pub(crate) fn watch(session: &mut Session) -> Result<Vec<Node>> {
    let what = || "profiled run".to_owned();
    let input = session.inputs().first().ok_or_else(|| {
        Error::request("graph: expected an input, got none").hint("export the model again")
    })?;
    let (name, shape) = (input.name().to_owned(), small_shape(input));
    let count = shape.iter().product::<i64>() as usize;
    let (bytes, floats, halves) = (vec![0_u8; count], vec![0_f32; count], vec![f16::ZERO; count]);
    let image = match input.dtype().tensor_type() {
        Some(TensorElementType::Float32) => {
            TensorRef::from_array_view((shape, &floats[..])).work(what)?.into_dyn()
        }
        Some(TensorElementType::Float16) => {
            TensorRef::from_array_view((shape, &halves[..])).work(what)?.into_dyn()
        }
        _ => TensorRef::from_array_view((shape, &bytes[..])).work(what)?.into_dyn(),
    };
    session.run(ort::inputs![name => image]).map_err(|e| plain(e.message())).work(what)?;
    let file = session.end_profiling().work(what)?;
    let text = std::fs::read_to_string(&file).work(what)?;
    read_profile(&text)
}

/// For the user: how many nodes ran where.
///
/// # Errors
/// Computation that the CPU ran, or none that the provider ran (exit code 2).
pub(crate) fn judge(provider: Provider, nodes: &[Node]) -> Result<String> {
    let refused = |reason: String| {
        Err(Error::request(format!("provider {provider}: expected {reason}"))
            .hint("use another --provider, or export the model again with another precision"))
    };
    let all = counted(nodes.len(), "node");
    let strays: Vec<&Node> = nodes.iter().filter(|n| n.is_computation_on_cpu()).collect();
    if let Some(first) = strays.first() {
        return refused(format!(
            "no computation on the CPU, got {} of {all} there, such as {}",
            strays.len(),
            first.operator
        ));
    }
    let on = |provider| nodes.iter().filter(|n| n.runs_on(provider)).count();
    let (own, cuda, cpu) = (on(provider), on(Provider::Cuda), on(Provider::Cpu));
    let is_helped = provider == Provider::Tensorrt && cuda > 0;
    let on_cuda = if is_helped { format!(", {cuda} on cuda") } else { String::new() };
    if own == 0 {
        return refused(format!("it to run nodes, got none of {}{on_cuda}", nodes.len()));
    }
    let mut note = format!("{own} of {all}{on_cuda}");
    if cpu > 0 {
        note += &format!(", the arithmetic of sizes in {cpu} on the CPU");
    }
    Ok(note)
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
    // Copies bear TensorRT's name even where CUDA runs all the rest.
    let nodes: Vec<Node> = nodes.filter(|n| !n.operator.starts_with("Memcpy")).collect();
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
        for sizes in ["Shape", "Concat"] {
            assert!(of(sizes).runs_on(Provider::Cpu) && !of(sizes).is_computation_on_cpu());
        }
    }

    #[test]
    fn a_report_tells_computation_from_sizes_and_leaves_out_copies() {
        let node = |operator: &str, provider: &str, bytes: u32| {
            format!(
                r#"{{"cat": "Node", "args": {{"op_name": "{operator}", "provider": "{provider}ExecutionProvider", "output_size": "{bytes}"}}}}"#
            )
        };
        let report = [
            node("Conv", "CUDA", 4096),
            node("MemcpyFromHost", "Tensorrt", 4096),
            node("Pad", "CPU", 64),                 // eight i64
            node("Conv", "CPU", 832),               // a classifier of 13 classes on a map of 4 x 4
            node("GlobalAveragePool", "CPU", 1024), // 256 channels
        ];
        let nodes = read_profile(&format!("[{}]", report.join(","))).unwrap();
        let computed: Vec<bool> = nodes.iter().map(Node::is_computation_on_cpu).collect();
        assert_eq!(computed, [false, false, true, true]);
        assert!(nodes[0].runs_on(Provider::Cuda) && !nodes[0].runs_on(Provider::Tensorrt));
    }

    #[test]
    fn a_provider_is_named_only_where_it_ran_nodes_and_the_cpu_computed_nothing() {
        let node = |provider: &str, output_bytes| Node {
            operator: "Conv".into(),
            provider: format!("{provider}ExecutionProvider"),
            output_bytes,
        };
        let (tensorrt, cuda) = (|| node("Tensorrt", 4096), || node("CUDA", 4096));
        let (sizes, stray) = (|| node("CPU", 32), || node("CPU", 4096));
        let proof = |provider, nodes: Vec<Node>| judge(provider, &nodes).map_err(|e| e.to_string());

        let note = proof(Provider::Cuda, vec![cuda(), cuda(), sizes()]).unwrap();
        assert_eq!(note, "2 of 3 nodes, the arithmetic of sizes in 1 on the CPU");
        assert_eq!(proof(Provider::Tensorrt, vec![tensorrt()]).unwrap(), "1 of 1 node");
        let note = proof(Provider::Tensorrt, vec![tensorrt(), cuda(), cuda()]).unwrap();
        assert_eq!(note, "1 of 3 nodes, 2 on cuda");

        let error = proof(Provider::Tensorrt, vec![cuda(), cuda(), sizes()]).unwrap_err();
        assert!(error.ends_with("expected it to run nodes, got none of 3, 2 on cuda"), "{error}");
        let error = proof(Provider::Cuda, vec![sizes()]).unwrap_err();
        assert!(error.ends_with("expected it to run nodes, got none of 1"), "{error}");
        let error = proof(Provider::Cuda, vec![cuda(), stray()]).unwrap_err();
        assert!(error.ends_with("got 1 of 2 nodes there, such as Conv"), "{error}");
    }
}
