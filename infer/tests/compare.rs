//! `infer compare`: which files it writes, at what size, and what it does with bad input.

mod common;

use std::path::{Path, PathBuf};

use assert_cmd::Command;
use common::{card, data_set, error_of, infer, model, onto_full_disk, with_card};
use serde_json::json;

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

/// `compare` of models on the data set in `folder`, to `out` there.
fn compare(folder: &Path, models: &[PathBuf], more: &[&str]) -> Command {
    let mut command = infer();
    command.args(["compare", "--provider", "cpu", "--width", "160"]);
    for model in models {
        command.arg("--models").arg(model);
    }
    command.arg("--dataset").arg(folder.join("six.toml")).arg("--data-root").arg(folder);
    command.arg("--out").arg(folder.join("out")).args(more);
    command
}

/// Standard output of a `compare` that must succeed.
fn compared(folder: &Path, models: &[PathBuf], more: &[&str]) -> String {
    let output = compare(folder, models, more).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn compare_takes_given_scenes_names_and_regions() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 2);
    let both = [model("both")];
    compared(folder, &both, &["--scenes", "scene_1", "--names", "mine", "--zoom", "2,3,10,8"]);
    let refuse = |more: &[&str], expected: &str| {
        let text = error_of(&mut compare(folder, &both, more), 2);
        assert!(text.contains(expected), "{text}");
    };
    refuse(&["--scenes", "scene_9"], "scene_9");
    refuse(&["--names", "a,b"], "expected 1 name, got 2");
    refuse(&["--zoom", "1,2,3"], "x,y,width,height");
    refuse(&["--zoom", "40,0,9,9"], "a region of scene_0, which is 40 x 31, got 40,0,9,9");
    compared(folder, &both, &["--scenes", "scene_1", "--zoom", "40,0,9,9"]);
}

#[test]
fn compare_tells_models_of_one_name_apart_and_takes_no_more_than_four() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    let in_folder = |name: &str| {
        let path = folder.join(name).join("best.onnx");
        std::fs::create_dir_all(folder.join(name)).unwrap();
        std::fs::copy(model("both"), &path).unwrap();
        path
    };
    let two = [in_folder("d1"), in_folder("d2")];
    let text = compared(folder, &two, &[]);
    assert!(text.contains("| class | d1_best | d2_best |"), "{text}");
    let same = error_of(&mut compare(folder, &two, &["--names", "a,a"]), 2);
    assert!(same.contains("got \"a\" twice"), "{same}");
    let five = error_of(&mut compare(folder, &[0; 5].map(|_| model("both")), &[]), 2);
    assert!(five.contains("--models: expected one to 4, got 5"), "{five}");
}

#[test]
fn compare_gives_the_table_even_if_a_picture_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    let out = folder.path().join("out");
    std::fs::create_dir_all(out.join("figure.png")).unwrap();
    let output = compare(folder.path(), &[model("both")], &[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let table = std::fs::read_to_string(out.join("rare-classes.md")).unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with(&table), "{table}");
}

#[test]
fn compare_draws_its_pictures_even_if_the_table_cannot_be_printed_which_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data_set(folder, 1);
    let out = folder.join("out");
    onto_full_disk(&compare(folder, &[model("both")], &[]));
    for name in ["rare-classes.md", "figure.png", "errors-pole.png"] {
        assert!(out.join(name).exists(), "{name}");
    }
}

#[test]
fn compare_stays_in_its_folder_whatever_classes_are_called() {
    let folder = tempfile::tempdir().unwrap();
    let descriptor = data_set(folder.path(), 1);
    let toml = std::fs::read_to_string(&descriptor).unwrap();
    let toml = toml.replace("\"pole\"", "\"pole/post\"").replace("\"person\"", "\"../person\"");
    std::fs::write(&descriptor, toml).unwrap();
    let mut card = card();
    card["classes"][4]["name"] = json!("pole/post");
    card["classes"][5]["name"] = json!("../person");
    let path = folder.path().join("odd.onnx");
    with_card(&path, &card);
    let text = compared(folder.path(), &[path], &[]);
    for name in ["errors-pole-post.png", "errors----person.png"] {
        assert!(text.contains(name) && folder.path().join("out").join(name).exists(), "{text}");
    }
}

#[test]
fn compare_calls_no_class_rare_where_none_is() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 2);
    let mut card = card();
    card["class_share"] = json!([]);
    let path = folder.path().join("no-shares.onnx");
    with_card(&path, &card);
    let text = compared(folder.path(), &[path], &[]);
    assert!(text.contains("accuracy on the rarest classes"), "{text}");
    assert!(text.contains("| mean of the rarest |"), "{text}");
}
