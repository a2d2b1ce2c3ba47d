//! What is in a data set: sizes, class shares and problems, before anyone trains on it.
//! Labels are read whole; of an image only its size and its end are looked at, which takes a tenth of the time.
//! A problem is counted and named, and the pass goes on.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Index;
use crate::error::Result;
use crate::labels::IGNORE;

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

/// How many labels have a size.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SizeCount {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Labels of this size.
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
    /// Sizes, ascending.
    pub sizes: Vec<SizeCount>,
    /// One entry a class, by train id.
    pub classes: Vec<ClassCount>,
    /// Pixels of a class.
    pub valid: u64,
    /// Pixels that take no part.
    pub ignored: u64,
    /// What is wrong, a line each.
    pub problems: Vec<String>,
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

/// Counts a split. `progress` is called from the calling thread with the number of images done so far.
pub fn stats(index: &Index, progress: &dyn Fn(u64)) -> Result<Stats> {
    const ROUND: usize = 64; // images between two reports of progress
    let c = index.descriptor.num_classes();
    let mut pixels = vec![0u64; c];
    let mut images = vec![0u64; c];
    let mut ignored = 0;
    let mut sizes: BTreeMap<(u32, u32), u64> = BTreeMap::new();
    let mut problems = index.problems.clone();
    let all: Vec<usize> = (0..index.samples.len()).collect();
    for (round, chunk) in all.chunks(ROUND).enumerate() {
        let counted: Vec<_> = chunk.par_iter().map(|&i| index.label(i).map(|l| (l.dimensions(), histogram(l.as_raw())))).collect();
        for one in counted {
            match one {
                Ok((size, histogram)) => {
                    *sizes.entry(size).or_default() += 1;
                    ignored += histogram[usize::from(IGNORE)];
                    for class in 0..c {
                        pixels[class] += histogram[class];
                        images[class] += u64::from(histogram[class] > 0);
                    }
                }
                Err(e) => problems.push(e.to_string()),
            }
        }
        progress((round * ROUND + chunk.len()) as u64);
    }
    let valid: u64 = pixels.iter().sum();
    let classes = index.descriptor.classes.iter().enumerate().map(|(id, class)| ClassCount {
        id,
        name: class.name.clone(),
        pixels: pixels[id],
        share: if valid > 0 { pixels[id] as f64 / valid as f64 } else { 0.0 },
        images: images[id],
    });
    Ok(Stats {
        dataset: index.descriptor.name.clone(),
        split: index.split.clone(),
        images: index.samples.len() as u64,
        sizes: sizes.into_iter().map(|((width, height), images)| SizeCount { width, height, images }).collect(),
        classes: classes.collect(),
        valid,
        ignored,
        problems,
    })
}

fn histogram(ids: &[u8]) -> [u64; 256] {
    let mut counts = [0; 256];
    ids.iter().for_each(|&v| counts[usize::from(v)] += 1);
    counts
}
