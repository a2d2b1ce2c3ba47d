//! What is done is not done again; what fails, what others hold and what belongs elsewhere is told.

use crate::{basis, choice, jobs, plan, report, trained};
use shared::error::{Blame, Error, Result};
use std::cell::RefCell;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use train::suite::{Failure, Folder, Job, Plan, sweep};

/// Goes through a grid with a trainer that computes nothing; gives the cells it was asked for, and the failures.
fn go(root: &Path, jobs: &[Job], fails: &str) -> Result<(Vec<String>, Vec<Failure>)> {
    let folder = Folder::new(root);
    let plan = folder.open(plan(jobs))?;
    let asked = RefCell::new(Vec::new());
    let mut train = |job: &Job, _: &Path| {
        asked.borrow_mut().push(job.name());
        if job.name() == fails {
            return Err(Error::request("a class never occurs").hint("leave it out"));
        }
        Ok(trained(report(&[("road", Some((0.9, 0.8)))])))
    };
    let stop = AtomicBool::new(false);
    let failures = sweep(&folder, &plan, jobs, &stop, &mut train, &mut |_| Ok(()))?;
    Ok((asked.into_inner(), failures))
}

fn names(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(Job::name).collect()
}

#[test]
fn what_is_done_is_not_done_again_not_even_where_it_was_copied_to() {
    let here = tempfile::tempdir().unwrap();
    let grid = jobs(&["cross-entropy", "recall"], &[0, 1], &[]);
    assert_eq!(go(here.path(), &grid, "").unwrap().0, names(&grid));
    assert!(go(here.path(), &grid, "").unwrap().0.is_empty());

    // Elsewhere: other paths, another device, other habits of logging; only the cells went along.
    let there = tempfile::tempdir().unwrap();
    let cells = there.path().join("cells");
    std::fs::create_dir(&cells).unwrap();
    for entry in std::fs::read_dir(here.path().join("cells")).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, cells.join(path.file_name().unwrap())).unwrap();
    }
    let machine = ["data.root=\"/elsewhere\"", "train.device=cpu", "train.workers=3"];
    let habits = ["train.log_every=7", "train.validate_every=2", "augment.cache_mb=64"];
    let changes: Vec<&str> = machine.into_iter().chain(habits).collect();
    let more = jobs(&["cross-entropy", "recall:floor=false"], &[0, 1], &changes);
    let asked = go(there.path(), &more, "").unwrap().0;
    assert_eq!(asked, ["recall_floor=false-seed0", "recall_floor=false-seed1"]);
}

#[test]
fn a_key_that_a_newer_program_knows_does_not_undo_a_cell() {
    let folder = tempfile::tempdir().unwrap();
    let grid = jobs(&["recall"], &[3], &[]);
    go(folder.path(), &grid, "").unwrap();
    // As an older program would have written it: without a key that now has a default, and so with another hash.
    let path = folder.path().join("cells/recall-seed3.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let key = grid[0].key(&basis()).unwrap();
    let older = text.replace("accumulate = 1\\n", "").replace(&key, &"0".repeat(64));
    assert_ne!(older, text);
    std::fs::write(&path, older).unwrap();
    assert!(go(folder.path(), &grid, "").unwrap().0.is_empty());
}

#[test]
fn a_cell_that_fails_is_told_and_tried_again_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let grid = jobs(&["cross-entropy", "recall"], &[0, 1], &[]);
    let (asked, failures) = go(folder.path(), &grid, "recall-seed0").unwrap();
    assert_eq!(asked, names(&grid));
    let failure = &failures[..1][0];
    assert_eq!((failure.loss.to_string(), failure.seed), ("recall".to_string(), 0));
    assert_eq!(failure.error.to_string(), "a class never occurs");
    assert_eq!(go(folder.path(), &grid, "").unwrap().0, ["recall-seed0"]);
}

#[test]
fn another_recipe_other_data_and_other_numerics_are_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let grid = jobs(&["cross-entropy"], &[0], &[]);
    go(folder.path(), &grid, "").unwrap();
    let before = std::fs::read(folder.path().join("suite.json")).unwrap();
    let refused = |asked: Plan, word: &str| {
        let error = Folder::new(folder.path()).open(asked).unwrap_err();
        assert_eq!(error.blame(), Blame::Request);
        assert!(error.to_string().contains(word), "{error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("--out")), "{error:?}");
        assert_eq!(std::fs::read(folder.path().join("suite.json")).unwrap(), before);
    };
    let slower = jobs(&["recall"], &[0], &["train.learning_rate=0.01"]);
    refused(plan(&slower), "learning_rate = 0.001 -> learning_rate = 0.01");
    let mut asked = plan(&grid);
    asked.basis.train.fingerprint = "another".into();
    refused(asked, "files of train");
    let mut asked = plan(&grid);
    asked.basis.numerics = 2;
    refused(asked, "numerics 1 -> 2");
}

#[test]
fn a_cell_of_another_suite_or_a_broken_one_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let grid = jobs(&["cross-entropy"], &[0], &[]);
    go(folder.path(), &grid, "").unwrap();
    let other = tempfile::tempdir().unwrap();
    let longer = jobs(&["recall"], &[0], &["train.iterations=9"]);
    go(other.path(), &longer, "").unwrap();
    let foreign = folder.path().join("cells/recall-seed0.json");
    std::fs::copy(other.path().join("cells/recall-seed0.json"), &foreign).unwrap();
    let error = go(folder.path(), &grid, "").unwrap_err();
    assert!(error.to_string().contains("cell recall-seed0"), "{error}");
    assert!(error.to_string().contains("iterations = 8 -> iterations = 9"), "{error}");
    std::fs::write(&foreign, "{").unwrap();
    let error = go(folder.path(), &grid, "").unwrap_err();
    assert!(error.to_string().contains("recall-seed0.json"), "{error}");
}

#[test]
fn a_cell_that_another_process_holds_is_left_to_it_and_waited_for() {
    let root = tempfile::tempdir().unwrap();
    let grid = jobs(&["cross-entropy", "recall"], &[0], &[]);
    let folder = Folder::new(root.path());
    let plan = folder.open(plan(&grid)).unwrap();
    let claim = folder.claim(&grid[0]).unwrap().expect("free");
    assert!(folder.claim(&grid[0]).unwrap().is_none());

    let asked = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            // It finishes the cell only when ours has nothing else to do.
            while !root.path().join("cells/recall-seed0.json").exists() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            let elsewhere = tempfile::tempdir().unwrap();
            go(elsewhere.path(), &grid[..1], "").unwrap();
            let name = "cells/cross-entropy-seed0.json";
            std::fs::copy(elsewhere.path().join(name), root.path().join(name)).unwrap();
            drop(claim);
        });
        let asked = RefCell::new(Vec::new());
        let mut train = |job: &Job, _: &Path| {
            asked.borrow_mut().push(job.name());
            Ok(trained(report(&[("road", Some((0.9, 0.8)))])))
        };
        let stop = AtomicBool::new(false);
        let failures = sweep(&folder, &plan, &grid, &stop, &mut train, &mut |_| Ok(())).unwrap();
        assert!(failures.is_empty());
        other.join().unwrap();
        asked.into_inner()
    });
    assert_eq!(asked, ["recall-seed0"]);
}

#[test]
fn a_cell_that_cannot_be_locked_is_a_failure_and_a_plan_that_is_none_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let grid = jobs(&["recall"], &[0], &[]);
    let folder = Folder::new(root.path());
    folder.open(plan(&grid)).unwrap();
    std::fs::create_dir(root.path().join("runs/.recall-seed0.lock")).unwrap();
    let error = folder.claim(&grid[0]).err().unwrap();
    assert_eq!(error.blame(), Blame::Work, "{error}");
    assert!(error.hint_text().is_some(), "{error}");

    std::fs::write(folder.plan_path(), "{}").unwrap();
    let error = folder.plan().unwrap_err();
    assert_eq!(error.blame(), Blame::Request, "{error}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("suite.json away")), "{error:?}");
}

#[test]
fn stopping_ends_the_suite_with_a_word_on_how_to_go_on() {
    let root = tempfile::tempdir().unwrap();
    let grid = jobs(&["cross-entropy", "recall"], &[0], &[]);
    let folder = Folder::new(root.path());
    let plan = folder.open(plan(&grid)).unwrap();
    let stop = AtomicBool::new(false);
    let mut train = |_: &Job, _: &Path| {
        stop.store(true, Ordering::Relaxed);
        Err(Error::work("stopped at iteration 3 of 8: saved"))
    };
    let error = sweep(&folder, &plan, &grid, &stop, &mut train, &mut |_| Ok(())).err().unwrap();
    assert_eq!(error.blame(), Blame::Work);
    assert!(error.hint_text().is_some_and(|hint| hint.contains("same command")), "{error:?}");
    assert!(folder.cells(&plan).unwrap().is_empty());
}

#[test]
fn a_plan_grows_by_what_is_asked_for_later_and_by_nothing_else() {
    let few = plan(&jobs(&["cross-entropy", "recall"], &[1, 0], &[]));
    let more = plan(&jobs(&["recall", "recall:floor=false"], &[2], &[]));
    let both = few.merge(more).unwrap();
    let cells: Vec<String> = both.cells().map(|(loss, seed)| format!("{loss} {seed}")).collect();
    assert_eq!(
        cells,
        [
            "cross-entropy 0",
            "cross-entropy 1",
            "recall 0",
            "recall 1",
            "recall 2",
            "recall:floor=false 2"
        ]
    );
    assert_eq!(both.reference(), choice("cross-entropy"));
    assert_eq!(both.panel(), ["cross-entropy", "recall"].map(choice));
}

#[test]
fn a_cell_under_another_name_is_refused_before_anything_is_trained() {
    let root = tempfile::tempdir().unwrap();
    let grid = jobs(&["recall"], &[0], &[]);
    go(root.path(), &grid, "").unwrap();
    let cells = root.path().join("cells");
    std::fs::copy(cells.join("recall-seed0.json"), cells.join("backup.json")).unwrap();
    let error = go(root.path(), &grid, "").unwrap_err();
    assert!(error.to_string().contains("expected the name recall-seed0.json"), "{error}");
    assert!(error.hint_text().is_some());
}

#[test]
fn reference_and_panel_stay_asked_for_until_others_are() {
    let grid = plan(&jobs(&["cross-entropy", "recall", "focal"], &[0], &[]));
    let chosen = Plan {
        reference: Some(choice("focal")),
        panel: Some(["focal", "recall"].map(choice).into()),
        ..grid.clone()
    };
    let later = plan(&jobs(&["ohem"], &[0], &[]));
    let kept = chosen.clone().merge(later).unwrap();
    assert_eq!(kept.reference(), choice("focal"));
    assert_eq!(kept.panel(), ["focal", "recall"].map(choice));
    let again = Plan { reference: Some(choice("recall")), ..grid.clone() };
    assert_eq!(kept.merge(again).unwrap().reference(), choice("recall"));

    let odd = Plan { panel: Some(vec![choice("lovasz")]), ..grid.clone() };
    let error = grid.merge(odd).unwrap_err().to_string();
    assert!(error.contains("--panel: expected a loss of the grid, got lovasz"), "{error}");
}

#[test]
fn moved_thresholds_wait_for_the_network_that_they_are_moved_of() {
    let root = tempfile::tempdir().unwrap();
    let grid =
        jobs(&["cross-entropy+prior:0.30", "cross-entropy", "focal+recall", "focal"], &[0], &[]);
    let folder = Folder::new(root.path());
    let plan = folder.open(plan(&grid)).unwrap();
    let stop = AtomicBool::new(false);
    let mut asked = Vec::new();
    let mut train = |job: &Job, _: &Path| {
        asked.push(job.name());
        match job.loss.name() {
            "focal" => Err(Error::work("no luck")),
            _ => Ok(trained(report(&[("road", Some((0.9, 0.8)))]))),
        }
    };
    let failures = sweep(&folder, &plan, &grid, &stop, &mut train, &mut |_| Ok(())).unwrap();
    let failed: Vec<String> = failures.iter().map(|f| format!("{}: {}", f.loss, f.error)).collect();
    assert_eq!(
        failed,
        ["focal: no luck", "focal+recall: focal, seed 0 failed, whose network it is"]
    );
    assert_eq!(asked, ["cross-entropy-seed0", "focal-seed0", "cross-entropy+prior_0.3-seed0"]);
    // Its result is its own, and found again.
    let [moved, plain] = [0, 1].map(|place| folder.cell(&grid[place], &plan).unwrap().unwrap());
    assert_ne!(moved.key, plain.key);
    assert_eq!(moved.loss, choice("cross-entropy+prior:0.3"));
}
