//! `infer info` on a model without a card: what its graph says, and a card to fill in.
//! Not an opened model: the graph is read from the file, so that one which ONNX Runtime refuses is
//! shown too.

use std::fmt::Write;

use crate::model_file::ModelFile;
use crate::outline::{Dimension, Outline, Signature};

/// The facts, one a line.
pub(super) fn describe(file: &ModelFile, outline: &Outline, runs: &str) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("file", &format!("{}, {} bytes", file.path.display(), file.bytes.len()));
    line("sha256", &file.sha256());
    let producer = if outline.producer.is_empty() { "unknown" } else { &outline.producer };
    line("producer", producer);
    line("version", &format!("IR {}, opset {}", outline.ir_version, outline.opset));
    outline.inputs.iter().for_each(|i| line("input", &signature(i)));
    for (output, activation) in outline.outputs.iter().zip(&outline.activations) {
        let after = activation.map_or(String::new(), |a| format!(", after a {}", a.name()));
        line("output", &format!("{}{after}", signature(output)));
    }
    let custom = match &outline.custom_operators[..] {
        [] => "all are ONNX's or ONNX Runtime's".to_owned(),
        custom => format!("ONNX Runtime lacks {}", custom.join(", ")),
    };
    line("operators", &custom);
    line("runs", runs);
    line("card", "none: below is one to fill in (--write-card FILE.toml writes it)");
    text
}

/// Name, type and shape.
fn signature(signature: &Signature) -> String {
    let side = |d: &Dimension| match d {
        Dimension::Fixed(size) => size.to_string(),
        Dimension::Free(name) if name.is_empty() => "?".to_owned(),
        Dimension::Free(name) => name.clone(),
    };
    let shape = signature.shape.as_ref().map_or("of any shape".to_owned(), |shape| {
        format!("[{}]", shape.iter().map(side).collect::<Vec<_>>().join(", "))
    });
    format!("{} {} {shape}", signature.name, type_name(signature.element))
}

/// The name of a type that onnx.proto numbers.
fn type_name(element: i32) -> String {
    let names = [
        "of no type",
        "f32",
        "u8",
        "i8",
        "u16",
        "i16",
        "i32",
        "i64",
        "string",
        "bool",
        "f16",
        "f64",
        "u32",
        "u64",
    ];
    let name = usize::try_from(element).ok().and_then(|at| names.get(at));
    name.map_or_else(|| format!("of type {element}"), |name| (*name).to_owned())
}
