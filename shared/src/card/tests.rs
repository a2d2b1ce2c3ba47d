//! Cards that are read back, and cards that are refused, by their words.
//! Not the ONNX file around them.
//! The probe's image is fixed by a checksum: models in the field carry what was computed on it.

use sha2::{Digest, Sha256};

use super::*;

fn card() -> Card {
    let class =
        |name: &str, native_id| Class { name: name.into(), color: [native_id; 3], native_id };
    Card {
        format: FORMAT,
        name: "camvid-r18".into(),
        dataset: "camvid".into(),
        classes: vec![class("sky", 0), class("pole", 2), class("road", 3), class("train", 4)],
        class_share: vec![0.6, 0.01, 0.39, 0.0],
        input: Input { width: Some(480), ..Input::new(None) },
        outputs: vec![Output { name: "labels".into(), dtype: "u8".into(), layout: "NHW".into() }],
        precision: "fp32".into(),
        quantization: None,
        opset: 17,
        training: Training::default(),
        probe: Probe {
            seed: 1,
            batch: 1,
            height: 33,
            width: 65,
            positions: vec![[0, 32, 64]],
            logits: vec![vec![0.1, -2.5e-7, 3.0, f32::MIN_POSITIVE]],
            labels_sha256: "0".repeat(64),
        },
    }
}

fn good() -> Card {
    let mut card = card();
    card.input.height = Some(360);
    card
}

#[test]
fn a_card_is_read_back_bit_for_bit() {
    let json = good().to_json().unwrap();
    assert!(!json.contains('\n'));
    assert_eq!(Card::from_json(&json).unwrap(), good());
}

#[test]
fn the_rule_for_images_asks_for_the_version_that_knows_it() {
    use crate::decode::{Named, Tone, Window};
    for tone in [Tone::Named(Named::Stretch), Tone::Window(Window { min: 7000, max: 9100 })] {
        let mut card = good();
        card.input.image = Some(tone);
        assert_eq!(card.input.format(), 2);
        assert_eq!(Card::from_json(&card.to_json().unwrap()).unwrap(), card);
        card.format = 1; // of which an older program would take the upper 8 bits
        let error = card.to_json().unwrap_err().to_string();
        assert_eq!(error, "model card: format: expected 2 with input.image, got 1");
    }
    let mut old = good();
    old.format = 1;
    let json = old.to_json().unwrap();
    assert!(!json.contains(r#""image":{"#) && !json.contains("stretch"));
    assert_eq!(Card::from_json(&json).unwrap().input.image, None);
    old.format = 2;
    old.input.image = Some(Tone::Window(Window { min: 9, max: 9 }));
    let error = old.check().unwrap_err().to_string();
    assert_eq!(error, "model card: image: expected min below max, got 9 and 9");
}

#[test]
fn rare_classes_are_those_under_two_percent_that_occur() {
    assert_eq!(good().rare_classes(), [1]);
    assert_eq!(rare_classes(&[RARE_SHARE, 0.0199, 0.0, 1e-9]), [1, 3]);
}

#[test]
fn a_field_that_is_added_later_does_not_hurt() {
    let json = good().to_json().unwrap().replacen('{', r#"{"colour_space":"sRGB","#, 1);
    assert_eq!(Card::from_json(&json).unwrap(), good());
}

#[test]
fn another_version_is_refused_before_anything_else_is_read() {
    let error = Card::from_json(r#"{"format":3,"anything":[]}"#).unwrap_err();
    assert_eq!(error.to_string(), "model card: format: expected 1 to 2, got 3");
    assert_eq!(error.hint_text(), Some("the model was exported by a newer version: update"));
}

#[test]
fn a_card_that_lacks_a_field_is_refused() {
    let json = good().to_json().unwrap().replace(r#""opset":17,"#, "");
    let error = Card::from_json(&json).unwrap_err();
    let line = error.to_string();
    assert!(line.starts_with("model card: not readable: missing field `opset`"), "{line}");
    assert_eq!(error.hint_text(), Some("export the model again"));
}

#[test]
fn a_card_that_contradicts_itself_is_refused() {
    let check = |change: fn(&mut Card), expected: &str| {
        let mut card = good();
        change(&mut card);
        let error = card.check().expect_err(expected);
        assert_eq!(error.to_string(), format!("model card: {expected}"));
        assert_eq!(error.hint_text(), Some("export the model again"));
        assert!(card.to_json().is_err());
    };
    check(
        |c| c.input.width = None,
        "input: expected a width and a height, or neither, got [None, Some(360)]",
    );
    check(|c| c.class_share.truncate(1), "class_share: expected none or 4, got 1");
    check(|c| c.class_share[0] = f64::NAN, "class_share: expected shares in 0..1, got NaN");
    check(|c| c.classes[1].name = "sky".into(), "classes: expected names, each once, got sky");
    check(
        |c| c.input.color = "BGR".into(),
        "input: expected image NHWC u8 RGB, got (\"image\", \"NHWC\", \"u8\", \"BGR\")",
    );
    check(
        |c| c.input.resize = "nearest".into(),
        "input.resize: expected bilinear-antialiased, got nearest",
    );
    check(|c| c.outputs.clear(), "outputs: expected labels, logits or both, got none");
    check(
        |c| c.outputs[0].dtype = "i64".into(),
        "outputs: expected labels u8 NHW or logits f32 NCHW, got (\"labels\", \"i64\", \"NHW\")",
    );
    check(|c| c.precision = "bf16".into(), "precision: expected fp32, fp16 or int8, got bf16");
    check(|c| c.opset = 11, "opset: expected 17 or newer, got 11");
    check(
        |c| c.probe.positions[0][2] = 65,
        "probe.positions: expected inside [1, 33, 65], got [0, 32, 65]",
    );
    check(|c| c.probe.logits[0].truncate(3), "probe.logits: expected 4 a position, got 3");
    check(
        |c| c.probe.logits[0][0] = f32::INFINITY,
        "probe.logits: expected finite numbers, got others",
    );
    check(
        |c| c.probe.labels_sha256 = "x".into(),
        "probe.labels_sha256: expected 64 hexadecimal digits, got x",
    );
    check(
        |c| c.probe.height = u32::MAX,
        "probe: expected a batch of at most 64 MPixel, got [1, 4294967295, 65]",
    );
}

#[test]
fn the_probe_is_smooth_and_noisy_and_uses_the_range() {
    let (h, w) = (97usize, 130usize);
    let image = probe_image(3, 2, h as u32, w as u32);
    assert_eq!(image.len(), 2 * h * w * 3);
    let (min, max) = (image.iter().min().unwrap(), image.iter().max().unwrap());
    assert!(*min < 40 && *max > 215, "{min} {max}");
    let steps =
        image.windows(6).map(|p| f64::from(p[0].abs_diff(p[3]))).sum::<f64>() / image.len() as f64;
    assert!((5.0..20.0).contains(&steps), "neighbours differ by {steps}");
    assert_ne!(image[..h * w * 3], image[h * w * 3..]);
    assert_ne!(image, probe_image(4, 2, h as u32, w as u32));
}

#[test]
fn a_smaller_probe_is_a_crop_of_a_larger_one() {
    let (small, large) = (probe_image(7, 1, 40, 50), probe_image(7, 1, 41, 70));
    for y in 0..40 {
        assert_eq!(small[y * 150..][..150], large[y * 210..][..150]);
    }
}

#[test]
fn the_probe_never_changes_for_models_carry_what_was_computed_on_it() {
    let sum = Sha256::digest(probe_image(0, 2, 65, 97));
    let hex: String = sum.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(hex, "6575efd1c6da39c9fbe86114d3340254fa0198b145ab408080467ea68c4403bb");
}
