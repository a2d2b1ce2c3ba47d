//! Randomness as a function: the same (seed, a, b) gives the same numbers, on any thread, in any order.
//! Not for secrets. There is no generator whose state would have to be saved with a checkpoint.
//! The mixing function is the finalizer of SplitMix64 (Steele, Lea, Flood: "Fast splittable
//! pseudorandom number generators", OOPSLA 2014, with Stafford's constants, variant 13).

/// 2^64 divided by the golden ratio, odd: steps of this size visit every 64-bit number once.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// 64 well mixed bits of three numbers. A change of one input bit changes about half the output's.
pub fn hash(seed: u64, a: u64, b: u64) -> u64 {
    mix(mix(mix(seed.wrapping_add(GOLDEN)) ^ a.wrapping_add(GOLDEN)).rotate_left(32)
        ^ b.wrapping_mul(GOLDEN))
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A sequence of random numbers that belongs to (seed, a, b), such as (seed, epoch, index).
#[derive(Clone, Debug)]
pub struct Stream {
    state: u64,
}

impl Stream {
    /// The stream of (seed, a, b), at its beginning.
    pub fn new(seed: u64, a: u64, b: u64) -> Self {
        Self { state: hash(seed, a, b) }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN);
        mix(self.state)
    }

    /// Uniform in [0, 1), a multiple of 2^-53.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [lo, hi); `lo` if the two are equal.
    pub fn range(&mut self, lo: f64, hi: f64) -> f64 {
        lo + (hi - lo) * self.uniform()
    }

    /// Uniform in 0..n, without bias worth the name (below n / 2^64).
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "there is no number below 0");
        ((u128::from(self.next_u64()) * u128::from(n)) >> 64) as u64
    }

    /// Standard normal (Box and Muller's transform, of which the second value is not kept).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Puts `items` into a random order (Fisher and Yates), each order equally likely.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mixer_is_splitmix64() {
        // The first outputs of the published generator with state 0 (Vigna's splitmix64.c).
        let mut stream = Stream { state: 0 };
        assert_eq!(stream.next_u64(), 0xE220_A839_7B1D_CDAF);
        assert_eq!(stream.next_u64(), 0x6E78_9E6A_A1B9_65F4);
    }

    #[test]
    fn neighbouring_seeds_and_indices_give_unrelated_numbers() {
        let mut seen = std::collections::HashSet::new();
        for seed in 0..20 {
            for a in 0..20 {
                for b in 0..20 {
                    assert!(seen.insert(hash(seed, a, b)), "{seed} {a} {b}");
                }
            }
        }
        let flipped: u32 =
            (0..64).map(|i| (hash(1, 2, 3) ^ hash(1, 2, 3 ^ (1 << i))).count_ones()).sum();
        assert!((1850..2250).contains(&flipped), "{flipped} of 4096 bits flipped, 2048 expected");
    }

    #[test]
    fn the_moments_are_those_of_the_distributions() {
        let n = 200_000;
        let mut stream = Stream::new(1, 2, 3);
        let mean = (0..n).map(|_| stream.range(-1.0, 3.0)).sum::<f64>() / n as f64;
        assert!((mean - 1.0).abs() < 0.01, "{mean}");
        let normal: Vec<f64> = (0..n).map(|_| stream.normal()).collect();
        let mean = normal.iter().sum::<f64>() / n as f64;
        let variance = normal.iter().map(|x| x * x).sum::<f64>() / n as f64;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
        let mut counts = [0u32; 5];
        (0..n).for_each(|_| counts[stream.below(5) as usize] += 1);
        assert!(counts.iter().all(|c| c.abs_diff(n / 5) < 800), "{counts:?}");
    }

    #[test]
    fn a_shuffle_is_a_permutation_and_depends_on_the_seed() {
        let order = |seed| {
            let mut items: Vec<u32> = (0..100).collect();
            Stream::new(seed, 0, 0).shuffle(&mut items);
            items
        };
        let mut sorted = order(7);
        sorted.sort();
        assert_eq!(sorted, (0..100).collect::<Vec<_>>());
        assert_eq!(order(7), order(7));
        assert_ne!(order(7), order(8));
    }
}
