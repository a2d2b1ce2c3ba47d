//! `infer predict` and `infer compare`: which files they write, at what size, and what they do with bad input.

mod common;

use common::{card, data_set, error_of, infer, model, with_card};
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

#[test]
fn compare_writes_the_figure_the_errors_and_the_table_for_one_to_four_models() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = data_set(folder.path(), 5);
    // The same weights with another normalization of classes are another model: swap two class outputs.
    let mut other = card();
    other["name"] = json!("resized");
    (other["input"]["width"], other["input"]["height"]) = (json!(20), json!(16));
    let second = folder.path().join("second.onnx");
    with_card(&second, &other);
    for (models, out) in [
        (vec![model("both")], "one"),
        (vec![model("both"), second.clone()], "two"),
        (vec![model("both"), second.clone(), model("labels"), model("logits")], "four"),
    ] {
        let out = folder.path().join(out);
        let mut command = infer();
        command
            .args(["compare", "--provider", "cpu", "--count", "2", "--width", "160", "--models"])
            .args(&models);
        command
            .arg("--dataset")
            .arg(&descriptor)
            .arg("--data-root")
            .arg(folder.path())
            .arg("--out")
            .arg(&out);
        let run = command.output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        let figure = image::open(out.join("figure.png")).unwrap();
        let columns = 2 + models.len() as u32;
        assert_eq!(figure.width(), 32 + columns * 160 + (columns - 1) * 8);
        for name in ["errors-pole.png", "errors-person.png", "rare-classes.md"] {
            assert!(out.join(name).exists(), "{name}");
        }
        let table = std::fs::read_to_string(out.join("rare-classes.md")).unwrap();
        assert!(table.contains("| pole (0.80 %) |") && table.contains("| mean IoU |"), "{table}");
        assert!(String::from_utf8(run.stdout).unwrap().starts_with(&table));
    }
}

#[test]
fn compare_takes_given_scenes_names_and_regions() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = data_set(folder.path(), 2);
    let compare = |more: &[&str]| {
        let mut command = infer();
        command
            .args(["compare", "--provider", "cpu", "--width", "160", "--models"])
            .arg(model("both"));
        command.arg("--dataset").arg(&descriptor).arg("--data-root").arg(folder.path());
        command.arg("--out").arg(folder.path().join("out")).args(more);
        command
    };
    assert!(
        compare(&["--images", "scene_1", "--names", "mine", "--zoom", "2,3,10,8"])
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(error_of(&mut compare(&["--images", "scene_9"]), 2).contains("scene_9"));
    assert!(error_of(&mut compare(&["--names", "a,b"]), 2).contains("expected 1 names, got 2"));
    assert!(error_of(&mut compare(&["--zoom", "1,2,3"]), 2).contains("x,y,width,height"));
}
