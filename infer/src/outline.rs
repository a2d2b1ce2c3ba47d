//! The few things that are asked of an ONNX file before ONNX Runtime sees it: its card, its
//! operator set, its inputs and outputs, and whether it keeps weights in other files. Not a parser
//! of models: of onnx.proto only these fields are read (`proto`). What is no ONNX file at all,
//! `other_file` names. ONNX Runtime, given a model from memory, reads external data relative to the
//! current folder. What lies there was never hashed, so such models are refused.

use std::collections::BTreeSet;

use shared::card::{Activation, Card};
use shared::error::{Error, Result};

use crate::model_file::ModelFile;
use crate::other_file;

mod proto;

/// What was asked.
#[derive(Debug)]
pub(crate) struct Outline {
    /// Version of ONNX's own operator set; 0 if the file does not say.
    pub opset: u32,
    /// The card in the metadata, JSON.
    pub card: Option<String>,
    /// Version of the file format.
    pub ir_version: i64,
    /// The program that wrote it, with its version.
    pub producer: String,
    /// The inputs that are no weights.
    pub inputs: Vec<Signature>,
    /// The outputs.
    pub outputs: Vec<Signature>,
    /// Operators that ONNX Runtime does not have, as `domain:operator`, each once.
    pub custom_operators: Vec<String>,
    /// What was done to each output last, be it resized or transposed since.
    pub activations: Vec<Option<Activation>>,
    /// Name of the first tensor whose values are in another file.
    external: Option<String>,
}

/// An input or output, as it is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signature {
    /// Its name.
    pub name: String,
    /// Its type, as onnx.proto numbers them; 0 if it is not said.
    pub element: i32,
    /// Its dimensions, if they are said.
    pub shape: Option<Vec<Dimension>>,
}

/// A dimension of an input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Dimension {
    /// Of this size.
    Fixed(i64),
    /// Free, under this name; dimensions of one name are equal.
    Free(String),
}

impl Outline {
    /// Reads the outline of a model.
    ///
    /// # Errors
    /// What is no protobuf message of this form (exit code 2).
    pub fn read(file: &ModelFile) -> Result<Self> {
        other_file::refuse(file)?;
        let model: proto::Model = prost::Message::decode(&file.bytes[..]).map_err(|e| {
            Error::request(format!(
                "model: {}: expected an ONNX model, got {e}",
                file.path.display()
            ))
            .hint("the file may be truncated: export or copy it again")
        })?;
        let own = model.opsets.iter().find(|o| o.domain.is_empty() || o.domain == "ai.onnx");
        let functions = model.functions.iter().flat_map(|f| &f.nodes);
        let external = model
            .graph
            .as_ref()
            .and_then(proto::Graph::external)
            .or_else(|| functions.into_iter().find_map(proto::Node::external));
        let opset = own.map_or(0, |o| u32::try_from(o.version).unwrap_or(0));
        // Of several entries the last counts, as in ONNX Runtime.
        let card =
            model.metadata.iter().rev().find(|m| m.key == Card::KEY).map(|m| m.value.clone());
        let graph = model.graph.as_ref();
        let outputs: Vec<Signature> =
            graph.iter().flat_map(|g| &g.outputs).map(proto::Value::signature).collect();
        let activation = |o: &Signature| graph.and_then(|g| ends_with(g, &o.name));
        Ok(Self {
            opset,
            card,
            ir_version: model.ir_version,
            producer: [model.producer.as_str(), &model.producer_version]
                .join(" ")
                .trim()
                .to_owned(),
            inputs: graph.map(proto::Graph::inputs).unwrap_or_default(),
            activations: outputs.iter().map(activation).collect(),
            outputs,
            custom_operators: custom_operators(&model),
            external: external.map(str::to_owned),
        })
    }

    /// The dimensions of the first input.
    pub fn input(&self) -> &[Dimension] {
        self.inputs.first().and_then(|i| i.shape.as_deref()).unwrap_or_default()
    }

    /// Names of the outputs.
    pub fn output_names(&self) -> Vec<String> {
        self.outputs.iter().map(|o| o.name.clone()).collect()
    }

    /// What was done last to the output of this name.
    pub fn activation(&self, output: &str) -> Option<Activation> {
        let at = self.outputs.iter().position(|o| o.name == output)?;
        self.activations.get(at).copied().flatten()
    }

    /// # Errors
    /// If the model keeps weights in other files (exit code 2).
    pub fn refuse_external_data(&self, file: &ModelFile) -> Result<()> {
        let Some(tensor) = &self.external else { return Ok(()) };
        Err(Error::request(format!(
            "model: {}: expected all weights in the file, got {tensor:?} in another one",
            file.path.display()
        ))
        .hint("save it in one file: onnx.save(onnx.load(\"model.onnx\"), \"whole.onnx\")"))
    }
}

/// Domains whose operators ONNX Runtime brings along.
const KNOWN_DOMAINS: [&str; 8] = [
    "",
    "ai.onnx",
    "ai.onnx.ml",
    "ai.onnx.training",
    "ai.onnx.preview.training",
    "com.microsoft",
    "com.microsoft.nchwc",
    "com.ms.internal.nhwc",
];

/// Operators of other domains that the model does not define itself.
fn custom_operators(model: &proto::Model) -> Vec<String> {
    let defined = |domain: &str, name: &str| {
        model.functions.iter().any(|f| f.domain == domain && f.name == name)
    };
    let all = model.graph.iter().flat_map(proto::Graph::operators);
    let custom: BTreeSet<String> = all
        .filter(|(domain, name)| !KNOWN_DOMAINS.contains(domain) && !defined(domain, name))
        .map(|(domain, name)| format!("{domain}:{name}"))
        .collect();
    custom.into_iter().collect()
}

/// The softmax or sigmoid that an output comes from, through what leaves values as they are or
/// means of them.
fn ends_with(graph: &proto::Graph, output: &str) -> Option<Activation> {
    const THROUGH: [&str; 8] =
        ["Identity", "Cast", "Transpose", "Reshape", "Squeeze", "Unsqueeze", "Resize", "Upsample"];
    let mut name = output;
    // No chain is longer than the graph.
    for _ in 0..graph.nodes.len() {
        let node = graph.nodes.iter().find(|n| n.outputs.iter().any(|o| o == name))?;
        match node.operator.as_str() {
            "Softmax" => return Some(Activation::Softmax),
            "Sigmoid" => return Some(Activation::Sigmoid),
            operator if THROUGH.contains(&operator) => name = node.inputs.first()?,
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outline(name: &str) -> Outline {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(name);
        Outline::read(&ModelFile::read(&path).unwrap()).unwrap()
    }

    #[test]
    fn the_card_the_operator_set_and_the_free_sizes_are_found() {
        let outline = outline("both.onnx");
        assert_eq!(outline.opset, 17);
        assert!(outline.card.as_deref().unwrap().starts_with("{\"format\": 1"));
        let free = |name: &str| Dimension::Free(name.into());
        assert_eq!(
            outline.input(),
            [free("batch"), free("height"), free("width"), Dimension::Fixed(3)]
        );
        assert_eq!(outline.output_names(), ["labels", "logits"]);
        assert_eq!(outline.inputs[0].element, 2); // u8
        assert!(outline.custom_operators.is_empty());
        assert_eq!(outline.external, None);
    }
}
