//! The end of a graph that is faster outside: logits resized to input size, and their argmax.
//! Not for models from elsewhere, and on the CPU only: a GPU resizes faster than its result is copied.
//! ONNX Runtime computes every output whichever is asked for, and its resize and argmax write all classes at
//! input size; `upsample` decides labels from the coarse logits without ever making those. The graph is cut
//! on the wire, field by field of onnx.proto, so that nothing else of it changes.

use std::collections::HashSet;

use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field,
};

const GRAPH: u32 = 7; // of ModelProto
const NODE: u32 = 1; // of GraphProto, as all below
const OUTPUT: u32 = 12;

/// A model that ends with coarse logits.
#[derive(Debug)]
pub(crate) struct Cut {
    pub bytes: Vec<u8>,
    /// Name of the output, f32 `[batch, classes, h, w]`.
    pub scores: String,
}

/// Cuts off what follows the coarse logits of a model that ends as every export of this project does: a
/// bilinear resize with half-pixel centres named `logits`. `None` for any other model.
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
    let scores = nodes.iter().flatten().find(|n| n.outputs == ["logits"])?.resized()?.to_owned();
    let needed = needed(&scores, &nodes)?;

    let output =
        Value { name: scores.clone(), ty: Some(Type { tensor: Some(Tensor { element: FLOAT }) }) };
    let mut end = Vec::new();
    put(OUTPUT, &prost::Message::encode_to_vec(&output), &mut end);
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
    Some(Cut { bytes, scores })
}

/// Which nodes the scores are computed from; `None` if a node holds a graph of its own, whose needs are not
/// looked into.
fn needed(scores: &str, nodes: &[Option<Node>]) -> Option<Vec<bool>> {
    if nodes.iter().flatten().any(Node::holds_a_graph) {
        return None;
    }
    let mut wanted = HashSet::from([scores]);
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

/// A field of a message: all of it, and what is inside.
struct Field<'a> {
    tag: u32,
    whole: &'a [u8],
    /// Empty where it is no message, string or packed list.
    payload: &'a [u8],
}

fn fields(message: &[u8]) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let start = rest;
        let (tag, wire) = decode_key(&mut rest).ok()?;
        let mut payload = &rest[..0];
        if wire == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest).ok()?).ok()?;
            (payload, rest) = rest.split_at_checked(length)?;
        } else {
            skip_field(wire, tag, &mut rest, DecodeContext::default()).ok()?;
        }
        fields.push(Field { tag, whole: &start[..start.len() - rest.len()], payload });
    }
    Some(fields)
}

fn put(tag: u32, payload: &[u8], to: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, to);
    encode_varint(payload.len() as u64, to);
    to.extend_from_slice(payload);
}

#[derive(Clone, PartialEq, prost::Message)]
struct Node {
    #[prost(string, repeated, tag = "1")]
    inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    outputs: Vec<String>,
    #[prost(string, tag = "4")]
    operator: String,
    #[prost(message, repeated, tag = "5")]
    attributes: Vec<Attribute>,
    #[prost(string, tag = "7")]
    domain: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "6")]
    graph: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "11")]
    graphs: Vec<Vec<u8>>,
}

/// `TensorProto.DataType.FLOAT`.
const FLOAT: i32 = 1;

#[derive(Clone, PartialEq, prost::Message)]
struct Value {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    ty: Option<Type>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Type {
    #[prost(message, optional, tag = "1")]
    tensor: Option<Tensor>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Tensor {
    #[prost(int32, tag = "1")]
    element: i32,
}

impl Node {
    /// What it resizes, if it does so as `upsample` would.
    fn resized(&self) -> Option<&str> {
        let mut attributes: Vec<(&str, &[u8])> =
            self.attributes.iter().map(|a| (a.name.as_str(), &a.text[..])).collect();
        attributes.sort_unstable();
        let bilinear: [(&str, &[u8]); 2] =
            [("coordinate_transformation_mode", b"half_pixel"), ("mode", b"linear")];
        let well = self.operator == "Resize" && self.domain.is_empty() && attributes == bilinear;
        self.inputs.first().filter(|_| well).map(String::as_str)
    }

    fn holds_a_graph(&self) -> bool {
        self.attributes.iter().any(|a| a.graph.is_some() || !a.graphs.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(name: &str) -> Vec<u8> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
        std::fs::read(folder.join(name)).unwrap()
    }

    #[test]
    fn what_follows_the_coarse_logits_is_cut_off_and_nothing_else() {
        let whole = model("both.onnx");
        let cut = cut(&whole).unwrap();
        assert_eq!(cut.scores, "z");
        let graph = |bytes: &[u8]| -> Vec<u8> {
            fields(bytes).unwrap().iter().find(|f| f.tag == GRAPH).unwrap().payload.to_vec()
        };
        let (before, after) = (graph(&whole), graph(&cut.bytes));
        let operators = |graph: &[u8]| -> Vec<String> {
            let nodes = fields(graph).unwrap().into_iter().filter(|f| f.tag == NODE);
            nodes.map(|f| <Node as prost::Message>::decode(f.payload).unwrap().operator).collect()
        };
        assert_eq!(operators(&after), ["Cast", "Transpose", "Sub", "Div", "Conv"]);
        assert_eq!(operators(&before).len(), 13);
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
        assert!(cut(b"").is_none() && cut(b"no model").is_none());
        let whole = model("both.onnx");
        assert!(
            (1..whole.len())
                .step_by(7)
                .all(|n| cut(&whole[..n]).is_none_or(|c| !c.scores.is_empty()))
        );
    }
}
