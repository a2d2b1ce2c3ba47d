//! Eq. 9: why recall, and not another metric. An over-predicted class has a low precision; a loss that weighs with
//! 1 - precision has it predicted even more. With recall the answer is the opposite.
//! A softmax regression on three overlapping clouds of points, 95 %, 4.5 % and 0.5 % of 4000, by plain gradient descent.

use super::*;

const SIZES: [usize; 3] = [3800, 180, 20];
const CENTRES: [[f64; 2]; 3] = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.5]];
const STEPS: usize = 400;

/// What a training came to.
#[derive(Clone, Copy)]
struct Trained {
    /// Points of the two rare classes that were found.
    found: f64,
    /// Points that were taken for one of the rare classes wrongly.
    false_positives: f64,
    /// Points that were given their own class.
    right: f64,
}

/// Trains from zero with a learning rate of 1.
fn train(name: &str) -> Trained {
    let mut stream = Stream::new(9, 0, 0);
    let (mut points, mut classes) = (vec![], vec![]);
    for (class, (size, centre)) in SIZES.into_iter().zip(CENTRES).enumerate() {
        for _ in 0..size {
            points.extend(centre.map(|x| x + stream.normal()).into_iter().chain([1.0]));
            classes.push(class as i64);
        }
    }
    let points = Tensor::from_slice(&points).view([-1, 3]); // [M, 3]: x, y, 1
    let target = Tensor::from_slice(&classes).view([1, 1, -1]);
    let settings = match name {
        "recall" => recall(false), // as the ablation, without floor
        name => LossSettings::named(name).expect("a loss"),
    };
    let loss =
        Loss::new(settings, &Frequencies::of_one_image(&SIZES.map(|n| n as u64)), Device::Cpu);
    let mut weights = Tensor::zeros([3, 3], (Kind::Double, Device::Cpu)).set_requires_grad(true);
    let logits_of = |weights: &Tensor| points.matmul(weights).transpose(0, 1).view([1, 3, 1, -1]);
    for _ in 0..STEPS {
        let logits = logits_of(&weights);
        loss.compute(&logits, &target, &loss.initial_running()).loss.backward();
        weights = (weights.detach() - weights.grad()).set_requires_grad(true);
    }
    let counts = Counts::of(&logits_of(&weights), &target, Counted::FalsePositives);
    let found = numbers(&(counts.truth() - counts.false_negatives()));
    Trained {
        found: found[1] + found[2],
        false_positives: numbers(&counts.false_positives())[1..].iter().sum(),
        right: found.iter().sum(),
    }
}

#[test]
fn precision_in_recalls_place_makes_false_positives_explode() {
    let names = [
        "cross-entropy",
        "weighted",
        "recall",
        "one-minus-jaccard",
        "one-minus-dice",
        "one-minus-precision",
    ];
    let [plain, weighted, recall, jaccard, dice, precision] = names.map(|name| {
        let trained = train(name);
        let Trained { found, false_positives, right } = trained;
        eprintln!("{name}: rare found {found} of 200, false positives {false_positives}, right {right} of 4000");
        trained
    });
    // Recall loss finds many more of the rare points than cross entropy, at a price in false positives.
    assert!(recall.found > 1.5 * plain.found && recall.false_positives > plain.false_positives);
    assert!(recall.right > 0.9 * 4000.0);
    // Inverse frequency finds more still, at several times the price.
    assert!(weighted.found > recall.found);
    assert!(weighted.false_positives > 2.0 * recall.false_positives);
    // The other metrics find hardly more, with more false positives the more they look at precision.
    let false_positives = [recall, jaccard, dice, precision].map(|t| t.false_positives);
    assert!(false_positives.is_sorted(), "{false_positives:?}");
    // Precision alone: the flood.
    assert!(false_positives[3] > 10.0 * false_positives[0], "{false_positives:?}");
    assert!(precision.right < 0.5 * 4000.0);
}
