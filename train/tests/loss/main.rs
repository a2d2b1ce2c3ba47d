//! Every loss: against an independent computation (`goldens`), and at the edges of what it can be given (`edges`).
//! Not a test of training.

mod edges;
mod goldens;

use tch::{Device, Tensor};
use train::loss::{Balanced, Focal, Ldam, Loss, LossSettings, Normalize, Recall, Volume};

fn recall(floor: bool, normalize: Normalize, momentum: f64) -> LossSettings {
    LossSettings::Recall(Recall { floor, normalize, momentum })
}

fn cross_entropy() -> LossSettings {
    LossSettings::CrossEntropy(Default::default())
}

/// The loss that a case of the goldens calls by this name.
fn loss_named(name: &str) -> LossSettings {
    match name {
        "recall-floor" => recall(true, Normalize::None, 0.0),
        "recall-nofloor" => recall(false, Normalize::None, 0.0),
        "recall-mean-one" => recall(false, Normalize::MeanOne, 0.0),
        "balanced-1000" => LossSettings::Balanced(Balanced { volume: Volume::Number(1000.0) }),
        "focal-1" => LossSettings::Focal(Focal { gamma: 1.0 }),
        "focal-2" => LossSettings::Focal(Focal { gamma: 2.0 }),
        "ldam-30" => LossSettings::Ldam(Ldam { max_margin: 0.5, scale: 30.0 }),
        "tversky-0.3-0.7" => defaults("tversky"),
        "one-minus-tversky-0.3-0.7" => defaults("one-minus-tversky"),
        name => defaults(name),
    }
}

fn defaults(name: &str) -> LossSettings {
    LossSettings::named(name).unwrap_or_else(|e| panic!("{e}"))
}

/// Every loss by its defaults, and the variants of recall, focal and LDAM loss.
fn all() -> Vec<LossSettings> {
    let variants = [
        recall(false, Normalize::None, 0.0),
        recall(false, Normalize::MeanOne, 0.0),
        recall(false, Normalize::MeanOne, 0.9),
        LossSettings::Focal(Focal { gamma: 0.0 }),
        LossSettings::Focal(Focal { gamma: 0.5 }),
        LossSettings::Focal(Focal { gamma: 1.0 }),
        LossSettings::Ldam(Ldam { max_margin: 0.5, scale: 30.0 }),
    ];
    LossSettings::names().iter().map(|name| defaults(name)).chain(variants).collect()
}

/// A training set of so many classes, each of its own size.
fn pixels(classes: i64) -> Vec<u64> {
    (1..=classes as u64).map(|c| c * c * c * 1000).collect()
}

/// Value, gradient, and the running state after.
fn run(
    loss: &Loss,
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

/// Value and gradient of a first batch.
fn run_fresh(loss: &LossSettings, logits: &Tensor, target: &Tensor) -> (Tensor, Tensor) {
    let loss = Loss::new(loss.clone(), &pixels(logits.size()[1]), Device::Cpu);
    let (value, grad, _) = run(&loss, logits, target, &loss.initial_running());
    (value, grad)
}

/// |got - want| <= tolerance * max(1, |want|), everywhere; NaN fails.
fn assert_near(got: &Tensor, want: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(got.size(), want.size(), "{what}: shape");
    let want = want.to_kind(tch::Kind::Double);
    let far = (got.to_kind(tch::Kind::Double) - &want).abs() / want.abs().clamp_min(1.0);
    let worst = far.max().double_value(&[]);
    assert!(worst <= tolerance, "{what}: expected at most {tolerance} apart, got {worst}");
}

/// As [`assert_near`], measured against the largest of the wanted values: gradients of a mean are small numbers.
fn assert_near_scaled(got: &Tensor, want: &Tensor, tolerance: f64, what: &str) {
    let scale = want.abs().max().double_value(&[]).max(1e-300);
    assert_near(&(got / scale), &(want / scale), tolerance, &format!("{what}, scaled"));
}
