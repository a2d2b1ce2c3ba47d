//! Paths as people have them: `~` where no shell expands it, `:` and `=` in names, a data set's folder
//! that is told once, splits with other names.

use std::path::Path;
use tests::{TINY_RECIPE, program, streets, succeeds};

/// Standard error of a run that succeeds.
fn said(command: &mut std::process::Command) -> String {
    String::from_utf8(succeeds(command).stderr).unwrap()
}

#[test]
fn a_data_root_told_once_serves_resume_and_calibration_and_stays_out_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let data = streets(folder.path(), "streets", "64x64", 4, 2);
    std::fs::write(path("tiny.toml"), TINY_RECIPE).unwrap();
    let fit = || {
        let mut command = program("train");
        command.current_dir(folder.path()).args(["fit", "--recipe", "tiny.toml", "--out", "run"]);
        command
    };
    let short = ["--set", "train.iterations=1"];
    // Relative, as it is typed: what is remembered does not depend on the working directory.
    succeeds(fit().args(["--data-root", "streets"]).args(short));
    let recipe = std::fs::read_to_string(path("run/recipe.toml")).unwrap();
    assert!(recipe.contains(&format!("root = {:?}", data.display().to_string())), "{recipe}");
    succeeds(fit().args(["--resume", "--set", "train.iterations=2"]));

    let export = ["export", "--precision", "int8", "--checkpoint", "run/last.safetensors"];
    let mut command = program("train");
    let exported =
        said(command.current_dir(folder.path()).args(export).args(["--output", "m.onnx"]));
    assert!(exported.contains("train has 4 images, fewer than 64: all of them"), "{exported}");
    assert!(exported.contains(&format!("images in {}", data.display())), "{exported}");
    let model = std::fs::read(path("m.onnx")).unwrap();
    let place = data.display().to_string();
    assert!(!model.windows(place.len()).any(|bytes| bytes == place.as_bytes()));
}

#[test]
fn a_tilde_is_the_home_folder_in_flags_and_recipes() {
    let home = tempfile::tempdir().unwrap();
    streets(home.path(), "streets", "64x64", 2, 2);
    let train = |args: &[&str]| {
        let mut command = program("train");
        command.env("HOME", home.path()).args(args);
        command
    };
    succeeds(&mut train(&["stats", "--dataset=streets", "--data-root=~/streets"]));
    let recipe = TINY_RECIPE.replace("[model]", "root = \"~/streets\"\n[model]");
    std::fs::write(home.path().join("tiny.toml"), recipe).unwrap();
    let args = ["fit", "--recipe=~/tiny.toml", "--out=~/run", "--set", "train.iterations=1"];
    succeeds(&mut train(&args));
    assert!(home.path().join("run/last.safetensors").is_file());
    let resolved = std::fs::read_to_string(home.path().join("run/recipe.toml")).unwrap();
    assert!(!resolved.contains('~'), "{resolved}");
}

#[test]
fn a_descriptor_may_lie_where_a_path_looks_like_settings() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 2, 2);
    let place = folder.path().join("scale:x=2");
    std::fs::create_dir(&place).unwrap();
    let text = include_str!("../../shared/src/dataset/streets.toml");
    std::fs::write(place.join("set.toml"), text).unwrap();
    let stats = |dataset: &str| {
        let mut command = program("train");
        command.args(["stats", "--dataset", dataset, "--data-root"]).arg(&data);
        command
    };
    let file = place.join("set.toml").display().to_string();
    succeeds(&mut stats(&file));
    // Settings may still follow.
    let output = stats(&format!("{file}:split=sideways")).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("sideways") && !said.contains("or the path of a descriptor"), "{said}");
}

#[test]
fn a_split_under_another_name_is_suggested_with_the_key_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 2, 2);
    std::fs::write(folder.path().join("tiny.toml"), TINY_RECIPE).unwrap();
    for place in ["images", "labels"] {
        let place = data.join(place);
        std::fs::rename(place.join("val"), place.join("valid")).unwrap();
    }
    let fit = |set: &str| {
        let mut command = program("train");
        command.current_dir(folder.path()).args(["fit", "--recipe", "tiny.toml", "--out", "run"]);
        command.args(["--data-root", "streets", "--set", "train.iterations=1", "--set", set]);
        command.output().unwrap()
    };
    let refused = fit("data.train=train");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains("hint: the split is called so here: --set data.val=valid"), "{said}");
    assert!(!Path::new(&folder.path().join("run")).exists());
    assert!(fit("data.val=valid").status.success());
}
