//! The end of a graph that is faster outside: logits resized to input size, and their argmax.
//! Not for models from elsewhere, and on the CPU only: a GPU resizes faster than its result is copied.
//! ONNX Runtime computes every output whichever is asked for, and its resize and argmax write all classes at
//! input size; `upsample` decides labels from the coarse logits without ever making those. The graph is cut
//! on the wire, field by field of onnx.proto, so that nothing else of it changes.

use std::collections::HashSet;

use prost::encoding::{WireType, encode_key, encode_varint};

use self::wire::{FLOAT, INT64, Node, UINT8, Value, fields, put};

mod wire;

const GRAPH: u32 = 7; // of ModelProto
const NODE: u32 = 1; // of GraphProto, as all below
const OUTPUT: u32 = 12;

/// A model that ends with coarse logits.
#[derive(Debug)]
pub(crate) struct Cut {
    pub bytes: Vec<u8>,
    pub outputs: CutOutputs,
}

/// Names of the two outputs of a model that was cut.
#[derive(Debug, Clone)]
pub(crate) struct CutOutputs {
    /// The coarse logits, f32 `[batch, classes, h, w]`.
    pub logits: String,
    /// The dimensions that the graph resizes them to, i64 `[4]`. How it comes to them is not looked into: whoever
    /// does the rest compares them with those of the input.
    pub sizes: String,
}

/// Cuts off what follows the coarse logits of a model that ends as every export of this project does: a
/// bilinear resize with half-pixel centres named `logits`, and `labels` that are its argmax, the lower class
/// winning ties, as bytes. `None` for any other model.
pub(crate) fn cut(model: &[u8]) -> Option<Cut> {
    let top = fields(model)?;
    let mut graphs = top.iter().filter(|f| f.tag == GRAPH);
    let (Some(graph), None) = (graphs.next(), graphs.next()) else { return None };
    let parts = fields(graph.payload)?;
    let nodes: Vec<Option<Node>> = parts
        .iter()
        .map(|f| {
            if f.tag == NODE {
                prost::Message::decode(f.payload).ok().map(Some)
            } else {
                Some(None)
            }
        })
        .collect::<Option<_>>()?;
    let outputs = resized(made("logits", &nodes)?)?;
    for output in parts.iter().filter(|f| f.tag == OUTPUT) {
        let output: Value = prost::Message::decode(output.payload).ok()?;
        let known = output.name == "logits" || output.name == "labels" && are_argmax(&nodes);
        if !known {
            return None;
        }
    }
    let needed = needed(&outputs, &nodes)?;

    let mut end = Vec::new();
    for (name, element) in [(&outputs.logits, FLOAT), (&outputs.sizes, INT64)] {
        let output = Value::tensor(name, element);
        put(OUTPUT, &prost::Message::encode_to_vec(&output), &mut end);
    }
    let mut kept: Vec<&[u8]> = parts
        .iter()
        .zip(&nodes)
        .zip(needed)
        .filter(|((field, node), needed)| field.tag != OUTPUT && (node.is_none() || *needed))
        .map(|((field, _), _)| field.whole)
        .collect();
    kept.push(&end);

    // One copy of the weights and no more.
    let mut bytes = Vec::with_capacity(model.len() + end.len());
    for field in &top {
        if field.tag == GRAPH {
            encode_key(GRAPH, WireType::LengthDelimited, &mut bytes);
            encode_varint(kept.iter().map(|k| k.len() as u64).sum(), &mut bytes);
            kept.iter().for_each(|k| bytes.extend_from_slice(k));
        } else {
            bytes.extend_from_slice(field.whole);
        }
    }
    Some(Cut { bytes, outputs })
}

/// The node that has this output and no other.
fn made<'a>(output: &str, nodes: &'a [Option<Node>]) -> Option<&'a Node> {
    nodes.iter().flatten().find(|n| n.outputs == [output])
}

/// What a node resizes and to what, if it does so as `upsample` would.
fn resized(node: &Node) -> Option<CutOutputs> {
    let bilinear = [("coordinate_transformation_mode", 0, "half_pixel"), ("mode", 0, "linear")];
    let (logits, sizes) = match &node.inputs[..] {
        [logits, roi, scales, sizes] if roi.is_empty() && scales.is_empty() => (logits, sizes),
        _ => return None,
    };
    let outputs = || CutOutputs { logits: logits.clone(), sizes: sizes.clone() };
    node.is("Resize", &bilinear).then(outputs)
}

/// Whether `labels` are what `upsample` would make of `logits`.
fn are_argmax(nodes: &[Option<Node>]) -> bool {
    let cast = made("labels", nodes).filter(|n| n.is("Cast", &[("to", UINT8, "")]));
    let argmax = cast.and_then(|n| made(n.inputs.first()?, nodes));
    argmax.is_some_and(|n| {
        n.is("ArgMax", &[("axis", 1, ""), ("keepdims", 0, "")]) && n.inputs == ["logits"]
    })
}

/// Which nodes the outputs are computed from; `None` if a node holds a graph of its own, whose needs are not
/// looked into.
fn needed(outputs: &CutOutputs, nodes: &[Option<Node>]) -> Option<Vec<bool>> {
    if nodes.iter().flatten().any(Node::holds_a_graph) {
        return None;
    }
    let mut wanted = HashSet::from([outputs.logits.as_str(), &outputs.sizes]);
    let mut needed = vec![false; nodes.len()];
    // Nodes are in topological order, as ONNX asks for.
    for (node, needed) in nodes.iter().zip(&mut needed).rev() {
        if let Some(node) = node
            && node.outputs.iter().any(|o| wanted.contains(o.as_str()))
        {
            *needed = true;
            wanted.extend(node.inputs.iter().map(String::as_str));
        }
    }
    Some(needed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> Vec<u8> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
        std::fs::read(folder.join(name)).unwrap()
    }

    /// A model with some bytes replaced.
    fn replaced(model: &[u8], old: &str, new: &str) -> Vec<u8> {
        let mut bytes = model.to_vec();
        let at = |bytes: &[u8]| bytes.windows(old.len()).position(|w| w == old.as_bytes());
        while let Some(at) = at(&bytes) {
            bytes[at..][..new.len()].copy_from_slice(new.as_bytes());
        }
        assert_ne!(bytes, model);
        bytes
    }

    #[test]
    fn what_follows_the_coarse_logits_is_cut_off_and_nothing_else() {
        let whole = model("both.onnx");
        let cut = cut(&whole).unwrap();
        assert_eq!((cut.outputs.logits.as_str(), cut.outputs.sizes.as_str()), ("z", "size"));
        let graph = |bytes: &[u8]| -> Vec<u8> {
            fields(bytes).unwrap().iter().find(|f| f.tag == GRAPH).unwrap().payload.to_vec()
        };
        let (before, after) = (graph(&whole), graph(&cut.bytes));
        let operators = |graph: &[u8]| -> Vec<String> {
            let nodes = fields(graph).unwrap().into_iter().filter(|f| f.tag == NODE);
            nodes.map(|f| <Node as prost::Message>::decode(f.payload).unwrap().operator).collect()
        };
        let (before, after) = (operators(&before), operators(&after));
        assert_eq!(before[10..], ["Resize", "ArgMax", "Cast"]);
        assert_eq!(after, before[..10]);
        let others = |bytes: &[u8]| {
            fields(bytes)
                .unwrap()
                .iter()
                .filter(|f| f.tag != GRAPH)
                .map(|f| f.whole.to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(others(&whole), others(&cut.bytes));
    }

    #[test]
    fn a_model_that_ends_otherwise_is_left_whole() {
        for name in ["labels.onnx", "foreign.onnx"] {
            // In labels.onnx the logits are there, but no output: it was asked for labels alone.
            assert_eq!(cut(&model(name)).is_some(), name == "labels.onnx", "{name}");
        }
        // Each is the same number of bytes, so that no length in the file is wrong.
        for (old, new) in [("ArgMax", "ArgMin"), ("half_pixel", "asymmetric"), ("labels", "others")]
        {
            assert!(cut(&replaced(&model("both.onnx"), old, new)).is_none(), "{old}");
        }
        assert!(cut(b"").is_none() && cut(b"no model").is_none());
        let whole = model("both.onnx");
        assert!(
            (1..whole.len())
                .step_by(7)
                .all(|n| cut(&whole[..n]).is_none_or(|c| !c.outputs.logits.is_empty()))
        );
    }
}
