//! Which of a data set's images belong to a split.
//! Not where they lie. Sets whose splits are folders need nothing of this.
//! The proportions follow the recall loss paper (arXiv 2106.14917, SYNTHIA): floor(0.7 n), floor(0.1 n), the rest.

use serde::{Deserialize, Serialize};

use crate::random::hash;

/// The splits of a set that is not split by folders.
pub(super) const NAMES: [&str; 3] = ["train", "val", "test"];

/// How a data set is split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Each split has folders of its own: the patterns say `{split}`.
    #[default]
    Folder,
    /// Within each folder at random, by a seed and the files' names: folders of equal names (the cameras of
    /// one rig) hold out the same instants. Of a film, the frames before and after one held out still leak.
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
    /// The members of `split` among a folder's files, in order. Names are without folder and ending.
    pub fn members(&self, split: usize, names: &[String]) -> Vec<usize> {
        let n = names.len();
        let mut order: Vec<usize> = (0..n).collect();
        if self.by == Scheme::Random {
            // Ordered by a number that belongs to the name, not shuffled by place: a camera that lacks a frame
            // still agrees with the others, but for the odd instant where one part ends and the next begins.
            let number = |name: &str| hash(self.seed, name.bytes().fold(0, mix_in), 0);
            order.sort_by_cached_key(|&i| (number(&names[i]), i));
        }
        let train = part(self.train, n);
        // Shares of 1 in all leave nothing over: the odd image validates.
        let all = (self.train + self.val - 1.0).abs() < 1e-9;
        let val = if all { n - train } else { part(self.val, n) };
        let range = [0..train, train..train + val, train + val..n][split].clone();
        let mut members = order[range].to_vec();
        members.sort_unstable();
        members
    }
}

fn mix_in(state: u64, byte: u8) -> u64 {
    hash(state, u64::from(byte), 0)
}

/// floor(share n), with 0.7 meaning seven tenths and not the double beside it.
fn part(share: f64, n: usize) -> usize {
    ((share * 1e9).round() as u128 * n as u128 / 1_000_000_000) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(n: usize) -> Vec<String> {
        (0..n).map(|i| format!("{i:06}")).collect()
    }

    #[test]
    fn synthia_has_550_78_and_159_frames_a_camera() {
        for by in [Scheme::Random, Scheme::Blocks] {
            let split = Split { by, ..Split::default() };
            let sizes = [0, 1, 2].map(|s| split.members(s, &frames(787)).len());
            assert_eq!(sizes, [550, 78, 159]);
            assert_eq!(sizes.map(|s| s * 8), [4400, 624, 1272]);
        }
    }

    #[test]
    fn the_parts_cover_everything_once_whatever_the_size() {
        for by in [Scheme::Random, Scheme::Blocks] {
            for n in 0..40 {
                let split = Split { by, ..Split::default() };
                let mut all: Vec<usize> =
                    (0..3).flat_map(|s| split.members(s, &frames(n))).collect();
                all.sort();
                assert_eq!(all, (0..n).collect::<Vec<_>>());
                assert_eq!(split.members(0, &frames(n)).len(), n * 7 / 10);
                assert_eq!(split.members(1, &frames(n)).len(), n / 10);
            }
        }
    }

    #[test]
    fn shares_of_one_in_all_leave_nothing_over() {
        for by in [Scheme::Random, Scheme::Blocks] {
            let split = Split { by, train: 0.8, val: 0.2, seed: 0 };
            let sizes = [0, 1, 2].map(|s| split.members(s, &frames(12)).len());
            assert_eq!(sizes, [9, 3, 0]);
        }
    }

    #[test]
    fn a_random_split_depends_on_seed_and_names_and_a_block_split_does_not() {
        let members =
            |by, seed, names: &[String]| Split { by, seed, ..Split::default() }.members(1, names);
        let (these, others) = (frames(787), frames(1574).split_off(787));
        let random = members(Scheme::Random, 0, &these);
        assert_ne!(random, members(Scheme::Random, 1, &these));
        assert_ne!(random, members(Scheme::Random, 0, &others));
        assert_ne!(random, members(Scheme::Blocks, 0, &these));
        assert_eq!(members(Scheme::Blocks, 1, &others), (550..628).collect::<Vec<_>>());
    }

    #[test]
    fn a_camera_that_lacks_a_frame_agrees_with_the_others_on_all_but_a_few_instants() {
        let split = Split { by: Scheme::Random, ..Split::default() };
        let whole = frames(787);
        for missing in [0, 100, 400, 786] {
            let mut lacking = whole.clone();
            lacking.remove(missing);
            let training: Vec<&String> =
                split.members(0, &lacking).into_iter().map(|i| &lacking[i]).collect();
            let validation = split.members(1, &whole);
            let twins = validation.iter().filter(|&&i| training.contains(&&whole[i])).count();
            assert!(twins <= 1, "{twins} of {} without {missing}", validation.len());
        }
    }
}
