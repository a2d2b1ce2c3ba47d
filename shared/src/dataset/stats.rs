//! What is in a data set: sizes, class shares and problems, before anyone trains on it.
//! Labels are decoded; of an image only its size is read and whether the file is complete, for the sake of speed.
//! A problem is named and counted, and the pass goes on with the next label.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::file::Ids;
use super::index::{Index, histogram};
use super::mixup::Evidence;
use crate::decode::{self, Values};
use crate::error::{Error, Result};
use crate::labels::{Class, IGNORE};

/// Files that are named of one kind of problem; the rest is counted.
const NAMED: usize = 20;

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
    /// What is wrong, a line each.
    pub problems: Vec<String>,
    /// What was left out and may well be meant to be, a line each.
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
}

/// Counts a split, on all cores. `progress` is called from the calling thread with the number of images done so far.
/// What is wrong with single files stands among the `problems`.
pub fn stats(index: &Index, progress: &dyn Fn(u64)) -> Stats {
    const ROUND: usize = 64; // images between two reports of progress
    let mut sum = Sum::new(index);
    let all: Vec<usize> = (0..index.samples.len()).collect();
    for chunk in all.chunks(ROUND) {
        let looked: Vec<Result<One>> = chunk.par_iter().map(|&i| One::look(index, i)).collect();
        looked.into_iter().for_each(|one| sum.add(one));
        progress(chunk.last().map_or(0, |&last| last as u64 + 1));
    }
    sum.finish(index)
}

/// What one pair holds.
struct One {
    size: (u32, u32),
    /// Pixels by train id, 255 for ignored.
    ids: [u64; 256],
    /// Pixels by value, where a mix-up of ids is to be looked for.
    values: Option<Box<[u64; 256]>>,
}

impl One {
    fn look(index: &Index, i: usize) -> Result<One> {
        let size = decode::size(&index.samples[i].image)?;
        let raw = index.raw_label(i)?;
        index.same_size(i, size, (raw.width, raw.height))?;
        let form = index.form(i);
        let fail = |unknown| index.unknown(i, &raw, unknown);
        let Values::Bytes(bytes) = &raw.values else {
            return Ok(One {
                size,
                ids: histogram(&form.mapping.apply(&raw).map_err(fail)?),
                values: None,
            });
        };
        // Values are few: mapping their counts is faster than mapping the pixels.
        let values = histogram(bytes);
        let mut ids = [0; 256];
        for (value, &count) in values.iter().enumerate().filter(|v| *v.1 > 0) {
            match form.mapping.get(value as u16) {
                Some(id) => ids[usize::from(id)] += count,
                None => return Err(fail(form.mapping.first_unknown(&raw))),
            }
        }
        Ok(One { size, ids, values: (form.ids == Ids::Native).then(|| Box::new(values)) })
    }
}

/// The counts so far.
struct Sum {
    sizes: BTreeMap<(u32, u32), u64>,
    pixels: [u64; 256],
    images: [u64; 256],
    counted: u64,
    evidence: Evidence,
    problems: Vec<String>,
    unnamed: usize,
}

impl Sum {
    fn new(index: &Index) -> Self {
        Sum {
            sizes: BTreeMap::new(),
            pixels: [0; 256],
            images: [0; 256],
            counted: 0,
            evidence: Evidence::new(),
            problems: index.problems.clone(),
            unnamed: 0,
        }
    }

    fn add(&mut self, one: Result<One>) {
        let one = match one {
            Ok(one) => one,
            Err(error) => return self.problem(&error),
        };
        *self.sizes.entry(one.size).or_default() += 1;
        self.counted += 1;
        for (id, &count) in one.ids.iter().enumerate() {
            self.pixels[id] += count;
            self.images[id] += u64::from(count > 0);
        }
        if let Some(values) = &one.values {
            self.evidence.add(values);
        }
    }

    fn problem(&mut self, error: &Error) {
        if self.problems.len() >= NAMED {
            self.unnamed += 1;
            return;
        }
        self.problems.push(with_hint(error));
    }

    fn finish(mut self, index: &Index) -> Stats {
        let descriptor = &index.descriptor;
        if self.unnamed > 0 {
            self.problems.push(format!("and {} more", self.unnamed));
        }
        if let Some(error) = self.evidence.verdict(descriptor) {
            self.problems.insert(0, with_hint(&error));
        }
        let valid: u64 = self.pixels[..descriptor.num_classes()].iter().sum();
        let class = |(id, class): (usize, &Class)| ClassCount {
            id,
            name: class.name.clone(),
            pixels: self.pixels[id],
            share: if valid > 0 { self.pixels[id] as f64 / valid as f64 } else { 0.0 },
            images: self.images[id],
        };
        let size = |((width, height), images)| SizeCount { width, height, images };
        Stats {
            dataset: descriptor.name.clone(),
            split: index.split.clone(),
            images: index.samples.len() as u64,
            counted: self.counted,
            sizes: self.sizes.into_iter().map(size).collect(),
            classes: descriptor.classes.iter().enumerate().map(class).collect(),
            valid,
            ignored: self.pixels[usize::from(IGNORE)],
            problems: self.problems,
            notes: index.notes.clone(),
        }
    }
}

fn with_hint(error: &Error) -> String {
    let hint = error.hint_text().map_or(String::new(), |h| format!(" ({h})"));
    format!("{error}{hint}")
}
