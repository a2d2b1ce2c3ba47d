//! Outputs that are not of the input's size are refused by every way of running a model: they would be
//! garbled pictures, or counts of other pixels.

mod common;

use common::{data_set, error_of, eval_command, infer, model};

#[test]
fn an_output_of_another_size_than_the_input_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1); // one image of 40 x 31
    for (name, expected) in [
        ("labels-tall", "output labels: expected [1, 31, 40], got [1, 62, 40]"),
        ("logits-double", "output logits: expected [1, 6, ?, ?], got [2, 6, 31, 40]"),
        // Its resize is done outside the graph, to the size that the graph says.
        ("logits-small", "output logits: expected [1, 6, 31, 40], got [1, 6, 16, 20]"),
    ] {
        let text = error_of(&mut eval_command(&model(name), folder), 2);
        assert!(text.contains(expected) && text.contains("card and graph contradict"), "{text}");
        let mut predict = infer();
        predict.args(["predict", "--provider", "cpu", "--model"]).arg(model(name));
        predict.arg(folder.join("images/val")).arg("--out").arg(folder.join("out"));
        let text = error_of(&mut predict, 2);
        assert!(text.contains(expected), "{text}");
    }
}
