//! Which models are opened: those of the manifest, and none that keeps weights in other files.

mod common;

use std::path::Path;

use common::{error_of, infer, model};

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
    assert!(text.contains("lists, got \"labels.onnx\""), "{text}");
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

/// ONNX Runtime would read `external-data.bin` of the current folder.
#[test]
fn weights_in_other_files_are_refused_though_they_are_there() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("external-data.bin"), vec![0; 6 * 27 * 4]).unwrap();
    let mut command = info(&model("external-data"), &[]);
    let text = error_of(command.current_dir(folder.path()), 2);
    assert!(text.contains("expected all weights in the file, got \"w\" in another one"), "{text}");
}
