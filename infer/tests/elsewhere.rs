//! Models as other programs export them: argmax outputs, halves, bytes, NHWC, fixed batches, gray
//! input, one channel. Labels are compared with those that Python's onnxruntime gave
//! (models/make_elsewhere.py), and all commands take each kind.

mod common;

use std::path::{Path, PathBuf};

use common::{data_set, ended_well, error_of, infer, model, on_data};
use image::GrayImage;

const IMAGENET: &str = "mean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n";

/// A card for the six classes of the test models, or for two.
fn card(folder: &Path, classes: usize, top: &str, input: &str) -> PathBuf {
    let names = ["sky", "road", "building", "car", "pole", "person"];
    let rows: Vec<String> = names[..classes]
        .iter()
        .enumerate()
        .map(|(i, name)| {
            format!("{{ name = {name:?}, color = [{i}, 50, 99], native = {} }}", 20 + i)
        })
        .collect();
    let path = folder.join("card.toml");
    let text = format!("classes = [{}]\n{top}\n[input]\n{input}\n", rows.join(", "));
    std::fs::write(&path, text).unwrap();
    path
}

fn elsewhere(name: &str) -> PathBuf {
    model(&format!("elsewhere-{name}"))
}

fn goldens() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/elsewhere")
}

fn golden(name: &str) -> GrayImage {
    image::open(goldens().join(format!("{name}.png"))).unwrap().into_luma8()
}

/// `infer predict --labels` on the goldens' image.
fn predict(name: &str, card: &Path, out: &Path, more: &[&str]) -> assert_cmd::Command {
    let mut command = infer();
    command.args(["predict", "--provider", "cpu", "--labels", "--model"]).arg(elsewhere(name));
    command.arg(goldens().join("image.png")).arg("--card").arg(card).arg("--out").arg(out);
    command.args(more);
    command
}

/// Labels of the goldens' image, and what the command said.
fn labels(name: &str, card: &Path, folder: &Path, more: &[&str]) -> (GrayImage, String) {
    let out = folder.join("out");
    let text = ended_well(&mut predict(name, card, &out, more));
    (image::open(out.join("image.png")).unwrap().into_luma8(), text)
}

/// Pixels that differ.
fn differing(a: &GrayImage, b: &GrayImage) -> usize {
    assert_eq!(a.dimensions(), b.dimensions());
    a.as_raw().iter().zip(b.as_raw()).filter(|(a, b)| a != b).count()
}

#[test]
fn each_kind_gives_the_labels_that_pythons_onnxruntime_gives() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (nhwc, gray) = (
        format!("layout = \"NHWC\"\n{IMAGENET}"),
        "color = \"gray\"\nmean = [0.449]\nstd = [0.226]\n",
    );
    let logit = "output = { activation = \"none\" }";
    for (name, classes, top, input) in [
        ("argmax-i64-nhw", 6, "", IMAGENET),
        ("argmax-i64-n1hw", 6, "", IMAGENET),
        ("argmax-i32-nhw", 6, "output = { kind = \"labels\" }", IMAGENET),
        ("argmax-i32-n1hw", 6, "", IMAGENET),
        ("argmax-u8-nhw", 6, "", IMAGENET),
        ("argmax-u8-n1hw", 6, "output = \"out\"", IMAGENET),
        ("input-f16", 6, "", IMAGENET),
        ("input-u8", 6, "", ""),
        ("output-f16", 6, "", IMAGENET),
        ("nhwc", 6, "", &nhwc),
        ("nhwc", 6, "output = { layout = \"NHWC\" }", &nhwc),
        ("batch-4", 6, "", IMAGENET),
        ("gray", 6, "", gray),
        ("softmax", 6, "", IMAGENET),
        ("binary-logit", 2, logit, IMAGENET),
        ("binary-sigmoid", 2, "", IMAGENET),
        ("binary-bool", 2, "", IMAGENET),
        ("multiple-8", 6, "", &format!("{IMAGENET}multiple = 8")),
        ("argmax-stride-4", 6, "", IMAGENET),
        ("stride-2", 6, "", IMAGENET),
        ("stride-4", 6, "", IMAGENET),
        ("stride-8", 6, "", IMAGENET),
    ] {
        let card = card(folder, classes, top, input);
        let (got, text) = labels(name, &card, folder, &[]);
        assert_eq!(differing(&got, &golden(name)), 0, "{name} {top}");
        let is_resized = text.contains("resized to the images' size by nearest");
        assert_eq!(is_resized, name == "argmax-stride-4", "{name}: {text}");
        assert_eq!(text.contains("batch of 4 filled"), name == "batch-4", "{text}");
    }
}

#[test]
fn every_command_takes_them() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 2);
    let nhwc = format!("layout = \"NHWC\"\n{IMAGENET}");
    let tells = "before or after a softmax, as their values will tell";
    for (name, input, reads) in [
        ("argmax-i64-n1hw", IMAGENET, "labels from out".to_owned()),
        ("nhwc", &nhwc, format!("logits NHWC from out, {tells}")),
        ("input-u8", "", format!("logits NCHW from out, {tells}")),
        ("batch-4", IMAGENET, format!("logits NCHW from out, {tells}")),
    ] {
        let (card, model) = (card(folder, 6, "", input), elsewhere(name));
        let run = |command: &mut assert_cmd::Command| ended_well(command.arg("--card").arg(&card));
        run(&mut on_data("eval", &model, folder));
        run(on_data("gate", &model, folder).args(["--min-miou", "0"]));
        run(on_data("compare", &model, folder).arg("--out").arg(folder.join("compared")));
        let frames = ["--frame-size", "40x24", "--frames", "2", "--warm-up", "0"];
        run(infer().args(["bench", "--provider", "cpu", "--model"]).arg(&model).args(frames));
        let text = run(infer().args(["info", "--provider", "cpu", "--model"]).arg(&model));
        assert!(text.contains(&format!("reads      {reads}\n")), "{text}");
        let live = ["live", "--headless", "--provider", "cpu", "--max-frames", "2", "--source"];
        run(infer().args(live).arg(folder.join("images/val")).arg("--models").arg(&model));
    }
}

#[test]
fn a_threshold_divides_one_channel_also_where_views_are_averaged() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let share = |name: &str, top: &str, more: &[&str]| {
        let (labels, _) = labels(name, &card(folder, 2, top, IMAGENET), folder, more);
        labels.as_raw().iter().filter(|l| **l == 1).count()
    };
    for (name, activation) in [("binary-logit", "none"), ("binary-sigmoid", "sigmoid")] {
        let at = |threshold: f64| {
            format!("output = {{ activation = {activation:?}, threshold = {threshold} }}")
        };
        for more in [&[][..], &["--flip"], &["--scales", "1,1.5"], &["--window", "24x16"]] {
            let counts = [0.05, 0.5, 0.95].map(|t| share(name, &at(t), more));
            assert!(counts[0] > counts[1] && counts[1] > counts[2], "{name} {more:?} {counts:?}");
        }
        // One window over everything is one look.
        assert_eq!(share(name, &at(0.2), &[]), share(name, &at(0.2), &["--window", "48x32"]));
    }
    // Logits and their sigmoid are one model.
    for threshold in ["0.2", "0.5", "0.8"] {
        let of = |name, activation| {
            let top =
                format!("output = {{ activation = {activation:?}, threshold = {threshold} }}");
            share(name, &top, &[])
        };
        assert_eq!(of("binary-logit", "none"), of("binary-sigmoid", "sigmoid"), "{threshold}");
    }
}

#[test]
fn what_one_channel_or_one_class_means_must_be_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let refused = |name: &str, classes: usize, top: &str, input: &str| {
        let card = card(folder, classes, top, input);
        error_of(&mut predict(name, &card, &folder.join("out"), &[]), 2)
    };
    for (name, classes, top, expected) in [
        ("binary-logit", 1, "", "classes: expected two or more, got one"),
        ("binary-logit", 2, "", "expected the card to say what the one channel of out"),
        ("binary-logit", 6, "", "expected logits of 6 classes"),
        ("nhwc", 2, "", "expected input f32 [?, 3, ?, ?], got input"),
        ("stride-2", 2, "", "expected logits of 2 classes"),
        ("argmax-u8-nhw", 6, "output = { kind = \"logits\" }", "expected logits f32 or f16"),
        ("argmax-u8-nhw", 6, "output = { activation = \"softmax\" }", "got labels: out"),
        ("argmax-u8-nhw", 3, "", "expected labels below 3, got "),
    ] {
        let text = refused(name, classes, top, IMAGENET);
        assert!(text.contains(expected) && text.contains("hint: "), "{name} {top}: {text}");
    }
    let text = refused("input-u8", 6, "", IMAGENET);
    assert!(text.contains("expected no mean and std for an input of bytes"), "{text}");
    let text = refused("stride-2", 6, "", "");
    assert!(text.contains("expected mean and std for an input of numbers"), "{text}");
}

#[test]
fn labels_alone_are_not_averaged() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let card = card(folder, 6, "", IMAGENET);
    for more in [&["--flip"][..], &["--scales", "0.5,1"], &["--window", "24x16"]] {
        let text = error_of(&mut predict("argmax-i64-nhw", &card, &folder.join("out"), more), 2);
        assert!(text.contains("expected logits to average, got labels only"), "{text}");
        assert!(text.contains("hint: labels have no mean"), "{text}");
    }
}

/// The mean of probabilities is that of the same model's logits; a second softmax would make it
/// another.
#[test]
fn of_a_softmax_no_second_softmax_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let said = "averaged without another softmax";
    // The one convolution, without its softmax: at its own size the two means are equal.
    let plain = card(folder, 6, "", IMAGENET);
    let more = ["--flip", "--window", "24x16"];
    let (expected, text) = labels("stride-1", &plain, folder, &more);
    assert!(!text.contains(said), "{text}");
    let (got, text) = labels("softmax", &plain, folder, &more);
    assert!(text.contains(said), "{text}");
    assert_eq!(differing(&got, &expected), 0);
    let softmax = card(folder, 6, "output = { activation = \"softmax\" }", IMAGENET);
    let (got, text) = labels("softmax", &softmax, folder, &more);
    assert!(!text.contains(said), "{text}");
    assert_eq!(differing(&got, &expected), 0);
    // With the softmax taken again, as it is told to be, some pixel comes out otherwise.
    let none = card(folder, 6, "output = { activation = \"none\" }", IMAGENET);
    let (twice, _) = labels("softmax", &none, folder, &more);
    assert!(differing(&twice, &expected) > 0);
    let softmax = card(folder, 6, "output = { activation = \"softmax\" }", IMAGENET);
    let text = error_of(&mut predict("stride-1", &softmax, &folder.join("out"), &more), 2);
    assert!(text.contains("expected probabilities that add up to 1"), "{text}");
}

#[test]
fn a_size_that_the_graph_does_not_take_is_told_with_those_that_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 3); // 40 x 31, 46 x 35, 52 x 39
    let card = card(folder, 6, "", IMAGENET);
    let text =
        error_of(on_data("eval", &elsewhere("multiple-8"), folder).arg("--card").arg(&card), 2);
    assert!(text.contains("run on 40x31: "), "{text}");
    assert!(text.contains("expected sides that are multiples of 8, got 40x31"), "{text}");
    assert!(text.contains("hint: multiple = 8 under [input]") && text.contains("40x32"), "{text}");
    assert!(!text.contains("onnxruntime_src"), "{text}");
}

#[test]
fn an_image_that_the_model_does_not_take_does_not_end_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let images = folder.join("images");
    std::fs::create_dir(&images).unwrap();
    let image = image::open(goldens().join("image.png")).unwrap();
    image.save(images.join("a.png")).unwrap();
    image.crop_imm(0, 0, 45, 31).save(images.join("b.png")).unwrap();
    image.save(images.join("c.png")).unwrap();
    let card = card(folder, 6, "", IMAGENET);
    let out = folder.join("out");
    let mut command = infer();
    command.args(["predict", "--provider", "cpu", "--labels", "--model"]);
    command.arg(elsewhere("multiple-8")).arg("--card").arg(&card).arg("--out").arg(&out);
    let text = error_of(command.arg(&images), 1);
    assert!(text.contains("failed: ") && text.contains("b.png"), "{text}");
    assert!(text.contains("multiples of 8, got 45x31"), "{text}");
    assert!(text.contains("expected 3 readable images, got 2"), "{text}");
    for (name, is_there) in [("a", true), ("b", false), ("c", true)] {
        assert_eq!(out.join(format!("{name}.png")).exists(), is_there, "{name}");
    }
}

/// Four times as much is wanted as the process may have.
#[test]
fn memory_that_is_not_there_is_told_with_what_needs_less() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let card = card(folder, 6, "", IMAGENET);
    let mut command = assert_cmd::Command::new("sh");
    command.args(["-c", "ulimit -v 1000000 && exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_infer")]);
    command.args(["predict", "--provider", "cpu", "--threads", "1", "--labels"]);
    command.args(["--input-size", "4000x4000", "--model"]).arg(elsewhere("stride-1"));
    command.arg(goldens().join("image.png")).arg("--card").arg(&card);
    let text = error_of(command.arg("--out").arg(folder.join("out")), 1);
    assert!(text.contains("expected memory for a run on 4000x4000, got "), "{text}");
    assert!(text.contains("hint: --input-size WIDTHxHEIGHT makes images smaller"), "{text}");
}
