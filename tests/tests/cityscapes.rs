//! `infer eval` against the official Cityscapes evaluation, count for count, on generated streets in that layout.

use serde_json::Value;
use std::path::Path;
use std::process::Command;
use tests::{TINY_RECIPE, program, python_packages, streets, succeeds};

#[test]
fn every_count_equals_the_official_scripts() {
    let Some(packages) = python_packages("every_count_equals_the_official_scripts") else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let data = streets(folder.path(), "cityscapes", "128x96", 8, 5);
    std::fs::write(at("tiny.toml"), TINY_RECIPE).unwrap();
    succeeds(
        program("train")
            .args(["fit", "--set", "data.dataset=cityscapes", "--recipe"])
            .arg(at("tiny.toml"))
            .arg("--data-root")
            .arg(&data)
            .arg("--out")
            .arg(at("run")),
    );
    succeeds(
        program("train")
            .args(["export", "--checkpoint"])
            .arg(at("run/last.safetensors"))
            .arg("--output")
            .arg(at("model.onnx")),
    );
    succeeds(
        program("infer")
            .args(["eval", "--dataset", "cityscapes", "--provider", "cpu", "--model"])
            .arg(at("model.onnx"))
            .arg("--data-root")
            .arg(&data)
            .arg("--json")
            .arg(at("ours.json"))
            .arg("--save-labels")
            .arg(at("labels")),
    );
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/cityscapes.py");
    succeeds(
        Command::new("python3")
            .arg(script)
            .env("PYTHONPATH", packages)
            .env("CITYSCAPES_DATASET", &data)
            .env("CITYSCAPES_RESULTS", at("labels"))
            .env("CITYSCAPES_EXPORT_DIR", folder.path())
            .arg(at("theirs.json")),
    );
    let read = |name: &str| -> Value {
        serde_json::from_str(&std::fs::read_to_string(at(name)).unwrap()).unwrap()
    };
    let (ours, theirs) = (read("ours.json"), read("theirs.json"));
    let confusion = |value: &Value| -> Vec<Vec<u64>> {
        serde_json::from_value(value["confusion"].clone()).unwrap()
    };
    assert_eq!(confusion(&ours), confusion(&theirs));
    assert!(confusion(&ours).iter().flatten().sum::<u64>() > 5 * 128 * 96 * 9 / 10);
    for (class, score) in
        ours["classes"].as_array().unwrap().iter().zip(theirs["iou"].as_array().unwrap())
    {
        match (class["iou"].as_f64(), score.as_f64()) {
            (Some(a), Some(b)) => assert!((a - b).abs() < 1e-12, "{}: {a} {b}", class["name"]),
            (a, b) => assert_eq!(a, b, "{}", class["name"]),
        }
    }
}
