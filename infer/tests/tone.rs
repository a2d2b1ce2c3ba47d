//! The card's rule for images of 16 bits (`input.image`) in every command that reads images, against the test network
//! computed here on pixels that a formula brings to 8 bits.

mod common;

use std::path::Path;

use common::{
    best, card, data_set, error_of, eval_command, eval_json, infer, live, model, network,
    pixels_off, scene, with_card,
};
use image::{ImageBuffer, Rgb, RgbImage};
use infer::live::sink::Header;
use serde_json::json;

/// Rewrites a scene with values of 7000 to 9100, in 16 bits; returns what a window over those makes of it.
fn deepen(folder: &Path, i: usize) -> RgbImage {
    let path = folder.join(format!("images/val/scene_{i}.png"));
    let image = image::open(&path).unwrap().into_rgb8();
    let (w, h) = image.dimensions();
    let words: Vec<u16> =
        image.iter().map(|&v| 7000 + (u32::from(v) * 2100 / 255) as u16).collect();
    let byte = |v: &u16| (f64::from(v - 7000) / 2100.0 * 255.0 + 0.5).floor() as u8;
    let seen = RgbImage::from_raw(w, h, words.iter().map(byte).collect()).unwrap();
    let deep: Option<ImageBuffer<Rgb<u16>, _>> = ImageBuffer::from_raw(w, h, words);
    deep.unwrap().save(path).unwrap();
    seen
}

fn windowed(path: &Path) {
    let mut card = card();
    card["format"] = json!(2);
    card["input"]["image"] = json!({ "min": 7000, "max": 9100 });
    with_card(path, &card);
}

/// The network's labels of an image.
fn labels(image: &RgbImage) -> Vec<usize> {
    let (w, h) = (image.width() as usize, image.height() as usize);
    let logits = network(image.as_raw(), w, h);
    (0..w * h).map(|pixel| best(&logits, pixel)).collect()
}

#[test]
fn eval_predict_and_live_see_what_the_cards_window_gives() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    let truth = scene(folder.path(), 0).1;
    let seen = deepen(folder.path(), 0);
    let expected = labels(&seen);
    let file = folder.path().join("windowed.onnx");
    windowed(&file);

    let mut counts = vec![vec![0; 6]; 6];
    for (truth, got) in truth.iter().zip(&expected) {
        truth.iter().for_each(|&truth| counts[truth][*got] += 1);
    }
    let eval = |model: &Path| eval_json(&mut eval_command(model, folder.path()), folder.path());
    assert!(pixels_off(&eval(&file), &counts) <= 2);
    assert!(pixels_off(&eval(&model("both")), &counts) > 100, "else the window changes nothing");

    let images = folder.path().join("images/val");
    let out = folder.path().join("out");
    let mut predict = infer();
    predict.args(["predict", "--provider", "cpu", "--model"]).arg(&file).arg(&images);
    assert!(predict.arg("--out").arg(&out).output().unwrap().status.success());
    let map = image::open(out.join("scene_0_color.png")).unwrap().into_rgb8();
    let colors = card()["classes"].clone();
    let color = |class: usize| -> Vec<u8> {
        serde_json::from_value(colors[class]["color"].clone()).unwrap()
    };
    let off = map.pixels().zip(&expected).filter(|(p, class)| p.0 != color(**class)[..]).count();
    assert!(off <= 2, "{off}");

    let mut live = infer();
    live.args(["live", "--headless", "--provider", "cpu", "--sink", "stdout", "--source"]);
    let bytes = live.arg(&images).arg("--models").arg(&file).output().unwrap().stdout;
    let header = Header::from_bytes(bytes[..Header::LENGTH].try_into().unwrap()).unwrap();
    let sent = &bytes[Header::LENGTH..][..header.labels_length() as usize];
    let off = sent.iter().zip(&expected).filter(|(a, b)| usize::from(**a) != **b).count();
    assert!(sent.len() == expected.len() && off <= 2, "{off} of {}", sent.len());
}

#[test]
fn a_window_refuses_8_bits_and_models_side_by_side_agree_on_the_rule() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    let file = folder.path().join("windowed.onnx");
    windowed(&file);
    let text = error_of(&mut eval_command(&file, folder.path()), 2);
    assert!(text.contains("expected an image of 16 bits a channel"), "{text}");
    let text = error_of(live("streets").arg(&file), 2);
    assert!(text.contains("expected images with the upper 8 of 16 bits as for"), "{text}");
    let mut alone = infer();
    alone.args(["live", "--headless", "--provider", "cpu", "--source", "streets", "--models"]);
    let text = error_of(alone.arg(&file), 2);
    assert!(text.contains("source: expected an image of 16 bits a channel"), "{text}");
    let mut compare = infer();
    compare.args(["compare", "--provider", "cpu", "--models"]).arg(&file).arg(model("both"));
    compare.arg("--dataset").arg(folder.path().join("six.toml"));
    compare.arg("--data-root").arg(folder.path()).arg("--out").arg(folder.path().join("out"));
    let text = error_of(&mut compare, 2);
    assert!(text.contains("models that run side by side see the same pixels"), "{text}");
}

#[test]
fn stretching_is_done_to_images_and_to_frames_alike() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stretched.onnx");
    let mut card = card();
    card["format"] = json!(2);
    card["input"]["image"] = json!("stretch");
    with_card(&file, &card);
    let mut live = infer();
    live.args([
        "live",
        "--headless",
        "--provider",
        "cpu",
        "--source",
        "streets",
        "--size",
        "64x64",
    ]);
    live.args(["--max-frames", "1", "--sink", "stdout", "--models"]);
    let bytes = live.arg(&file).output().unwrap().stdout;
    let header = Header::from_bytes(bytes[..Header::LENGTH].try_into().unwrap()).unwrap();
    let sent = &bytes[Header::LENGTH..][..header.labels_length() as usize];
    let settings = shared::streets::StreetSettings {
        width: 64,
        height: 64,
        ..shared::streets::StreetSettings::default()
    };
    let frame = shared::streets::drive_frame(&settings, 0.0).image;
    let path = folder.path().join("frame.png");
    frame.save(&path).unwrap();
    let stretch = shared::decode::Tone::Named(shared::decode::Named::Stretch);
    let expected = labels(&shared::decode::toned(&path, Some(stretch)).unwrap());
    let off = sent.iter().zip(&expected).filter(|(a, b)| usize::from(**a) != **b).count();
    assert!(sent.len() == expected.len() && off <= 2, "{off} of {}", sent.len());
    assert_ne!(expected, labels(&frame), "else stretching changes nothing");
}
