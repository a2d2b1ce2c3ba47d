//! `infer info` on models without a card: what their graphs say, and the card that it writes for
//! them.

mod common;

use std::path::{Path, PathBuf};

use common::{ended_well, error_of, infer, model};

fn elsewhere(name: &str) -> PathBuf {
    model(&format!("elsewhere-{name}"))
}

fn info(path: &Path, more: &[&str]) -> assert_cmd::Command {
    let mut command = infer();
    command.args(["info", "--provider", "cpu", "--model"]).arg(path).args(more);
    command
}

/// A run of the model with that card.
fn bench(path: &Path, card: &Path) -> assert_cmd::Command {
    let mut command = infer();
    let frame = ["--frame-size", "48x32", "--frames", "1", "--warm-up", "0"];
    command.args(["bench", "--provider", "cpu", "--model"]).arg(path).args(frame);
    command.arg("--card").arg(card);
    command
}

#[test]
fn the_graph_is_shown_with_types_shapes_versions_and_a_card_to_fill_in() {
    let text = ended_well(&mut info(&elsewhere("nhwc"), &[]));
    for line in [
        "producer   tf2onnx",
        "version    IR 8, opset 17",
        "input      input f32 [n, h, w, 3]",
        "output     out f32 [n, h, w, 6]",
        "operators  all are ONNX's or ONNX Runtime's",
        "runs       on cpu",
        "output = { name = \"out\", layout = \"NHWC\" }",
        "  { name = \"class5\", color = [128, 0, 128] },",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let text = ended_well(&mut info(&elsewhere("binary-sigmoid"), &[]));
    assert!(text.contains("output     out f32 [n, 1, oh, ow], after a sigmoid"), "{text}");
    assert!(text.contains("activation = \"sigmoid\", threshold = 0.5"), "{text}");
}

#[test]
fn a_written_card_is_accepted_as_it_is_where_the_graph_says_how_many_classes_there_are() {
    let folder = tempfile::tempdir().unwrap();
    for name in [
        "nhwc",
        "batch-4",
        "binary-logit",
        "binary-sigmoid",
        "gray",
        "input-f16",
        "input-u8",
        "output-f16",
        "softmax",
        "stride-4",
    ] {
        let card = folder.path().join(format!("{name}.toml"));
        let path = card.to_str().unwrap();
        let text = ended_well(&mut info(&elsewhere(name), &["--write-card", path]));
        assert!(text.contains(&format!("card: {path}")), "{text}");
        ended_well(&mut bench(&elsewhere(name), &card));
    }
}

#[test]
fn of_labels_the_classes_are_filled_in_first() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.toml");
    let path = elsewhere("argmax-i64-n1hw");
    ended_well(&mut info(&path, &["--write-card", card.to_str().unwrap()]));
    let text = error_of(&mut bench(&path, &card), 2);
    assert!(text.contains("classes: expected 2 to 255, got 0"), "{text}");
    let rows: String =
        (0..6).map(|i| format!("  {{ name = \"{i}\", color = [{i}, 0, 0] }},\n")).collect();
    let text = std::fs::read_to_string(&card).unwrap();
    let (before, rest) = text.split_once("  # { name = \"road\"").unwrap();
    let (_, after) = rest.split_once('\n').unwrap();
    std::fs::write(&card, [before, &rows, after].concat()).unwrap();
    ended_well(&mut bench(&path, &card));
}

#[test]
fn a_card_is_not_written_over_a_file_nor_for_a_model_that_has_one() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.toml");
    std::fs::write(&card, "filled in").unwrap();
    let name = card.to_str().unwrap();
    let text = error_of(&mut info(&elsewhere("nhwc"), &["--write-card", name]), 2);
    assert!(text.contains("expected a file that is not there yet"), "{text}");
    assert_eq!(std::fs::read_to_string(&card).unwrap(), "filled in");
    let new = folder.path().join("new.toml");
    let text = error_of(&mut info(&model("both"), &["--write-card", new.to_str().unwrap()]), 2);
    assert!(text.contains("expected a model without a card") && !new.exists(), "{text}");
}

#[test]
fn operators_that_onnx_runtime_lacks_are_named_and_the_graph_is_shown_all_the_same() {
    let mut command = info(&elsewhere("custom"), &[]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("operators  ONNX Runtime lacks mmdeploy:NonMaxThing"), "{text}");
    assert!(text.contains("input      input f32 [n, 3, h, w]"), "{text}");
    let text = error_of(&mut command, 1);
    assert!(text.contains("got operators of its own: mmdeploy:NonMaxThing"), "{text}");
}
