//! Images of 16 bits through a window are the same to the trainer and to `infer` as the 8 bits they stand for.
//! Every value of the streets is stored as 7000 + 8 v, and the window of 7000 to 9040 takes it back to v exactly:
//! training, validation, the exported model and its evaluation must then be equal to those on the 8 bits.

use image::{ImageBuffer, Rgb};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tests::{TINY_RECIPE, program, streets, succeeds};

const WINDOW: &str = "image = { min = 7000, max = 9040 }";

/// The data set once more, its images of 16 bits; returns the folder and the descriptor.
fn deep(folder: &Path, data: &Path) -> (PathBuf, PathBuf) {
    let root = folder.join("deep");
    for split in ["train", "val"] {
        for kind in ["images", "labels"] {
            std::fs::create_dir_all(root.join(kind).join(split)).unwrap();
            for entry in std::fs::read_dir(data.join(kind).join(split)).unwrap() {
                let from = entry.unwrap().path();
                let to = root.join(kind).join(split).join(from.file_name().unwrap());
                if kind == "labels" {
                    std::fs::copy(&from, &to).unwrap();
                    continue;
                }
                let image = shared::decode::rgb(&from).unwrap();
                let words = image.iter().map(|&v| 7000 + 8 * u16::from(v)).collect();
                let (width, height) = image.dimensions();
                let words: Option<ImageBuffer<Rgb<u16>, Vec<u16>>> =
                    ImageBuffer::from_raw(width, height, words);
                words.unwrap().save(to.with_extension("png")).unwrap();
            }
        }
    }
    let descriptor = folder.join("deep.toml");
    let streets = include_str!("../../shared/src/dataset/streets.toml");
    std::fs::write(&descriptor, format!("{WINDOW}\n{streets}")).unwrap();
    (root, descriptor)
}

/// Trains, exports, and gives the log's losses and scores.
fn trained(folder: &Path, name: &str, dataset: &str, data: &Path) -> Vec<Value> {
    std::fs::write(folder.join("tiny.toml"), TINY_RECIPE).unwrap();
    let run = folder.join(name);
    let mut fit = program("train");
    fit.args(["fit", "--recipe"]).arg(folder.join("tiny.toml")).arg("--data-root").arg(data);
    fit.args(["--set", &format!("data.dataset={dataset}"), "--out"]).arg(&run);
    succeeds(fit.env("OMP_NUM_THREADS", "2"));
    let mut export = program("train");
    export.args(["export", "--checkpoint"]).arg(run.join("last.safetensors"));
    succeeds(export.arg("--output").arg(folder.join(format!("{name}.onnx"))));
    let text = std::fs::read_to_string(run.join("metrics.jsonl")).unwrap();
    let numbers = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        serde_json::json!([line["step"], line["loss"], line["mean_iou"], line["pixel_accuracy"]])
    };
    text.lines().map(numbers).collect()
}

/// Counts of `infer eval`, and what it said.
fn evaluated(folder: &Path, model: &str, dataset: &str, data: &Path) -> (Value, String) {
    let json = folder.join("eval.json");
    let mut eval = program("infer");
    eval.args(["eval", "--provider", "cpu", "--dataset", dataset, "--model"]);
    eval.arg(folder.join(format!("{model}.onnx"))).arg("--data-root").arg(data);
    let output = succeeds(eval.arg("--json").arg(&json));
    let value: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    (value["confusion"].clone(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_window_gives_the_trainer_and_the_exported_model_the_same_pixels() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let data = streets(at, "streets", "64x64", 8, 4);
    let (deep_data, descriptor) = deep(at, &data);
    let descriptor = descriptor.display().to_string();
    let log = trained(at, "shallow", "streets", &data);
    assert!(log.iter().any(|line| line[1].is_number()), "{log:?}");
    assert_eq!(trained(at, "deep", &descriptor, &deep_data), log);

    let (expected, _) = evaluated(at, "shallow", "streets", &data);
    let (got, said) = evaluated(at, "deep", &descriptor, &deep_data);
    assert_eq!(got, expected);
    assert!(!said.contains("as the model was trained"), "{said}");
    // The card decides, whatever a descriptor says: without the rule the model sees 7 grey levels.
    let (cut, said) = evaluated(at, "shallow", &descriptor, &deep_data);
    assert_ne!(cut, expected);
    let note = "read with the upper 8 of 16 bits, as the model was trained, not with image = { min = 7000, max = 9040 }";
    assert!(said.contains(note), "{said}");
    let info = succeeds(program("infer").args(["info", "--model"]).arg(at.join("deep.onnx")));
    let text = String::from_utf8(info.stdout).unwrap();
    assert!(text.contains(", image = { min = 7000, max = 9040 }"), "{text}");
}
