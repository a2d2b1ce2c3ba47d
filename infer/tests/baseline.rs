//! `infer eval --baseline`: which files are compared with, and what of them is believed.

mod common;

use std::path::Path;

use assert_cmd::Command;
use common::{data_set, error_of, eval_command, eval_json, model};
use serde_json::{Value, json};

/// `eval` with a baseline that is the model's own scores, changed.
fn against(folder: &Path, change: impl Fn(&mut Value)) -> Command {
    let mut scores = eval_json(&mut eval_command(&model("both"), folder), folder);
    std::fs::remove_file(folder.join("eval.json")).unwrap();
    change(&mut scores);
    let baseline = folder.join("baseline.json");
    std::fs::write(&baseline, scores.to_string()).unwrap();
    let mut command = eval_command(&model("both"), folder);
    command.arg("--baseline").arg(baseline);
    command
}

/// The table of an `eval` that must succeed.
fn table(mut command: Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn refuses(folder: &Path, change: impl Fn(&mut Value), expected: &str) {
    let text = error_of(&mut against(folder, change), 2);
    assert!(text.contains(expected) && text.contains("hint: "), "{text}");
    assert!(!folder.join("eval.json").exists());
}

#[test]
fn scores_of_other_images_or_labels_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 3);
    refuses(folder, |s| s["dataset"] = json!("seven"), "data set: expected six, got seven");
    refuses(folder, |s| s["split"] = json!("test"), "split: expected val, got test");
    refuses(folder, |s| s["images"] = json!(2), "images: expected 3, got 2");
    refuses(folder, |s| s["classes"][4]["name"] = json!("mast"), "classes: expected sky, road");
    refuses(folder, |s| s["confusion"][4][0] = json!(1_000_000), "pixels of pole: expected ");
}

#[test]
fn only_the_confusion_matrix_is_believed_and_only_one_that_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 3);
    let text = table(against(folder, |s| s["classes"][4]["iou"] = json!(7.5)));
    let pole = text.lines().find(|line| line.starts_with("pole †")).unwrap();
    assert!(pole.ends_with("+0.00"), "{text}");
    let expected = "expected a confusion matrix of its classes";
    refuses(folder, |s| s["confusion"] = json!([[1]]), expected);
    refuses(folder, |s| s["confusion"][0] = json!([]), expected);
    refuses(folder, |s| s["confusion"][0][0] = json!(u64::MAX), expected);
    refuses(folder, |s| s["confusion"] = Value::Null, "baseline.json: ");
}

#[test]
fn a_baseline_that_saw_the_images_otherwise_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 2);
    let views = json!({ "scales": [0.5, 1.0], "flip": true, "window": null, "overlap": null });
    let text = table(against(folder, |s| s["averaged"] = views.clone()));
    let expected = "in the baseline: mean softmax of scales 0.5, 1, each mirrored too";
    assert!(text.contains(expected), "{text}");
    assert!(!table(against(folder, |_| ())).contains("in the baseline: "));
}
