//! A step of several batches beside a step of one batch with the same images, and the auxiliary
//! head beside the main one.

use super::{CLASSES, batch, recipe, same, step, stepper};
use tch::{Kind, Tensor};
use train::data::Batch;
use train::loss::LossSettings;

/// With fixed statistics the images of a batch do not see each other, and plain SGD at a rate of 1
/// shows the gradient.
const PLAIN: [&str; 4] = [
    "optimizer.name=sgd",
    "optimizer.momentum=0.0",
    "train.freeze_norm=true",
    "train.accumulate=2",
];

/// A batch of which three quarters are ignored, and nearly all of the rest is one class.
fn sparse() -> Batch {
    let mut batch = batch(5);
    for (place, label) in batch.labels.iter_mut().enumerate() {
        *label = match place % 8 {
            0 => 0,
            1 if place % 3 == 0 => 1,
            _ => 255,
        };
    }
    batch
}

/// Two batches as one.
fn joined(a: &Batch, b: &Batch) -> Batch {
    let images = [a.images.clone(), b.images.clone()].concat();
    let labels = [a.labels.clone(), b.labels.clone()].concat();
    Batch { images, labels, n: a.n + b.n, ..a.clone() }
}

/// What a first step on these batches changes in the weights, and in the running recall.
fn moved(changes: &[&str], batches: &[Batch]) -> (Tensor, Tensor) {
    let mut stepper = stepper(changes);
    let before = stepper.parameters.flat.copy();
    step(&mut stepper, batches, 1.0);
    (&stepper.parameters.flat - before, stepper.running)
}

/// The largest difference, measured against the largest of the wanted values.
fn distance(got: &Tensor, want: &Tensor) -> f64 {
    let largest = |tensor: &Tensor| tensor.abs().max().double_value(&[]);
    largest(&(got - want)) / largest(want)
}

/// Every loss, the settings that change how it is computed, and sums.
fn losses() -> Vec<String> {
    let plain = LossSettings::names().iter().map(|name| format!("loss={name}"));
    let others = [
        r#"{ name = "recall", floor = false, normalize = "none" }"#,
        r#"{ name = "recall", normalize = "none", momentum = 0.9 }"#,
        r#"{ name = "focal", gamma = 1 }"#,
        r#"{ name = "weighted", scheme = "median-frequency" }"#,
        r#"{ name = "balanced", volume = "images" }"#,
        r#"{ name = "soft-iou", per_image = true }"#,
        r#"{ name = "lovasz", per_image = true }"#,
        r#"[{ name = "recall" }, { name = "lovasz", weight = 0.5, per_image = true }]"#,
        r#"[{ name = "recall" }, { name = "soft-dice", weight = 0.5 }]"#,
    ];
    plain.chain(others.map(|loss| format!("loss={loss}"))).collect()
}

#[test]
fn a_step_of_two_batches_is_a_step_of_one_or_the_run_says_that_it_is_not() {
    let (dense, sparse) = (batch(1), sparse());
    let mut told = Vec::new();
    for loss in losses() {
        let changes = [&PLAIN[..], &[loss.as_str()]].concat();
        let (want, running) = moved(&changes, &[joined(&dense, &sparse)]);
        let (got, after) = moved(&changes, &[dense.clone(), sparse.clone()]);
        let far = distance(&got, &want);
        let said = recipe(&changes).notes().join(" ");
        let by_batch = said.contains("on each batch of 2 by itself, not on all 4 images");
        assert_eq!(by_batch, far > 1e-5, "{loss}: {far:e} apart, {said}");
        if by_batch {
            told.push(recipe(&changes).loss.name());
        }
        assert!((after - running).abs().max().double_value(&[]) < 1e-12, "{loss}: running recall");
    }
    assert_eq!(told, ["ohem", "soft-iou", "soft-dice", "tversky", "lovasz", "recall+soft-dice"]);
}

#[test]
fn a_pass_that_counts_leaves_the_running_statistics_to_the_pass_that_learns() {
    let statistics = |loss: &str| {
        let mut stepper = stepper(&["train.accumulate=2", loss]);
        step(&mut stepper, &[batch(1), batch(2)], 1e-3);
        stepper.parameters.buffers
    };
    assert!(same(&statistics("loss=recall"), &statistics("loss=cross-entropy")));
}

/// What a first step changes in the auxiliary head, and the mean weight of the main loss in that
/// step.
fn auxiliary_moved(changes: &[&str], batches: &[Batch]) -> (Tensor, f64) {
    let changes = [&PLAIN[..], &["model.auxiliary=true"], changes].concat();
    let mut stepper = stepper(&changes);
    let before = stepper.parameters.flat.copy();
    step(&mut stepper, batches, 1.0);
    let moved: Tensor = &stepper.parameters.flat - before;
    let parts = stepper.parameters.split(&moved).filter(|(name, _)| name.starts_with("aux_"));
    let parts: Vec<Tensor> = parts.map(|(_, part)| part.flatten(0, -1)).collect();
    let labels: Vec<i64> =
        batches.iter().flat_map(|b| &b.labels).filter(|&&l| l != 255).map(|&l| l.into()).collect();
    let weights = stepper
        .weights
        .unwrap_or_else(|| Tensor::ones([CLASSES], (Kind::Double, tch::Device::Cpu)));
    let of_pixels = weights.index_select(0, &Tensor::from_slice(&labels));
    (Tensor::cat(&parts, 0), of_pixels.mean(Kind::Double).double_value(&[]))
}

#[test]
fn the_auxiliary_loss_has_the_size_of_the_main_losss_weights() {
    let (dense, sparse) = (batch(1), sparse());
    for batches in [vec![joined(&dense, &sparse)], vec![dense, sparse]] {
        let (plain, one) = auxiliary_moved(&["loss=cross-entropy"], &batches);
        assert_eq!(one, 1.0);
        for loss in [
            "loss={ name = \"recall\", floor = false, normalize = \"none\" }",
            "loss={ name = \"recall\", normalize = \"mean-one\" }",
            "loss=one-minus-dice",
        ] {
            let (got, mean_weight) = auxiliary_moved(&[loss], &batches);
            let far = distance(&got, &(&plain * mean_weight));
            assert!(far < 1e-5, "{loss}, mean weight {mean_weight}: {far:e} apart");
        }
        let (got, _) = auxiliary_moved(&["loss=weighted"], &batches);
        assert!(distance(&got, &plain) < 1e-5, "a weighted mean has cross entropy's size");

        let (half, _) =
            auxiliary_moved(&["loss=cross-entropy", "model.auxiliary_weight=0.25"], &batches);
        assert!(distance(&half, &(&plain / 2)) < 1e-5);
        let main = ["loss=cross-entropy", "model.auxiliary_loss=same"];
        assert!(distance(&auxiliary_moved(&main, &batches).0, &plain) < 1e-5);
        let weighs = ["loss=weighted", "model.auxiliary_loss=same"];
        assert!(distance(&auxiliary_moved(&weighs, &batches).0, &plain) > 1e-2);
    }
}
