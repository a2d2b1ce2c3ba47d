//! Which scenes to show: those where the models differ most on rare classes.
//! Not which part of them (`interest`). Only counts are kept, so that a split of any size can be seen.
//! The split is cut into parts, one scene from each, since neighbours in a video look alike.

use image::GrayImage;

use super::{Interest, Scene};
use crate::labels::IGNORE;

/// The scene to show the errors of a class in.
#[derive(Debug)]
struct ClassPick {
    class: usize,
    /// Pixels that differ, then pixels of the class: scenes are compared by both, in this order.
    worth: (u64, u64),
    scene: Option<usize>,
}

/// The best scene of each part of the split, and the best scene per rare class.
#[derive(Debug)]
pub struct Picks {
    images: usize,
    /// Worth and index of the best scene.
    parts: Vec<Option<(u64, usize)>>,
    classes: Vec<ClassPick>,
}

impl Picks {
    /// For a split of `images`, cut into `parts` contiguous parts (neighbours in a video look alike).
    pub fn new(images: usize, parts: usize, rare: &[usize]) -> Self {
        let parts = parts.clamp(1, images.max(1));
        let pick = |&class: &usize| ClassPick { class, worth: (0, 0), scene: None };
        Self { images, parts: vec![None; parts], classes: rare.iter().map(pick).collect() }
    }

    /// Looks at a scene of the split; ties go to the earlier one.
    pub fn see(&mut self, scene: &Scene, interest: &Interest) {
        let worth = interest.map(scene).iter().map(|&w| u64::from(w)).sum();
        let part = scene.index * self.parts.len() / self.images.max(1);
        if self.parts[part].is_none_or(|(best, _)| worth > best) {
            self.parts[part] = Some((worth, scene.index));
        }
        let counts = class_counts(&scene.truth, &scene.predictions);
        for pick in &mut self.classes {
            if counts[pick.class] > pick.worth {
                (pick.worth, pick.scene) = (counts[pick.class], Some(scene.index));
            }
        }
    }

    /// The index of one scene per part.
    pub fn scenes(&self) -> Vec<usize> {
        self.parts.iter().flatten().map(|&(_, scene)| scene).collect()
    }

    /// The index of the scene to show the errors of a rare class in; `None` if it never occurs.
    pub fn scene_for(&self, class: usize) -> Option<usize> {
        self.classes.iter().find(|pick| pick.class == class)?.scene
    }
}

/// Per class: pixels of it, in truth or prediction, on which models differ (one model: errs); pixels of it.
fn class_counts(truth: &GrayImage, predictions: &[GrayImage]) -> Vec<(u64, u64)> {
    let mut counts = vec![(0, 0); 256];
    for (i, &truth) in truth.as_raw().iter().enumerate().filter(|(_, t)| **t != IGNORE) {
        counts[usize::from(truth)].1 += 1;
        let label = |p: &GrayImage| p.as_raw()[i];
        let other = match predictions {
            [first, _, ..] => label(first),
            _ => truth,
        };
        if predictions.iter().any(|p| label(p) != other) {
            counts[usize::from(truth)].0 += 1;
            // A class that only a prediction has, counted once.
            let mut met = [truth; 4];
            for (n, p) in predictions.iter().take(4).enumerate() {
                let l = label(p);
                if !met[..n].contains(&l) && l != truth {
                    counts[usize::from(l)].0 += 1;
                }
                met[n] = l;
            }
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::super::interest::tests::{scene, with_patch};
    use super::*;

    #[test]
    fn every_part_of_the_split_gives_its_best_scene() {
        let interest = Interest::new(&[1], &[0.99, 0.01], 2);
        let mut picks = Picks::new(4, 2, &[1]);
        for (index, side) in [2, 9, 0, 0].into_iter().enumerate() {
            picks.see(
                &scene(index, vec![with_patch(1, 1, side, 1), with_patch(1, 1, 0, 1)]),
                &interest,
            );
        }
        assert_eq!(picks.scenes(), [1, 2]);
        assert_eq!(picks.scene_for(1), Some(1));
        assert_eq!(picks.scene_for(0), None);
    }
}
