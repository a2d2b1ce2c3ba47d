//! Every loss against an independent computation: value and gradient, in f64.
//! Not a test of training. Goldens: goldens/loss.py. The environment variable RECALL_LOSS_CASES names another file of
//! the same format (stated in that script), whose cases are tested in the same way.

use std::collections::BTreeMap;
use std::io::Write;
use tch::{Device, Kind, Reduction, Tensor};
use train::loss::{LossSettings, Normalize, Recall};

/// Losses that the format names and that are not here yet.
const NOT_YET: [&str; 11] = [
    "weighted",
    "focal-1",
    "focal-2",
    "ohem",
    "soft-iou",
    "soft-dice",
    "tversky-0.3-0.7",
    "lovasz",
    "one-minus-precision",
    "one-minus-dice",
    "one-minus-jaccard",
];

fn recall(floor: bool, normalize: Normalize, momentum: f64) -> LossSettings {
    LossSettings::Recall(Recall { floor, normalize, momentum })
}

fn cross_entropy() -> LossSettings {
    LossSettings::CrossEntropy(Default::default())
}

/// The loss that a case calls by this name; None for one that is not here yet.
fn loss_named(name: &str) -> Option<LossSettings> {
    match name {
        "cross-entropy" => Some(cross_entropy()),
        "recall-floor" => Some(recall(true, Normalize::None, 0.0)),
        "recall-nofloor" => Some(recall(false, Normalize::None, 0.0)),
        "recall-mean-one" => Some(recall(false, Normalize::MeanOne, 0.0)),
        name if NOT_YET.contains(&name) => None,
        name => panic!("no loss is called {name}"),
    }
}

fn all() -> [LossSettings; 5] {
    [
        cross_entropy(),
        recall(true, Normalize::None, 0.0),
        recall(false, Normalize::None, 0.0),
        recall(false, Normalize::MeanOne, 0.0),
        recall(false, Normalize::MeanOne, 0.9),
    ]
}

type File = BTreeMap<String, Tensor>;

fn read(path: &str) -> File {
    Tensor::read_safetensors(path).unwrap_or_else(|e| panic!("{path}: {e}")).into_iter().collect()
}

fn golden(name: &str) -> File {
    read(&format!("{}/tests/goldens/{name}.safetensors", env!("CARGO_MANIFEST_DIR")))
}

/// Value, gradient, and the running state after.
fn run(
    loss: &LossSettings,
    logits: &Tensor,
    target: &Tensor,
    running: &Tensor,
) -> (Tensor, Tensor, Tensor) {
    let logits = logits.detach().copy().set_requires_grad(true);
    let output = loss.compute(&logits, target, running);
    assert_eq!(output.loss.kind(), logits.kind());
    output.loss.backward();
    (output.loss.detach(), logits.grad(), output.running)
}

fn run_fresh(loss: &LossSettings, logits: &Tensor, target: &Tensor) -> (Tensor, Tensor) {
    let running = loss.initial_running(logits.size()[1], Device::Cpu);
    let (value, grad, _) = run(loss, logits, target, &running);
    (value, grad)
}

/// |got - want| <= tolerance * max(1, |want|), everywhere; NaN fails.
fn assert_near(got: &Tensor, want: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(got.size(), want.size(), "{what}: shape");
    let want = want.to_kind(Kind::Double);
    let far = (got.to_kind(Kind::Double) - &want).abs() / want.abs().clamp_min(1.0);
    let worst = far.max().double_value(&[]);
    assert!(worst <= tolerance, "{what}: expected at most {tolerance} apart, got {worst}");
}

/// A line that the test runner does not swallow.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Runs every case of a file and returns how many (case, loss) pairs were compared.
fn check_file(file: &File) -> usize {
    let mut compared = 0;
    let cases: Vec<&str> = file.keys().filter_map(|k| k.strip_suffix(".logits")).collect();
    assert!(!cases.is_empty(), "no case in the file");
    let mut skipped = std::collections::BTreeSet::new();
    for (key, value) in file {
        let Some(path) = key.strip_suffix(".value") else { continue };
        // Both halves may hold dots (tversky-0.3-0.7), so the longest case that fits is meant.
        let fits =
            |case: &&&str| path.strip_prefix(**case).is_some_and(|rest| rest.starts_with('.'));
        let case = cases.iter().filter(fits).max_by_key(|case| case.len());
        let case = case.unwrap_or_else(|| panic!("{key} belongs to no case"));
        let name = &path[case.len() + 1..];
        let Some(loss) = loss_named(name) else {
            skipped.insert(name);
            continue;
        };
        let (logits, target) = (&file[&format!("{case}.logits")], &file[&format!("{case}.target")]);
        let (got, grad) = run_fresh(&loss, logits, target);
        assert_near(&got.view(1), value, 1e-6, key);
        assert_near(
            &grad,
            &file[&format!("{case}.{name}.grad")],
            1e-6,
            &format!("{case}.{name}.grad"),
        );
        // Gradients of a mean are small numbers: also hold them to each other.
        let want = &file[&format!("{case}.{name}.grad")];
        let scale = want.abs().max().double_value(&[]).max(1e-300);
        assert_near(&(grad / scale), &(want / scale), 1e-6, &format!("{case}.{name}.grad, scaled"));
        compared += 1;
    }
    for name in skipped {
        say(&format!("skipped: loss {name} is not implemented yet"));
    }
    compared
}

#[test]
fn values_and_gradients_agree_with_an_independent_computation() {
    assert_eq!(check_file(&golden("loss")), 11 * 4);
    if let Ok(path) = std::env::var("RECALL_LOSS_CASES") {
        let compared = check_file(&read(&path));
        assert!(compared > 0, "{path}: no loss that is implemented");
        say(&format!("{path}: {compared} losses compared"));
    }
}

#[test]
fn a_running_recall_agrees_over_a_sequence_of_batches() {
    let file = golden("loss_momentum");
    for (name, normalize) in [("none", Normalize::None), ("mean-one", Normalize::MeanOne)] {
        let loss = recall(true, normalize, 0.75);
        let mut running = loss.initial_running(5, Device::Cpu);
        for step in 0..5 {
            let want = |key: &str| &file[&format!("{step}.{key}")];
            let (value, grad, after) = run(&loss, want("logits"), want("target"), &running);
            running = after;
            assert_near(
                &value.view(1),
                want(&format!("{name}.value")),
                1e-12,
                &format!("{name} {step} value"),
            );
            assert_near(
                &grad,
                want(&format!("{name}.grad")),
                1e-12,
                &format!("{name} {step} grad"),
            );
            assert_near(&running.get(0), want("recall"), 1e-12, &format!("{name} {step} recall"));
            assert_near(&running.get(1), want("seen"), 0.0, &format!("{name} {step} seen"));
        }
    }
}

#[test]
fn without_a_valid_pixel_loss_and_gradient_are_zero_in_f32_too() {
    let target = Tensor::full([2, 3, 4], 255, (Kind::Uint8, Device::Cpu));
    for logits in [Tensor::randn([2, 5, 3, 4], (Kind::Float, Device::Cpu)), {
        Tensor::randn([2, 5, 3, 4], (Kind::Float, Device::Cpu)).sign() * 1e4
    }] {
        for loss in all() {
            let (value, grad) = run_fresh(&loss, &logits, &target);
            assert_eq!(value.double_value(&[]), 0.0, "{loss:?}");
            assert_eq!(grad.abs().max().double_value(&[]), 0.0, "{loss:?}");
        }
    }
}

#[test]
fn neither_the_labels_kind_nor_the_memory_format_matters() {
    let logits = Tensor::randn([2, 4, 5, 6], (Kind::Double, Device::Cpu));
    let target = Tensor::randint(4, [2, 5, 6], (Kind::Int64, Device::Cpu));
    let target = target.masked_fill(&target.eq(3), 255);
    let last = logits.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
    for loss in all() {
        let (value, grad) = run_fresh(&loss, &logits, &target);
        let (other, other_grad) = run_fresh(&loss, &last, &target.to_kind(Kind::Uint8));
        assert_near(&other, &value, 1e-14, "value");
        assert_near(&other_grad, &grad, 1e-14, "gradient");
    }
}

#[test]
fn the_three_losses_come_in_the_papers_order() {
    // With the floor: inverse frequency <= recall <= cross entropy, in sum form.
    let logits = Tensor::randn([2, 6, 16, 16], (Kind::Double, Device::Cpu));
    let target = Tensor::randint(6, [2, 16, 16], (Kind::Int64, Device::Cpu));
    let (plain, _) = run_fresh(&cross_entropy(), &logits, &target);
    let (weighted, _) = run_fresh(&recall(true, Normalize::None, 0.0), &logits, &target);
    let share = target
        .one_hot(6)
        .sum_dim_intlist([0i64, 1, 2].as_slice(), false, Kind::Double)
        .reciprocal();
    let inverse =
        logits.cross_entropy_loss(&target, Some(share), Reduction::Sum, 255, 0.0) / (2 * 16 * 16);
    let values = [inverse, weighted, plain].map(|t| t.double_value(&[]));
    assert!(values.is_sorted(), "{values:?}");
}

#[test]
fn counts_stay_exact_where_an_f32_counter_stops() {
    // 2^24 + 3 pixels of class 1, all of them missed but one.
    let pixels = (1 << 24) + 3;
    let logits = Tensor::zeros([1, 2, 1, pixels], (Kind::Float, Device::Cpu));
    let _ = logits.select(3, 0).select(1, 1).fill_(1.0);
    let target = Tensor::ones([1, 1, pixels], (Kind::Int64, Device::Cpu));
    let counts = train::loss::Counts::of(&logits, &target);
    assert_eq!(counts.truth.int64_value(&[1]), pixels);
    assert_eq!(counts.missed.int64_value(&[1]), pixels - 1);
}
