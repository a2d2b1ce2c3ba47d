//! Logits to labels: bilinear resize to any size and argmax, fused, so that the large logits never exist.
//! Not the resize of images, which is antialiased and lives in `shared::preprocess`.
//! The formula is PyTorch's `interpolate(mode="bilinear", align_corners=False)`, which torchvision's
//! DeepLab ends with; on a tie the lower class wins, as in `argmax`.

use rayon::prelude::*;

use crate::session::Size;

/// A pixel without a largest logit (all of them NaN or minus infinity) has no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotANumber;

/// The class of the largest logit per pixel: `logits` f32 `[classes, h, w]` to u8 `[h, w]`.
///
/// # Errors
/// [`NotANumber`] if some pixel has no logit above minus infinity.
///
/// # Panics
/// If `logits` does not have `classes` times `size` values, or there are more than 255 classes.
pub fn argmax(logits: &[f32], classes: usize, size: Size) -> Result<Vec<u8>, NotANumber> {
    let (w, h) = (size.0 as usize, size.1 as usize);
    assert!(classes <= 255 && logits.len() == classes * w * h, "logits of another size");
    let mut labels = vec![0; w * h];
    labels.par_chunks_mut(w.max(1)).enumerate().try_for_each_init(
        || RowBest::new(w),
        |best, (y, out)| {
            best.reset();
            for class in 0..classes {
                best.offer(class, &logits[(class * h + y) * w..][..w]);
            }
            best.write(out)
        },
    )?;
    Ok(labels)
}

/// Resizes `logits` f32 `[classes, h, w]` from size `from` to size `to` and takes the argmax: u8 `[H, W]`.
///
/// Interpolation is monotone, so a pixel whose four neighbours agree on the best class has that class:
/// only the pixels along borders are computed. (Where two classes tie after rounding, the lower class may
/// lose; that takes logits equal to the last bit.)
///
/// # Errors
/// [`NotANumber`] if some pixel of the input has no logit above minus infinity.
///
/// # Panics
/// If `logits` does not have `classes` times `from` values, or there are more than 255 classes.
pub fn upsample_argmax(
    logits: &[f32],
    classes: usize,
    from: Size,
    to: Size,
) -> Result<Vec<u8>, NotANumber> {
    let coarse = argmax(logits, classes, from)?;
    if from == to {
        return Ok(coarse);
    }
    let (w, h, width) = (from.0 as usize, from.1 as usize, to.0 as usize);
    let columns = taps(from.0, to.0);
    let rows = taps(from.1, to.1);
    let mut labels = vec![0; width * to.1 as usize];
    labels.par_chunks_mut(width.max(1)).zip(rows.par_iter()).try_for_each_init(
        || Scratch::new(w, width),
        |scratch, (out, row)| {
            let (top, bottom) =
                (&coarse[row.first as usize * w..][..w], &coarse[row.second as usize * w..][..w]);
            scratch.mark_borders(top, bottom);
            scratch.fill_agreeing(&columns, top, out);
            let planes = Planes { logits, plane: w * h, width: w, classes, row };
            planes.decide(scratch, &columns, out)
        },
    )?;
    Ok(labels)
}

/// Resizes `logits` f32 `[classes, h, w]` from size `from` to size `to`: f32 `[classes, H, W]`.
///
/// # Panics
/// If `logits` does not have `classes` times `from` values.
pub fn upsample(logits: &[f32], classes: usize, from: Size, to: Size) -> Vec<f32> {
    let (w, h, width, height) = (from.0 as usize, from.1 as usize, to.0 as usize, to.1 as usize);
    assert!(logits.len() == classes * w * h, "logits of another size");
    let (columns, rows) = (taps(from.0, to.0), taps(from.1, to.1));
    let mut out = vec![0.0; classes * width * height];
    out.par_chunks_exact_mut(width.max(1)).enumerate().for_each_init(
        || vec![0.0; w],
        |between, (i, out)| {
            let (class, row) = (i / height, rows[i % height]);
            let source = |y: u32| &logits[(class * h + y as usize) * w..][..w];
            resize_row(&row, [source(row.first), source(row.second)], between, &columns, out);
        },
    );
    out
}

/// One row: first between two source rows (`between` has their length), then along it.
pub(crate) fn resize_row(
    tap: &Tap,
    [top, bottom]: [&[f32]; 2],
    between: &mut [f32],
    columns: &[Tap],
    out: &mut [f32],
) {
    let [upper, lower] = tap.weights;
    for ((value, top), bottom) in between.iter_mut().zip(top).zip(bottom) {
        *value = upper * top + lower * bottom;
    }
    for (value, column) in out.iter_mut().zip(columns) {
        *value = column.between(|x| between[x]);
    }
}

/// The two source positions an output position lies between, and their weights.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tap {
    pub first: u32,
    pub second: u32,
    pub weights: [f32; 2],
}

impl Tap {
    pub fn between(&self, at: impl Fn(usize) -> f32) -> f32 {
        self.weights[0] * at(self.first as usize) + self.weights[1] * at(self.second as usize)
    }
}

/// Taps of every output position. In f32, because PyTorch computes them so.
pub(crate) fn taps(from: u32, to: u32) -> Vec<Tap> {
    let scale = from as f32 / to as f32;
    let last = from.saturating_sub(1);
    (0..to)
        .map(|i| {
            let position = (scale * (i as f32 + 0.5) - 0.5).max(0.0);
            let first = (position as u32).min(last);
            let fraction = (position - first as f32).clamp(0.0, 1.0);
            Tap { first, second: (first + 1).min(last), weights: [1.0 - fraction, fraction] }
        })
        .collect()
}

/// Buffers of one thread.
struct Scratch {
    /// Per source column: whether the cell to its right has corners of more than one class.
    border: Vec<bool>,
    /// Output columns that are to be computed.
    open: Vec<u32>,
    /// One source row of one class, interpolated between two.
    row: Vec<f32>,
    /// The logits of one class at the open columns.
    values: Vec<f32>,
    best: RowBest,
}

impl Scratch {
    fn new(w: usize, width: usize) -> Self {
        Self {
            border: vec![false; w],
            open: Vec::with_capacity(width),
            row: vec![0.0; w],
            values: vec![0.0; width],
            best: RowBest::new(width),
        }
    }

    fn mark_borders(&mut self, top: &[u8], bottom: &[u8]) {
        let mut pairs = top.windows(2).zip(bottom.windows(2));
        for (border, (t, b)) in self.border.iter_mut().zip(&mut pairs) {
            // `|` and not `||`: no branches, so that it can be done for many columns at once.
            *border = (t[0] != t[1]) | (t[0] != b[0]) | (t[0] != b[1]);
        }
        // Right of the last column there is only the column itself.
        if let (Some(border), Some(t), Some(b)) =
            (self.border.last_mut(), top.last(), bottom.last())
        {
            *border = t != b;
        }
    }

    /// Writes the labels of all pixels whose neighbours agree, and lists the others.
    fn fill_agreeing(&mut self, columns: &[Tap], top: &[u8], out: &mut [u8]) {
        self.open.clear();
        for ((x, label), tap) in (0_u32..).zip(out).zip(columns) {
            *label = top[tap.first as usize];
            if self.border[tap.first as usize] {
                self.open.push(x);
            }
        }
    }
}

/// The logits around one output row.
struct Planes<'a> {
    logits: &'a [f32],
    plane: usize,
    width: usize,
    classes: usize,
    row: &'a Tap,
}

impl Planes<'_> {
    /// The two source rows of a class.
    fn rows(&self, class: usize) -> (&[f32], &[f32]) {
        let plane = &self.logits[class * self.plane..][..self.plane];
        let row = |y: u32| &plane[y as usize * self.width..][..self.width];
        (row(self.row.first), row(self.row.second))
    }

    /// Computes the open pixels of the row.
    fn decide(
        &self,
        scratch: &mut Scratch,
        columns: &[Tap],
        out: &mut [u8],
    ) -> Result<(), NotANumber> {
        let Scratch { open, row, values, best, .. } = scratch;
        let [upper, lower] = self.row.weights;
        let values = &mut values[..open.len()];
        let between = |top: f32, bottom: f32| upper * top + lower * bottom;
        // Many open pixels share their neighbours: then all of them at once, in vector operations.
        let crowded = open.len() * 4 > self.width;
        best.reset();
        for class in 0..self.classes {
            let (top, bottom) = self.rows(class);
            if crowded {
                for ((value, &top), &bottom) in row.iter_mut().zip(top).zip(bottom) {
                    *value = between(top, bottom);
                }
                for (value, &x) in values.iter_mut().zip(open.iter()) {
                    *value = columns[x as usize].between(|x| row[x]);
                }
            } else {
                for (value, &x) in values.iter_mut().zip(open.iter()) {
                    *value = columns[x as usize].between(|x| between(top[x], bottom[x]));
                }
            }
            best.offer(class, values);
        }
        best.check(open.len())?;
        for (&x, &class) in open.iter().zip(&best.class) {
            out[x as usize] = class as u8;
        }
        Ok(())
    }
}

/// The running maximum of a row.
pub(crate) struct RowBest {
    value: Vec<f32>,
    /// As wide as the values, so that comparing and choosing are one vector operation each.
    class: Vec<u32>,
}

/// No class yet; no class table is as long.
const NONE: u32 = u32::MAX;

impl RowBest {
    pub fn new(width: usize) -> Self {
        Self { value: vec![0.0; width], class: vec![NONE; width] }
    }

    pub fn reset(&mut self) {
        self.value.fill(f32::NEG_INFINITY);
        self.class.fill(NONE);
    }

    pub fn offer(&mut self, class: usize, values: &[f32]) {
        for ((best, at), &value) in self.value.iter_mut().zip(&mut self.class).zip(values) {
            let better = value > *best; // never true of a NaN
            *best = if better { value } else { *best };
            // A mask and not a choice, which would be compiled to a branch that noise mispredicts.
            let mask = u32::from(better).wrapping_neg();
            *at = (class as u32 & mask) | (*at & !mask);
        }
    }

    /// Writes the classes of a whole row.
    pub fn write(&self, out: &mut [u8]) -> Result<(), NotANumber> {
        self.check(out.len())?;
        out.iter_mut().zip(&self.class).for_each(|(label, class)| *label = *class as u8);
        Ok(())
    }

    /// Whether each of the first `count` pixels has a class.
    fn check(&self, count: usize) -> Result<(), NotANumber> {
        if self.class[..count].contains(&NONE) { Err(NotANumber) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tie_goes_to_the_lower_class() {
        let low = f32::NEG_INFINITY;
        let logits = [1.0, low, 3.0, 1.0, 2.0, 3.0, 0.5, 2.0, low]; // [3, 1, 3]
        assert_eq!(argmax(&logits, 3, (3, 1)).unwrap(), [0, 1, 0]);
    }

    #[test]
    fn a_pixel_of_nothing_but_nan_is_an_error_and_one_nan_is_not() {
        let nan = f32::NAN;
        assert_eq!(argmax(&[nan, 1.0, nan, 2.0], 2, (2, 1)), Err(NotANumber));
        assert_eq!(argmax(&[nan, 1.0, 0.0, nan], 2, (2, 1)), Ok(vec![1, 0]));
    }

    #[test]
    fn a_size_of_one_pixel_can_be_resized_from_and_to() {
        assert_eq!(upsample_argmax(&[0.0, 1.0], 2, (1, 1), (3, 2)).unwrap(), [1; 6]);
        assert_eq!(
            upsample_argmax(&[0.0, 1.0, 3.0, 3.0, 1.0, 0.0, 0.0, 0.0], 2, (2, 2), (1, 1)).unwrap(),
            [0]
        );
    }
}
