//! Which samples are worth a look: each class in one of them, the rest spread over the split.
//! Not at random: the same split gives the same sheet.

use std::collections::BTreeSet;

use super::all_ignored;

/// Places of samples, ascending. `counts` has the pixels by train id of each sample.
pub(super) fn pick(
    counts: &[(usize, Box<[u64; 256]>)],
    classes: usize,
    at_most: usize,
) -> Vec<usize> {
    let mut picked = BTreeSet::new();
    let images = |class: usize| counts.iter().filter(|(_, n)| n[class] > 0).count();
    let mut rarest: Vec<(usize, usize)> = (0..classes).map(|c| (images(c), c)).collect();
    rarest.sort_unstable();
    for (_, class) in rarest.into_iter().filter(|r| r.0 > 0) {
        if picked.len() == at_most {
            break;
        }
        let shown = picked.iter().any(|&at: &usize| counts[at].1[class] > 0);
        if !shown && let Some(at) = (0..counts.len()).max_by_key(|&at| counts[at].1[class]) {
            picked.insert(at);
        }
    }
    // The widest gap between picked samples is filled next, so that the sheet sees the whole split.
    let useful: Vec<usize> = (0..counts.len()).filter(|&at| !all_ignored(&counts[at].1)).collect();
    let spread = useful.len().min(at_most);
    for step in 0..spread {
        if picked.len() >= at_most {
            break;
        }
        picked.insert(useful[step * useful.len() / spread]);
    }
    let rest = useful.into_iter().chain(0..counts.len());
    for at in rest {
        if picked.len() >= at_most {
            break;
        }
        picked.insert(at);
    }
    picked.into_iter().map(|at| counts[at].0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn label(classes: &[usize]) -> Box<[u64; 256]> {
        let mut counts = Box::new([0; 256]);
        classes.iter().for_each(|&c| counts[c] = 10 + c as u64);
        counts
    }

    #[test]
    fn every_class_is_shown_if_there_is_room_and_the_rarest_first() {
        let mut counts: Vec<_> = (0..100).map(|i| (i, label(&[0, 1]))).collect();
        counts[37].1 = label(&[0, 2]);
        counts[71].1 = label(&[0, 3]);
        counts[72].1 = label(&[255]);
        let picked = pick(&counts, 5, 8);
        assert_eq!(picked.len(), 8);
        assert!(picked.contains(&37) && picked.contains(&71), "{picked:?}");
        assert!(!picked.contains(&72), "nothing to see there: {picked:?}");
        assert!(picked.iter().any(|&i| i < 15) && picked.iter().any(|&i| i > 80), "{picked:?}");
        assert_eq!(pick(&counts, 5, 2), [37, 71]);
    }

    #[test]
    fn a_small_split_is_shown_whole() {
        let counts: Vec<_> = (0..3).map(|i| (i, label(&[0]))).collect();
        assert_eq!(pick(&counts, 1, 16), [0, 1, 2]);
        assert!(pick(&[], 1, 16).is_empty());
    }
}
