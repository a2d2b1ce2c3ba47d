//! How the values of an image become the 8 bits that a network sees: cut, through a window, or stretched.
//! A data set's descriptor says which (`image = ...`), the card of a model trained on it repeats it, and so training
//! and serving do the same. Not normalization, which is part of the network; not labels.

use std::path::Path;

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::check::bad;
use super::raster::{Channels, Samples};
use crate::error::{Error, Result};

/// A rule in place of the usual one, which keeps the upper 8 of 16 bits and leaves 8 bits as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "expected { min = NUMBER, max = NUMBER } of 0 to 65535, or \"stretch\""
)]
pub enum Tone {
    /// The same window for every image, in the values of its file.
    Window(Window),
    /// A window of each image's own.
    Named(Named),
}

/// `min` and less become 0, `max` and more 255, what lies between (v - min) / (max - min) * 255, rounded, halves up.
///
/// For images of 16 bits alone: one of 8 bits in such a data set is an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// Becomes 0.
    pub min: u16,
    /// Becomes 255.
    pub max: u16,
}

/// Rules that go by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Named {
    /// For images of 8 and of 16 bits: the [`Window`] from the 1st to the 99th percentile of the image's own values,
    /// all channels but alpha together. The p-th percentile is the smallest value that at least p % of the values do not
    /// exceed. Where the two are equal, the window goes from the smallest value to the largest; an image of one
    /// value becomes 0.
    Stretch,
}

impl Tone {
    /// Refuses a window without width.
    ///
    /// # Errors
    /// A minimum that is not below the maximum (exit code 2).
    pub fn check(self) -> Result<()> {
        match self {
            Tone::Window(w) if w.min >= w.max => Err(Error::request(format!(
                "image: expected min below max, got {} and {}",
                w.min, w.max
            ))),
            _ => Ok(()),
        }
    }

    /// Refuses a rule that frames of 8 bits, from a camera or a video, cannot follow.
    ///
    /// # Errors
    /// A window, which is for images of 16 bits (exit code 2).
    pub fn check_frames(self) -> Result<()> {
        match self {
            Tone::Window(_) => Err(Error::request(ONLY_DEEP).hint(ONLY_DEEP_HINT)),
            Tone::Named(_) => Ok(()),
        }
    }

    /// Does to a frame of 8 bits what this rule does to an image file of 8 bits; see [`Tone::check_frames`].
    pub fn apply(self, frame: &mut RgbImage) {
        let window = match self {
            Tone::Window(window) => window,
            Tone::Named(Named::Stretch) => Window::stretch(frame.iter().map(|&v| u16::from(v))),
        };
        let table: Vec<u8> = (0..256).map(|v| window.byte(v)).collect();
        frame.iter_mut().for_each(|v| *v = table[usize::from(*v)]);
    }
}

const ONLY_DEEP: &str = "expected an image of 16 bits a channel, as the window (image = { min, max }) is for those, got 8 bits";
const ONLY_DEEP_HINT: &str =
    "the window stands in the data set's descriptor, or in the card of the model";

impl std::fmt::Display for Tone {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            Tone::Window(w) => write!(f, "{{ min = {}, max = {} }}", w.min, w.max),
            Tone::Named(Named::Stretch) => write!(f, "\"stretch\""),
        }
    }
}

impl Window {
    fn byte(self, value: u16) -> u8 {
        let width = u32::from(self.max.saturating_sub(self.min));
        let above = u32::from(value.saturating_sub(self.min)).min(width);
        // At most 255, as `above` is at most `width`.
        (above * 510 + width).checked_div(2 * width).unwrap_or(0) as u8
    }

    /// The window of an image that has these values.
    fn stretch(values: impl Iterator<Item = u16>) -> Window {
        let mut counts = vec![0u64; 1 << 16];
        values.for_each(|v| counts[usize::from(v)] += 1);
        let total: u64 = counts.iter().sum();
        let percentile = |percent: u64| {
            let mut seen = 0;
            let reached = |count: &u64| {
                seen += count;
                *count > 0 && seen * 100 >= percent * total
            };
            counts.iter().position(reached).unwrap_or(0) as u16
        };
        let (min, max) = (percentile(1), percentile(99));
        if min < max {
            Window { min, max }
        } else {
            Window { min: percentile(0), max: percentile(100) }
        }
    }
}

/// How many grey levels an image of 16 bits uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// Smallest value.
    pub min: u16,
    /// Largest value.
    pub max: u16,
    /// Different values in the file.
    pub stored: usize,
    /// Different values that are left of them in 8 bits.
    pub kept: usize,
}

impl Levels {
    /// Whether too few are left of what there was: under 64, and under half.
    pub fn too_few(&self) -> bool {
        self.kept < 64 && self.stored > 2 * self.kept
    }

    pub(super) fn of(words: &[u16], channels: &Channels, tone: Option<Tone>) -> Self {
        let mut there = vec![false; 1 << 16];
        values(words, channels).for_each(|v| there[usize::from(v)] = true);
        let rule = rule(words, channels, tone);
        let mut kept = [false; 256];
        let stored: Vec<u16> = (0..=u16::MAX).filter(|&v| there[usize::from(v)]).collect();
        stored.iter().for_each(|&v| kept[usize::from(rule(v))] = true);
        Levels {
            min: stored.first().copied().unwrap_or(0),
            max: stored.last().copied().unwrap_or(0),
            stored: stored.len(),
            kept: kept.iter().filter(|k| **k).count(),
        }
    }
}

/// Samples to 8 bits; alpha is cut, whatever the rule.
pub(super) fn bytes(
    path: &Path,
    samples: Samples,
    channels: &Channels,
    tone: Option<Tone>,
) -> Result<Vec<u8>> {
    match (samples, tone) {
        (Samples::Bytes(bytes), None) => Ok(bytes),
        (Samples::Bytes(_), Some(Tone::Window(_))) => {
            Err(bad(path, ONLY_DEEP).hint(ONLY_DEEP_HINT))
        }
        (Samples::Bytes(mut bytes), Some(Tone::Named(Named::Stretch))) => {
            let words: Vec<u16> = bytes.iter().map(|&v| u16::from(v)).collect();
            let rule = rule(&words, channels, tone);
            let table: Vec<u8> = (0..256).map(rule).collect();
            let (colors, count) = (colors(channels), channels.count());
            for pixel in bytes.chunks_exact_mut(count) {
                pixel[..colors].iter_mut().for_each(|v| *v = table[usize::from(*v)]);
            }
            Ok(bytes)
        }
        (Samples::Words(words), tone) => {
            let rule = rule(&words, channels, tone);
            let table: Vec<u8> = (0..=u16::MAX).map(rule).collect();
            let (colors, count) = (colors(channels), channels.count());
            let mut bytes = Vec::with_capacity(words.len());
            for pixel in words.chunks_exact(count) {
                bytes.extend(pixel[..colors].iter().map(|&v| table[usize::from(v)]));
                bytes.extend(pixel[colors..].iter().map(|&alpha| (alpha >> 8) as u8));
            }
            Ok(bytes)
        }
    }
}

/// What becomes of each value of an image.
fn rule(words: &[u16], channels: &Channels, tone: Option<Tone>) -> impl Fn(u16) -> u8 {
    let window = match tone {
        None => None,
        Some(Tone::Window(window)) => Some(window),
        Some(Tone::Named(Named::Stretch)) => Some(Window::stretch(values(words, channels))),
    };
    move |value| window.map_or((value >> 8) as u8, |window| window.byte(value))
}

/// All values but alpha.
fn values<'a>(words: &'a [u16], channels: &Channels) -> impl Iterator<Item = u16> + 'a {
    let (colors, count) = (colors(channels), channels.count());
    words.chunks_exact(count).flat_map(move |pixel| pixel[..colors].iter().copied())
}

/// Samples of a pixel that are no alpha.
fn colors(channels: &Channels) -> usize {
    match channels {
        Channels::Grey | Channels::GreyAlpha | Channels::Palette(_) => 1,
        Channels::Rgb | Channels::Rgba => 3,
    }
}
