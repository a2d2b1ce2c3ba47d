//! What Fig. 4 draws: how recall loss and focal loss would weigh the classes of a batch, whichever
//! loss is trained. Raw values: the figure's normalization across classes, and the ratio of the
//! two, are the plot's. Source: Tian et al., arXiv 2106.14917, Fig. 4.

use super::{Counted, Counts, counts, cross_entropy, focal};
use tch::{Device, Kind, Tensor};

/// Sums over the pixels of some batches, on their device.
pub struct Tally {
    /// `[3, C]` f64: pixels of the class, those of them that are false negatives, the sum of 1 -
    /// p_y over them.
    sums: Tensor,
}

/// The weights of each class, by train id; none for a class without a pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassWeights {
    /// Recall loss's, without floor: FN / (FN + TP) = 1 - R.
    pub recall: Vec<Option<f64>>,
    /// Focal loss's with an exponent of 1, averaged: the mean of 1 - p_y over the class's pixels.
    pub focal: Vec<Option<f64>>,
}

impl Tally {
    /// Tallies a batch, without waiting for the device and without gradient.
    ///
    /// # Shapes
    /// `logits` `[N, C, H, W]`, `target` `[N, H, W]` i64.
    pub fn of(logits: &Tensor, target: &Tensor) -> Self {
        tch::no_grad(|| {
            let classes = logits.size()[1];
            let counts = Counts::of(logits, target, Counted::Misses);
            let unsure = focal::one_minus_p(&cross_entropy::per_pixel(logits, target, None));
            let class = counts::with_ignored_last(target, classes);
            let unsure = counts::sums_of(&class, classes, &unsure.to_kind(Kind::Double));
            let f64_of = |counts: &Tensor| counts.to_kind(Kind::Double);
            let sums = [f64_of(&counts.truth()), f64_of(&counts.false_negatives()), unsure];
            Self { sums: Tensor::stack(&sums, 0) }
        })
    }

    /// Both batches together.
    pub fn and(self, other: Self) -> Self {
        Self { sums: self.sums + other.sums }
    }

    /// Waits for the device and reads the weights.
    pub fn read(&self) -> ClassWeights {
        let classes = self.sums.size()[1] as usize;
        let mut host = vec![0f64; 3 * classes];
        self.sums.to_device(Device::Cpu).contiguous().copy_data(&mut host, 3 * classes);
        let (pixels, rest) = host.split_at(classes);
        let (false_negatives, unsure) = rest.split_at(classes);
        let means = |sums: &[f64]| {
            let mean = |(&sum, &pixels): (&f64, &f64)| (pixels > 0.0).then_some(sum / pixels);
            sums.iter().zip(pixels).map(mean).collect()
        };
        ClassWeights { recall: means(false_negatives), focal: means(unsure) }
    }
}
