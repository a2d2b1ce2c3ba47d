//! `infer gate` and `infer bench`: exit codes, what is listed as failed, what is measured.
//! Limits come from `infer eval` of the same model, which has tests of its own.

mod common;

use std::path::Path;

use assert_cmd::Command;
use common::{data_set, error_of, eval_command, eval_json, infer, model, on_data};
use serde_json::Value;

fn gate(folder: &Path, more: &[&str]) -> Command {
    let mut command = on_data("gate", &model("both"), folder);
    command.args(more);
    command
}

#[test]
fn a_limit_just_met_passes_and_one_just_missed_fails_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 3);
    let eval = eval_json(&mut eval_command(&model("both"), folder), folder);
    let class = |name: &str| {
        let find = |c: &&Value| c["name"] == name;
        eval["classes"].as_array().unwrap().iter().find(find).unwrap().clone()
    };
    let (recall, iou) =
        (class("pole")["accuracy"].as_f64().unwrap(), class("person")["iou"].as_f64().unwrap());
    let miou = eval["mean_iou"].as_f64().unwrap();
    let json = folder.join("gate.json");
    let run = |less: f64, code: i32| {
        let args = [
            format!("--min-recall=pole={}", recall - less),
            format!("--min-iou=person={iou}"),
            format!("--min-miou={miou}"),
            format!("--json={}", json.display()),
        ];
        let output = gate(folder, &args.each_ref().map(String::as_str)).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
        let written: Value = serde_json::from_slice(&std::fs::read(&json).unwrap()).unwrap();
        assert_eq!(written["passed"], code == 0);
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (out, _) = run(0.0, 0);
    assert_eq!(out.matches("pass  ").count(), 3, "{out}");
    let (out, err) = run(-1e-6, 1);
    assert!(out.contains("FAIL  recall of pole: expected at least"), "{out}");
    assert!(err.contains("expected 3 checks to pass, got 2; failed: recall of pole"), "{err}");
}

#[test]
fn latency_takes_459_frames_and_is_held_to_its_limit() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 2);
    let text = error_of(&mut gate(folder, &["--max-p99-ms", "50"]), 2);
    assert!(
        text.contains("expected 459 frames or more, got 2") && text.contains("0.99^459"),
        "{text}"
    );
    error_of(&mut gate(folder, &["--max-p99-ms", "50", "--frames", "458"]), 2);
    let text = error_of(&mut gate(folder, &["--max-p99-ms", "0.00001", "--frames", "459"]), 1);
    assert!(text.contains("failed: p99 latency in ms, 99 % bound"), "{text}");
    let slow = gate(folder, &["--max-p99-ms", "600000", "--frames", "459"]).output().unwrap();
    assert!(slow.status.success());
}

#[test]
fn a_gate_without_limits_or_for_an_unknown_class_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    assert!(error_of(&mut gate(folder, &[]), 2).contains("got no limit"));
    let text = error_of(&mut gate(folder, &["--min-recall", "unicorn=0.5"]), 2);
    assert!(text.contains("got \"unicorn\"") && text.contains("pole, person"), "{text}");
    error_of(&mut gate(folder, &["--min-recall", "pole=85"]), 2);
}

#[test]
fn bench_times_every_stage_of_several_models() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("bench.json");
    let mut command = infer();
    command.args(["bench", "--provider", "cpu", "--threads", "1", "--arena", "off"]);
    command.args(["--frame-size", "64x48", "--frames", "7", "--warm-up", "1", "--json"]).arg(&json);
    command.arg("--models").args([model("both"), model("labels")]);
    let output = command.output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    // Both cards have one name.
    for title in ["both", "labels"] {
        assert!(text.contains(&format!("{title} (fp32, cpu): frame 64 x 48")), "{text}");
    }
    assert_eq!(text.matches("  labels ").count(), 2, "{text}");
    assert_eq!(text.matches("a bound on the true p99 takes 459 frames").count(), 2, "{text}");
    let written: Value = serde_json::from_slice(&std::fs::read(json).unwrap()).unwrap();
    for row in written["models"].as_array().unwrap() {
        let median = |stage: &str| row[stage]["median"].as_f64().unwrap();
        assert!(
            ["prepare", "run", "post", "draw"]
                .iter()
                .all(|s| median(s) >= 0.0 && median(s) <= row["total"]["max"].as_f64().unwrap())
        );
        assert_eq!(row["total"]["samples"], 7);
        assert!(row["frames_per_second"].as_f64().unwrap() > 0.0);
        assert!(row["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    }
    let mut build = infer();
    build.args(["bench", "--provider", "cpu", "--build-only", "--frame-size", "64x48", "--models"]);
    let output = build.arg(model("both")).output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().contains("opened in"));
}

#[test]
fn bench_refuses_images_of_several_sizes() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 2);
    let mut command = infer();
    command.args(["bench", "--provider", "cpu", "--model"]).arg(model("both"));
    command.arg("--images").arg(folder.path().join("images/val"));
    let text = error_of(&mut command, 2);
    assert!(
        text.contains("scene_1.png: expected 40 x 31 as the first image, got 46 x 35"),
        "{text}"
    );
}
