//! The paper's analysis, checked on the losses as they are trained with: what they equal, what bounds them, where their
//! gradient points (here), and what becomes of a loss that weighs with precision (`explosion`).
//! Not a comparison with other programs: that is the test `loss`. ANALYSIS.md tells the same in words.
//! Source: Tian et al., arXiv 2106.14917. Its equations are sums over the pixels; ours are means, so N times ours.

mod explosion;

use proptest::prelude::*;
use shared::random::Stream;
use tch::{Device, Kind, Tensor};
use train::loss::{Counted, Counts, Frequencies, Loss, LossSettings, Normalize, Recall};

/// Pixels with their logits and classes; every class occurs.
struct Pixels {
    /// `[1, C, 1, M]` f64.
    logits: Tensor,
    /// `[1, 1, M]` i64.
    target: Tensor,
}

impl Pixels {
    /// Random logits that lean towards the truth by `lean` (negative: away from it), and classes of unequal size.
    fn random(seed: u64, classes: i64, pixels: i64, lean: f64) -> Self {
        let mut stream = Stream::new(seed, 0, 0);
        let target: Vec<i64> =
            (0..pixels)
                .map(|i| {
                    if i < classes { i } else { (stream.uniform().powi(2) * classes as f64) as i64 }
                })
                .collect();
        let target = Tensor::from_slice(&target).view([1, 1, pixels]);
        let noise: Vec<f64> = (0..classes * pixels).map(|_| 2.0 * stream.normal()).collect();
        let noise = Tensor::from_slice(&noise).view([1, classes, 1, pixels]);
        let truth = target.one_hot(classes).permute([0, 3, 1, 2]); // [1, C, 1, M]
        Self { logits: noise + truth * lean, target }
    }

    fn classes(&self) -> i64 {
        self.logits.size()[1]
    }

    /// Value and gradient `[C, M]` of a loss, as sums over the pixels.
    fn summed(&self, settings: LossSettings) -> (f64, Tensor) {
        let occurs = vec![1; self.classes() as usize];
        let loss = Loss::new(settings, &Frequencies::of_one_image(&occurs), Device::Cpu);
        let logits = self.logits.detach().copy().set_requires_grad(true);
        let pixels = self.target.numel() as f64;
        let sum = loss.compute(&logits, &self.target, &loss.initial_running()).loss * pixels;
        sum.backward();
        (sum.double_value(&[]), logits.grad().view([self.classes(), -1]))
    }

    /// The counts of argmax: pixels of each class, and its false negatives.
    fn counts(&self) -> (Vec<f64>, Vec<f64>) {
        let counts = Counts::of(&self.logits, &self.target, Counted::Misses);
        (numbers(&counts.truth()), numbers(&counts.false_negatives()))
    }

    /// The mean cross entropy of each class's pixels: -log of the geometric mean of their confidence.
    fn mean_ce(&self) -> Vec<f64> {
        let log_p = self.logits.log_softmax(1, None).view([self.classes(), -1]);
        let ce = -log_p.gather(0, &self.target.view([1, -1]), false).view([-1]);
        let of_class = |c| ce.masked_select(&self.target.view([-1]).eq(c)).mean(Kind::Double);
        (0..self.classes()).map(|c| of_class(c).double_value(&[])).collect()
    }
}

fn numbers(tensor: &Tensor) -> Vec<f64> {
    Vec::try_from(tensor.to_kind(Kind::Double).contiguous().view([-1])).expect("numbers")
}

fn cross_entropy() -> LossSettings {
    LossSettings::CrossEntropy(Default::default())
}

/// Recall loss as the paper writes it (no floor), or as its code has it (floor).
fn recall(floor: bool) -> LossSettings {
    LossSettings::Recall(Recall { floor, normalize: Normalize::None, ..Recall::default() })
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Eq. 1: cross entropy is each class's pixels times its mean; recall loss puts its false negatives in their place,
    /// and inverse frequency the number one.
    #[test]
    fn the_losses_are_counts_times_the_mean_cross_entropy_of_a_class(seed: u64, classes in 2i64..7, pixels in 8i64..200, lean in -3.0..6.0) {
        let batch = Pixels::random(seed, classes, pixels, lean);
        let ((truth, false_negatives), mean_ce) = (batch.counts(), batch.mean_ce());
        let total = |counts: &[f64]| -> f64 { counts.iter().zip(&mean_ce).map(|(n, d)| n * d).sum() };
        prop_assert!(near(batch.summed(cross_entropy()).0, total(&truth)));
        prop_assert!(near(batch.summed(recall(false)).0, total(&false_negatives)));
        let floored: Vec<f64> = false_negatives.iter().map(|n| n.max(1.0)).collect();
        prop_assert!(near(batch.summed(recall(true)).0, total(&floored)));
    }

    /// A false negative's confidence is at most 1/2, a true positive's at least 1/C. So a class's mean cross entropy bounds
    /// its false negative rate from above, and its recall bounds its mean cross entropy from below.
    #[test]
    fn recall_and_confidence_bound_each_other(seed: u64, classes in 2i64..7, pixels in 8i64..200, lean in -3.0..6.0) {
        let batch = Pixels::random(seed, classes, pixels, lean);
        let ((truth, false_negatives), mean_ce) = (batch.counts(), batch.mean_ce());
        for c in 0..classes as usize {
            let rate = false_negatives[c] / truth[c];
            prop_assert!(rate <= mean_ce[c] / 2f64.ln() + 1e-12, "{rate} {}", mean_ce[c]);
            if false_negatives[c] == 0.0 {
                prop_assert!(mean_ce[c] <= (classes as f64).ln() + 1e-12);
            }
        }
        // With all classes together: recall loss without floor is at least ln 2 times the sum of FN^2 / N.
        let least: f64 = false_negatives.iter().zip(&truth).map(|(m, n)| m * m / n).sum::<f64>() * 2f64.ln();
        prop_assert!(batch.summed(recall(false)).0 >= least - 1e-9);
    }

    /// With the floor, and as sums: inverse frequency <= recall <= cross entropy. Without it recall loss may be anything
    /// from 0 on.
    #[test]
    fn recall_loss_lies_between_inverse_frequency_and_cross_entropy(seed: u64, classes in 2i64..7, pixels in 8i64..200, lean in -3.0..12.0) {
        let batch = Pixels::random(seed, classes, pixels, lean);
        let inverse: f64 = batch.mean_ce().iter().sum(); // each class's pixels weighed with 1 / N_c
        let [floored, bare, plain] = [recall(true), recall(false), cross_entropy()].map(|l| batch.summed(l).0);
        let slack = 1e-9 * plain.max(1.0);
        prop_assert!(inverse <= floored + slack && floored <= plain + slack, "{inverse} {floored} {plain}");
        prop_assert!(0.0 <= bare && bare <= floored + slack, "{bare} {floored}");
    }

    /// Where nothing is recalled every weight is 1, and recall loss is cross entropy, with the floor and without.
    #[test]
    fn recall_loss_is_cross_entropy_when_nothing_is_recalled(seed: u64, classes in 2i64..7, pixels in 8i64..100) {
        let batch = Pixels::random(seed, classes, pixels, -100.0);
        prop_assert_eq!(batch.counts().0, batch.counts().1);
        let (value, gradient) = batch.summed(cross_entropy());
        for floor in [false, true] {
            let (other, other_gradient) = batch.summed(recall(floor));
            prop_assert!(near(other, value));
            prop_assert!((other_gradient - &gradient).abs().max().double_value(&[]) < 1e-12);
        }
    }

    /// Where all is recalled, floored recall loss is inverse frequency, and without the floor nothing is left.
    #[test]
    fn recall_loss_is_inverse_frequency_when_all_is_recalled(seed: u64, classes in 2i64..7, pixels in 8i64..100) {
        let batch = Pixels::random(seed, classes, pixels, 30.0);
        prop_assert!(batch.counts().1.iter().all(|&n| n == 0.0));
        prop_assert!(near(batch.summed(recall(true)).0, batch.mean_ce().iter().sum()));
        prop_assert_eq!(batch.summed(recall(false)).0, 0.0);
    }

    /// Eq. 8, two classes, as a sum and without floor: in the logit of the first class for all pixels (its bias) the
    /// gradient is FN_1 (P_1^(1) - 1) + FP_1 P_1^(2), P_1^(c) being the mean of p_1 over the pixels of class c.
    #[test]
    fn the_gradient_weighs_false_negatives_against_false_positives(seed: u64, pixels in 8i64..200, lean in -2.0..4.0) {
        let batch = Pixels::random(seed, 2, pixels, lean);
        let (_, false_negatives) = batch.counts();
        // With two classes the false negatives of one are the false positives of the other: FP_1 = FN_2.
        let counts = Counts::of(&batch.logits, &batch.target, Counted::FalsePositives);
        let false_positives = counts.false_positives();
        prop_assert_eq!(numbers(&false_positives)[0], false_negatives[1]);
        let p1 = batch.logits.softmax(1, None).select(1, 0).view([-1]);
        let mean = |c: i64| p1.masked_select(&batch.target.view([-1]).eq(c)).mean(Kind::Double).double_value(&[]);
        let want = false_negatives[0] * (mean(0) - 1.0) + false_negatives[1] * mean(1);
        let got = batch.summed(recall(false)).1.get(0).sum(Kind::Double).double_value(&[]);
        prop_assert!(near(got, want), "{got} {want}");
    }
}
