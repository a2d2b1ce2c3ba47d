//! Moved thresholds through the programs: columns of a suite that need no training, and an export that
//! is what such a column scored.

use image::{GrayImage, Luma, Rgb, RgbImage};
use serde_json::Value;
use std::path::{Path, PathBuf};
use tests::{TINY_RECIPE, program, succeeds};

/// A set of three classes in three of four images' pixels each, the third of them rare.
fn data(root: &Path) -> PathBuf {
    let text = r#"
name = "three"
images = "images/{split}/{name}.png"
labels = [{ files = "labels/{split}/{name}.png" }]
classes = [{ name = "ground", native = 0 }, { name = "wall", native = 1 }, { name = "post", native = 2 }]
"#;
    let descriptor = root.join("three.toml");
    std::fs::write(&descriptor, text).unwrap();
    for (split, count) in [("train", 4), ("val", 2)] {
        for part in ["images", "labels"] {
            std::fs::create_dir_all(root.join(part).join(split)).unwrap();
        }
        for n in 0..count {
            let label = |x: u32, y: u32| match (x, y) {
                (10..14, 8..50) => 2,
                _ => u8::from(y < 20 + n),
            };
            let color = |x: u32, y: u32| {
                let shade = 60 * label(x, y) + (x * y + n) as u8 % 50;
                Rgb([shade, shade / 2, 255 - shade])
            };
            let name = format!("{split}/{n}.png");
            let image = RgbImage::from_fn(64, 64, color);
            image.save(root.join("images").join(&name)).unwrap();
            let labels = GrayImage::from_fn(64, 64, |x, y| Luma([label(x, y)]));
            labels.save(root.join("labels").join(name)).unwrap();
        }
    }
    descriptor
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn columns_with_moved_thresholds_need_no_training_and_an_export_gives_what_they_scored() {
    let folder = tempfile::tempdir().unwrap();
    let (root, out) = (folder.path(), folder.path().join("suite"));
    let descriptor = data(root);
    let recipe = root.join("tiny.toml");
    std::fs::write(&recipe, TINY_RECIPE).unwrap();
    let set = format!("data.dataset={}", descriptor.display());
    let suite = || {
        let mut command = program("train");
        command.args(["suite", "--losses", "cross-entropy+recall,cross-entropy+prior:0.3"]);
        command.args(["--seeds", "0", "--set", &set, "--recipe"]).arg(&recipe);
        command.arg("--data-root").arg(root).arg("--out").arg(&out);
        command.env("OMP_NUM_THREADS", "2");
        succeeds(&mut command)
    };
    let output = suite();
    let said = String::from_utf8_lossy(&output.stdout).to_string();
    // The network that the thresholds are moved of is trained, though only its columns were asked for.
    for row in [
        "| cross-entropy | 1* |",
        "| cross-entropy + recall | 1* |",
        "| cross-entropy + prior:0.3 | 1* |",
    ] {
        assert!(said.contains(row), "{row} is not in {said}");
    }
    let again = suite();
    assert!(
        !String::from_utf8_lossy(&again.stderr).contains("cell 1"),
        "computed twice: {again:?}"
    );

    for rule in ["recall", "prior:0.3"] {
        let name = format!("cross-entropy+{}-seed0", rule.replace(':', "_"));
        let cell = json(&out.join("cells").join(format!("{name}.json")));
        assert_eq!(cell["loss"], format!("cross-entropy+{rule}"));
        let model = root.join(format!("{}.onnx", rule.replace(':', "-")));
        let mut export = program("train");
        export.args(["export", "--adjust", rule, "--checkpoint"]);
        export.arg(out.join("runs/cross-entropy-seed0/final.safetensors"));
        export.arg("--output").arg(&model);
        if rule == "recall" {
            export.arg("--data-root").arg(root);
        }
        succeeds(&mut export);
        let scores = root.join("scores.json");
        let mut eval = program("infer");
        eval.args(["eval", "--split", "val", "--model"]).arg(&model);
        eval.arg("--dataset").arg(&descriptor).arg("--data-root").arg(root);
        succeeds(eval.arg("--json").arg(&scores));
        let (scored, cell) = (json(&scores), &cell["report"]);
        let plain = json(&out.join("cells/cross-entropy-seed0.json"));
        for count in 0..9 {
            let of = |report: &Value| report["confusion"][count / 3][count % 3].as_i64().unwrap();
            let apart = (of(&scored) - of(cell)).abs();
            assert!(apart <= 8, "{rule}: {} and {}", scored["confusion"], cell["confusion"]);
        }
        assert_ne!(cell["confusion"], plain["report"]["confusion"], "{rule} moved nothing");
    }

    let misses = program("train")
        .args(["export", "--adjust", "precision", "--output", "x.onnx", "--checkpoint", "y"])
        .output()
        .unwrap();
    assert_eq!(misses.status.code(), Some(2));
    let said = String::from_utf8_lossy(&misses.stderr).to_string();
    assert!(said.contains("expected recall or prior:TAU") && said.contains("hint: "), "{said}");
}
