//! Weighted and balanced cross entropy: class weights from training-set frequencies, constant over
//! the run; the loss is sum(w_y ce) / sum(w_y) over the valid pixels. Not the recall weights, which
//! follow the network (`recall`). Sources: inverse frequency, Tian et al., arXiv 2106.14917, Eq. 2;
//! median frequency, Eigen & Fergus, arXiv 1411.4734, Sec. 6.3.2; ENet, Paszke et al., arXiv
//! 1606.02147, Sec. 5.1; effective number of samples, Cui et al., "Class-Balanced Loss Based on
//! Effective Number of Samples", arXiv 1901.05555, Eq. 2 and 5.

use super::range;
use serde::{Deserialize, Serialize};
use shared::dataset::stats::{ClassCount, Stats};
use shared::error::Result;

/// How often each class occurs in a training set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frequencies {
    /// Pixels of each class, by train id.
    pub pixels: Vec<u64>,
    /// Images that each class occurs in.
    pub images: Vec<u64>,
    /// Valid pixels of the images that each class occurs in.
    pub pixels_of_its_images: Vec<u64>,
    /// Images of the set.
    pub all_images: u64,
}

impl Frequencies {
    /// Of a split that was counted.
    pub fn of(stats: &Stats) -> Self {
        let of_classes = |what: fn(&ClassCount) -> u64| stats.classes.iter().map(what).collect();
        Self {
            pixels: stats.counts(),
            images: of_classes(|class| class.images),
            pixels_of_its_images: of_classes(|class| class.pixels_of_its_images),
            all_images: stats.counted,
        }
    }

    /// Of a set that is one image with so many pixels of each class.
    pub fn of_one_image(pixels: &[u64]) -> Self {
        let valid = pixels.iter().sum();
        let where_it_occurs = |what: u64| {
            let one = |&n: &u64| if n > 0 { what } else { 0 };
            pixels.iter().map(one).collect()
        };
        Self {
            pixels: pixels.to_vec(),
            images: where_it_occurs(1),
            pixels_of_its_images: where_it_occurs(valid),
            all_images: 1,
        }
    }

    /// Valid pixels of the set.
    fn valid(&self) -> u64 {
        self.pixels.iter().sum()
    }
}

/// Settings of weighted cross entropy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Weighted {
    /// How weights follow from frequencies.
    pub scheme: Scheme,
    /// What the weights are raised to: 1/2 is half the way from equal weights, on a log scale.
    pub power: f64,
}

impl Default for Weighted {
    fn default() -> Self {
        Self { scheme: Scheme::Inverse, power: 1.0 }
    }
}

/// How weights follow from frequencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scheme {
    /// 1 / f_c, the class's share of the set's valid pixels.
    Inverse,
    /// median(f) / f_c, f_c the class's share of the valid pixels of those images that it occurs
    /// in.
    MedianFrequency,
    /// 1 / ln(1.02 + f_c), f_c as for the inverse: between 1.4 and 50.
    Enet,
}

/// ENet's constant c.
const ENET: f64 = 1.02;

impl Weighted {
    pub(super) fn check(&self) -> Result<()> {
        let hint = "1 is the scheme itself, 0.5 its square root, 0 cross entropy";
        range("power", self.power, "0 to 4", 0.0..=4.0, hint)
    }

    /// The weight of each class; 0 where it does not occur.
    pub(super) fn weights(&self, set: &Frequencies) -> Vec<f64> {
        let valid = set.valid() as f64;
        let of_set = |class: usize| set.pixels[class] as f64 / valid;
        let weights = (0..set.pixels.len()).map(|class| match (self.scheme, set.pixels[class]) {
            (_, 0) => 0.0,
            (Scheme::Inverse, n) => valid / n as f64,
            (Scheme::Enet, _) => (ENET + of_set(class)).ln().recip(),
            // The median is a factor of all weights, which the weighted mean divides out.
            (Scheme::MedianFrequency, n) => set.pixels_of_its_images[class] as f64 / n as f64,
        });
        let power = |w: f64| if w > 0.0 && self.power != 1.0 { w.powf(self.power) } else { w };
        weights.map(power).collect()
    }
}

/// Settings of balanced cross entropy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Balanced {
    /// The volume N of the space that the samples are drawn from; b = (N - 1) / N.
    pub volume: Volume,
}

/// The N of Cui et al. With N far above every class's pixels the weights are those of inverse
/// frequency, with N far below they are all equal. With N the set's own pixels they are nearly the
/// first: a class with the share f has f / (1 - exp(-f)) times the weight of inverse frequency, 17
/// % more at a third. Their own b of 0.9 to 0.9999 (N of 10 to 10 000) counts images; for pixels it
/// is cross entropy.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected \"pixels\", \"images\" or a number")]
pub enum Volume {
    /// A word in place of a number.
    Named(Named),
    /// This many.
    Number(f64),
}

/// The words for N.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Named {
    /// The valid pixels of the training set.
    Pixels,
    /// The images of the training set; a class then counts by the images that it occurs in.
    Images,
}

impl Default for Volume {
    fn default() -> Self {
        Self::Named(Named::Pixels)
    }
}

impl Balanced {
    pub(super) fn check(&self) -> Result<()> {
        let hint = "N of Cui et al.: \"pixels\" takes the training set's valid pixels, \"images\" its images";
        match self.volume {
            Volume::Named(_) => Ok(()),
            Volume::Number(n) => {
                range("volume", n, "a number of samples, 1 to 1e18", 1.0..=1e18, hint)
            }
        }
    }

    /// w_c = (1 - b) / (1 - b^n_c), b = (N - 1) / N, for each class's pixels, or images, n_c in the
    /// training set; 0 where n_c is 0.
    ///
    /// By `ln_1p` and `exp_m1`: for the N of pixels, 1 - b^n loses all its digits in f32, and half
    /// of them in f64.
    pub(super) fn weights(&self, set: &Frequencies) -> Vec<f64> {
        let (n, samples) = match self.volume {
            Volume::Named(Named::Pixels) => (set.valid().max(1) as f64, &set.pixels),
            Volume::Named(Named::Images) => (set.all_images.max(1) as f64, &set.images),
            Volume::Number(n) => (n, &set.pixels),
        };
        let ln_b = (-1.0 / n).ln_1p(); // of N = 1: -infinity, and every class weighs 1
        let weight = |samples: u64| match samples {
            0 => 0.0,
            samples => -1.0 / (n * (samples as f64 * ln_b).exp_m1()),
        };
        samples.iter().copied().map(weight).collect()
    }
}
