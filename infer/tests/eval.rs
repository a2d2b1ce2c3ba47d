//! `infer eval` on a small generated data set, against counts made here by other means.

mod common;

use common::{
    CLASSES, best, bilinear, card, data_set, eval_command, model, network, on_data, onto_full_disk,
    scene, train_id, with_card,
};
use image::RgbImage;
use serde_json::{Value, json};
use std::path::Path;

/// Runs `eval` and returns the JSON and the table.
fn eval(model: &Path, folder: &Path, more: &[&str]) -> (Value, String) {
    let out = folder.join("new/folder/eval.json");
    let output =
        on_data("eval", model, folder).arg("--json").arg(&out).args(more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = serde_json::from_slice(&std::fs::read(out).unwrap()).unwrap();
    (json, String::from_utf8(output.stdout).unwrap())
}

/// The confusion matrix that `predict` (image to train ids) gives on the data set.
fn count(folder: &Path, images: usize, predict: impl Fn(&RgbImage) -> Vec<usize>) -> Value {
    let mut counts = vec![vec![0_u64; CLASSES]; CLASSES];
    for i in 0..images {
        let (image, truth) = scene(folder, i);
        for (id, prediction) in truth.into_iter().zip(predict(&image)) {
            if let Some(id) = id {
                counts[id][prediction] += 1;
            }
        }
    }
    json!(counts)
}

fn argmax_of(logits: &[Vec<f64>]) -> Vec<usize> {
    (0..logits[0].len()).map(|i| best(logits, i)).collect()
}

#[test]
fn counts_are_those_of_an_independent_count_at_the_images_own_size() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 5);
    let expected = count(folder.path(), 5, |image| {
        argmax_of(&network(image.as_raw(), image.width() as usize, image.height() as usize))
    });
    for name in ["both", "labels", "logits"] {
        let (json, table) = eval(&model(name), folder.path(), &[]);
        assert_eq!(json["confusion"], expected, "{name}");
        assert_eq!(json["images"], 5);
        assert_eq!((&json["dataset"], &json["split"]), (&json!("six"), &json!("val")));
        let pixels: u64 = expected
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|r| r.as_array().unwrap())
            .map(|v| v.as_u64().unwrap())
            .sum();
        assert_eq!(json["pixels"], pixels);
        assert!(table.contains("person") && table.contains("mean"), "{table}");
    }
}

/// With a size on the card the image is resized, and the logits are resized back to the label's size.
#[test]
fn logits_of_a_resized_image_are_scored_at_the_labels_own_size() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 4);
    let mut card = card();
    (card["input"]["width"], card["input"]["height"]) = (json!(24), json!(20));
    let path = folder.path().join("resized.onnx");
    with_card(&path, &card);
    let (json, _) = eval(&path, folder.path(), &[]);
    let mut near_ties = 0;
    let expected = count(folder.path(), 4, |image| {
        // The resize of images has its own test against Pillow; here it is taken as given.
        let small = shared::preprocess::resize_image(image, 24, 20);
        let size = (image.width() as usize, image.height() as usize);
        let logits: Vec<Vec<f64>> = network(small.as_raw(), 24, 20)
            .iter()
            .map(|plane| bilinear(plane, (24, 20), size))
            .collect();
        argmax_of(&logits)
    });
    for (row, expected) in
        json["confusion"].as_array().unwrap().iter().zip(expected.as_array().unwrap())
    {
        for (got, expected) in row.as_array().unwrap().iter().zip(expected.as_array().unwrap()) {
            near_ties += got.as_i64().unwrap().abs_diff(expected.as_i64().unwrap());
        }
    }
    // f32 against f64: a pixel in 10,000 may lie on the border of two classes.
    assert!(near_ties <= 2, "{near_ties} pixels differ");
}

#[test]
fn a_model_without_logits_is_resized_by_nearest_and_the_table_says_so() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 2);
    let mut card = card();
    (card["input"]["width"], card["input"]["height"]) = (json!(24), json!(20));
    card["outputs"] = json!([{ "name": "labels", "dtype": "u8", "layout": "NHW" }]);
    let path = folder.path().join("labels-only.onnx");
    with_card(&path, &card);
    let (_, table) = eval(&path, folder.path(), &[]);
    assert!(table.contains("by nearest"), "{table}");
}

#[test]
fn saved_labels_are_native_ids_and_count_to_the_same_matrix() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 3);
    let saved = folder.path().join("saved/deep");
    let (json, _) =
        eval(&model("both"), folder.path(), &["--save-labels", saved.to_str().unwrap()]);
    let mut counts = vec![vec![0_u64; CLASSES]; CLASSES];
    for i in 0..3 {
        let (_, truth) = scene(folder.path(), i);
        let labels = image::open(saved.join(format!("scene_{i}_pred.png"))).unwrap().into_luma8();
        for (id, label) in truth.into_iter().zip(labels.as_raw()) {
            if let Some(id) = id {
                counts[id][train_id(*label).unwrap()] += 1;
            }
        }
    }
    assert_eq!(json["confusion"], json!(counts));
}

#[test]
fn a_baseline_adds_the_dagger_average_and_the_differences() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 3);
    let (_, plain) = eval(&model("both"), folder.path(), &[]);
    assert!(!plain.contains('†'));
    let baseline = folder.path().join("new/folder/eval.json");
    let kept = folder.path().join("baseline.json");
    std::fs::rename(baseline, &kept).unwrap();
    let (_, table) = eval(&model("both"), folder.path(), &["--baseline", kept.to_str().unwrap()]);
    assert!(table.contains("mean †") && table.contains("+0.00"), "{table}");
}

#[test]
fn what_is_left_out_of_a_split_is_said() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 2);
    let images = folder.path().join("images/val");
    std::fs::copy(images.join("scene_0.png"), images.join("odd.PNG.bmp")).unwrap();
    let mut command = eval_command(&model("both"), folder.path());
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    let expected = "six val: picture left out, its name does not match: 1 (images/val/odd.PNG.bmp)";
    assert!(said.contains(expected), "{said}");
}

#[test]
fn the_json_is_written_even_if_the_table_cannot_be_printed_which_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    let json = folder.path().join("eval.json");
    onto_full_disk(on_data("eval", &model("both"), folder.path()).arg("--json").arg(&json));
    assert!(json.exists());
}

#[test]
fn the_table_is_printed_even_if_the_json_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    // Too long only for the name that it is written under first.
    let json = folder.path().join("x".repeat(250) + ".json");
    let mut command = on_data("eval", &model("both"), folder.path());
    let output = command.arg("--json").arg(json).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().contains("pixel accuracy"));
}
