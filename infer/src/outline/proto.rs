//! onnx.proto3, as far as `outline` reads it; prost skips the fields that are not named.
//! Not `tail`'s, which cuts graphs on the wire and needs other fields.

use super::{Dimension, Signature};

/// `TensorProto.DataLocation.EXTERNAL`.
const EXTERNAL: i32 = 1;

#[derive(Clone, PartialEq, prost::Message)]
pub struct Model {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(string, tag = "2")]
    pub producer: String,
    #[prost(string, tag = "3")]
    pub producer_version: String,
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
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, repeated, tag = "7")]
    pub nodes: Vec<Node>,
    #[prost(string, tag = "10")]
    pub domain: String,
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
    #[prost(int32, tag = "1")]
    pub element: i32,
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
    #[prost(string, repeated, tag = "1")]
    pub inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub outputs: Vec<String>,
    #[prost(string, tag = "4")]
    pub operator: String,
    #[prost(message, repeated, tag = "5")]
    pub attributes: Vec<Attribute>,
    #[prost(string, tag = "7")]
    pub domain: String,
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
    /// The inputs that are no weights.
    pub fn inputs(&self) -> Vec<Signature> {
        let is_weight = |v: &&Value| self.initializers.iter().any(|t| t.name == v.name);
        self.inputs.iter().filter(|v| !is_weight(v)).map(Value::signature).collect()
    }

    /// The operators, those of inner graphs too, with their domains.
    pub fn operators(&self) -> Vec<(&str, &str)> {
        let inner = self.nodes.iter().flat_map(|n| &n.attributes).flat_map(Attribute::inner_graphs);
        let own = self.nodes.iter().map(|n| (n.domain.as_str(), n.operator.as_str()));
        own.chain(inner.flat_map(Self::operators)).collect()
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

impl Value {
    /// What is said of it.
    pub fn signature(&self) -> Signature {
        let tensor = self.ty.as_ref().and_then(|t| t.tensor.as_ref());
        let side = |s: &Side| match s.size {
            1.. => Dimension::Fixed(s.size),
            _ => Dimension::Free(s.name.clone()),
        };
        let shape = tensor.and_then(|t| t.shape.as_ref());
        Signature {
            name: self.name.clone(),
            element: tensor.map_or(0, |t| t.element),
            shape: shape.map(|shape| shape.sides.iter().map(side).collect()),
        }
    }
}

impl Attribute {
    fn inner_graphs(&self) -> impl Iterator<Item = &Graph> {
        self.graph.iter().map(|g| &**g).chain(&self.graphs)
    }

    fn external(&self) -> Option<&str> {
        let sparse = self.sparse_tensor.iter().chain(&self.sparse_tensors);
        let tensors =
            self.tensor.iter().chain(&self.tensors).chain(sparse.flat_map(SparseTensor::parts));
        let mut graphs = self.inner_graphs();
        tensors.into_iter().find_map(Tensor::external).or_else(|| graphs.find_map(Graph::external))
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
