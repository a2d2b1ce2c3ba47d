//! The losses at the edges: no valid pixel, ties, extreme logits, f32, memory formats, counts
//! beyond f32.

use super::*;
use tch::{Kind, Reduction};
use train::loss::{Counted, Counts};

const F32: (Kind, Device) = (Kind::Float, Device::Cpu);
const F64: (Kind, Device) = (Kind::Double, Device::Cpu);
const I64: (Kind, Device) = (Kind::Int64, Device::Cpu);

fn value_of(tensor: &Tensor) -> f64 {
    tensor.double_value(&[])
}

/// Labels below `classes`, an eighth of them ignored, that follow from their place alone.
fn labels(shape: [i64; 3], classes: i64) -> Tensor {
    let place = Tensor::arange(shape.iter().product::<i64>(), I64);
    let label = (&place * &place * 7 + place.divide_scalar_mode(5, "floor")).remainder(classes);
    label.masked_fill(&place.remainder(8).eq(3), 255).view(shape)
}

/// Logits without equals that follow from their place alone, in [-3, 3].
fn logits(shape: [i64; 4]) -> Tensor {
    let place = Tensor::arange(shape.iter().product::<i64>(), F64);
    ((place * 1.7).sin() * 3.0).view(shape)
}

#[test]
fn without_a_valid_pixel_loss_and_gradient_are_zero_in_f32_too() {
    let target = Tensor::full([2, 3, 4], 255, (Kind::Uint8, Device::Cpu));
    let small = logits([2, 5, 3, 4]).to_kind(Kind::Float);
    for logits in [&small, &(small.sign() * 1e4)] {
        for loss in all() {
            let (value, grad) = run_fresh(&loss, logits, &target);
            assert_eq!(value_of(&value), 0.0, "{loss:?}");
            assert_eq!(value_of(&grad.abs().max()), 0.0, "{loss:?}");
        }
    }
}

#[test]
fn ignored_pixels_take_no_part_whatever_their_logits() {
    let target = labels([2, 6, 8], 4);
    let logits = logits([2, 4, 6, 8]);
    let ignored = target.eq(255).unsqueeze(1);
    let other = logits.where_self(&ignored.logical_not(), &(-&logits * 100.0));
    for loss in all() {
        let (value, grad) = run_fresh(&loss, &logits, &target);
        let (same, other_grad) = run_fresh(&loss, &other, &target);
        assert_near(&same, &value, 1e-14, &format!("{loss:?}: value"));
        assert_near(&other_grad, &grad, 1e-14, &format!("{loss:?}: gradient"));
        let there = grad.masked_select(&ignored.expand_as(&grad)).abs().max();
        assert_eq!(value_of(&there), 0.0, "{loss:?}");
    }
}

#[test]
fn logits_of_ten_thousand_give_finite_losses_and_gradients_in_f32() {
    let target = labels([2, 6, 8], 4);
    let sign = logits([2, 4, 6, 8]).to_kind(Kind::Float).sign();
    let right =
        target.clamp_max(3).unsqueeze(1).eq_tensor(&Tensor::arange(4, I64).view([1, 4, 1, 1]));
    for logits in [sign * 1e4, right.to_kind(Kind::Float) * 1e4] {
        for loss in all() {
            let (value, grad) = run_fresh(&loss, &logits, &target);
            // Lovász-softmax's is a difference of sums up to 1: rounding may leave it below 0.
            let value = value_of(&value);
            assert!(value.is_finite() && value >= -1e-6, "{loss:?}: {value}");
            assert!(value_of(&grad.abs().max()).is_finite(), "{loss:?}");
        }
    }
}

#[test]
fn f32_follows_f64() {
    let (logits, target) = (logits([2, 6, 40, 50]), labels([2, 40, 50], 6));
    for loss in all() {
        let (value, grad) = run_fresh(&loss, &logits, &target);
        let (narrow, narrow_grad) = run_fresh(&loss, &logits.to_kind(Kind::Float), &target);
        assert_near(&narrow, &value, 2e-6, &format!("{loss:?}: value"));
        // Two errors that rounding swaps change places in the Lovász extension: a step in its
        // gradient, one pixel of the union's some hundreds.
        let tolerance = if loss.name() == "lovasz" { 1e-2 } else { 1e-4 };
        assert_near_scaled(&narrow_grad, &grad, tolerance, &format!("{loss:?}: gradient"));
    }
}

#[test]
fn neither_the_labels_kind_nor_the_memory_format_matters() {
    let (logits, target) = (logits([2, 4, 5, 6]), labels([2, 5, 6], 4));
    let last = logits.permute([0, 2, 3, 1]).contiguous().permute([0, 3, 1, 2]);
    for loss in all() {
        let (value, grad) = run_fresh(&loss, &logits, &target);
        let (other, other_grad) = run_fresh(&loss, &last, &target.to_kind(Kind::Uint8));
        assert_near(&other, &value, 1e-14, &format!("{loss:?}: value"));
        assert_near(&other_grad, &grad, 1e-14, &format!("{loss:?}: gradient"));
    }
}

#[test]
fn ohem_takes_the_first_of_equal_pixels() {
    // Ten pixels of the same cross entropy, ln 2, one of them ignored: six of nine are kept, the
    // first six.
    let target = Tensor::zeros([1, 1, 10], I64);
    let _ = target.narrow(2, 2, 1).fill_(255);
    let (value, grad) = run_fresh(&defaults("ohem"), &Tensor::zeros([1, 2, 1, 10], F64), &target);
    assert!((value_of(&value) - 2f64.ln()).abs() < 1e-15);
    let kept: Vec<bool> = grad.select(1, 0).flatten(0, -1).ne(0.0).try_into().expect("[10]");
    assert_eq!(kept, [true, true, false, true, true, true, true, false, false, false]);
}

#[test]
fn ohem_keeps_at_least_one_pixel() {
    let target = Tensor::full([1, 1, 4], 255, I64);
    let _ = target.narrow(2, 1, 1).fill_(0);
    let (value, _) = run_fresh(&defaults("ohem"), &Tensor::zeros([1, 2, 1, 4], F32), &target);
    assert!((value_of(&value) - 2f64.ln()).abs() < 1e-7);
}

#[test]
fn lovasz_of_certain_predictions_is_one_minus_mean_iou() {
    // Classes 0, 1, 1, 2 seen as 0, 0, 1, 1: IoU 1/2, 1/3 and 0; class 3 does not occur.
    let certain = |won: [i64; 4]| {
        let won = Tensor::from_slice(&won).one_hot(4).to_kind(Kind::Double) * 1e4;
        won.transpose(0, 1).contiguous().view([1, 4, 1, 4])
    };
    let target = Tensor::from_slice(&[0i64, 1, 1, 2]).view([1, 1, 4]);
    for name in ["lovasz", "soft-iou"] {
        let (value, _) = run_fresh(&defaults(name), &certain([0, 0, 1, 1]), &target);
        let want = 1.0 - (0.5 + 1.0 / 3.0) / 3.0;
        assert!((value_of(&value) - want).abs() < 1e-12, "{name}: {value:?}");
    }
}

#[test]
fn the_volume_leads_from_cross_entropy_to_inverse_frequency() {
    let (logits, target) = (logits([2, 6, 40, 50]), labels([2, 40, 50], 6));
    let balanced = |n: f64| {
        run_fresh(&LossSettings::Balanced(Balanced { volume: Volume::Number(n) }), &logits, &target)
    };
    let (plain, _) = run_fresh(&cross_entropy(), &logits, &target);
    assert_near(&balanced(1.0).0, &plain, 1e-12, "N = 1");
    let (weighted, grad) = run_fresh(&defaults("weighted"), &logits, &target);
    let (value, balanced_grad) = balanced(1e18);
    assert_near(&value, &weighted, 1e-9, "N = 1e18");
    assert_near_scaled(&balanced_grad, &grad, 1e-9, "N = 1e18, gradient");
}

#[test]
fn the_three_losses_come_in_the_papers_order() {
    // With the floor: inverse frequency <= recall <= cross entropy, in sum form.
    let (logits, target) = (logits([2, 6, 16, 16]), labels([2, 16, 16], 6));
    let valid = target.ne(255).sum(Kind::Int64);
    let (plain, _) = run_fresh(&cross_entropy(), &logits, &target);
    let (weighted, _) = run_fresh(&recall(true, Normalize::None, 0.0), &logits, &target);
    let share = Tensor::from_slice(&[0i64, 1, 2, 3, 4, 5])
        .view([6, 1])
        .eq_tensor(&target.view([1, -1]))
        .sum_dim_intlist(1, false, Kind::Double)
        .reciprocal();
    let inverse = logits.cross_entropy_loss(&target, Some(share), Reduction::Sum, 255, 0.0) / valid;
    let values = [inverse, weighted, plain].map(|t| value_of(&t));
    assert!(values.is_sorted(), "{values:?}");
}

#[test]
fn counts_stay_exact_where_an_f32_counter_stops() {
    // 2^24 + 3 pixels of class 1, all of them false negatives but one.
    let pixels = (1 << 24) + 3;
    let logits = Tensor::zeros([1, 2, 1, pixels], F32);
    let _ = logits.select(3, 0).select(1, 1).fill_(1.0);
    let target = Tensor::ones([1, 1, pixels], I64);
    let counts = Counts::of(&logits, &target, Counted::FalsePositives);
    assert_eq!(counts.truth().int64_value(&[1]), pixels);
    assert_eq!(counts.false_negatives().int64_value(&[1]), pixels - 1);
    assert_eq!(counts.false_positives().int64_value(&[0]), pixels - 1);
}

#[test]
fn a_tally_holds_what_recall_and_focal_loss_would_weigh_with() {
    // Pixels of classes 0, 0, 1 and an ignored one; of class 2 none. The second pixel is a false
    // negative.
    let target = Tensor::from_slice(&[0i64, 0, 1, 255]).view([1, 1, 4]);
    let probabilities = [[0.7, 0.2, 0.3, 0.1], [0.2, 0.5, 0.6, 0.1], [0.1, 0.3, 0.1, 0.8]];
    let logits = Tensor::from_slice2(&probabilities).log().view([1, 3, 1, 4]);
    let weights = train::loss::Tally::of(&logits, &target).read();
    assert_eq!(weights.recall, [Some(0.5), Some(0.0), None]);
    let focal: Vec<f64> = weights.focal.iter().flatten().copied().collect();
    assert_near(&Tensor::from_slice(&focal), &Tensor::from_slice(&[0.55, 0.4]), 1e-12, "focal");
    assert_eq!(weights.focal[2], None);

    // Two batches are their pixels together: with the first one twice nothing changes, with another
    // one it does.
    let twice =
        train::loss::Tally::of(&logits, &target).and(train::loss::Tally::of(&logits, &target));
    assert_eq!(twice.read(), weights);
    let other = train::loss::Tally::of(&logits, &target.full_like(2));
    let both = train::loss::Tally::of(&logits, &target).and(other).read();
    assert_eq!(both.recall, [Some(0.5), Some(0.0), Some(0.75)]);
}
