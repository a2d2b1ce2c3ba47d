//! The counts of all pairs together, and what is wrong over all of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::super::histogram::Histogram;
use super::super::index::Index;
use super::super::looks::Looks;
use super::super::mixup::Evidence;
use super::super::palettes::Palettes;
use super::super::values::Found;
use super::look::{One, Outcome};
use super::{Damaged, IGNORED, NAMED, SizeCount, Stats, class_counts, with_hint};
use crate::error::Error;
use crate::folder::count;

/// The counts so far.
pub(super) struct Sum<'a> {
    index: &'a Index,
    sizes: BTreeMap<(u32, u32), u64>,
    pixels: [u64; 256],
    images: [u64; 256],
    pixels_of_its_images: [u64; 256],
    counted: u64,
    evidence: Evidence,
    palettes: Palettes,
    looks: Looks,
    /// The values in labels, by form.
    values: BTreeMap<usize, Histogram>,
    /// Pixels in masks of several classes, and the images that have such.
    overlap: (u64, u64),
    /// By form: labels with values that are unknown, and what those hold.
    unknown: BTreeMap<usize, (Vec<PathBuf>, Found)>,
    damaged: Vec<Damaged>,
    odd: Vec<Error>,
}

impl<'a> Sum<'a> {
    pub fn new(index: &'a Index) -> Self {
        Sum {
            index,
            sizes: BTreeMap::new(),
            pixels: [0; 256],
            images: [0; 256],
            pixels_of_its_images: [0; 256],
            counted: 0,
            evidence: Evidence::new(),
            palettes: Palettes::default(),
            looks: Looks::default(),
            values: BTreeMap::new(),
            overlap: (0, 0),
            unknown: BTreeMap::new(),
            damaged: Vec::new(),
            odd: Vec::new(),
        }
    }

    pub fn add(&mut self, sample: usize, outcome: Outcome) {
        match outcome {
            Outcome::Sound(one) => self.add_sound(sample, &one),
            Outcome::Damaged(error) => {
                self.damaged.push(Damaged { sample, problem: with_hint(&error) });
            }
            Outcome::Odd(error) => self.odd.push(error),
            Outcome::Unknown(found) => {
                let it = &self.index.samples[sample];
                self.values.entry(it.form).or_default().add(&found);
                let (labels, all) = self.unknown.entry(it.form).or_default();
                labels.push(it.label.clone());
                all.add(&found);
            }
        }
    }

    fn add_sound(&mut self, sample: usize, one: &One) {
        *self.sizes.entry(one.seen.size).or_default() += 1;
        self.counted += 1;
        self.looks.add(sample, &one.seen);
        self.overlap.0 += one.overlap;
        self.overlap.1 += u64::from(one.overlap > 0);
        if let Some(found) = &one.found {
            self.values.entry(self.index.samples[sample].form).or_default().add(found);
        }
        let valid: u64 = one.ids[..IGNORED].iter().sum();
        for (id, &count) in one.ids.iter().enumerate() {
            self.pixels[id] += count;
            self.images[id] += u64::from(count > 0);
            self.pixels_of_its_images[id] += if count > 0 { valid } else { 0 };
        }
        if let Some(values) = &one.values {
            self.evidence.add(values);
        }
        if self.index.form(sample).compares_palettes {
            self.palettes.add(&self.index.samples[sample].label, &one.kind, &one.palette);
        }
    }

    fn overlap(&self) -> Option<String> {
        let (pixels, images) = self.overlap;
        let share = 100.0 * pixels as f64 / self.pixels.iter().sum::<u64>().max(1) as f64;
        (pixels > 0).then(|| {
            format!(
                "masks of several classes overlap in {pixels} pixels ({share:.3} %) of {images} images: \
                 the class further down in the descriptor wins"
            )
        })
    }

    pub fn finish(self) -> Stats {
        let (index, descriptor) = (self.index, &self.index.descriptor);
        let verdicts = [self.evidence.verdict(descriptor), self.palettes.verdict(index)];
        let unknown =
            self.unknown.iter().map(|(&form, (labels, found))| unknown(index, form, labels, found));
        let mut problems: Vec<String> =
            verdicts.into_iter().flatten().chain(unknown).map(|e| with_hint(&e)).collect();
        problems.extend(index.problems.iter().cloned());
        problems.extend(self.odd.iter().take(NAMED).map(with_hint));
        if self.odd.len() > NAMED {
            problems.push(format!("and {} more of other sizes", self.odd.len() - NAMED));
        }
        let classes = class_counts(
            &descriptor.classes,
            &self.pixels,
            &self.images,
            &self.pixels_of_its_images,
        );
        let mut notes = index.notes.clone();
        notes.extend(self.palettes.note(index));
        notes.extend(self.looks.notes(index));
        notes.extend(self.overlap());
        let present: Vec<&str> =
            classes.iter().filter(|c| c.pixels > 0).map(|c| c.name.as_str()).collect();
        if let ([only], 2..) = (&present[..], classes.len()) {
            notes.push(format!("one class alone has pixels in {}: {only}", index.split));
        }
        let values = self.values.iter();
        let values = values.flat_map(|(&form, found)| found.values(descriptor, form)).collect();
        let size = |((width, height), images)| SizeCount { width, height, images };
        Stats {
            dataset: descriptor.name.clone(),
            split: index.split.clone(),
            images: index.samples.len() as u64,
            counted: self.counted,
            sizes: self.sizes.into_iter().map(size).collect(),
            valid: self.pixels[..classes.len()].iter().sum(),
            classes,
            ignored: self.pixels[IGNORED],
            values,
            palette: self.palettes.common(),
            damaged: self.damaged,
            problems,
            notes,
        }
    }
}

/// Unknown values, once for all labels that have them.
fn unknown(index: &Index, form: usize, labels: &[PathBuf], found: &Found) -> Error {
    let labels = count("labels", labels, &index.root);
    index.unknown_values(&labels, form, found)
}
