//! Evaluation at several scales, mirrored, and in overlapping windows: the mean of the softmax, then argmax.
//! Not how a vehicle runs a model, where a frame is segmented once (`Model::segment`).
//! As the field evaluates (Chen et al., "Rethinking Atrous Convolution", section 4; Zhao et al., "Pyramid
//! Scene Parsing Network", section 5). Memory is one map of probabilities, whatever the data set's size.

use std::time::{Duration, Instant};

use image::{RgbImage, imageops};
use shared::error::{Error, Result};
use shared::metrics::Averaged;
use shared::preprocess::resize_image;

mod meaning;
mod probabilities;
mod views;

pub use self::probabilities::Probabilities;
use self::probabilities::{Mirror, Region};
pub use self::views::Views;
use crate::contract::Meaning;
use crate::session::{Input, Model, Resized, Segmented, Size, Want};

/// How an image is seen several times.
#[derive(Debug, Clone, PartialEq)]
pub struct Averaging {
    /// Factors on the size at which images go into the model.
    pub scales: Vec<f64>,
    /// Whether each is seen mirrored, too.
    pub flip: bool,
    /// Windows that each is cut into; `None`: whole.
    pub window: Option<Window>,
}

/// Overlapping windows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Width and height.
    pub size: Size,
    /// Share of a window that the next one covers again, 0 to 0.9.
    pub overlap: f64,
}

impl Averaging {
    /// Whether an image is seen once and whole.
    pub fn is_plain(&self) -> bool {
        self.scales == [1.0] && !self.flip && self.window.is_none()
    }

    /// What stands in the evaluation's JSON.
    pub fn record(&self) -> Averaged {
        Averaged {
            scales: self.scales.clone(),
            flip: self.flip,
            window: self.window.map(|w| [w.size.0, w.size.1]),
            overlap: self.window.map(|w| w.overlap),
        }
    }

    /// Refuses a model that cannot be seen so.
    ///
    /// # Errors
    /// A model without logits; one of a fixed size at other sizes; windows that are no multiple of what the
    /// model asks for (exit code 2).
    pub fn check(&self, model: &Model) -> Result<()> {
        let at = format!("model: {}", model.path().display());
        if !model.gives(Want::Logits) {
            return Err(Error::request(format!(
                "{at}: expected logits to average, got labels only"
            ))
            .hint("labels have no mean: export it with its logits (--outputs both; of a model from elsewhere without its argmax), or leave out --scales, --flip and --window"));
        }
        let sizing = model.sizing();
        match (self.window, sizing.fixed.filter(|_| sizing.rigid)) {
            (Some(window), Some(fixed)) if window.size != fixed => Err(Error::request(format!(
                "--window: expected {}x{}, the only size the model takes, got {}x{}",
                fixed.0, fixed.1, window.size.0, window.size.1
            ))
            .hint("a window is what the model sees at once: take that size")),
            (Some(window), _) if sizing.round_up(window.size) != window.size => {
                let (w, h) = sizing.round_up(window.size);
                Err(Error::request(format!(
                    "--window: expected multiples of {} as on the card, got {}x{}",
                    sizing.multiple, window.size.0, window.size.1
                ))
                .hint(format!("the next such size is {w}x{h}")))
            }
            (None, Some(fixed)) if self.scales != [1.0] => Err(Error::request(format!(
                "--scales: expected 1 for a model of fixed size {}x{}, got {:?}",
                fixed.0, fixed.1, self.scales
            ))
            .hint("--window of that size lets it see larger images in parts")),
            _ => Ok(()),
        }
    }

    /// The mean softmax of an image at `size`; the time in ONNX Runtime is added to `run_time`.
    ///
    /// # Errors
    /// As [`Model::run`]; an image smaller than the only window that the model takes.
    pub fn probabilities(
        &self,
        model: &mut Model,
        image: &RgbImage,
        size: Size,
        run_time: &mut Duration,
    ) -> Result<Probabilities> {
        let mut sum = Probabilities::zero(model.card().classes.len(), size);
        sum.threshold = meaning::threshold(model);
        for &scale in &self.scales {
            let scaled = self.scaled(model, image, scale)?;
            self.add(model, &scaled, Mirror::No, &mut sum, run_time)?;
            if self.flip {
                self.add(
                    model,
                    &imageops::flip_horizontal(&scaled),
                    Mirror::Yes,
                    &mut sum,
                    run_time,
                )?;
            }
        }
        sum.divide((self.scales.len() * if self.flip { 2 } else { 1 }) as f32);
        Ok(sum)
    }

    /// Segments an image of any size; the labels come at `size`.
    ///
    /// # Errors
    /// As [`Averaging::probabilities`]; logits that are not numbers.
    pub fn segment(&self, model: &mut Model, image: &RgbImage, size: Size) -> Result<Segmented> {
        let start = Instant::now();
        let mut run = Duration::ZERO;
        let labels = self.probabilities(model, image, size, &mut run)?.labels()?;
        let post = start.elapsed().saturating_sub(run);
        Ok(Segmented { labels, resized: Resized::Logits, run, post })
    }

    fn scaled(&self, model: &Model, image: &RgbImage, scale: f64) -> Result<RgbImage> {
        let sizing = model.sizing();
        let windowed = self.window.is_some() && sizing.rigid;
        // A model of one size sees the image itself through its window, not the image made that small.
        let (w, h) = if windowed { image.dimensions() } else { sizing.of(image.dimensions()) };
        let side = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
        let (w, h) = match (windowed, sizing.rigid) {
            (false, true) => (w, h),
            _ => sizing.round_up((side(w), side(h))),
        };
        if let Some(window) = self.window.filter(|_| sizing.rigid)
            && (w < window.size.0 || h < window.size.1)
        {
            return Err(Error::request(format!(
                "--window: expected images of {}x{} or larger, got {w}x{h}",
                window.size.0, window.size.1
            ))
            .hint("leave --window out: smaller images are then resized to the model's size"));
        }
        Ok(resize_image(image, w, h))
    }

    /// Adds the softmax of one view of the image.
    fn add(
        &self,
        model: &mut Model,
        view: &RgbImage,
        mirror: Mirror,
        sum: &mut Probabilities,
        run_time: &mut Duration,
    ) -> Result<()> {
        let Some(window) = self.window else {
            let whole = Region::whole(sum.size());
            return look(model, view, sum, whole, mirror, run_time);
        };
        let (w, h) = view.dimensions();
        let columns = starts(w, window.size.0, window.overlap);
        let rows = starts(h, window.size.1, window.overlap);
        let (ww, wh) = (window.size.0.min(w), window.size.1.min(h));
        let mut parts = Probabilities::zero(model.card().classes.len(), (w, h));
        for &y in &rows {
            for &x in &columns {
                let part = imageops::crop_imm(view, x, y, ww, wh).to_image();
                let region = Region { x, y, width: ww, height: wh };
                look(model, &part, &mut parts, region, Mirror::No, run_time)?;
            }
        }
        parts.divide_by_cover(&cover(w, &columns, ww), &cover(h, &rows, wh));
        sum.add_resized(&parts, mirror);
        Ok(())
    }
}

/// One run, its softmax added to a region.
fn look(
    model: &mut Model,
    image: &RgbImage,
    sum: &mut Probabilities,
    region: Region,
    mirror: Mirror,
    run_time: &mut Duration,
) -> Result<()> {
    match look_once(model, image, sum, region, mirror, run_time) {
        Ok(meaning) => meaning::settle(model, meaning),
        Err(error) => return Err(model.explain(error, image.dimensions())),
    }
    Ok(())
}

/// As [`look`]; what its logits meant.
fn look_once(
    model: &mut Model,
    image: &RgbImage,
    sum: &mut Probabilities,
    region: Region,
    mirror: Mirror,
    run_time: &mut Duration,
) -> Result<Meaning> {
    let (classes, known) = (model.card().classes.len(), model.meaning());
    let at = format!("model: {}", model.path().display());
    let start = Instant::now();
    let answer = model.run(Input::image(image), Want::Logits)?;
    *run_time += start.elapsed();
    let [_, _, h, w] = answer.logits_shape(classes)?;
    let logits = answer.logits()?;
    let meaning = meaning::of(logits, classes, known).map_err(|e| e.within(at))?;
    sum.add_logits(logits, (w as u32, h as u32), region, mirror, meaning);
    Ok(meaning)
}

/// Where windows begin along a side: a fixed step, the last one moved back to end with the image.
fn starts(side: u32, window: u32, overlap: f64) -> Vec<u32> {
    // 100 x (1 - 0.7) is 30.000000000000004: rounding noise is no reason for another step.
    let step = ((f64::from(window) * (1.0 - overlap) - 1e-9).ceil() as u32).max(1);
    let Some(room) = side.checked_sub(window) else { return vec![0] };
    (0..=room.div_ceil(step)).map(|i| (i * step).min(room)).collect()
}

/// How many windows cover each place of a side.
fn cover(side: u32, starts: &[u32], window: u32) -> Vec<f32> {
    let count = |place: u32| starts.iter().filter(|&&s| (s..s + window).contains(&place)).count();
    (0..side).map(|place| count(place) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_reach_from_edge_to_edge_and_overlap_as_asked() {
        assert_eq!(starts(10, 4, 0.25), [0, 3, 6]);
        assert_eq!(starts(11, 4, 0.25), [0, 3, 6, 7]);
        assert_eq!(starts(4, 4, 0.5), [0]);
        assert_eq!(starts(3, 4, 0.5), [0]);
        assert_eq!(starts(9, 3, 0.0), [0, 3, 6]);
    }

    #[test]
    fn every_place_is_covered_as_often_as_windows_lie_on_it() {
        assert_eq!(cover(6, &[0, 2], 4), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0]);
        assert_eq!(cover(3, &[0], 3), [1.0; 3]);
    }
}
