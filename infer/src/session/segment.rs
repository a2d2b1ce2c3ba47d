//! A frame to labels: one run, and what is left to do behind the graph.
//! Not scores and not pictures. The resize of logits with argmax is `upsample`'s.

use std::time::{Duration, Instant};

use image::{GrayImage, RgbImage};
use shared::error::{Error, Result};
use shared::preprocess;

use super::{Input, Model, Size, Want};
use crate::upsample::{self, NotANumber};

/// How logits or labels at input size became labels at the size that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resized {
    /// The sizes were equal.
    Not,
    /// Logits, bilinearly, then argmax.
    Logits,
    /// Labels, by nearest, since the model gives no logits.
    Labels,
}

/// For the user: what became of labels that had another size ([`Resized::Labels`]).
pub const RESIZED_LABELS: &str =
    "resized to the labels' size by nearest, since the model gives no logits";

/// What a frame became.
#[derive(Debug, Clone)]
pub struct Segmented {
    /// Train ids.
    pub labels: GrayImage,
    /// How they came to their size.
    pub resized: Resized,
    /// Time in ONNX Runtime, and to normalize the pixels where the graph does not.
    pub run: Duration,
    /// Time from its output to the labels.
    pub post: Duration,
}

impl Model {
    /// Segments an image that is at input size already; the labels come at `size`.
    ///
    /// # Errors
    /// As [`Model::run`]; logits that are not numbers, or labels that are no class.
    pub fn segment(&mut self, image: &RgbImage, size: Size) -> Result<Segmented> {
        // In two steps, since a failed run is looked into with the model in hand.
        let segmented = self.segment_once(image, size);
        segmented.map_err(|error| self.explain(error, image.dimensions()))
    }

    fn segment_once(&mut self, image: &RgbImage, size: Size) -> Result<Segmented> {
        let want = match (self.gives(Want::Labels), self.gives(Want::Logits)) {
            (true, logits) if image.dimensions() == size || !logits => Want::Labels,
            _ => Want::Logits,
        };
        let classes = self.card().classes.len();
        let at = format!("model: {}", self.path().display());
        let start = Instant::now();
        let answer = self.run(Input::image(image), want)?;
        let behind = answer.post;
        let run = start.elapsed().saturating_sub(behind);
        let start = Instant::now();
        let (labels, resized) = match want {
            Want::Labels => fit_labels(answer.labels()?, answer.labels_size(), size, classes),
            Want::Logits => {
                let [_, _, h, w] = answer.logits_shape(classes).map_err(|e| e.within(&at))?;
                fit_logits(answer.logits()?, (w as u32, h as u32), size, classes)
            }
        }
        .map_err(|e| e.within(&at))?;
        Ok(Segmented { labels, resized, run, post: behind + start.elapsed() })
    }
}

fn fit_labels(labels: &[u8], from: Size, to: Size, classes: usize) -> Result<(GrayImage, Resized)> {
    // A label beyond the class table would be counted or coloured as something it is not.
    if let Some(&highest) = labels.iter().max().filter(|&&l| usize::from(l) >= classes) {
        return Err(Error::work(format!("expected labels below {classes}, got {highest}")));
    }
    let labels = gray(labels.to_vec(), from)?;
    Ok(if from == to {
        (labels, Resized::Not)
    } else {
        (preprocess::resize_labels(&labels, to.0, to.1), Resized::Labels)
    })
}

fn fit_logits(
    logits: &[f32],
    from: Size,
    to: Size,
    classes: usize,
) -> Result<(GrayImage, Resized)> {
    let labels = upsample::upsample_argmax(logits, classes, from, to).map_err(not_a_number)?;
    Ok((gray(labels, to)?, if from == to { Resized::Not } else { Resized::Logits }))
}

/// The error of logits that are none.
pub(super) fn not_a_number(_: NotANumber) -> Error {
    Error::work("expected numbers as logits, got NaN")
        .hint("a half-precision model may overflow: export it with --precision fp32")
}

fn gray(labels: Vec<u8>, size: Size) -> Result<GrayImage> {
    let got = labels.len();
    GrayImage::from_raw(size.0, size.1, labels).ok_or_else(|| {
        Error::work(format!("expected labels {}x{}, got {got} values", size.0, size.1))
    })
}
