//! Which of a data set's images belong to a split.
//! Not where they lie. Sets whose splits are folders need nothing of this.
//! The proportions follow the recall loss paper (arXiv 2106.14917, SYNTHIA): floor(0.7 n), floor(0.1 n), the rest.

use serde::{Deserialize, Serialize};

use crate::random::{Stream, hash};

/// The splits of a set that is not split by folders.
pub(super) const NAMES: [&str; 3] = ["train", "val", "test"];

/// How a data set is split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Each split has folders of its own: the patterns say `{split}`.
    #[default]
    Folder,
    /// Within each folder at random, by a seed. Of a film, neighbouring frames leak between the splits.
    Random,
    /// Within each folder by order: the first frames train, the next validate, the rest test.
    Blocks,
}

/// How much goes where, for [`Scheme::Random`] and [`Scheme::Blocks`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Split {
    pub by: Scheme,
    pub train: f64,
    pub val: f64,
    pub seed: u64,
}

impl Default for Split {
    fn default() -> Self {
        Self { by: Scheme::Folder, train: 0.7, val: 0.1, seed: 0 }
    }
}

impl Split {
    /// The members of `split` among the `n` files of `folder`, in order.
    pub fn members(&self, split: usize, folder: &str, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        if self.by == Scheme::Random {
            let folder = folder.bytes().fold(0, |h, b| hash(h, u64::from(b), 0));
            Stream::new(self.seed, folder, n as u64).shuffle(&mut order);
        }
        let train = part(self.train, n);
        let val = part(self.val, n);
        let range = [0..train, train..train + val, train + val..n][split].clone();
        let mut members = order[range].to_vec();
        members.sort_unstable();
        members
    }
}

/// floor(share n), with 0.7 meaning seven tenths and not the double beside it.
fn part(share: f64, n: usize) -> usize {
    ((share * 1e9).round() as u128 * n as u128 / 1_000_000_000) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synthia_has_550_78_and_159_frames_a_camera() {
        for by in [Scheme::Random, Scheme::Blocks] {
            let split = Split { by, ..Split::default() };
            let sizes = [0, 1, 2].map(|s| split.members(s, "Omni_F", 787).len());
            assert_eq!(sizes, [550, 78, 159]);
            assert_eq!(sizes.map(|s| s * 8), [4400, 624, 1272]);
        }
    }

    #[test]
    fn the_parts_cover_everything_once_whatever_the_size() {
        for by in [Scheme::Random, Scheme::Blocks] {
            for n in 0..40 {
                let split = Split { by, ..Split::default() };
                let mut all: Vec<usize> = (0..3).flat_map(|s| split.members(s, "x", n)).collect();
                all.sort();
                assert_eq!(all, (0..n).collect::<Vec<_>>());
                assert_eq!(split.members(0, "x", n).len(), n * 7 / 10);
                assert_eq!(split.members(1, "x", n).len(), n / 10);
            }
        }
    }

    #[test]
    fn a_random_split_depends_on_seed_and_folder_and_a_block_split_does_not() {
        let members =
            |by, seed, folder| Split { by, seed, ..Split::default() }.members(1, folder, 787);
        assert_ne!(members(Scheme::Random, 0, "F"), members(Scheme::Random, 1, "F"));
        assert_ne!(members(Scheme::Random, 0, "F"), members(Scheme::Random, 0, "B"));
        assert_eq!(members(Scheme::Blocks, 1, "B"), (550..628).collect::<Vec<_>>());
    }
}
