//! What is in a data set: sizes, class shares and problems, before anyone trains on it.
//! Images and labels are decoded, all of them; a quick look takes an image's size from its header alone.
//! A problem is named and counted, and the pass goes on with the next pair.

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::histogram::ValueCount;
use super::index::Index;
use super::palettes::{self, Palette};
use crate::error::Error;
use crate::labels::{Class, IGNORE};

mod look;
mod sum;

use look::{One, Outcome};
use sum::Sum;

pub use palettes::between as palettes_between;

/// Files that are named of one kind of problem; the rest is counted.
pub const NAMED: usize = 20;

/// Counts of one class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClassCount {
    /// Train id.
    pub id: usize,
    /// Name, as the data set has it.
    pub name: String,
    /// Its pixels.
    pub pixels: u64,
    /// Its share of the valid pixels; 0 if there are none.
    pub share: f64,
    /// Labels it occurs in.
    pub images: u64,
    /// Valid pixels of those labels.
    pub pixels_of_its_images: u64,
}

/// How many images have a size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeCount {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Images of this size.
    pub images: u64,
}

/// A pair of which a file cannot be decoded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damaged {
    /// Its place in the index.
    pub sample: usize,
    /// The file, and what is wrong with it.
    pub problem: String,
}

/// What is in a split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Name of the data set.
    pub dataset: String,
    /// Name of the split.
    pub split: String,
    /// Pairs of image and label.
    pub images: u64,
    /// Pairs that were counted: those without a problem of their own.
    pub counted: u64,
    /// Sizes of the images counted, ascending.
    pub sizes: Vec<SizeCount>,
    /// One entry a class, by train id.
    pub classes: Vec<ClassCount>,
    /// Pixels of a class.
    pub valid: u64,
    /// Pixels that are ignored.
    pub ignored: u64,
    /// The values in label files and what each means; none where labels are masks.
    pub values: Vec<ValueCount>,
    /// Colours of the numbers in palette labels, as far as they are used.
    pub palette: Palette,
    /// Pairs that cannot be decoded.
    pub damaged: Vec<Damaged>,
    /// What else is wrong, a line each.
    pub problems: Vec<String>,
    /// What was left out and may well be meant to be, or is odd, a line each.
    pub notes: Vec<String>,
}

impl Stats {
    /// Share of each class in the valid pixels, by train id.
    pub fn shares(&self) -> Vec<f64> {
        self.classes.iter().map(|c| c.share).collect()
    }

    /// Pixels of each class, by train id.
    pub fn counts(&self) -> Vec<u64> {
        self.classes.iter().map(|c| c.pixels).collect()
    }

    /// Everything that is wrong, a line each; of damaged pairs the first are named.
    pub fn all_problems(&self) -> Vec<String> {
        let damaged = self.damaged.iter().take(NAMED).map(|d| d.problem.clone());
        let mut lines: Vec<String> = self.problems.iter().cloned().chain(damaged).collect();
        if self.damaged.len() > NAMED {
            lines.push(format!("and {} more that cannot be decoded", self.damaged.len() - NAMED));
        }
        lines
    }
}

/// How closely images are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Images {
    /// Decoded, as training does: damage anywhere in a file is found.
    Decoded,
    /// Only their size is read, and whether the file goes on to its end.
    Headers,
}

/// Counts a split, every file decoded, on all cores. `progress` is called from the calling thread with the number
/// of pairs done so far. What is wrong with single files stands among `damaged` and `problems`.
pub fn stats(index: &Index, progress: &dyn Fn(u64)) -> Stats {
    stats_with(index, Images::Decoded, progress)
}

/// As [`stats()`], with images looked at as closely as `images` says.
pub fn stats_with(index: &Index, images: Images, progress: &dyn Fn(u64)) -> Stats {
    // Pairs between two reports of progress: few, since one may take a tenth of a second.
    let round = 4 * rayon::current_num_threads();
    let mut sum = Sum::new(index);
    let all: Vec<usize> = (0..index.samples.len()).collect();
    for chunk in all.chunks(round) {
        let looked: Vec<Outcome> = chunk.par_iter().map(|&i| One::look(index, i, images)).collect();
        chunk.iter().zip(looked).for_each(|(&i, one)| sum.add(i, one));
        progress(chunk.last().map_or(0, |&last| last as u64 + 1));
    }
    sum.finish()
}

fn with_hint(error: &Error) -> String {
    let hint = error.hint_text().map_or(String::new(), |h| format!(" ({h})"));
    format!("{error}{hint}")
}

/// Counts of the classes, by train id.
fn class_counts(
    classes: &[Class],
    pixels: &[u64; 256],
    images: &[u64; 256],
    pixels_of_its_images: &[u64; 256],
) -> Vec<ClassCount> {
    let valid: u64 = pixels[..classes.len()].iter().sum();
    let class = |(id, class): (usize, &Class)| ClassCount {
        id,
        name: class.name.clone(),
        pixels: pixels[id],
        share: if valid > 0 { pixels[id] as f64 / valid as f64 } else { 0.0 },
        images: images[id],
        pixels_of_its_images: pixels_of_its_images[id],
    };
    classes.iter().enumerate().map(class).collect()
}

const IGNORED: usize = IGNORE as usize;
