//! Every loss: against an independent computation (`goldens`), and at the edges of what it can be
//! given (`edges`). Not a test of training.

mod edges;
mod goldens;

use tch::{Device, Tensor};
use train::loss::{
    Balanced, Focal, Form, Frequencies, Ldam, LogitAdjusted, Loss, LossSettings, Named, Normalize,
    Recall, Scheme, Volume, Weighted,
};

fn recall(floor: bool, normalize: Normalize, momentum: f64) -> LossSettings {
    LossSettings::Recall(Recall { floor, normalize, momentum, weights_from: None })
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
        "balanced-images" => {
            LossSettings::Balanced(Balanced { volume: Volume::Named(Named::Images) })
        }
        "weighted-sqrt" => weighted(Scheme::Inverse, 0.5),
        "weighted-median" => weighted(Scheme::MedianFrequency, 1.0),
        "weighted-enet" => weighted(Scheme::Enet, 1.0),
        "logit-adjusted-0.5" => LossSettings::LogitAdjusted(LogitAdjusted { tau: 0.5 }),
        "soft-iou-images" => LossSettings::SoftIou(Form { per_image: true }),
        "lovasz-images" => LossSettings::Lovasz(Form { per_image: true }),
        "focal-1" => LossSettings::Focal(Focal { gamma: 1.0 }),
        "focal-2" => LossSettings::Focal(Focal { gamma: 2.0 }),
        "ldam-30" => LossSettings::Ldam(Ldam { max_margin: 0.5, scale: 30.0 }),
        "tversky-0.3-0.7" => defaults("tversky"),
        "one-minus-tversky-0.3-0.7" => defaults("one-minus-tversky"),
        name => defaults(name),
    }
}

fn weighted(scheme: Scheme, power: f64) -> LossSettings {
    LossSettings::Weighted(Weighted { scheme, power })
}

fn defaults(name: &str) -> LossSettings {
    LossSettings::named(name).unwrap_or_else(|e| panic!("{e}"))
}

/// Every loss by its defaults, and its variants.
fn all() -> Vec<LossSettings> {
    let variants = [
        recall(false, Normalize::None, 0.0),
        recall(false, Normalize::MeanOne, 0.0),
        recall(false, Normalize::MeanOne, 0.9),
        LossSettings::Focal(Focal { gamma: 0.0 }),
        LossSettings::Focal(Focal { gamma: 0.5 }),
        LossSettings::Focal(Focal { gamma: 1.0 }),
        LossSettings::Ldam(Ldam { max_margin: 0.5, scale: 30.0 }),
        loss_named("weighted-sqrt"),
        loss_named("weighted-median"),
        loss_named("weighted-enet"),
        loss_named("balanced-images"),
        loss_named("soft-iou-images"),
        loss_named("lovasz-images"),
    ];
    LossSettings::names().iter().map(|name| defaults(name)).chain(variants).collect()
}

/// A training set of so many classes, each of its own size.
fn training_set(classes: i64) -> Frequencies {
    let of_classes = |what: fn(u64) -> u64| (1..=classes as u64).map(what).collect();
    Frequencies {
        pixels: of_classes(|c| c * c * c * 1000),
        images: of_classes(|c| c * 7),
        pixels_of_its_images: of_classes(|c| c * c * c * 1000 + c * 70_000),
        all_images: 100,
    }
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
    let loss = Loss::new(loss.clone(), &training_set(logits.size()[1]), Device::Cpu);
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

/// As [`assert_near`], measured against the largest of the wanted values: gradients of a mean are
/// small numbers.
fn assert_near_scaled(got: &Tensor, want: &Tensor, tolerance: f64, what: &str) {
    let scale = want.abs().max().double_value(&[]).max(1e-300);
    assert_near(&(got / scale), &(want / scale), tolerance, &format!("{what}, scaled"));
}
