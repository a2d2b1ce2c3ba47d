//! Wrong requests: one line that says what was expected and got, a hint, exit code 2, nothing written.

mod common;

use std::path::Path;

use assert_cmd::Command;
use common::{card, data_set, error_of, eval_command, infer, model, on_data, with_card};
use serde_json::json;

/// The error of `info` on a model file.
fn info(path: &Path) -> String {
    error_of(infer().args(["info", "--provider", "cpu", "--model"]).arg(path), 2)
}

/// The error of `eval` on the data set in `folder`, which must leave no JSON.
fn refused_eval(folder: &Path) -> String {
    let text = error_of(&mut eval_command(&model("both"), folder), 2);
    assert!(!folder.join("eval.json").exists());
    text
}

#[test]
fn a_model_that_is_not_there_or_is_none_or_is_cut_off_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    assert!(info(&path).contains("expected an ONNX file, got No such file"));
    std::fs::write(&path, "").unwrap();
    assert!(info(&path).contains("got 0 bytes"));
    std::fs::write(&path, "this is no model at all").unwrap();
    assert!(info(&path).contains("expected an ONNX model"));
    let whole = std::fs::read(model("both")).unwrap();
    for length in [1, 20, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        let text = info(&path);
        assert!(
            text.contains("m.onnx: expected ") && text.contains("hint: "),
            "{length} bytes: {text}"
        );
    }
}

/// Each with its own words and its own hint: none of them is a truncated ONNX file.
#[test]
fn what_is_another_kind_of_file_is_called_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let safetensors = [&16_u64.to_le_bytes()[..], b"{\"w\":{\"dtype\":1}}"].concat();
    let lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    let cases: [(&[u8], &str, &str); 8] = [
        (lfs.as_bytes(), "got a Git LFS pointer", "git lfs pull"),
        (b"<!DOCTYPE html>\n<html lang=\"en\">", "got a web page", "download the file itself"),
        (b"PK\x03\x04\0\0archive/data.pkl", "got a PyTorch file", "torch.onnx.export"),
        (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j", "got a pickled PyTorch file", "torch.onnx.export"),
        (&safetensors, "got weights without a network (safetensors)", "train export"),
        (b"\x08\x01\x12\xf6\x03\n\x0c", "got a TensorFlow model", "tf2onnx"),
        (b"\x1c\0\0\0TFL3\x14\0", "got a TensorFlow Lite model", "--tflite"),
        (b"\x89HDF\r\n\x1a\n\0", "got a Keras or HDF5 file", "tf2onnx"),
    ];
    for (bytes, expected, hint) in cases {
        std::fs::write(&path, bytes).unwrap();
        let text = info(&path);
        assert!(text.contains(&format!("m.onnx: expected an ONNX model, {expected}")), "{text}");
        assert!(text.lines().nth(1).unwrap().contains(hint), "{text}");
        assert!(!text.contains("truncated"), "{text}");
    }
    let text = info(folder.path());
    assert!(text.contains("got a folder") && text.contains("--saved-model"), "{text}");
}

#[test]
fn what_onnx_runtime_does_not_open_is_told_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let card = folder.path().join("card.toml");
    let input = "mean = [0, 0, 0]\nstd = [1, 1, 1]\n";
    std::fs::write(&card, format!("dataset = \"camvid\"\n[input]\n{input}")).unwrap();
    for (name, expected, hint) in [
        ("ir-99", "expected an IR version of at most ", "model.ir_version = "),
        ("opset-99", "expected an operator set of at most ", "opset_version=17"),
        ("custom", "got operators of its own: mmdeploy:NonMaxThing", "without them"),
    ] {
        let mut command = infer();
        command.args(["bench", "--provider", "cpu", "--model"]);
        command.arg(model(&format!("elsewhere-{name}"))).arg("--card").arg(&card);
        let text = error_of(&mut command, 2);
        assert!(text.contains(expected), "{name}: {text}");
        assert!(text.lines().last().unwrap().contains(hint), "{name}: {text}");
        assert!(!text.contains("truncated") && !text.contains("onnxruntime_src"), "{text}");
    }
}

#[test]
fn a_model_without_a_card_or_with_a_broken_one_is_refused() {
    let text =
        error_of(infer().args(["bench", "--provider", "cpu", "--model"]).arg(model("no-card")), 2);
    assert!(text.contains("expected a card") && text.contains("--write-card FILE.toml"), "{text}");
    assert!(info(&model("broken-card")).contains("model card: not readable"));
}

#[test]
fn a_card_that_the_graph_contradicts_is_refused() {
    assert!(info(&model("missing-output")).contains("expected the output logits of its card"));
    assert!(info(&model("float-input")).contains("expected image "));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    let mut card = card();
    card["classes"].as_array_mut().unwrap().pop();
    card["class_share"] = json!([]);
    with_card(&path, &card);
    assert!(info(&path).contains("f32 [?, 5, ?, ?]"), "one class less than the graph has");
}

#[test]
fn a_data_set_with_other_classes_is_refused_with_the_first_difference() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = data_set(folder.path(), 1);
    let toml = std::fs::read_to_string(&descriptor).unwrap();
    std::fs::write(&descriptor, toml.replace("\"pole\"", "\"mast\"")).unwrap();
    let text = refused_eval(folder.path());
    assert!(text.contains("class 4: expected \"mast\"") && text.contains("got \"pole\""), "{text}");
}

#[test]
fn a_corrupt_image_in_a_data_set_leaves_no_json() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 3);
    let broken = folder.path().join("images/val/scene_1.png");
    let bytes = std::fs::read(&broken).unwrap();
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).unwrap();
    assert!(refused_eval(folder.path()).contains("scene_1.png"));
}

#[test]
fn unknown_data_sets_folders_and_options_are_refused() {
    let eval = |dataset: &str, root: &str, more: &[&str]| {
        let mut command = infer();
        command.args(["eval", "--dataset", dataset, "--data-root", root, "--model"]);
        error_of(command.arg(model("both")).args(more), 2)
    };
    assert!(eval("no-such-set", "/", &[]).contains("no-such-set"));
    assert!(eval("/", "/", &[]).contains("hint: a descriptor is a TOML file"));
    assert!(eval("camvid", "/no/such/folder", &[]).contains("/no/such/folder"));
    assert!(eval("camvid", "/", &["--threads", "0"]).contains("0"));
    assert!(eval("camvid", "/", &["--provider", "quantum"]).contains("quantum"));
}

#[test]
fn a_wrong_command_line_is_refused_in_one_line_and_a_hint() {
    for (typed, expected) in [
        ("gate --frames 500 --model m --dataset d --data-root r", "--max-p99-ms <MS>"),
        ("eval --overlap 0.5 --model m --dataset d --data-root r", "--window <WxH>"),
        ("bench --model m --frames 0", "'--frames <FRAMES>': 0 is not in 1..=1000000"),
        ("live --models m --source streets --stale-ms 0", "'--stale-ms <MS>'"),
        ("info --modle m", "'--modle'"),
        ("fly", "'fly'"),
    ] {
        let text = error_of(infer().args(typed.split(' ')), 2);
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(text.lines().next().unwrap().contains(expected), "{text}");
    }
    let help = infer().args(["gate", "--help"]).output().unwrap();
    assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains("Usage"));
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_before_the_work() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    let file = folder.join("six.toml");
    let below = file.join("below");
    let nowhere = Path::new("/proc/nowhere/x");
    let refuse = |mut command: Command, flag: &str| {
        let text = error_of(&mut command, 2);
        assert!(text.starts_with(&format!("error: {flag}: ")), "{text}");
        assert!(!text.contains("on ONNX Runtime"), "the model was opened before: {text}");
    };
    for (flag, places) in
        [("--json", [folder, &below, nowhere]), ("--save-labels", [&file, &below, nowhere])]
    {
        for place in places {
            let mut command = on_data("eval", &model("both"), folder);
            command.arg(flag).arg(place);
            refuse(command, flag);
        }
    }
    for place in [folder, &below, nowhere] {
        let mut command = infer();
        command.args(["info", "--model"]).arg(model("both")).arg("--pin").arg(place);
        refuse(command, "--pin");
    }
    for place in [&file, &below, nowhere] {
        let mut command = on_data("compare", &model("both"), folder);
        command.arg("--out").arg(place);
        refuse(command, "--out");
        let mut command = infer();
        command.args(["predict", "--model"]).arg(model("both"));
        command.arg(folder.join("images/val")).arg("--out").arg(place);
        refuse(command, "--out");
    }
}

#[test]
fn a_refused_model_leaves_no_folder_behind() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    let (none, new) = (folder.join("none.onnx"), folder.join("new"));
    let mut eval = on_data("eval", &none, folder);
    eval.arg("--json").arg(new.join("a/x.json")).arg("--save-labels").arg(new.join("b"));
    let mut gate = on_data("gate", &none, folder);
    gate.args(["--min-miou", "0.5", "--json"]).arg(new.join("x.json"));
    let mut compare = on_data("compare", &none, folder);
    compare.arg("--out").arg(&new);
    let mut bench = infer();
    bench.args(["bench", "--model"]).arg(&none).arg("--json").arg(new.join("x.json"));
    let mut predict = infer();
    predict.args(["predict", "--model"]).arg(&none);
    predict.arg(folder.join("images/val")).arg("--out").arg(&new);
    for mut command in [eval, gate, compare, bench, predict] {
        assert!(error_of(&mut command, 2).contains("none.onnx"));
        assert!(!new.exists(), "{command:?}");
    }
}

#[test]
fn a_provider_by_name_is_used_or_refused_and_never_replaced() {
    let output = infer()
        .args(["info", "--provider", "cuda", "--model"])
        .arg(model("both"))
        .output()
        .unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        assert!(text.contains(": cuda on"), "{text}");
    } else {
        // 1 where the library could, but no device answers.
        assert!(matches!(output.status.code(), Some(1 | 2)), "{}", output.status);
        assert!(
            text.contains("error: provider cuda: expected") && text.contains("hint: "),
            "{text}"
        );
    }
}

#[test]
fn without_the_library_the_error_says_what_to_do() {
    let mut command = infer();
    command
        .env("ORT_DYLIB_PATH", "/no/such/libonnxruntime.so")
        .args(["info", "--model"])
        .arg(model("both"));
    let text = error_of(&mut command, 2);
    assert!(text.contains("ORT_DYLIB_PATH") && text.contains("cargo xtask setup"), "{text}");
    let folder = tempfile::tempdir().unwrap();
    let fake = folder.path().join("libonnxruntime.so");
    std::fs::write(&fake, "not a library").unwrap();
    let mut command = infer();
    command.env("ORT_DYLIB_PATH", &fake).args(["info", "--model"]).arg(model("both"));
    assert!(error_of(&mut command, 2).contains("expected version 1."));
}
