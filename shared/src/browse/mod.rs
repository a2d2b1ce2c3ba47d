//! Images with their labels over them, to be looked at before anything is trained: labels that are shifted, mirrored
//! or of another palette pass every check of a program, and no look of a person.
//! Not a check: what is drawn is what training would see. Which samples are worth a look is `pick`'s, drawing
//! `sheet`'s.

mod pick;
mod sheet;

use image::RgbImage;
use rayon::prelude::*;

use crate::dataset::Index;
use crate::error::Result;
use crate::labels::{Class, IGNORE};

/// What there is to see of a split.
pub struct Browse<'a> {
    index: &'a Index,
    /// Classes with colours that can be told apart.
    classes: Vec<Class>,
    /// Pixels by train id (255 for ignored) of each label that could be read, by the sample's place.
    counts: Vec<(usize, Box<[u64; 256]>)>,
    /// What was changed or left out, a line each.
    pub notes: Vec<String>,
    /// Labels that cannot be read, a line each.
    pub problems: Vec<String>,
}

impl<'a> Browse<'a> {
    /// Reads every label of a split, on all cores. `progress` hears how many are done.
    pub fn read(index: &'a Index, progress: &dyn Fn(u64)) -> Self {
        const ROUND: usize = 64;
        let mut browse = Self {
            index,
            classes: index.descriptor.classes.clone(),
            counts: Vec::new(),
            notes: index.notes.clone(),
            problems: index.problems.clone(),
        };
        let all: Vec<usize> = (0..index.samples.len()).collect();
        for chunk in all.chunks(ROUND) {
            let read: Vec<Result<Box<[u64; 256]>>> =
                chunk.par_iter().map(|&i| Ok(count(index.label(i)?.as_raw()))).collect();
            for (&i, counts) in chunk.iter().zip(read) {
                match counts {
                    Ok(counts) => browse.counts.push((i, counts)),
                    Err(error) => browse.problems.push(error.to_string()),
                }
            }
            progress(chunk.last().map_or(0, |&last| last as u64 + 1));
        }
        browse.tell_colors_apart();
        let absent: Vec<&str> = browse.absent().map(|c| browse.classes[c].name.as_str()).collect();
        if !absent.is_empty() {
            browse.notes.push(format!("in no label of this split: {}", absent.join(", ")));
        }
        browse
    }

    /// Samples worth a look, at most `count`: every class is in one of them, if there is room.
    pub fn pick(&self, count: usize) -> Vec<usize> {
        pick::pick(&self.counts, self.classes.len(), count)
    }

    /// Image, labels over it, and labels alone, of one sample, with what is in it.
    ///
    /// # Errors
    /// An image that cannot be read, or of another size than its label.
    pub fn single(&self, sample: usize) -> Result<RgbImage> {
        sheet::single(self, sample)
    }

    /// All `samples` on one sheet.
    ///
    /// # Errors
    /// As [`Browse::single`].
    pub fn sheet(&self, samples: &[usize]) -> Result<RgbImage> {
        sheet::sheet(self, samples)
    }

    /// Train ids of classes that occur nowhere.
    fn absent(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.classes.len()).filter(|&c| self.counts.iter().all(|(_, n)| n[c] == 0))
    }

    fn pixels(&self, sample: usize) -> [u64; 256] {
        self.counts.iter().find(|(i, _)| *i == sample).map_or([0; 256], |(_, counts)| **counts)
    }

    /// A descriptor without colours has every class black: then all of them get others here.
    fn tell_colors_apart(&mut self) {
        let alike = |(at, class): (usize, &Class)| {
            self.classes[..at]
                .iter()
                .find(|c| c.color == class.color)
                .map(|c| (c.name.clone(), class.name.clone()))
        };
        let Some((one, other)) = self.classes.iter().enumerate().find_map(alike) else { return };
        self.notes.push(format!(
            "{one} and {other} have the same colour in the descriptor: all classes are shown in others"
        ));
        for (at, class) in self.classes.iter_mut().enumerate() {
            class.color = crate::render::distinct_color(at);
        }
    }
}

fn count(labels: &[u8]) -> Box<[u64; 256]> {
    let mut counts = Box::new([0; 256]);
    labels.iter().for_each(|&id| counts[usize::from(id)] += 1);
    counts
}

/// Whether a label's pixels are all ignored.
fn all_ignored(counts: &[u64; 256]) -> bool {
    counts.iter().enumerate().all(|(id, &n)| n == 0 || id == usize::from(IGNORE))
}
