//! Every loss against an independent computation: value and gradient, in f64. Goldens:
//! goldens/loss.py. The environment variable RECALL_LOSS_CASES names another file of the same
//! format (stated in that script), whose cases are tested in the same way.

use super::{assert_near, assert_near_scaled, loss_named, recall, run};
use std::collections::BTreeMap;
use std::io::Write;
use tch::{Device, Kind, Tensor};
use train::loss::{Frequencies, Loss, Normalize};

type File = BTreeMap<String, Tensor>;

fn read(path: &str) -> File {
    Tensor::read_safetensors(path).unwrap_or_else(|e| panic!("{path}: {e}")).into_iter().collect()
}

fn golden(name: &str) -> File {
    read(&format!("{}/tests/goldens/{name}.safetensors", env!("CARGO_MANIFEST_DIR")))
}

/// A case's training set. A file of another's may have the pixels of each class alone.
fn training_set(file: &File, case: &str) -> Frequencies {
    let pixels = counts(&file[&format!("{case}.counts")]);
    let Some(images) = file.get(&format!("{case}.images")) else {
        return Frequencies::of_one_image(&pixels);
    };
    Frequencies {
        pixels,
        images: counts(images),
        pixels_of_its_images: counts(&file[&format!("{case}.pixels_of_its_images")]),
        all_images: counts(&file[&format!("{case}.all_images")])[0],
    }
}

fn counts(case: &Tensor) -> Vec<u64> {
    let counts = Vec::<f64>::try_from(case.to_kind(Kind::Double).flatten(0, -1)).expect("[C]");
    assert!(counts.iter().all(|n| *n >= 0.0 && n.fract() == 0.0), "no counts: {counts:?}");
    counts.into_iter().map(|n| n as u64).collect()
}

/// Runs every case of a file and returns how many (case, loss) pairs were compared.
fn check_file(file: &File) -> usize {
    let cases: Vec<&str> = file.keys().filter_map(|k| k.strip_suffix(".logits")).collect();
    assert!(!cases.is_empty(), "no case in the file");
    let mut compared = 0;
    for (key, value) in file {
        let Some(path) = key.strip_suffix(".value") else { continue };
        // Both halves may hold dots (tversky-0.3-0.7), so the longest case that fits is meant.
        let fits =
            |case: &&&str| path.strip_prefix(**case).is_some_and(|rest| rest.starts_with('.'));
        let case = cases.iter().filter(fits).max_by_key(|case| case.len());
        let case = case.unwrap_or_else(|| panic!("{key} belongs to no case"));
        let of_case = |what: &str| &file[&format!("{case}.{what}")];
        let settings = loss_named(&path[case.len() + 1..]);
        let loss = Loss::new(settings, &training_set(file, case), Device::Cpu);
        let (got, grad, _) =
            run(&loss, of_case("logits"), of_case("target"), &loss.initial_running());
        assert_near(&got.view(1), &value.view(1), 1e-6, key);
        let (name, want) = (format!("{path}.grad"), &file[&format!("{path}.grad")]);
        assert_near(&grad, want, 1e-6, &name);
        assert_near_scaled(&grad, want, 1e-6, &name);
        compared += 1;
    }
    compared
}

#[test]
fn values_and_gradients_agree_with_an_independent_computation() {
    // 11 cases of 28 losses; three losses sit out the case whose ties rounding decides.
    assert_eq!(check_file(&golden("loss")), 11 * 28 - 3);
    if let Ok(path) = std::env::var("RECALL_LOSS_CASES") {
        let compared = check_file(&read(&path));
        assert!(compared > 0, "{path}: no value in it");
        // Past the test runner, which swallows what a passing test prints.
        let _ = writeln!(std::io::stderr(), "{path}: {compared} losses compared");
    }
}

#[test]
fn a_running_recall_agrees_over_a_sequence_of_batches() {
    let file = golden("loss_momentum");
    for (name, normalize) in [("none", Normalize::None), ("mean-one", Normalize::MeanOne)] {
        let loss = Loss::new(
            recall(true, normalize, 0.75),
            &Frequencies::of_one_image(&[1; 5]),
            Device::Cpu,
        );
        let mut running = loss.initial_running();
        for step in 0..5 {
            let want = |key: &str| &file[&format!("{step}.{key}")];
            let (value, grad, after) = run(&loss, want("logits"), want("target"), &running);
            running = after;
            let near = |got: &Tensor, key: &str| {
                assert_near(got, want(key), 1e-12, &format!("{name} {step} {key}"));
            };
            near(&value.view(1), &format!("{name}.value"));
            near(&grad, &format!("{name}.grad"));
            near(&running.get(0), "recall");
            assert_near(&running.get(1), want("seen"), 0.0, &format!("{name} {step} seen"));
        }
    }
}
