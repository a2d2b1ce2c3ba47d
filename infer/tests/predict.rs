//! `infer predict`: which files it writes, at what size, and what it does with bad input.

mod common;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use common::{card, data_set, ended_well, error_of, infer, model, on_data};
use serde_json::json;

#[test]
fn predict_writes_a_colour_map_and_an_overlay_per_image_and_a_legend() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 2);
    let out = folder.path().join("deep/out");
    let images = folder.path().join("images/val");
    let run = infer()
        .args(["predict", "--provider", "cpu", "--model"])
        .arg(model("both"))
        .arg(&images)
        .arg("--out")
        .arg(&out)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    for i in 0..2 {
        let image = image::open(images.join(format!("scene_{i}.png"))).unwrap();
        let map = image::open(out.join(format!("scene_{i}_color.png"))).unwrap().into_rgb8();
        assert_eq!((map.width(), map.height()), (image.width(), image.height()));
        // The colours are the card's, and no other.
        let colors: Vec<[u8; 3]> = serde_json::from_value(json!(
            card()["classes"]
                .as_array()
                .unwrap()
                .iter()
                .map(|c| c["color"].clone())
                .collect::<Vec<_>>()
        ))
        .unwrap();
        assert!(map.pixels().all(|p| colors.contains(&p.0)));
        assert!(out.join(format!("scene_{i}_overlay.png")).exists());
    }
    assert!(out.join("legend.png").exists());
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 5);
}

/// `infer predict` on inputs.
fn predict(inputs: &[&Path], out: &Path, more: &[&str]) -> Command {
    let mut command = infer();
    command.args(["predict", "--provider", "cpu", "--model"]).arg(model("both"));
    command.args(inputs).arg("--out").arg(out).args(more);
    command
}

#[test]
fn label_images_have_the_pictures_size_and_name_and_class_ids_or_native_ones() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 2);
    let (images, out) = (folder.join("images/val"), folder.join("out"));
    let native: Vec<u8> = card()["classes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|c| c["native_id"].as_u64().unwrap() as u8)
        .collect();
    ended_well(&mut predict(&[&images], &out, &["--labels"]));
    assert_eq!(files_in(&out), ["scene_0.png", "scene_1.png"]);
    let colors = folder.join("colors");
    ended_well(&mut predict(&[&images], &colors, &["--colors", "--labels", "--native"]));
    let all = ["scene_0.png", "scene_0_color.png", "scene_1.png", "scene_1_color.png"];
    assert_eq!(files_in(&colors), all, "no legend among them");
    for name in ["scene_0", "scene_1"] {
        let open = |folder: &Path, ending: &str| {
            image::open(folder.join(format!("{name}{ending}.png"))).unwrap()
        };
        let ids = open(&out, "");
        assert_eq!(ids.color(), image::ColorType::L8);
        let (ids, natives) = (ids.into_luma8(), open(&colors, "").into_luma8());
        assert_eq!(ids.dimensions(), open(&images, "").into_rgb8().dimensions());
        let map = open(&colors, "_color").into_rgb8();
        for ((id, native_id), color) in ids.as_raw().iter().zip(natives.as_raw()).zip(map.pixels())
        {
            assert_eq!(*native_id, native[usize::from(*id)]);
            assert_eq!(json!(color.0), card()["classes"][usize::from(*id)]["color"]);
        }
    }
}

#[test]
fn label_images_do_not_overwrite_each_other_nor_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    let scene = folder.join("images/val/scene_0.png");
    let [a, b] = ["a", "b"].map(|name| {
        std::fs::create_dir(folder.join(name)).unwrap();
        let copy = folder.join(name).join("x.png");
        std::fs::copy(&scene, &copy).unwrap();
        copy
    });
    let out = folder.join("out");
    ended_well(&mut predict(&[&a, &b], &out, &["--labels"]));
    assert_eq!(files_in(&out), ["a_x.png", "b_x.png"]);
    let text = error_of(&mut predict(&[&a], &folder.join("a"), &["--labels"]), 2);
    assert!(text.contains("in which no input is overwritten"), "{text}");
    let color = folder.join("b/x_color.png");
    std::fs::copy(&scene, &color).unwrap();
    let more = ["--labels", "--colors"];
    let text = error_of(&mut predict(&[&a, &color], &folder.join("new"), &more), 2);
    assert!(text.contains("x_color.png: expected one image for each file"), "{text}");
    let text = error_of(&mut predict(&[&a], &out, &["--native"]), 2);
    assert!(text.contains("--labels"), "{text}");
}

#[test]
fn predict_sees_images_several_times_as_eval_does() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    let more = ["--scales", "0.5,1", "--flip", "--window", "32x24", "--overlap", "0.25"];
    let saved = folder.join("saved");
    let mut eval = on_data("eval", &model("both"), folder);
    ended_well(eval.args(more).arg("--save-labels").arg(&saved));
    let out = folder.join("out");
    let images = folder.join("images/val");
    ended_well(&mut predict(&[&images], &out, &[&more[..], &["--labels", "--native"]].concat()));
    let open = |path: PathBuf| image::open(path).unwrap().into_luma8();
    let seen = open(out.join("scene_0.png"));
    assert_eq!(seen, open(saved.join("scene_0_pred.png")));
    ended_well(&mut predict(&[&images], &out, &["--labels", "--native"]));
    assert_ne!(seen, open(out.join("scene_0.png")));
}

/// Names of the files in a folder, sorted.
fn files_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn inputs_of_the_same_name_do_not_overwrite_each_other() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    let other = folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    std::fs::copy(folder.path().join("labels/val/scene_0.png"), other.join("scene_0.png")).unwrap();
    let out = folder.path().join("out");
    let mut command = infer();
    command.args(["predict", "--provider", "cpu", "--model"]).arg(model("labels"));
    command.arg(folder.path().join("images/val")).arg(&other).arg("--out").arg(&out);
    assert!(command.output().unwrap().status.success());
    assert!(
        out.join("val_scene_0_color.png").exists() && out.join("other_scene_0_color.png").exists()
    );
}

#[test]
fn predict_does_not_write_over_its_inputs_nor_among_them() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    let images = folder.path().join("images/val");
    let scene = images.join("scene_0.png");
    let predict = |inputs: &[&PathBuf], out: &Path| {
        let mut command = infer();
        command.args(["predict", "--provider", "cpu", "--model"]).arg(model("both"));
        command.args(inputs).arg("--out").arg(out);
        command
    };
    let refuse = |inputs: &[&PathBuf], out: &Path| {
        let text = error_of(&mut predict(inputs, out), 2);
        assert!(text.contains("expected a folder in which no input is overwritten"), "{text}");
        assert!(text.contains("hint: "), "{text}");
    };
    refuse(&[&images], &images);
    // One picture may have its own beside it, but then both are not taken for input.
    assert!(predict(&[&scene], &images).output().unwrap().status.success());
    let color = images.join("scene_0_color.png");
    let before = std::fs::read(&color).unwrap();
    refuse(&[&scene, &color], &images);
    refuse(&[&images.join("legend.png")], &images.join("../val"));
    assert_eq!(std::fs::read(&color).unwrap(), before);
    let missing = error_of(&mut predict(&[&images.join("none.png")], folder.path()), 2);
    assert!(missing.contains("hint: name images, or folders with images"), "{missing}");
}

#[test]
fn an_unreadable_image_among_others_is_named_and_the_others_are_done() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 3);
    std::fs::write(folder.path().join("images/val/scene_1.png"), "no image").unwrap();
    let out = folder.path().join("out");
    let mut command = infer();
    command.args(["predict", "--provider", "cpu", "--model"]).arg(model("both"));
    command.arg(folder.path().join("images/val")).arg("--out").arg(&out);
    let text = error_of(&mut command, 1);
    assert!(
        text.contains("unreadable: ")
            && text.contains("scene_1.png")
            && text.contains("expected 3 readable images, got 2"),
        "{text}"
    );
    assert!(out.join("scene_0_color.png").exists() && out.join("scene_2_color.png").exists());

    let mut command = infer();
    command.args(["predict", "--provider", "cpu", "--model"]).arg(model("both"));
    command.arg(folder.path().join("images/val/scene_1.png")).arg("--out").arg(&out);
    assert!(error_of(&mut command, 2).contains("scene_1.png"), "alone it is a wrong request");
}
