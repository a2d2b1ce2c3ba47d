//! The messages of an ONNX file that `tail` takes apart and puts together: onnx.proto, as far as it is needed.
//! Not a parser of models: fields are passed on as the bytes they are.

use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, skip_field,
};

/// A field of a message: all of it, and what is inside.
pub struct Field<'a> {
    pub tag: u32,
    pub whole: &'a [u8],
    /// Empty where it is no message, string or packed list.
    pub payload: &'a [u8],
}

/// The fields of a message, in order; `None` if it is none.
pub fn fields(message: &[u8]) -> Option<Vec<Field<'_>>> {
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

/// Writes a field that is a message.
pub fn put(tag: u32, payload: &[u8], to: &mut Vec<u8>) {
    encode_key(tag, WireType::LengthDelimited, to);
    encode_varint(payload.len() as u64, to);
    to.extend_from_slice(payload);
}

/// `NodeProto`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Node {
    #[prost(string, repeated, tag = "1")]
    pub inputs: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub outputs: Vec<String>,
    #[prost(string, tag = "4")]
    pub operator: String,
    #[prost(message, repeated, tag = "5")]
    attributes: Vec<Attribute>,
    #[prost(string, tag = "7")]
    domain: String,
}

/// `AttributeProto`.
#[derive(Clone, PartialEq, prost::Message)]
struct Attribute {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(int64, tag = "3")]
    number: i64,
    #[prost(bytes = "vec", tag = "4")]
    text: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "6")]
    graph: Option<Vec<u8>>,
    #[prost(bytes = "vec", repeated, tag = "11")]
    graphs: Vec<Vec<u8>>,
}

// Of `TensorProto.DataType`.
pub const FLOAT: i32 = 1;
pub const UINT8: i64 = 2; // as an attribute has it
pub const INT64: i32 = 7;

/// `ValueInfoProto`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    #[prost(string, tag = "1")]
    pub name: String,
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

impl Value {
    /// A tensor of any shape.
    pub fn tensor(name: &str, element: i32) -> Self {
        Self { name: name.to_owned(), ty: Some(Type { tensor: Some(Tensor { element }) }) }
    }
}

impl Node {
    /// Whether it is this operator with these attributes (name, number, text) and no others.
    pub fn is(&self, operator: &str, attributes: &[(&str, i64, &str)]) -> bool {
        // Whether it is written down or not, the first of several that are largest is taken.
        let is_default = |a: &&Attribute| a.name == "select_last_index" && a.number == 0;
        let mut got: Vec<(&str, i64, &[u8])> = self
            .attributes
            .iter()
            .filter(|a| !is_default(a))
            .map(|a| (a.name.as_str(), a.number, &a.text[..]))
            .collect();
        got.sort_unstable();
        let expected =
            attributes.iter().map(|&(name, number, text)| (name, number, text.as_bytes()));
        self.operator == operator && self.domain.is_empty() && expected.eq(got)
    }

    /// Whether one of its attributes is a graph.
    pub fn holds_a_graph(&self) -> bool {
        self.attributes.iter().any(|a| a.graph.is_some() || !a.graphs.is_empty())
    }
}
