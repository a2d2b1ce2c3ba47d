//! Suites without training: which cells are done, held, failed or foreign; the tables' arithmetic, worked out by hand.
//! Training through the program, killed and resumed, is in `tests/tests/suite.rs`.

mod committed;
mod grid;
mod tables;

use shared::metrics::{ClassReport, Report};
use train::recipe::Recipe;
use train::suite::{Basis, CellOutcome, Choice, Job, Maker, Plan, Split, Typed};

/// A recipe for whoever needs one; nothing here trains it.
const RECIPE: &str = r#"
name = "test"
data = { dataset = "streets", root = "/somewhere" }
loss = { name = "cross-entropy" }
optimizer = { name = "adam" }
train = { iterations = 8, batch = 2, learning_rate = 1e-3 }
"#;

fn choice(text: &str) -> Choice {
    text.parse().unwrap()
}

/// A grid of losses and seeds, seed by seed, with changes to the recipe.
fn jobs(losses: &[&str], seeds: &[u64], changes: &[&str]) -> Vec<Job> {
    let job = |loss: &str, seed: u64| {
        let typed: Typed = loss.parse().unwrap();
        let mut all: Vec<String> = changes.iter().map(|c| c.to_string()).collect();
        all.extend(typed.changes());
        all.push(format!("train.seed={seed}"));
        let recipe = Recipe::parse(RECIPE, &all).unwrap();
        Job { loss: typed.choice(&recipe.loss).unwrap(), seed, recipe }
    };
    seeds.iter().flat_map(|&seed| losses.iter().map(move |loss| job(loss, seed))).collect()
}

fn basis() -> Basis {
    let split =
        |name: &str, images| Split { name: name.into(), images, fingerprint: name.repeat(9) };
    Basis {
        numerics: 1,
        dataset: "streets".into(),
        train: split("train", 600),
        val: split("val", 100),
        start_weights: None,
    }
}

fn plan(jobs: &[Job]) -> Plan {
    Plan::new(jobs, basis()).unwrap()
}

/// Accuracy and IoU of a class; none of one that does not occur.
type Ratios = Option<(f64, f64)>;

/// A report of classes by name.
fn report(classes: &[(&str, Ratios)]) -> Report {
    let class = |(id, &(name, ratios)): (usize, &(&str, Ratios))| ClassReport {
        id,
        name: name.to_string(),
        accuracy: ratios.map(|r| r.0),
        iou: ratios.map(|r| r.1),
        precision: None,
        f1: None,
        truth_pixels: 10,
    };
    let mut report = Report {
        pixels: 100,
        pixel_accuracy: Some(0.9),
        mean_accuracy: None,
        mean_iou: None,
        frequency_weighted_iou: None,
        classes: classes.iter().enumerate().map(class).collect(),
        confusion: vec![vec![1, 2], vec![3, 4]],
    };
    report.mean_accuracy = report.mean_over(|_| true, |c| c.accuracy);
    report.mean_iou = report.mean_over(|_| true, |c| c.iou);
    report
}

fn trained(report: Report) -> CellOutcome {
    CellOutcome {
        iterations: 8,
        from: 4,
        seconds: 2.0,
        best_mean_iou: report.mean_iou,
        skipped: 0,
        report,
        maker: Maker {
            version: "0.1.0".into(),
            commit: Some("0123456789ab".into()),
            device: "cpu".into(),
            hardware: Some("A Processor".into()),
            threads: Some(2),
            precision: "bf16".into(),
        },
    }
}
