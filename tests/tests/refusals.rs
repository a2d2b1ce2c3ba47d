//! Bad input to the `train` program: one line, a hint, exit code 2, and nothing half-written.

use std::fs::File;
use std::path::Path;
use std::process::Stdio;
use tests::{TINY_RECIPE, program, streets, succeeds};

/// Runs `train` and expects a refusal that contains every one of some words.
fn refuses(args: &[&str], words: &[&str]) {
    let output = program("train").args(args).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(2), "train {args:?}: {said}");
    let errors: Vec<&str> = said.lines().filter(|l| l.starts_with("error: ")).collect();
    assert_eq!(errors.len(), 1, "one line of error: {said}");
    for word in words {
        assert!(said.contains(word), "expected {word:?} in: {said}");
    }
    assert!(output.stdout.is_empty(), "{}", String::from_utf8_lossy(&output.stdout));
}

struct Bench {
    folder: tempfile::TempDir,
    data: String,
    recipe: String,
    out: String,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = streets(folder.path(), "streets", "64x64", 4, 2).display().to_string();
        let recipe = folder.path().join("tiny.toml");
        std::fs::write(&recipe, TINY_RECIPE).unwrap();
        let text = |path: &Path| path.display().to_string();
        let (recipe, out) = (text(&recipe), text(&folder.path().join("run")));
        Self { folder, data, recipe, out }
    }

    /// `train fit` with changes, refused, with no folder left behind.
    fn fit_refuses(&self, changes: &[&str], words: &[&str]) {
        let mut args = vec!["fit", "--recipe", &self.recipe, "--data-root", &self.data, "--out"];
        args.push(&self.out);
        for change in changes {
            args.extend(["--set", change]);
        }
        refuses(&args, words);
        assert!(!Path::new(&self.out).exists(), "a refused run left {}", self.out);
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

#[test]
fn a_class_that_never_occurs_is_refused_by_the_losses_that_divide_by_its_pixels() {
    // Four pictures of 64 x 64 have no bicycle in them.
    let bench = Bench::new();
    for loss in ["weighted", "balanced", "ldam"] {
        let line = format!("loss: {loss}: expected pixels of every class in the training set");
        bench.fit_refuses(&[&format!("loss={loss}")], &[&line, "bicycle", "hint: "]);
    }
}

#[test]
fn splits_are_looked_at_once_and_kept_under_the_datas_fingerprint() {
    let bench = Bench::new();
    let cache = bench.folder.path().join("cache");
    let fit = || {
        let args =
            ["fit", "--recipe", &bench.recipe, "--data-root", &bench.data, "--out", &bench.out];
        let mut train = program("train");
        train.args(args).args(["--set", "loss=weighted", "--set", "train.batch=100"]);
        let output = train.env("RECALL_SEG_CACHE", &cache).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).to_string()
    };
    assert!(fit().contains("got none of"));
    let kept: Vec<_> = std::fs::read_dir(cache.join("splits")).unwrap().collect();
    assert_eq!(kept.len(), 2, "one of each split");
    for kept in kept {
        let path = kept.unwrap().path();
        let mut found: serde_json::Value =
            serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let classes = found["classes"].as_array_mut().unwrap();
        assert_eq!(classes.len(), 13);
        classes.iter_mut().for_each(|class| class["pixels"] = 1.into());
        std::fs::write(&path, found.to_string()).unwrap();
    }
    // With other counts in the files, the refusal is another one: nothing was counted again.
    assert!(fit().contains("100"));
}

#[test]
fn a_wrong_recipe_is_refused_before_anything_is_written() {
    let bench = Bench::new();
    bench.fit_refuses(&["train.iteration=5"], &["iteration", "hint: "]);
    bench.fit_refuses(&["loss=recal"], &["recal", "cross-entropy"]);
    bench.fit_refuses(
        &["loss=cross-entropy", "loss.floor=true"],
        &["loss.floor: expected a setting of the loss cross-entropy (none), got floor", "hint: "],
    );
    bench.fit_refuses(&["loss=focal", "loss.gamma=-1"], &["loss.gamma", "0 to 10", "hint: "]);
    bench.fit_refuses(&["model.backbone=resnet152"], &["resnet152", "resnet101"]);
    bench.fit_refuses(&["model.output_stride=4"], &["expected 8 or 16, got 4"]);
    bench.fit_refuses(&["train.batch=1"], &["train.batch", "at least 2"]);
    bench.fit_refuses(&["train.batch=100"], &["100", "4"]);
    bench.fit_refuses(&["train.learning_rate=-1"], &["learning_rate", "more than 0"]);
    bench.fit_refuses(&["train.device=tpu"], &["tpu", "auto, cpu, cuda"]);
    bench.fit_refuses(&["data.dataset=kitti"], &["kitti", "camvid"]);
    bench.fit_refuses(&["data.train=training"], &["training"]);
    bench.fit_refuses(&["noequals"], &["key=value"]);
    bench.fit_refuses(&["start.weights=\"none.safetensors\""], &["weights: none", "in Python"]);
    let missing = bench.path("missing.toml");
    refuses(&["fit", "--recipe", &missing], &["missing.toml", "hint: "]);
}

#[test]
fn wrong_data_is_refused_by_name() {
    let bench = Bench::new();
    let labels = Path::new(&bench.data).join("labels/train");
    let first = labels.join("000000.png");
    let whole = std::fs::read(&first).unwrap();

    std::fs::write(&first, &whole[..whole.len() / 2]).unwrap();
    let stats = ["stats", "--dataset", "streets", "--data-root", &bench.data];
    let output = program("train").args(stats).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let table = String::from_utf8_lossy(&output.stdout).to_string();
    assert!(table.contains("labels/train/000000.png"), "{table}");
    std::fs::remove_file(&first).unwrap();
    bench.fit_refuses(&[], &["000000"]);
    std::fs::write(&first, &whole).unwrap();

    let empty = bench.path("empty");
    std::fs::create_dir(&empty).unwrap();
    refuses(
        &["fit", "--recipe", &bench.recipe, "--data-root", &empty, "--out", &bench.out],
        &["hint: "],
    );
}

/// Changes bytes in the middle of a file, where no header tells of it.
fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8].fill(0x55);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn the_validation_split_is_looked_at_before_the_first_step() {
    let bench = Bench::new();
    let file = |name: &str| Path::new(&bench.data).join(name);
    let image = file("images/val/000001.png");
    let whole = std::fs::read(&image).unwrap();
    damage(&image);
    bench.fit_refuses(&[], &["error: data: ", "images/val/000001.png", "data.damaged = "]);
    std::fs::write(&image, whole).unwrap();
    let label = file("labels/val/000000.png");
    image::GrayImage::from_pixel(64, 64, image::Luma([77])).save(&label).unwrap();
    let got = "(0..12, 255), got 77: 100 %";
    bench.fit_refuses(&[], &["error: data: ", "labels/val/000000.png", got, "hint: "]);
    image::GrayImage::new(32, 64).save(&label).unwrap();
    bench.fit_refuses(&[], &["labels/val/000000.png", "its image's size", "hint: "]);
    // The same over both splits, with all numbers before it.
    for place in [
        &["--dataset", "streets", "--data-root", &bench.data][..],
        &["--recipe", &bench.recipe, "--data-root", &bench.data],
    ] {
        let output = program("train").arg("stats").args(place).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let table = String::from_utf8_lossy(&output.stdout).to_string();
        for words in ["streets train: 4 pairs, 4 counted", "streets val: 2 pairs, 1 counted"] {
            assert!(table.contains(words), "{table}");
        }
    }
    succeeds(
        program("train")
            .args(["stats", "--dataset", "streets", "--split", "train"])
            .args(["--data-root", &bench.data]),
    );
}

#[test]
fn damaged_pairs_can_be_left_out_and_are_named() {
    let bench = Bench::new();
    let image = Path::new(&bench.data).join("images/train/000002.png");
    let whole = std::fs::read(&image).unwrap();
    damage(&image);
    let skip = ["data.damaged=skip", "data.max_damaged=0.3"];
    bench.fit_refuses(&["data.damaged=leave"], &["damaged", "hint: "]);
    bench.fit_refuses(&["data.damaged=skip", "data.max_damaged=2"], &["a share of 0 to 1, got 2"]);
    bench.fit_refuses(&["data.damaged=skip"], &["at most 0.01", "got 1 of 4", "000002.png"]);
    let fit = |more: &[&str]| {
        let mut train = program("train");
        train.args(["fit", "--recipe", &bench.recipe, "--data-root", &bench.data]);
        train.args(["--out", &bench.out]).args(more);
        skip.iter().for_each(|change| _ = train.args(["--set", change]));
        train
    };
    let output = succeeds(fit(&["--set", "train.iterations=1"]).args(["--set", "train.batch=3"]));
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    for words in [
        "3 training and 2 validation images",
        "damaged pairs left out of train: 1 of 4",
        "left out: ",
        "images/train/000002.png: damaged image",
    ] {
        assert!(said.contains(words), "expected {words:?} in: {said}");
    }
    // Mended, it is another data set, which the run does not go on with.
    std::fs::write(&image, whole).unwrap();
    let mut again = fit(&["--resume", "--set", "train.batch=3"]);
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(output.status.code() == Some(2) && said.contains("got other files"), "{said}");
}

#[test]
fn a_corrupt_training_image_ends_the_run_with_its_name() {
    let bench = Bench::new();
    for entry in std::fs::read_dir(Path::new(&bench.data).join("images/train")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(&path, &bytes[..bytes.len() / 3]).unwrap();
    }
    let args = ["fit", "--recipe", &bench.recipe, "--data-root", &bench.data, "--out", &bench.out];
    refuses(&args, &["images/train/0000"]);
}

#[test]
fn an_export_of_something_else_is_refused_and_leaves_no_file() {
    let bench = Bench::new();
    let model = bench.path("model.onnx");
    let export = |checkpoint: &str, words: &[&str]| {
        refuses(&["export", "--checkpoint", checkpoint, "--output", &model], words);
        assert!(!Path::new(&model).exists());
    };
    let hint = "hint: a checkpoint is last.safetensors or best.safetensors";
    export(&bench.path("none.safetensors"), &["error: checkpoint: ", "none.safetensors", hint]);
    export(&bench.recipe, &["not a safetensors file", hint]);
    let args = ["fit", "--recipe", &bench.recipe, "--data-root", &bench.data, "--out", &bench.out];
    succeeds(program("train").args(args).args(["--set", "train.iterations=1"]));
    let last = format!("{}/last.safetensors", bench.out);
    let refused = |extra: &[&str], words: &[&str]| {
        let mut args = vec!["export", "--checkpoint", &last];
        args.extend(extra);
        refuses(&args, words);
    };
    refused(&["--output", &bench.path("model.pb")], &[".onnx or .safetensors"]);
    let int8 = ["--output", &model, "--precision", "int8"];
    let gone = bench.path("moved away");
    let elsewhere = [&int8[..], &["--data-root", &gone]].concat();
    refused(&elsewhere, &["moved away: expected a folder", "the data root is the folder with"]);
    refused(&[&int8[..], &["--calibration", "percentile:20"]].concat(), &["percentile:99.9"]);
    refused(&[&int8[..], &["--weight-bits", "4"]].concat(), &["expected 7 or 8, got 4"]);
    refused(&["--output", &model, "--weight-bits", "7"], &["--weight-bits", "--precision int8"]);
    let deep = bench.path("new/model.onnx");
    let elsewhere = ["--output", &deep, "--precision", "int8", "--data-root", &gone];
    refused(&elsewhere, &["moved away: expected a folder"]);
    assert!(!Path::new(&bench.path("new")).exists());
    // Weights alone start a run, but are no checkpoint.
    let weights = bench.path("weights.safetensors");
    succeeds(program("train").args(["export", "--checkpoint", &last, "--output", &weights]));
    export(&weights, &["got weights alone", "start.weights"]);
    // Another network's weights do not fit.
    let out = bench.path("other");
    let other = ["fit", "--recipe", &bench.recipe, "--data-root", &bench.data, "--out", &out];
    let start = format!("start.weights={weights:?}");
    let mut args = other.to_vec();
    args.extend(["--set", &start, "--set", "model.backbone=resnet50"]);
    refuses(&args, &["names do not fit", "hint: "]);
}

#[test]
fn a_result_that_cannot_be_written_is_a_failure_and_a_reader_that_has_left_is_none() {
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = program("train").arg("losses").stdout(full).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("error: standard output: cannot write: "), "{said}");

    let mut child = program("train").arg("losses").stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_place_that_cannot_be_written_to_is_refused_before_the_work() {
    let bench = Bench::new();
    let data = ["--recipe", &bench.recipe, "--data-root", &bench.data, "--out", &bench.recipe];
    let no_folder = "cannot write to the folder";
    refuses(&[&["fit"], &data[..]].concat(), &["out: ", no_folder, "hint: "]);
    let suite = ["suite", "--losses", "recall"];
    refuses(&[&suite, &data[..]].concat(), &["suite: out: ", no_folder, "hint: "]);
    let results = ["results", "--dir", &bench.data, "--out", &bench.data];
    refuses(&results, &["results: --out: ", "got a folder", "hint: name a file in it"]);

    let plot = |out: &str, words: &[&str]| {
        refuses(&["plot", "curves", &bench.out, "--out", &bench.path(out)], words);
        assert!(!Path::new(&bench.path("new")).exists());
    };
    plot("new/curves.pdf", &["expected a name ending in .svg or .png", "hint: --out curves.svg"]);
    plot("new/curves.svg/", &["got a folder", "hint: name a file in it"]);

    std::fs::create_dir_all(Path::new(&bench.out).join(".lock")).unwrap();
    let fit = ["fit", "--recipe", &bench.recipe, "--data-root", &bench.data, "--out", &bench.out];
    refuses(&fit, &[".lock: cannot lock", "hint: choose an --out"]);
}

#[test]
fn synth_refuses_odd_requests_and_foreign_folders() {
    let bench = Bench::new();
    refuses(&["synth", "--out", &bench.path("a"), "--size", "63x64"], &["63"]);
    refuses(&["synth", "--out", &bench.path("a"), "--layout", "kitti"], &["kitti"]);
    refuses(&["synth", "--out", &bench.data, "--count", "9"], &["hint: "]);
    assert!(!Path::new(&bench.path("a")).exists());
}
