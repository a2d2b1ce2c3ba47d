//! The few things that are asked of an ONNX file before ONNX Runtime sees it: its card, its operator set, the
//! names of its free sizes, and whether it keeps weights in other files. Not a parser of models: of onnx.proto
//! only these fields are read.
//! ONNX Runtime, given a model from memory, reads external data relative to the current folder. What
//! lies there was never hashed, so such models are refused.

use shared::card::Card;
use shared::error::{Error, Result};

use crate::model_file::ModelFile;

/// What was asked.
#[derive(Debug)]
pub(crate) struct Outline {
    /// Version of ONNX's own operator set; 0 if the file does not say.
    pub opset: u32,
    /// The card in the metadata, JSON.
    pub card: Option<String>,
    /// The dimensions of the first input.
    pub input: Vec<Dimension>,
    /// Names of the outputs.
    pub outputs: Vec<String>,
    /// Name of the first tensor whose values are in another file.
    external: Option<String>,
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
        let input = model.graph.as_ref().map(proto::Graph::first_input).unwrap_or_default();
        let outputs = model.graph.iter().flat_map(|g| &g.outputs).map(|v| v.name.clone()).collect();
        Ok(Self { opset, card, input, outputs, external: external.map(str::to_owned) })
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

/// onnx.proto3, as far as it is read here; prost skips the fields that are not named.
mod proto {
    use super::Dimension;

    /// `TensorProto.DataLocation.EXTERNAL`.
    const EXTERNAL: i32 = 1;

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Model {
        #[prost(message, optional, tag = "7")]
        pub graph: Option<Graph>,
        #[prost(message, repeated, tag = "8")]
        pub opsets: Vec<OperatorSet>,
        #[prost(message, repeated, tag = "14")]
        pub metadata: Vec<Entry>,
        #[prost(message, repeated, tag = "25")]
        pub functions: Vec<Function>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct OperatorSet {
        #[prost(string, tag = "1")]
        pub domain: String,
        #[prost(int64, tag = "2")]
        pub version: i64,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Entry {
        #[prost(string, tag = "1")]
        pub key: String,
        #[prost(string, tag = "2")]
        pub value: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Function {
        #[prost(message, repeated, tag = "7")]
        pub nodes: Vec<Node>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Graph {
        #[prost(message, repeated, tag = "1")]
        pub nodes: Vec<Node>,
        #[prost(message, repeated, tag = "5")]
        pub initializers: Vec<Tensor>,
        #[prost(message, repeated, tag = "11")]
        pub inputs: Vec<Value>,
        #[prost(message, repeated, tag = "12")]
        pub outputs: Vec<Value>,
        #[prost(message, repeated, tag = "15")]
        pub sparse_initializers: Vec<SparseTensor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Value {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(message, optional, tag = "2")]
        pub ty: Option<Type>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Type {
        #[prost(message, optional, tag = "1")]
        pub tensor: Option<TensorType>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct TensorType {
        #[prost(message, optional, tag = "2")]
        pub shape: Option<Shape>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Shape {
        #[prost(message, repeated, tag = "1")]
        pub sides: Vec<Side>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Side {
        #[prost(int64, tag = "1")]
        pub size: i64,
        #[prost(string, tag = "2")]
        pub name: String,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Node {
        #[prost(message, repeated, tag = "5")]
        pub attributes: Vec<Attribute>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Attribute {
        #[prost(message, optional, tag = "5")]
        pub tensor: Option<Tensor>,
        #[prost(message, optional, boxed, tag = "6")]
        pub graph: Option<Box<Graph>>,
        #[prost(message, repeated, tag = "10")]
        pub tensors: Vec<Tensor>,
        #[prost(message, repeated, tag = "11")]
        pub graphs: Vec<Graph>,
        #[prost(message, optional, tag = "22")]
        pub sparse_tensor: Option<SparseTensor>,
        #[prost(message, repeated, tag = "23")]
        pub sparse_tensors: Vec<SparseTensor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct SparseTensor {
        #[prost(message, optional, tag = "1")]
        pub values: Option<Tensor>,
        #[prost(message, optional, tag = "2")]
        pub indices: Option<Tensor>,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Tensor {
        #[prost(string, tag = "8")]
        pub name: String,
        #[prost(int32, tag = "14")]
        pub data_location: i32,
    }

    impl Graph {
        /// Dimensions of the first input that is no weight.
        pub fn first_input(&self) -> Vec<Dimension> {
            let is_weight = |v: &&Value| self.initializers.iter().any(|t| t.name == v.name);
            let value = self.inputs.iter().find(|v| !is_weight(v));
            let ty = value.and_then(|v| v.ty.as_ref()?.tensor.as_ref()?.shape.as_ref());
            let side = |s: &Side| match s.size {
                1.. => Dimension::Fixed(s.size),
                _ => Dimension::Free(s.name.clone()),
            };
            ty.map(|shape| shape.sides.iter().map(side).collect()).unwrap_or_default()
        }

        /// Name of a tensor with its values elsewhere.
        pub fn external(&self) -> Option<&str> {
            let sparse = self.sparse_initializers.iter().flat_map(SparseTensor::parts);
            self.initializers
                .iter()
                .chain(sparse)
                .find_map(Tensor::external)
                .or_else(|| self.nodes.iter().find_map(Node::external))
        }
    }

    impl Node {
        pub fn external(&self) -> Option<&str> {
            self.attributes.iter().find_map(Attribute::external)
        }
    }

    impl Attribute {
        fn external(&self) -> Option<&str> {
            let sparse = self.sparse_tensor.iter().chain(&self.sparse_tensors);
            let tensors =
                self.tensor.iter().chain(&self.tensors).chain(sparse.flat_map(SparseTensor::parts));
            let mut graphs = self.graph.iter().map(|g| &**g).chain(&self.graphs);
            tensors
                .into_iter()
                .find_map(Tensor::external)
                .or_else(|| graphs.find_map(Graph::external))
        }
    }

    impl SparseTensor {
        fn parts(&self) -> impl Iterator<Item = &Tensor> {
            self.values.iter().chain(&self.indices)
        }
    }

    impl Tensor {
        fn external(&self) -> Option<&str> {
            (self.data_location == EXTERNAL).then_some(self.name.as_str())
        }
    }
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
        assert!(outline.card.unwrap().starts_with("{\"format\": 1"));
        let free = |name: &str| Dimension::Free(name.into());
        assert_eq!(
            outline.input,
            [free("batch"), free("height"), free("width"), Dimension::Fixed(3)]
        );
        assert_eq!(outline.outputs, ["labels", "logits"]);
        assert_eq!(outline.external, None);
    }
}
