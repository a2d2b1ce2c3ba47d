//! What ONNX Runtime says of a model that it does not open or run, in words for the user.
//! Not the decision, which is its own. Its messages begin with paths of its own sources and the
//! names of its functions: those say nothing to whoever has the file.

use ort::ErrorCode;
use shared::error::Error;

use crate::model_file::ModelFile;
use crate::outline::Outline;
use crate::runtime::runtime;

/// A message without ONNX Runtime's paths and function names.
pub(crate) fn plain(message: &str) -> String {
    const SOURCES: &str = "/onnxruntime_src/";
    let mut text = message.to_owned();
    while let Some(start) = text.find(SOURCES) {
        let after = after_signature(&text[start..]);
        let rest = text[start + after..].trim_start().to_owned();
        text.truncate(text[..start].trim_end().len());
        if !text.is_empty() && !rest.is_empty() {
            text.push(' ');
        }
        text += &rest;
    }
    text
}

/// Bytes of `path:line function(arguments) const [with T = x]` at the start of a message.
fn after_signature(text: &str) -> usize {
    let Some(path) = text.find(' ') else { return text.len() };
    let mut at = path + 1;
    loop {
        let Some(open) = text[at..].find('(') else { return path + 1 };
        let Some(close) = closing(&text[at + open..]) else { return path + 1 };
        at += open + close;
        // `(anonymous namespace)::f(...)`, `operator()(...)`: the signature goes on.
        if !(text[at..].starts_with("::") || text[at..].starts_with('(')) {
            break;
        }
    }
    for more in [" const", " noexcept"] {
        at += if text[at..].starts_with(more) { more.len() } else { 0 };
    }
    let with = text[at..].strip_prefix(" [with ").and_then(|rest| rest.find(']'));
    at + with.map_or(0, |end| end + " [with ".len() + 1)
}

/// Bytes up to and with the parenthesis that closes the first one.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'(' => depth += 1,
            b')' if depth <= 1 => return Some(at + 1),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// Whether a message says that there was no memory.
pub(crate) fn is_memory(message: &str) -> bool {
    ["Failed to allocate memory", "bad_alloc", "out of memory", "bad allocation"]
        .iter()
        .any(|words| message.contains(words))
}

/// The error of a model that is not opened.
pub(crate) fn refused(file: &ModelFile, error: &ort::Error) -> Error {
    let message = plain(error.message());
    let at = format!("model: {}", file.path.display());
    if is_memory(&message) {
        return Error::work(format!("{at}: expected memory for the model, got {message}"))
            .hint("free memory, or export the model with fewer weights");
    }
    let version = runtime().map_or("", |r| r.version.as_str());
    let newer =
        format!("or take a newer ONNX Runtime than {version}: ORT_DYLIB_PATH=libonnxruntime.so");
    let outline = Outline::read(file).ok();
    let custom = outline.as_ref().map(|o| o.custom_operators.join(", ")).unwrap_or_default();
    if !custom.is_empty() {
        return Error::request(format!(
            "{at}: expected operators of ONNX, got operators of its own: {custom}"
        ))
        .hint("ONNX Runtime lacks them: export the model without them (mmdeploy and others have a setting for onnxruntime), and leave out what follows the logits");
    }
    if let Some((_, highest)) = message.split_once("max supported IR version: ") {
        let highest = leading_number(highest);
        let got = outline.map_or(0, |o| o.ir_version);
        return Error::request(format!(
            "{at}: expected an IR version of at most {highest}, got {got}"
        ))
        .hint(format!(
            "save it again with model.ir_version = {highest} (onnx.load, onnx.save), {newer}"
        ));
    }
    if let Some((_, highest)) =
        message.split_once("official support for domain ai.onnx is till opset ")
    {
        let got = outline.map_or(0, |o| o.opset);
        return Error::request(format!(
            "{at}: expected an operator set of at most {}, got {got}",
            leading_number(highest)
        ))
        .hint(format!("export it with opset_version=17, {newer}"));
    }
    let line = format!("{at}: expected a model that ONNX Runtime {version} takes, got {message}");
    match error.code() {
        // An exception while the session is made: mostly no memory, which may be there later.
        ErrorCode::RuntimeException => Error::work(line).hint("free memory, or export it again"),
        ErrorCode::InvalidProtobuf => {
            Error::request(line).hint("the file may be truncated: export or copy it again")
        }
        _ => Error::request(line).hint(
            "python -c \"import onnx; onnx.checker.check_model('model.onnx', full_check=True)\" says more; export it again",
        ),
    }
}

fn leading_number(text: &str) -> String {
    text.chars().take_while(char::is_ascii_digit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_functions_of_onnx_runtime_are_left_out() {
        for (message, expected) in [
            ("nothing of the kind (at all)", "nothing of the kind (at all)"),
            (
                "Load model from memory failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:180 onnxruntime::Model::Model(onnx::ModelProto&&, const PathString&, const std::function<int()>&) Unsupported model IR version: 99, max supported IR version: 13",
                "Load model from memory failed: Unsupported model IR version: 99, max supported IR version: 13",
            ),
            (
                "while running Add node. Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/math/element_wise_ops.h:560 void onnxruntime::BroadcastIterator::Append(ptrdiff_t, ptrdiff_t) axis == 1 || axis == largest was false. Attempting to broadcast (15 by 16)",
                "while running Add node. Status Message: axis == 1 || axis == largest was false. Attempting to broadcast (15 by 16)",
            ),
            (
                "/onnxruntime_src/a.cc:1 void onnxruntime::(anonymous namespace)::F(int) const [with T = float] x /onnxruntime_src/b.cc:2 int g() y",
                "x y",
            ),
            ("/onnxruntime_src/a.cc:1 no signature", "no signature"),
        ] {
            assert_eq!(plain(message), expected);
        }
    }
}
