//! `train suite` through the program: a grid that is killed and resumed, what it leaves, what it refuses.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Duration;
use tests::{TINY_RECIPE, program, streets, succeeds};

/// The suite of one test: cross entropy and recall, one seed, a few steps.
fn suite(folder: &Path, data: &Path) -> Command {
    let recipe = folder.join("tiny.toml");
    std::fs::write(&recipe, TINY_RECIPE).unwrap();
    let mut command = program("train");
    command.args(["suite", "--losses", "cross-entropy,recall:momentum=0.5", "--seeds", "4"]);
    command.args(["--panel", "cross-entropy,recall:momentum=0.5", "--set", "train.iterations=4"]);
    command.arg("--recipe").arg(recipe).arg("--data-root").arg(data);
    command.arg("--out").arg(folder.join("suite")).env("OMP_NUM_THREADS", "2");
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).to_string()
}

fn refused(output: &Output, words: &[&str]) {
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{said}");
    for word in words.iter().chain(&["hint: "]) {
        assert!(said.contains(word), "expected {word:?} in: {said}");
    }
}

#[test]
fn a_suite_that_is_killed_goes_on_and_a_finished_one_does_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 4, 2);
    let out = folder.path().join("suite");
    let first = out.join("runs/cross-entropy-seed4/last.safetensors");
    let mut child = suite(folder.path(), &data).stderr(Stdio::null()).spawn().unwrap();
    for _ in 0..1200 {
        if first.exists() || child.try_wait().unwrap().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(first.exists(), "killed too late: the test tests nothing");

    let output = succeeds(&mut suite(folder.path(), &data));
    let cell = |name: &str| -> serde_json::Value {
        let path = out.join("cells").join(format!("{name}.json"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let resumed = cell("cross-entropy-seed4");
    assert!(resumed["last_sitting_from"].as_u64().unwrap() > 0, "it began anew: {resumed}");
    let whole = cell("recall_momentum=0.5-seed4");
    assert_eq!(
        (whole["last_sitting_from"].as_u64(), whole["iterations"].as_u64()),
        (Some(0), Some(4))
    );
    assert!(!whole.to_string().contains(&folder.path().display().to_string()), "a path in {whole}");
    assert!(text(&output.stdout).contains("| recall (momentum=0.5) | 1* |"), "{output:?}");
    for name in ["table.md", "table.csv", "table.tex", "scatter.svg"] {
        let written = std::fs::read_to_string(out.join(name)).unwrap();
        assert!(written.contains("cross-entropy"), "{name}: {written}");
    }
    for name in ["scatter.png", "panel.png"] {
        let picture = shared::decode::rgb(out.join(name)).unwrap();
        assert!(picture.width() > 400 && picture.pixels().any(|p| p.0 != [255; 3]), "{name}");
    }
    assert!(out.join("runs/cross-entropy-seed4/final.safetensors").exists());
    assert!(!first.exists(), "the trainer's state of a finished cell stays behind");

    let stamp = |name: &str| out.join(name).metadata().unwrap().modified().unwrap();
    let before = ["panel.png", "suite.json", "cells/cross-entropy-seed4.json"].map(stamp);
    let again = succeeds(&mut suite(folder.path(), &data));
    assert!(!text(&again.stderr).contains("cell 1"), "{}", text(&again.stderr));
    assert_eq!(before, ["panel.png", "suite.json", "cells/cross-entropy-seed4.json"].map(stamp));

    let other = suite(folder.path(), &data).args(["--set", "train.batch=3"]).output().unwrap();
    refused(&other, &["batch = 2", "batch = 3"]);
    let fewer = streets(&folder.path().join("fewer"), "streets", "64x64", 3, 2);
    refused(&suite(folder.path(), &fewer).output().unwrap(), &["files of train"]);

    // Without data, from the cells alone.
    std::fs::remove_file(out.join("table.md")).unwrap();
    let tables = ["suite", "--tables-only", "--reference", "recall:momentum=0.5", "--out"];
    succeeds(program("train").args(tables).arg(&out));
    let table = std::fs::read_to_string(out.join("table.md")).unwrap();
    assert!(table.contains("under 80 % with recall (momentum=0.5)"), "{table}");

    let run = out.join("runs/cross-entropy-seed4");
    succeeds(program("train").args(["plot", "curves"]).arg(&run));
    let svg = std::fs::read_to_string(run.join("plots/curves.svg")).unwrap();
    assert!(svg.contains("validation: mean IoU"), "{svg}");
    let weights = program("train").args(["plot", "weights"]).arg(&run).output().unwrap();
    refused(&weights, &["expected logged weights", "train.weights_every"]);
}

#[test]
fn a_cell_that_fails_is_reported_and_the_rest_is_computed() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 4, 2);
    let run = folder.path().join("suite/runs/cross-entropy-seed4");
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("last.safetensors"), "damaged").unwrap();
    let output = suite(folder.path(), &data).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("failed: cross-entropy, seed 4: checkpoint: "), "{said}");
    assert!(said.contains("named above: 1") && said.contains("missing: cross-entropy"), "{said}");
    assert!(text(&output.stdout).contains("| recall (momentum=0.5) | 1* |"), "{output:?}");
    let table = std::fs::read_to_string(folder.path().join("suite/table.md")).unwrap();
    assert!(table.contains("Missing: cross-entropy, seed 4."), "{table}");
}

#[test]
fn best_weights_that_could_not_be_saved_are_validated_and_saved_again() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 4, 2);
    let run = folder.path().join("suite/runs/cross-entropy-seed4");
    let best = run.join("best.safetensors");
    std::fs::create_dir_all(&best).unwrap(); // a file cannot take a folder's place
    let go = || {
        let mut command = suite(folder.path(), &data);
        command.args(["--keep-checkpoints", "--set", "train.validate_every=0"]);
        command
    };
    let output = go().output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("best.safetensors: cannot rename into place"), "{said}");
    assert!(run.join("last.safetensors").exists(), "{said}");
    std::fs::remove_dir(&best).unwrap();
    succeeds(&mut go());
    assert!(best.is_file());
}

#[test]
fn a_wrong_request_is_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 4, 2);
    let refuses = |change: &[&str], words: &[&str]| {
        let output = suite(folder.path(), &data).args(change).output().unwrap();
        refused(&output, words);
        assert!(!folder.path().join("suite").exists(), "{change:?} left a folder");
    };
    refuses(&["--losses", "recal"], &["recal", "cross-entropy"]);
    refuses(&["--losses", "cross-entropy:floor=true"], &["floor"]);
    refuses(&["--losses", "recall:floor"], &["recall:floor", "KEY=VALUE"]);
    refuses(&["--set", "loss.floor=false"], &["loss.floor", "grid"]);
    refuses(&["--set", "train.seed=3"], &["train.seed", "grid"]);
    let missing =
        program("train").args(["suite", "--tables-only", "--out"]).arg(folder.path()).output();
    refused(&missing.unwrap(), &["suite.json"]);
}
