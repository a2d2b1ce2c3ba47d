//! Which scenes and regions to show: where the models differ most on rare classes.
//! Not a measure of quality: a difference counts whoever is right. With one model, its errors count.
//! A pixel's weight grows as its class gets rarer, so that one bicycle is worth a stretch of fence.

use image::GrayImage;
use shared::card::RARE_SHARE;
use shared::labels::IGNORE;
use shared::render::Rect;

use crate::score::Scene;

/// How much a pixel of each class is worth looking at; 0 for classes that are not rare.
#[derive(Debug)]
pub struct Interest {
    weight: [u32; 256],
}

/// Weight of a class at the threshold of rareness, and the most that a class can have.
const WEIGHTS: (f64, f64) = (16.0, 256.0);

impl Interest {
    /// Weights for the rare classes, given the share of every class.
    pub fn new(rare: &[usize], share: &[f64], classes: usize) -> Self {
        let mut weight = [0; 256];
        for &class in rare.iter().filter(|&&c| c < classes) {
            let share = share.get(class).copied().unwrap_or(RARE_SHARE).max(1e-9);
            weight[class] = (WEIGHTS.0 * RARE_SHARE / share).clamp(1.0, WEIGHTS.1) as u32;
        }
        Self { weight }
    }

    /// What every pixel of the scene is worth.
    fn map(&self, scene: &Scene) -> Vec<u32> {
        let predictions: Vec<&[u8]> = scene.predictions.iter().map(|p| p.as_raw().as_slice()).collect();
        let worth = |(i, &truth): (usize, &u8)| {
            if truth == IGNORE {
                return 0;
            }
            let first = predictions.first().map_or(truth, |p| p[i]);
            let other = if predictions.len() > 1 { first } else { truth };
            if predictions.iter().all(|p| p[i] == other) {
                return 0;
            }
            let labels = predictions.iter().map(|p| p[i]).chain([truth]);
            labels.map(|l| self.weight[usize::from(l)]).max().unwrap_or(0)
        };
        scene.truth.as_raw().iter().enumerate().map(worth).collect()
    }

    /// Up to `count` regions of the scene with the most in them, from left to right, not overlapping.
    pub fn regions(&self, scene: &Scene, count: usize) -> Vec<Rect> {
        best_regions(&self.map(scene), scene.truth.dimensions(), count)
    }

    /// The same for one class alone, whatever its weight.
    pub fn regions_of(&self, class: usize, scene: &Scene, count: usize) -> Vec<Rect> {
        let only = Self { weight: std::array::from_fn(|c| u32::from(c == class)) };
        let map = only.map(scene);
        if map.iter().any(|&m| m > 0) {
            return best_regions(&map, scene.truth.dimensions(), count);
        }
        // No difference: show where the class is.
        let is_class = |l: &u8| u32::from(usize::from(*l) == class);
        best_regions(&scene.truth.as_raw().iter().map(is_class).collect::<Vec<_>>(), scene.truth.dimensions(), count)
    }
}

/// Regions a fifth as wide as the picture, at three quarters of that height.
fn best_regions(map: &[u32], size: (u32, u32), count: usize) -> Vec<Rect> {
    let (w, h) = (size.0 as usize, size.1 as usize);
    let width = (w / 5).max(24).min(w);
    let height = (width * 3 / 4).min(h);
    let sums = Sums::new(map, w, h);
    let step = (width / 12).max(1);
    let along = |from: usize, to: usize| (0..=to - from).step_by(step);
    let mut windows: Vec<(u64, usize, usize)> = along(height, h)
        .flat_map(|y| along(width, w).map(move |x| (x, y)))
        .map(|(x, y)| (sums.inside(x, y, width, height), y, x))
        .filter(|window| window.0 > 0)
        .collect();
    windows.sort_by_key(|&(sum, y, x)| (std::cmp::Reverse(sum), y, x));
    let mut regions: Vec<Rect> = Vec::new();
    let least = windows.first().map_or(0, |w| w.0 / 20); // nearly nothing is not worth a box
    for (sum, y, x) in windows {
        let region = Rect::new(x as u32, y as u32, width as u32, height as u32);
        if regions.len() < count && sum > least && regions.iter().all(|r| !r.overlaps(&region)) {
            regions.push(region);
        }
    }
    regions.sort_by_key(|r| r.x);
    regions
}

/// Sums over rectangles in constant time.
struct Sums {
    /// `[h + 1][w + 1]`: the sum above and to the left.
    sums: Vec<u64>,
    stride: usize,
}

impl Sums {
    fn new(map: &[u32], w: usize, h: usize) -> Self {
        let stride = w + 1;
        let mut sums = vec![0; stride * (h + 1)];
        for y in 0..h {
            let mut row = 0;
            for x in 0..w {
                row += u64::from(map[y * w + x]);
                sums[(y + 1) * stride + x + 1] = sums[y * stride + x + 1] + row;
            }
        }
        Self { sums, stride }
    }

    fn inside(&self, x: usize, y: usize, width: usize, height: usize) -> u64 {
        let at = |x: usize, y: usize| self.sums[y * self.stride + x];
        at(x + width, y + height) + at(x, y) - at(x, y + height) - at(x + width, y)
    }
}

/// The best scene of each part of the split, and the best scene per rare class.
#[derive(Debug)]
pub struct Picks {
    images: usize,
    /// Worth and place.
    parts: Vec<Option<(u64, usize)>>,
    /// Class, then pixels that differ, pixels of the class, place.
    classes: Vec<(usize, Option<(u64, u64, usize)>)>,
}

impl Picks {
    /// For a split of `images`, cut into `parts` contiguous parts (neighbours in a video look alike).
    pub fn new(images: usize, parts: usize, rare: &[usize]) -> Self {
        let parts = parts.clamp(1, images.max(1));
        Self { images, parts: vec![None; parts], classes: rare.iter().map(|&c| (c, None)).collect() }
    }

    /// Looks at a scene of the split; ties go to the earlier one.
    pub fn see(&mut self, scene: &Scene, interest: &Interest) {
        let worth = interest.map(scene).iter().map(|&w| u64::from(w)).sum();
        let part = scene.place * self.parts.len() / self.images.max(1);
        if self.parts[part].is_none_or(|(best, _)| worth > best) {
            self.parts[part] = Some((worth, scene.place));
        }
        let counts = class_counts(&scene.truth, &scene.predictions);
        for (class, best) in &mut self.classes {
            let (differ, present) = counts[*class];
            let better = best.is_none_or(|(d, p, _)| (differ, present) > (d, p));
            if present + differ > 0 && better {
                *best = Some((differ, present, scene.place));
            }
        }
    }

    /// One scene per part.
    pub fn scenes(&self) -> Vec<usize> {
        self.parts.iter().flatten().map(|&(_, place)| place).collect()
    }

    /// The scene to show the errors of a rare class in; `None` if it never occurs.
    pub fn scene_for(&self, class: usize) -> Option<usize> {
        self.classes.iter().find(|(c, _)| *c == class).and_then(|(_, best)| best.map(|(_, _, place)| place))
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
    use super::*;
    use image::{Luma, RgbImage};

    fn scene(place: usize, predictions: Vec<GrayImage>) -> Scene {
        let truth = GrayImage::new(100, 80);
        Scene { place, image: RgbImage::new(100, 80), truth, predictions }
    }

    fn with_patch(x: u32, y: u32, side: u32, class: u8) -> GrayImage {
        let inside = |px, py| (x..x + side).contains(&px) && (y..y + side).contains(&py);
        GrayImage::from_fn(100, 80, |px, py| Luma([if inside(px, py) { class } else { 0 }]))
    }

    #[test]
    fn a_region_lies_on_the_difference_and_another_beside_it() {
        let interest = Interest::new(&[1, 2], &[0.97, 0.02, 0.01], 3);
        let scene = scene(0, vec![with_patch(10, 10, 8, 1), with_patch(70, 60, 8, 1)]);
        let regions = interest.regions(&scene, 2);
        assert_eq!(regions.len(), 2);
        assert!(regions[0].overlaps(&Rect::new(10, 10, 8, 8)) && regions[1].overlaps(&Rect::new(70, 60, 8, 8)));
    }

    #[test]
    fn where_models_agree_or_only_common_classes_differ_there_is_nothing_to_show() {
        let interest = Interest::new(&[2], &[0.5, 0.49, 0.01], 3);
        let agree = scene(0, vec![with_patch(10, 10, 8, 2), with_patch(10, 10, 8, 2)]);
        assert!(interest.regions(&agree, 2).is_empty());
        let common = scene(0, vec![with_patch(10, 10, 8, 1), with_patch(70, 60, 8, 1)]);
        assert!(interest.regions(&common, 2).is_empty());
    }

    #[test]
    fn one_model_is_compared_with_the_truth() {
        let interest = Interest::new(&[1], &[0.99, 0.01], 2);
        assert_eq!(interest.regions(&scene(0, vec![with_patch(40, 40, 8, 1)]), 2).len(), 1);
    }

    #[test]
    fn every_part_of_the_split_gives_its_best_scene() {
        let interest = Interest::new(&[1], &[0.99, 0.01], 2);
        let mut picks = Picks::new(4, 2, &[1]);
        for (place, side) in [2, 9, 0, 0].into_iter().enumerate() {
            picks.see(&scene(place, vec![with_patch(1, 1, side, 1), with_patch(1, 1, 0, 1)]), &interest);
        }
        assert_eq!(picks.scenes(), [1, 2]);
        assert_eq!(picks.scene_for(1), Some(1));
        assert_eq!(picks.scene_for(0), None);
    }
}
