//! Building an ONNX graph: nodes in order, constants, names that occur once.
//! Not a check of what is built: that is the business of the `onnx` package, which the tests run on every export.
//! Names are a function of the calls alone, so equal networks give equal files.

use super::proto::{
    Attribute, AttributeType, Dimension, ElementType, Graph, Length, Node, Shape, Tensor,
    TensorType, Type, ValueInfo,
};
use std::collections::HashSet;

/// A graph under construction.
#[derive(Default)]
pub struct Builder {
    nodes: Vec<Node>,
    constants: Vec<Tensor>,
    names: HashSet<String>,
}

impl Builder {
    /// Appends a node with one output; gives that output's name, which is `name` or, if taken, `name_2`.
    pub fn node(
        &mut self,
        op: &str,
        name: &str,
        inputs: &[&str],
        attributes: Vec<Attribute>,
    ) -> String {
        let name = self.unique(name);
        self.nodes.push(Node {
            input: inputs.iter().map(|i| i.to_string()).collect(),
            output: vec![name.clone()],
            name: Some(name.clone()),
            op_type: Some(op.to_string()),
            attribute: attributes,
        });
        name
    }

    /// Adds an f32 constant; gives its name.
    pub fn floats(&mut self, name: &str, shape: &[i64], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(name, shape, ElementType::Float, bytes)
    }

    /// Adds an f16 constant; gives its name.
    pub fn halves(&mut self, name: &str, shape: &[i64], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect();
        self.constant(name, shape, ElementType::Float16, bytes)
    }

    /// Adds a vector of i64; gives its name.
    pub fn ints(&mut self, name: &str, values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.constant(name, &[values.len() as i64], ElementType::Int64, bytes)
    }

    /// Gives a value another name wherever it occurs: the graph's outputs are called by their own. Gives that name.
    pub fn rename(&mut self, old: &str, new: &str) -> String {
        let new = self.unique(new);
        for node in &mut self.nodes {
            for name in node.input.iter_mut().chain(&mut node.output).filter(|name| *name == old) {
                name.clone_from(&new);
            }
        }
        new
    }

    /// The finished graph.
    pub fn finish(self, name: &str, input: Vec<ValueInfo>, output: Vec<ValueInfo>) -> Graph {
        Graph {
            node: self.nodes,
            name: Some(name.to_string()),
            initializer: self.constants,
            input,
            output,
        }
    }

    /// Adds a constant of any type, its values in row-major order and little endian; gives its name.
    pub fn constant(
        &mut self,
        name: &str,
        shape: &[i64],
        kind: ElementType,
        bytes: Vec<u8>,
    ) -> String {
        let name = self.unique(name);
        self.constants.push(Tensor {
            dims: shape.to_vec(),
            data_type: Some(kind as i32),
            name: Some(name.clone()),
            raw_data: Some(bytes),
        });
        name
    }

    fn unique(&mut self, name: &str) -> String {
        let mut candidate = name.to_string();
        let mut count = 1;
        while !self.names.insert(candidate.clone()) {
            count += 1;
            candidate = format!("{name}_{count}");
        }
        candidate
    }
}

/// An integer attribute.
pub fn int(name: &str, value: i64) -> Attribute {
    Attribute { i: Some(value), ..attribute(name, AttributeType::Int) }
}

/// An attribute of several integers.
pub fn ints(name: &str, values: &[i64]) -> Attribute {
    Attribute { ints: values.to_vec(), ..attribute(name, AttributeType::Ints) }
}

/// A string attribute.
pub fn word(name: &str, value: &str) -> Attribute {
    Attribute { s: Some(value.as_bytes().to_vec()), ..attribute(name, AttributeType::String) }
}

fn attribute(name: &str, kind: AttributeType) -> Attribute {
    Attribute { name: Some(name.to_string()), r#type: Some(kind as i32), ..Attribute::default() }
}

/// A dynamic dimension, by name.
pub fn named(name: &str) -> Length {
    Length::Named(name.to_string())
}

/// An input or output of the graph.
pub fn value(name: &str, kind: ElementType, shape: Vec<Length>) -> ValueInfo {
    let dim = shape.into_iter().map(|length| Dimension { value: Some(length) }).collect();
    let tensor = TensorType { elem_type: Some(kind as i32), shape: Some(Shape { dim }) };
    ValueInfo { name: Some(name.to_string()), r#type: Some(Type { tensor_type: Some(tensor) }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut builder = Builder::default();
        assert_eq!(builder.node("Relu", "a", &["x"], vec![]), "a");
        assert_eq!(builder.node("Relu", "a", &["a"], vec![]), "a_2");
        assert_eq!(builder.ints("a", &[1]), "a_3");
    }

    #[test]
    fn renaming_reaches_every_reader() {
        let mut builder = Builder::default();
        let a = builder.node("Relu", "a", &["x"], vec![]);
        builder.node("Add", "b", &[&a, &a], vec![]);
        builder.rename(&a, "logits");
        let graph = builder.finish("g", vec![], vec![]);
        assert_eq!(graph.node[0].output, ["logits"]);
        assert_eq!(graph.node[1].input, ["logits", "logits"]);
    }
}
