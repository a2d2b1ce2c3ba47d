//! RESULTS.md: what it is made of, and that the one in the repository is what the committed cells give.

use crate::{jobs, plan, report, trained};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use train::suite::{Folder, Job, results, sweep};

#[test]
fn results_md_is_what_the_committed_cells_give() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let (suites, written) = (root.join("results"), root.join("RESULTS.md"));
    assert_eq!(suites.exists(), written.exists(), "results/ and RESULTS.md come together");
    if !suites.exists() {
        eprintln!("skipped: no suite has been committed yet");
        return;
    }
    let page = results::page(&suites, "results").unwrap();
    let same = std::fs::read_to_string(&written).unwrap() == page.text;
    assert!(same, "RESULTS.md is not what `train results` writes");
    for (path, svg) in page.figures {
        let same = std::fs::read_to_string(suites.join(&path)).unwrap() == svg;
        assert!(same, "results/{} is not what `train results` draws", path.display());
    }
}

#[test]
fn a_page_tells_recipe_seeds_commit_hardware_and_what_to_be_wary_of() {
    let root = tempfile::tempdir().unwrap();
    let grid = jobs(&["cross-entropy", "recall"], &[0, 1], &[]);
    let folder = Folder::new(&root.path().join("small"));
    let plan = folder.open(plan(&grid)).unwrap();
    let mut train = |job: &Job, _: &Path| {
        let mut trained = trained(report(&[("road", Some((0.9, 0.8)))]));
        if job.name() == "recall-seed1" {
            trained.maker.precision = "f32".into();
            trained.skipped = 3;
        }
        Ok(trained)
    };
    let stop = AtomicBool::new(false);
    sweep(&folder, &plan, &grid, &stop, &mut train, &mut |_| Ok(())).unwrap();
    std::fs::write(root.path().join("small/notes.md"), "What was run.\n").unwrap();
    std::fs::create_dir(root.path().join("no-suite")).unwrap();

    let page = results::page(root.path(), "results").unwrap();
    let lines = [
        "## small",
        "What was run.",
        "![Mean accuracy over mean IoU, as Figs. 1 and 2 of the paper: lines through cross-entropy, bars: standard deviation over seeds.](results/small/scatter.svg)",
        "### Per-class IoU",
        // Four steps of the last sitting took two seconds.
        "| cross-entropy: 0, 1; recall: 0 | 0123456789ab | A Processor, 2 threads, bf16 | 0.50 |",
        "| recall: 1 | 0123456789ab | A Processor, 2 threads, f32 | 0.50 |",
        "Not all in one precision: bf16, f32.",
        "Steps that did not count, not finite: recall, seed 1: 3.",
        "learning_rate = 0.001",
    ];
    for line in lines {
        assert!(page.text.lines().any(|l| l == line), "{line:?} is not in\n{}", page.text);
    }
    assert!(!page.text.contains("/somewhere"), "a path of the machine that trained");
    assert_eq!(page.figures.len(), 1);
    let empty = tempfile::tempdir().unwrap();
    assert!(results::page(empty.path(), "results").is_err());
}
