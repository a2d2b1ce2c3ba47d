//! `infer info --verify`: the card's probe replayed. Expected logits come from the test network in f64.

mod common;

use common::{best, card, error_of, infer, network, replace, with_card};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const BATCH: usize = 2;
const HEIGHT: usize = 24;
const WIDTH: usize = 40;

/// A card whose probe is filled from the test network.
fn card_with_probe() -> Value {
    let pixels = shared::card::probe_image(1, BATCH as u32, HEIGHT as u32, WIDTH as u32);
    let images: Vec<Vec<Vec<f64>>> =
        pixels.chunks(HEIGHT * WIDTH * 3).map(|image| network(image, WIDTH, HEIGHT)).collect();
    let labels: Vec<u8> = images
        .iter()
        .flat_map(|logits| (0..HEIGHT * WIDTH).map(|i| best(logits, i) as u8))
        .collect();
    let positions: Vec<[usize; 3]> =
        (0..60).map(|i| [i % BATCH, i * 7 % HEIGHT, i * 11 % WIDTH]).collect();
    let logits: Vec<Vec<f64>> = positions
        .iter()
        .map(|&[n, y, x]| images[n].iter().map(|plane| plane[y * WIDTH + x]).collect())
        .collect();
    let sum: String = Sha256::digest(&labels).iter().map(|b| format!("{b:02x}")).collect();
    let mut card = card();
    card["probe"] = json!({
        "seed": 1, "batch": BATCH, "height": HEIGHT, "width": WIDTH,
        "positions": positions, "logits": logits, "labels_sha256": sum,
    });
    card
}

/// Standard output of `info --verify`, which must end with `code`.
fn verify(card: &Value, code: i32) -> String {
    verify_with(card, &[], code)
}

/// The same of a model with some words replaced by others.
fn verify_with(card: &Value, replaced: &[(&str, &str)], code: i32) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.onnx");
    with_card(&path, card);
    replaced.iter().for_each(|(old, new)| replace(&path, old, new));
    let output = infer()
        .args(["info", "--verify", "--provider", "cpu", "--model"])
        .arg(&path)
        .output()
        .unwrap();
    let (out, err) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert_eq!(out.lines().count(), 1, "{out}");
    out
}

#[test]
fn a_model_that_computes_what_its_card_says_is_verified() {
    let out = verify(&card_with_probe(), 0);
    assert!(out.starts_with("verified: ") && out.contains("all labels equal by checksum"), "{out}");
}

#[test]
fn a_tampered_logit_is_found() {
    let mut card = card_with_probe();
    let value = card["probe"]["logits"][17][3].as_f64().unwrap();
    card["probe"]["logits"][17][3] = json!(value + 0.01);
    assert!(verify(&card, 1).starts_with("not verified: "));
}

/// The end of the graph is run as the file has it, since other runtimes do so.
#[test]
fn labels_that_only_the_file_has_wrong_are_found() {
    let card = card_with_probe();
    let out = verify_with(&card, &[("ArgMax", "ArgMin")], 1);
    assert!(out.starts_with("not verified: ") && out.contains("logits at 60 positions"), "{out}");
    let out = verify_with(&card, &[("half_pixel", "asymmetric")], 1);
    assert!(out.starts_with("not verified: "), "{out}");
}

#[test]
fn a_probe_of_another_image_is_found() {
    let mut card = card_with_probe();
    card["probe"]["seed"] = json!(2);
    assert!(verify(&card, 1).starts_with("not verified: "));
}

#[test]
fn a_checksum_that_differs_alone_is_called_a_near_tie() {
    let mut card = card_with_probe();
    card["probe"]["labels_sha256"] = json!("ab".repeat(32));
    assert!(verify(&card, 0).contains("near-ties"));
}

#[test]
fn a_model_of_labels_only_is_verified_by_its_labels() {
    let mut card = card_with_probe();
    card["outputs"] = json!([{ "name": "labels", "dtype": "u8", "layout": "NHW" }]);
    assert!(!verify(&card, 0).contains("logits"));
    for values in card["probe"]["logits"].as_array_mut().unwrap() {
        values.as_array_mut().unwrap().rotate_left(1);
    }
    verify(&card, 1);
}

#[test]
fn info_shows_the_card_the_checksum_and_the_outputs_of_the_file() {
    let path = common::model("both");
    let output =
        infer().args(["info", "--provider", "cpu", "--model"]).arg(&path).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let sum: String =
        Sha256::digest(std::fs::read(&path).unwrap()).iter().map(|b| format!("{b:02x}")).collect();
    for part in [&sum, "one convolution", "fp32, opset 17", "person", "rare", "#dc143c"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let outputs: Vec<&str> = text.lines().filter(|line| line.starts_with("output ")).collect();
    let expected = ["labels Tensor<u8>(batch, height, width)", "logits Tensor<f32>(batch, 6, "];
    assert!(
        outputs.len() == 2 && outputs.iter().zip(expected).all(|(o, e)| o.contains(e)),
        "{text}"
    );
    error_of(infer().args(["info", "--verify"]), 2);
}
