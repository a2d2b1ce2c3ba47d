//! Which models are opened: those of the manifest, with the cards that it lists, and none that keeps weights in
//! other files.

mod common;

use std::path::Path;

use common::{data_set, error_of, infer, model};

fn info(path: &Path, more: &[&str]) -> assert_cmd::Command {
    let mut command = infer();
    command.args(["info", "--provider", "cpu", "--model"]).arg(path).args(more);
    command
}

#[test]
fn only_what_was_pinned_is_opened() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.toml");
    let path = folder.path().join("both.onnx");
    std::fs::copy(model("both"), &path).unwrap();
    let manifest = manifest.to_str().unwrap();
    let text = error_of(&mut info(&path, &["--manifest", manifest]), 2);
    assert!(text.contains("manifest: ") && text.contains("--pin"), "{text}");
    let pinned = info(&path, &["--pin", manifest]).output().unwrap();
    assert!(String::from_utf8(pinned.stdout).unwrap().starts_with("added: both.onnx "));
    assert!(info(&path, &["--manifest", manifest]).output().unwrap().status.success());
    let text = error_of(&mut info(&model("labels"), &["--manifest", manifest]), 2);
    assert!(text.contains("expected \"labels.onnx\" among the models in "), "{text}");
}

/// Not even a broken file is parsed: its checksum is told, not what a parser thinks of it.
#[test]
fn a_checksum_is_compared_before_the_file_is_parsed() {
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("manifest.toml");
    let path = folder.path().join("both.onnx");
    std::fs::copy(model("both"), &path).unwrap();
    let manifest = manifest.to_str().unwrap();
    assert!(info(&path, &["--pin", manifest]).output().unwrap().status.success());
    std::fs::write(&path, "this is no model at all").unwrap();
    let text = error_of(&mut info(&path, &["--manifest", manifest]), 2);
    assert!(text.contains("expected SHA-256 ") && !text.contains("ONNX model"), "{text}");
}

/// It says what is done to the pixels and what the classes are called, itself or by naming a data set's file.
#[test]
fn a_card_is_pinned_with_the_model_that_it_is_for() {
    let folder = tempfile::tempdir().unwrap();
    let [card, manifest] = ["card.toml", "manifest.toml"].map(|name| folder.path().join(name));
    let dataset = data_set(folder.path(), 1);
    let input = "[input]\nmean = [0.5, 0.5, 0.5]\nstd = [0.2, 0.2, 0.2]\n";
    std::fs::write(&card, format!("dataset = {dataset:?}\n{input}")).unwrap();
    let [card, manifest] = [&card, &manifest].map(|path| path.to_str().unwrap());
    let run = |more: &[&str]| info(&model("foreign"), &[&["--card", card], more].concat());
    let pin = || {
        let output = run(&["--pin", manifest]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert!(run(&["--manifest", manifest]).output().unwrap().status.success());
    };
    pin();
    for (path, old, new) in [(Path::new(card), "0.2]", "0.3]"), (&dataset, "\"pole\"", "\"mast\"")]
    {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, text.replace(old, new)).unwrap();
        let text = error_of(&mut run(&["--manifest", manifest]), 2);
        assert!(text.contains("card: ") && text.contains("expected SHA-256 "), "{old}: {text}");
        pin();
    }
    // As an older version wrote it.
    let text = std::fs::read_to_string(manifest).unwrap();
    std::fs::write(manifest, text.split("[cards]").next().unwrap()).unwrap();
    let text = error_of(&mut run(&["--manifest", manifest]), 2);
    assert!(text.contains("among the cards") && text.contains("--card FILE --pin"), "{text}");
}

/// ONNX Runtime would read `external-data.bin` of the current folder.
#[test]
fn weights_in_other_files_are_refused_though_they_are_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("external-data.bin"), vec![0; 6 * 27 * 4]).unwrap();
    let mut command = info(&model("external-data"), &[]);
    let text = error_of(command.current_dir(folder.path()), 2);
    assert!(text.contains("expected all weights in the file, got \"w\" in another one"), "{text}");
}
