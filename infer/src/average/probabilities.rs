//! A map of class probabilities that logits are added to: resized, softmax, summed, row by row.
//! Not the fused argmax of one run (`upsample`), whose bilinear taps it shares.
//! Rows of all classes lie together, `[height, classes, width]` f32, so that threads share nothing.

use image::GrayImage;
use rayon::prelude::*;
use shared::error::{Error, Result};

use crate::contract::{Channel, Meaning};
use crate::session::Size;
use crate::upsample::{RowBest, resize_row, taps};

/// Whether what is added is mirrored first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mirror {
    Yes,
    No,
}

/// A rectangle of the map, in pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Region {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

impl Region {
    /// All of a map of this size.
    pub fn whole((width, height): Size) -> Self {
        Self { x: 0, y: 0, width, height }
    }
}

/// Sums, or means, of probabilities: f32 `[height, classes, width]`.
#[derive(Debug, Clone)]
pub struct Probabilities {
    classes: usize,
    size: Size,
    values: Vec<f32>,
    /// Above which probability a place is of the second of two classes; none: the most probable
    /// class.
    pub(super) threshold: Option<f32>,
}

impl Probabilities {
    /// Nothing added yet.
    pub fn zero(classes: usize, size: Size) -> Self {
        let values = vec![0.0; classes * size.0 as usize * size.1 as usize];
        Self { classes, size, values, threshold: None }
    }

    /// Width and height.
    pub fn size(&self) -> Size {
        self.size
    }

    /// The value of a class at a place.
    pub fn at(&self, class: usize, x: u32, y: u32) -> f32 {
        self.row(class, y as usize)[x as usize]
    }

    /// The most probable class per place; of several the first.
    ///
    /// # Errors
    /// If some place has no number.
    pub fn labels(&self) -> Result<GrayImage> {
        let (w, h) = self.size;
        let width = w as usize;
        let mut labels = vec![0; width * h as usize];
        let rows = self.values.par_chunks_exact(self.classes * width);
        labels
            .par_chunks_exact_mut(width)
            .zip(rows)
            .try_for_each_init(
                || RowBest::new(width),
                |best, (out, row)| {
                    best.reset();
                    match self.threshold {
                        // The first class's probability is one less the second's: the threshold
                        // stands for it.
                        Some(threshold) => {
                            let second = &row[width..];
                            let rival = |p: &f32| if p.is_nan() { f32::NAN } else { threshold };
                            best.offer(0, &second.iter().map(rival).collect::<Vec<_>>());
                            best.offer(1, second);
                        }
                        None => row
                            .chunks_exact(width)
                            .enumerate()
                            .for_each(|(class, row)| best.offer(class, row)),
                    }
                    best.write(out)
                },
            )
            .map_err(|_| Error::work("expected numbers as logits, got NaN"))?;
        GrayImage::from_raw(w, h, labels)
            .ok_or_else(|| Error::work("average: expected as many labels as pixels"))
    }

    /// Makes a sum a mean.
    pub(super) fn divide(&mut self, by: f32) {
        self.values.par_iter_mut().for_each(|v| *v /= by);
    }

    /// Makes a sum over windows a mean: `columns[x] * rows[y]` of them lie on a place.
    pub(super) fn divide_by_cover(&mut self, columns: &[f32], rows: &[f32]) {
        let width = self.size.0 as usize;
        let stride = self.classes * width;
        self.values.par_chunks_exact_mut(stride).zip(rows).for_each(|(row, by)| {
            for row in row.chunks_exact_mut(width) {
                row.iter_mut().zip(columns).for_each(|(v, c)| *v /= by * c);
            }
        });
    }

    /// Adds what `logits` f32 `[classes, h, w]` mean, resized bilinearly to the region before that
    /// is worked out.
    pub(super) fn add_logits(
        &mut self,
        logits: &[f32],
        from: Size,
        region: Region,
        mirror: Mirror,
        meaning: Meaning,
    ) {
        let (w, plane) = (from.0 as usize, from.0 as usize * from.1 as usize);
        let row = |class: usize, y: usize| &logits[class * plane + y * w..][..w];
        let finish = |values: &mut [f32], width: usize| match meaning {
            Meaning::Logits => softmax(values, width),
            Meaning::Softmax | Meaning::Sigmoid => (),
            Meaning::Channel(channel) => two_classes(values, width, channel),
        };
        self.add(row, from, region, mirror, finish);
    }

    /// Adds another map, resized bilinearly to all of this one.
    pub(super) fn add_resized(&mut self, other: &Self, mirror: Mirror) {
        let region = Region::whole(self.size);
        self.add(|class, y| other.row(class, y), other.size, region, mirror, |_, _| ());
    }

    /// Adds `finish` of the rows of a source, resized to the region.
    fn add<'a>(
        &mut self,
        source: impl Fn(usize, usize) -> &'a [f32] + Sync,
        from: Size,
        region: Region,
        mirror: Mirror,
        finish: impl Fn(&mut [f32], usize) + Sync,
    ) {
        let (width, classes) = (self.size.0 as usize, self.classes);
        let (left, columns_wide) = (region.x as usize, region.width as usize);
        let mut columns = taps(from.0, region.width);
        if mirror == Mirror::Yes {
            columns.reverse();
        }
        let rows = taps(from.1, region.height);
        let stride = classes * width;
        let values = &mut self.values[region.y as usize * stride..][..rows.len() * stride];
        values.par_chunks_exact_mut(stride).zip(&rows).for_each_init(
            || (vec![0.0; classes * columns_wide], vec![0.0; from.0 as usize]),
            |(resized, between), (out, row)| {
                for (class, resized) in resized.chunks_exact_mut(columns_wide).enumerate() {
                    let rows = [row.first, row.second].map(|y| source(class, y as usize));
                    resize_row(row, rows, between, &columns, resized);
                }
                finish(resized, columns_wide);
                for (out, resized) in
                    out.chunks_exact_mut(width).zip(resized.chunks_exact(columns_wide))
                {
                    let out = &mut out[left..][..columns_wide];
                    out.iter_mut().zip(resized).for_each(|(sum, value)| *sum += value);
                }
            },
        );
    }

    fn row(&self, class: usize, y: usize) -> &[f32] {
        let width = self.size.0 as usize;
        &self.values[(y * self.classes + class) * width..][..width]
    }
}

/// Softmax over the classes of one row, `[classes, width]` in place.
fn softmax(values: &mut [f32], width: usize) {
    let mut highest = vec![f32::NEG_INFINITY; width];
    for row in values.chunks_exact(width) {
        highest.iter_mut().zip(row).for_each(|(h, v)| *h = h.max(*v));
    }
    let mut total = vec![0.0_f32; width];
    for row in values.chunks_exact_mut(width) {
        for ((value, highest), total) in row.iter_mut().zip(&highest).zip(&mut total) {
            *value = (*value - highest).exp();
            *total += *value;
        }
    }
    for row in values.chunks_exact_mut(width) {
        row.iter_mut().zip(&total).for_each(|(v, t)| *v /= t);
    }
}

/// Probabilities of two classes from a channel, which is the second row of `[2, width]`.
fn two_classes(values: &mut [f32], width: usize, channel: Channel) {
    let (first, second) = values.split_at_mut(width);
    for (first, second) in first.iter_mut().zip(second) {
        if !channel.squashed {
            *second = 1.0 / (1.0 + (-*second).exp());
        }
        *first = 1.0 - *second;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add_softmax(
        sum: &mut Probabilities,
        logits: &[f32],
        from: Size,
        region: Region,
        mirror: Mirror,
    ) {
        sum.add_logits(logits, from, region, mirror, Meaning::Logits);
    }

    #[test]
    fn a_channel_is_divided_by_its_threshold_and_not_by_half() {
        for (squashed, values) in [(true, [0.4, 0.2]), (false, [-0.405_465_1, -1.386_294_4])] {
            for (threshold, expected) in [(0.3, [1, 0]), (0.5, [0, 0]), (0.1, [1, 1])] {
                let channel = Channel { squashed, threshold };
                let logits = [[channel.rival(); 2], values].concat(); // [2, 1, 2]
                let mut sum = Probabilities::zero(2, (2, 1));
                sum.threshold = Some(threshold);
                let region = Region::whole((2, 1));
                sum.add_logits(&logits, (2, 1), region, Mirror::No, Meaning::Channel(channel));
                assert_eq!(sum.labels().unwrap().into_raw(), expected, "{squashed} {threshold}");
                assert!(
                    (sum.at(0, 0, 0) - 0.6).abs() < 1e-6 && (sum.at(1, 0, 0) - 0.4).abs() < 1e-6
                );
            }
        }
    }

    #[test]
    fn a_mirrored_view_is_turned_back() {
        let logits = [3.0, 0.0, 0.0, /* class 1 */ 0.0, 0.0, 0.0]; // [2, 1, 3]
        let mut sum = Probabilities::zero(2, (3, 1));
        add_softmax(&mut sum, &logits, (3, 1), Region::whole((3, 1)), Mirror::Yes);
        assert!(sum.at(0, 2, 0) > 0.9 && sum.at(0, 0, 0) == 0.5);
        add_softmax(&mut sum, &logits, (3, 1), Region::whole((3, 1)), Mirror::No);
        assert_eq!(sum.at(0, 0, 0), sum.at(0, 2, 0));
    }

    #[test]
    fn windows_add_up_to_probabilities() {
        let mut sum = Probabilities::zero(2, (5, 2));
        for x in [0, 1] {
            let region = Region { x, y: 0, width: 4, height: 2 };
            add_softmax(&mut sum, &[1.0; 16], (4, 2), region, Mirror::No);
        }
        sum.divide_by_cover(&[1.0, 2.0, 2.0, 2.0, 1.0], &[1.0, 1.0]);
        assert!(sum.values.iter().all(|v| (v - 0.5).abs() < 1e-6), "{:?}", sum.values);
    }

    #[test]
    fn large_logits_do_not_overflow_and_what_is_no_number_is_an_error() {
        let mut sum = Probabilities::zero(2, (1, 1));
        add_softmax(&mut sum, &[1e4, -1e4], (1, 1), Region::whole((1, 1)), Mirror::No);
        assert_eq!((sum.at(0, 0, 0), sum.labels().unwrap().into_raw()), (1.0, vec![0]));
        add_softmax(&mut sum, &[f32::NAN, 0.0], (1, 1), Region::whole((1, 1)), Mirror::No);
        assert!(sum.labels().is_err());
    }
}
