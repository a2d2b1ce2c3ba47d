//! Validation pictures of a run: where they are, that TensorBoard reads them, and that drawing changes nothing.

use std::path::Path;
use std::process::Command;
use tests::{TINY_RECIPE, program, python_packages, streets, succeeds};

fn fit(folder: &Path, data: &Path, out: &str) -> Command {
    let recipe = folder.join("tiny.toml");
    std::fs::write(&recipe, TINY_RECIPE).unwrap();
    let mut command = program("train");
    command.args(["fit", "--recipe"]).arg(recipe).arg("--data-root").arg(data);
    command.arg("--out").arg(folder.join(out)).env("OMP_NUM_THREADS", "1");
    command
}

#[test]
fn pictures_come_as_often_as_asked_and_the_weights_do_not_notice() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 4, 3);
    succeeds(&mut fit(folder.path(), &data, "plain"));
    let drawing = ["--set", "train.pictures_every=4", "--set", "train.pictures=2"];
    succeeds(fit(folder.path(), &data, "drawn").args(drawing));

    let run = |name: &str| folder.path().join(name);
    assert!(!run("plain/pictures").exists());
    let entries = std::fs::read_dir(run("drawn/pictures")).unwrap();
    let mut names: Vec<_> =
        entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["000004.png", "000006.png"], "step 4, and the last");
    let [early, late] = ["000004.png", "000006.png"]
        .map(|name| image::open(run("drawn/pictures").join(name)).unwrap().to_rgb8());
    assert_eq!(early.dimensions(), late.dimensions());
    assert!(early.width() > 3 * 320, "{:?}", early.dimensions());
    assert!(early != late, "two steps of training changed nothing in the picture");

    let weights = |name: &str| {
        let bytes = std::fs::read(run(name).join("best.safetensors")).unwrap();
        let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
        let mut tensors: Vec<_> =
            file.iter().map(|(name, view)| (name.to_string(), view.data().to_vec())).collect();
        tensors.sort();
        tensors
    };
    assert!(weights("plain") == weights("drawn"), "the weights differ");
    tensorboard_reads(&run("drawn"), early.dimensions());
}

/// TensorBoard's own reader finds both pictures with their sizes.
fn tensorboard_reads(run: &Path, (width, height): (u32, u32)) {
    let Some(packages) = python_packages("TensorBoard's pictures") else { return };
    let script = "import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1]); events.Reload()
print([(e.step, e.width, e.height, e.encoded_image_string[:4]) for e in events.Images('val/pictures')])";
    let mut python = Command::new("python3");
    let output = succeeds(python.args(["-c", script]).arg(run).env("PYTHONPATH", packages));
    let expected =
        format!("[(4, {width}, {height}, b'\\x89PNG'), (6, {width}, {height}, b'\\x89PNG')]");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), expected);
}
