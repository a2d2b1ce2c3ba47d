//! Training that is killed, again and again, ends with the same weights as training that is not.

use shared::dataset::{Descriptor, Index};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};
use tests::{TINY_RECIPE, program, streets, succeeds};
use train::data::Order;

/// The network, the data and the recipe of one test.
fn fit(folder: &Path, data: &Path, out: &str) -> Command {
    let recipe = folder.join("tiny.toml");
    std::fs::write(&recipe, TINY_RECIPE).unwrap();
    let mut command = program("train");
    command.args(["fit", "--resume", "--recipe"]).arg(recipe).arg("--data-root").arg(data);
    command.arg("--out").arg(folder.join(out)).args(["--set", "train.average=0.9"]);
    // The same number of threads in every sitting: that is what exactness is promised for.
    command.env("OMP_NUM_THREADS", "2");
    command
}

/// Every tensor of a checkpoint, as bytes.
fn tensors(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(path).unwrap();
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    file.iter().map(|(name, view)| (name.to_string(), view.data().to_vec())).collect()
}

/// The steps that a run's log has a training line of.
fn log_points(run: &Path) -> Vec<u64> {
    let lines = train::monitor::read(run, "train").unwrap();
    lines.into_iter().map(|(step, _)| step as u64).collect()
}

#[test]
fn killed_at_many_points_a_run_ends_with_the_same_bits_as_one_never_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 8, 2);
    succeeds(&mut fit(folder.path(), &data, "whole"));

    // Delays that grow, so that the run moves on, in odd steps, so that kills fall into steps and
    // saves alike.
    let last = folder.path().join("killed/last.safetensors");
    let mut kills = 0;
    let mut loaded = 0;
    for attempt in 0..60 {
        let mut child = fit(folder.path(), &data, "killed").stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(700 + 137 * attempt));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "a resumed run failed: {status}");
            break;
        }
        child.kill().unwrap(); // SIGKILL
        child.wait().unwrap();
        kills += 1;
        if last.exists() {
            tensors(&last); // whole, whatever moment it was
            loaded += 1;
        }
    }
    succeeds(&mut fit(folder.path(), &data, "killed"));
    eprintln!("killed {kills} times, {loaded} checkpoints read in between");
    assert!(kills >= 3, "only {kills} kills: the test no longer tests anything");

    let whole = tensors(&folder.path().join("whole/last.safetensors"));
    let killed = tensors(&last);
    assert!(whole.keys().eq(killed.keys()));
    for (name, bytes) in &whole {
        assert!(killed[name] == *bytes, "{name} differs");
    }
    for name in [
        "trainer.running_recall",
        "trainer.average.weights",
        "backbone.bn1.running_mean",
        "classifier.4.bias",
    ] {
        assert!(whole.contains_key(name), "{name} is not in the checkpoint");
    }
    let log = |run: &str| -> Vec<u64> {
        let text = std::fs::read_to_string(folder.path().join(run).join("metrics.jsonl")).unwrap();
        let steps = text.lines().map(|l| serde_json::from_str::<serde_json::Value>(l).unwrap());
        steps.filter_map(|v| v["step"].as_u64()).collect()
    };
    assert_eq!(log("whole"), log("killed"), "the log has each step once");
}

#[test]
fn whatever_a_checkpoint_holds_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 4, 1);
    let mut run = fit(folder.path(), &data, "run");
    succeeds(run.args(["--set", "train.log_every=100", "--set", "train.checkpoint_every=4"]));
    // A run killed after step 4 goes on from there: what it did before would never be told.
    assert_eq!(log_points(&folder.path().join("run")), [4, 6]);
}

#[test]
fn a_damaged_file_ends_a_run_but_what_it_learned_is_saved_and_logged() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 8, 1);
    let index = Index::open(&Descriptor::find("streets").unwrap(), &data, "train").unwrap();
    // A sample of the epoch's fourth and last batch: three steps are done when it is met.
    let met_last = Order::new(8, 2, 0).unwrap().epoch(0)[7];
    let image = &index.samples[met_last].image;
    let run = |out: &str| {
        let mut run = fit(folder.path(), &data, out);
        run.args(["--set", "train.log_every=100", "--set", "train.checkpoint_every=0"]);
        run.env("RECALL_SEG_CACHE", folder.path().join("cache"));
        run
    };
    // Both splits are looked at while it is whole, or that would meet the damage before the
    // training does; what was found is kept as long as no file is changed, which its time of change
    // says. Of that, some file systems keep whole seconds alone.
    let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    let date = |file: &Path| {
        File::options().write(true).open(file).unwrap().set_modified(changed).unwrap();
    };
    date(image);
    succeeds(&mut run("before"));
    let mut bytes = std::fs::read(image).unwrap();
    let third = bytes.len() / 3;
    bytes[third..].fill(0);
    std::fs::write(image, bytes).unwrap();
    date(image);

    let output = run("run").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(!output.status.success() && said.contains(&image.display().to_string()), "{said}");
    assert!(folder.path().join("run/last.safetensors").exists(), "{said}");
    assert_eq!(log_points(&folder.path().join("run")), [3]);
}

#[test]
fn stopped_during_its_last_validation_a_run_makes_up_for_it_and_reports_no_older_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 4, 60);
    succeeds(&mut fit(folder.path(), &data, "whole"));

    let mut child = fit(folder.path(), &data, "stopped").stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("6/6  loss")), "the last step is not logged");
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(1), "{rest:?}");
    assert!(rest.iter().any(|line| line.contains("stopped at iteration 6 of 6")), "{rest:?}");

    succeeds(&mut fit(folder.path(), &data, "stopped"));
    for name in ["last.safetensors", "best.safetensors"] {
        let of = |run: &str| tensors(&folder.path().join(run).join(name));
        assert!(of("whole") == of("stopped"), "{name} differs");
    }
    let validations = |run: &str| -> Vec<String> {
        let text = std::fs::read_to_string(folder.path().join(run).join("metrics.jsonl")).unwrap();
        text.lines().filter(|l| l.contains("\"val\"")).map(str::to_string).collect()
    };
    assert_eq!(validations("whole").len(), 2);
    assert_eq!(validations("whole"), validations("stopped"));
}

#[test]
fn a_finished_run_is_not_overwritten_and_another_recipe_is_not_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let data = streets(folder.path(), "streets", "64x64", 4, 1);
    let short = ["--set", "train.iterations=1"];
    succeeds(fit(folder.path(), &data, "run").args(short));
    let refused = |changes: &[&str], expected: &str| {
        let output = fit(folder.path(), &data, "run").args(short).args(changes).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).to_string();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    };
    refused(&["--set", "train.learning_rate=0.5"], "learning_rate = 0.5");
    refused(&["--set", "loss=cross-entropy"], "resume");
    refused(&["--set", "model.backbone=resnet34"], "resnet34");
    let other = ["--set", "train.precision=bf16"];
    refused(&other, "expected the precision that the run was begun in, f32, got bf16");
    refused(&other, "hint: go on with --set train.precision=f32");
    // `auto` is what the run was begun in, whatever this machine would begin one in.
    let auto = ["--set", "train.precision=auto"];
    let output = succeeds(fit(folder.path(), &data, "run").args(short).args(auto));
    let said = String::from_utf8_lossy(&output.stderr).to_string();
    assert!(said.contains(" threads), f32"), "{said}");
    let mut anew = program("train"); // without --resume
    anew.args(["fit", "--recipe"]).arg(folder.path().join("tiny.toml"));
    anew.arg("--data-root").arg(&data).arg("--out").arg(folder.path().join("run"));
    let output = anew.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("holds a run already"));
    // Best weights alone are worth keeping too.
    std::fs::remove_file(folder.path().join("run/last.safetensors")).unwrap();
    assert!(folder.path().join("run/best.safetensors").exists());
    refused(&[], "no checkpoint to go on from");
}
