//! What in a scene is worth enlarging: where the models differ most on rare classes.
//! Not a measure of quality: a difference counts whoever is right. With one model, its errors count.
//! A pixel's weight grows as its class gets rarer, so that one bicycle is worth a stretch of fence.

use super::Scene;
use crate::card::RARE_SHARE;
use crate::labels::IGNORE;
use crate::render::Rect;

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
    pub fn map(&self, scene: &Scene) -> Vec<u32> {
        let predictions: Vec<&[u8]> =
            scene.predictions.iter().map(|p| p.as_raw().as_slice()).collect();
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
        best_regions(
            &scene.truth.as_raw().iter().map(is_class).collect::<Vec<_>>(),
            scene.truth.dimensions(),
            count,
        )
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use image::{GrayImage, Luma, RgbImage};

    /// An empty street of class 0 and what models say of it.
    pub fn scene(index: usize, predictions: Vec<GrayImage>) -> Scene {
        let truth = GrayImage::new(100, 80);
        Scene { index, image: RgbImage::new(100, 80), truth, predictions }
    }

    /// A square of another class.
    pub fn with_patch(x: u32, y: u32, side: u32, class: u8) -> GrayImage {
        let inside = |px, py| (x..x + side).contains(&px) && (y..y + side).contains(&py);
        GrayImage::from_fn(100, 80, |px, py| Luma([if inside(px, py) { class } else { 0 }]))
    }

    #[test]
    fn a_region_lies_on_the_difference_and_another_beside_it() {
        let interest = Interest::new(&[1, 2], &[0.97, 0.02, 0.01], 3);
        let scene = scene(0, vec![with_patch(10, 10, 8, 1), with_patch(70, 60, 8, 1)]);
        let regions = interest.regions(&scene, 2);
        assert_eq!(regions.len(), 2);
        assert!(
            regions[0].overlaps(&Rect::new(10, 10, 8, 8))
                && regions[1].overlaps(&Rect::new(70, 60, 8, 8))
        );
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
}
