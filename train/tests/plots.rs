//! From logs to charts: what is read, normalized and smoothed, and what is told where nothing was logged.

use shared::plot::{Chart, Series};
use std::fmt::Write as _;
use std::path::Path;
use train::plots::{curves, weights};

/// A run's folder with this metrics.jsonl.
fn run(folder: &Path, name: &str, log: &str) -> std::path::PathBuf {
    let run = folder.join(name);
    std::fs::create_dir_all(&run).unwrap();
    std::fs::write(run.join("metrics.jsonl"), log).unwrap();
    run
}

fn find<'a>(chart: &'a Chart, panel: usize, name: &str) -> &'a Series {
    chart.panels[panel].series.iter().find(|s| s.name == name).unwrap()
}

#[test]
fn weights_are_normalized_across_the_classes_of_a_batch_then_divided() {
    let folder = tempfile::tempdir().unwrap();
    let log = r#"{"step":10,"kind":"train","loss":1.5}
{"step":10,"kind":"weights","classes":["road","pole"],"recall":[0.1,0.9],"focal":[0.1,0.3]}
{"step":20,"kind":"weights","classes":["road","pole"],"recall":[0.2,null],"focal":[0.1,null]}
{"step":30,"kind":"weights","classes":["road","pole"],"recall":[0.3,0.5],"focal":[0.2,0.2]}
{"step":40,"kind":"wei"#;
    let chart = weights(&run(folder.path(), "a", log)).unwrap();
    assert_eq!(chart.panels.len(), 3);
    let close = |(panel, name): (usize, &str), i: usize, (x, y): (f64, f64)| {
        let (step, value) = find(&chart, panel, name).points[i];
        assert!(step == x && (value - y).abs() < 1e-12, "{panel} {name} {i}: {step} {value}");
    };
    close((0, "pole"), 0, (10.0, 0.9));
    close((1, "pole"), 0, (10.0, 0.75));
    close((2, "pole"), 0, (10.0, 1.2));
    close((0, "road"), 1, (20.0, 1.0));
    assert!(find(&chart, 0, "pole").points[1].1.is_nan(), "absent from the batch: a gap");
    close((2, "road"), 2, (30.0, 0.375 / 0.5));
    assert_eq!(chart.panels[2].level, Some(1.0));
}

#[test]
fn many_points_are_smoothed_and_the_title_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = String::new();
    for step in 0..400 {
        let noise = if step % 2 == 0 { 0.2 } else { 0.4 };
        let _ = writeln!(
            log,
            r#"{{"step":{step},"kind":"weights","classes":["a","b"],"recall":[{noise},{}],"focal":[0.5,0.5]}}"#,
            1.0 - noise
        );
    }
    let chart = weights(&run(folder.path(), "noisy", &log)).unwrap();
    assert!(chart.panels[0].title.contains("mean of 13 points"), "{}", chart.panels[0].title);
    let (_, middle) = find(&chart, 0, "a").points[200];
    assert!((middle - 0.3).abs() < 0.02, "{middle}");
}

#[test]
fn curves_of_several_runs_share_panels() {
    let folder = tempfile::tempdir().unwrap();
    let log = |loss: f64| {
        format!(
            "{{\"step\":20,\"kind\":\"train\",\"loss\":{loss}}}\n{{\"step\":40,\"kind\":\"train\",\"loss\":null}}\n\
             {{\"step\":40,\"kind\":\"val\",\"mean_iou\":0.25,\"mean_accuracy\":0.5,\"pixel_accuracy\":0.75}}\n"
        )
    };
    let runs = [run(folder.path(), "a", &log(1.0)), run(folder.path(), "b", &log(2.0))];
    let chart = curves(&runs).unwrap();
    let titles: Vec<&str> = chart.panels.iter().map(|p| p.title.as_str()).collect();
    assert_eq!(titles[..2], ["training loss", "validation: mean accuracy"]);
    assert_eq!(find(&chart, 0, "b").points[0], (20.0, 2.0));
    assert!(find(&chart, 0, "b").points[1].1.is_nan());
    assert_eq!(find(&chart, 2, "a").points, [(40.0, 0.25)]);
    assert_ne!(find(&chart, 0, "a").color, find(&chart, 0, "b").color);
    // Two folders of one name are told apart.
    let twins = [runs[0].clone(), run(&folder.path().join("other"), "a", &log(3.0))];
    let names: Vec<String> =
        curves(&twins).unwrap().panels[0].series.iter().map(|s| s.name.clone()).collect();
    assert!(names[0] != names[1] && names[1].ends_with("other/a"), "{names:?}");
}

#[test]
fn a_folder_without_such_lines_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let empty = run(folder.path(), "empty", "");
    for error in [weights(&empty).err(), curves(&[empty]).err(), weights(folder.path()).err()] {
        let error = error.unwrap();
        assert!(error.hint_text().is_some(), "{error}");
        assert_eq!(error.blame(), shared::error::Blame::Request);
    }
}
