//! Models from elsewhere: floats in, logits out at half size, no card of their own. Counts against the test
//! network in f64; what does not fit the graph is refused.

mod common;

use std::path::{Path, PathBuf};

use common::{
    CLASSES, best, bilinear, convolution, data_set, error_of, eval_command, eval_json, infer,
    model, pixels_off, scene,
};
use image::RgbImage;

const INPUT: &str = "[input]\nmean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n";

/// Writes a card for the classes of the small data set: `top` before the table of the input, `input` in it.
fn write_card(folder: &Path, top: &str, input: &str) -> PathBuf {
    let path = folder.join("card.toml");
    let dataset = folder.join("six.toml");
    std::fs::write(&path, format!("dataset = {dataset:?}\n{top}\n{INPUT}{input}\n")).unwrap();
    path
}

/// Counts of (truth, prediction) when images are resized to `size(w, h)`, run through the convolution, and its
/// logits resized to the label's own size.
fn count(folder: &Path, images: usize, size: impl Fn(u32, u32) -> (u32, u32)) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0; CLASSES]; CLASSES];
    for i in 0..images {
        let (image, truth) = scene(folder, i);
        let predicted = predict(&image, size(image.width(), image.height()));
        for (truth, predicted) in truth.into_iter().zip(predicted) {
            if let Some(id) = truth {
                counts[id][predicted] += 1;
            }
        }
    }
    counts
}

fn predict(image: &RgbImage, (w, h): (u32, u32)) -> Vec<usize> {
    let input = shared::preprocess::resize_image(image, w, h);
    let (w, h) = (w as usize, h as usize);
    let to = (image.width() as usize, image.height() as usize);
    let logits: Vec<Vec<f64>> = convolution(input.as_raw(), w, h)
        .iter()
        .map(|plane| bilinear(plane, (w.div_ceil(2), h.div_ceil(2)), to))
        .collect();
    (0..to.0 * to.1).map(|i| best(&logits, i)).collect()
}

/// f32 against f64: a handful of 10,000 pixels may lie on the border of two classes.
const NEAR_TIES: u64 = 4;

#[test]
fn a_float_model_is_scored_as_the_network_in_f64_is() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 4);
    let own = count(folder, 4, |w, h| (w, h));
    let fixed = count(folder, 4, |_, _| (40, 24));
    let multiple =
        |n: u32| count(folder, 4, move |w, h| (w.next_multiple_of(n), h.next_multiple_of(n)));
    for (name, top, input, expected) in [
        ("foreign", "", "", &own),
        ("foreign", "output = \"out\"", "name = \"input\"", &own),
        ("foreign-nhwc", "", "layout = \"NHWC\"", &own),
        ("foreign-two-outputs", "output = \"out\"", "", &own),
        ("foreign-fixed", "", "", &fixed),
        ("foreign", "", "size = [40, 24]", &fixed),
        ("foreign", "", "multiple = 16", &multiple(16)),
    ] {
        let card = write_card(folder, top, input);
        let json = eval_json(eval_command(&model(name), folder).arg("--card").arg(card), folder);
        let off = pixels_off(&json, expected);
        assert!(off <= NEAR_TIES, "{name} {top} {input}: {off} pixels differ");
    }
}

#[test]
fn the_scale_of_mmsegmentation_and_blue_first_are_the_same_network() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 2);
    let card = folder.join("card.toml");
    let dataset = folder.join("six.toml");
    let text =
        "[input]\nwhite = 255\nmean = [123.675, 116.28, 103.53]\nstd = [58.395, 57.12, 57.375]\n";
    std::fs::write(&card, format!("dataset = {dataset:?}\n{text}")).unwrap();
    let json = eval_json(eval_command(&model("foreign"), folder).arg("--card").arg(&card), folder);
    assert!(pixels_off(&json, &count(folder, 2, |w, h| (w, h))) <= NEAR_TIES);
    // Blue first is another network, and says so in its counts.
    std::fs::write(&card, format!("dataset = {dataset:?}\n{text}color = \"BGR\"\n")).unwrap();
    let json = eval_json(eval_command(&model("foreign"), folder).arg("--card").arg(&card), folder);
    assert!(pixels_off(&json, &count(folder, 2, |w, h| (w, h))) > 100);
}

#[test]
fn predict_compare_info_and_bench_take_a_card_too() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 2);
    let card = write_card(folder, "name = \"from elsewhere\"", "");
    let run = |args: &[&str], models: &[PathBuf], more: &[&str]| {
        let mut command = infer();
        command.args(args).args(models).args(["--provider", "cpu"]).args(more);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let [foreign, own] = [model("foreign"), model("both")];
    let (card, images) = (card.to_str().unwrap(), folder.join("images/val"));
    let out = folder.join("out");
    let (images, out) = (images.to_str().unwrap(), out.to_str().unwrap());
    let text = run(&["info", "--model"], std::slice::from_ref(&foreign), &["--card", card]);
    assert!(text.contains("from elsewhere") && text.contains("RGB f32 NCHW"), "{text}");
    run(
        &["predict", "--model"],
        std::slice::from_ref(&foreign),
        &["--card", card, "--out", out, images],
    );
    let (root, dataset) = (folder.to_str().unwrap(), folder.join("six.toml"));
    let data = ["--data-root", root, "--dataset", dataset.to_str().unwrap()];
    let for_one = format!("{}={card}", foreign.display());
    let compared = run(
        &["compare", "--models"],
        &[foreign.clone(), own],
        &[&data[..], &["--card", &for_one, "--out", out]].concat(),
    );
    assert!(
        compared.contains("from elsewhere") && compared.contains("one convolution"),
        "{compared}"
    );
    let frame = ["--card", card, "--frame-size", "40x24", "--frames", "3", "--warm-up", "1"];
    assert!(run(&["bench", "--models"], &[foreign], &frame).contains("from elsewhere"));
}

#[test]
fn what_does_not_fit_the_graph_is_refused_with_expected_and_got() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    let info = |name: &str, top: &str, input: &str| {
        let card = write_card(folder, top, input);
        error_of(
            infer()
                .args(["info", "--provider", "cpu", "--card"])
                .arg(card)
                .arg("--model")
                .arg(model(name)),
            2,
        )
    };
    for (name, top, input, expected) in [
        ("foreign", "", "name = \"image\"", "expected image f32 [?, 3, ?, ?]"),
        ("foreign", "", "layout = \"NHWC\"", "expected input f32 [?, ?, ?, 3]"),
        ("foreign", "", "color = \"gray\"", "expected 1 finite numbers, one per channel"),
        ("foreign", "output = \"aux\"", "", "expected the output aux of its card, got [\"out\"]"),
        ("foreign-two-outputs", "", "", "expected one output, got [\"out\", \"aux\"]"),
        ("foreign-fixed", "", "size = [48, 24]", "expected input f32 [?, 3, 24, 48]"),
        ("foreign", "", "colour = \"RGB\"", "unknown field `colour`"),
        ("both", "", "", "expected a model without a card of its own"),
    ] {
        let text = info(name, top, input);
        assert!(text.contains(expected) && text.contains("hint: "), "{name} {top} {input}: {text}");
    }
    let five = std::fs::read_to_string(folder.join("six.toml")).unwrap();
    let start = five.find("{ name = \"sky\"").unwrap();
    let end = five.find("{ name = \"road\"").unwrap();
    std::fs::write(folder.join("six.toml"), [&five[..start], &five[end..]].concat()).unwrap();
    assert!(info("foreign", "", "").contains("such as out f32 [?, 5, ?, ?], got out"));
}
