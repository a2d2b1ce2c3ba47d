//! The pairs of image and label of one split, in a fixed order, and their decoding.
//! Not a loader: it holds paths, not pixels, and each call decodes.
//! Incomplete pairs are reported with their names, never skipped in silence.

use std::path::{Path, PathBuf};

use image::{GrayImage, RgbImage};
use sha2::{Digest, Sha256};

use super::advice;
use super::descriptor::{Descriptor, LabelForm};
use super::file::Ids;
use super::mapping::Unknown;
use super::masks::Mask;
use super::mixup::{self, Evidence};
use super::pattern::nfc;
use super::remedy;
use super::survey::survey;
use super::values::{Found, expected};
use crate::decode::{self, RawLabel, Tone, Values};
use crate::error::{Error, Result};

/// Labels that [`Index::open`] looks into, evenly spread, for mixed up ids.
const LOOKED_INTO: usize = 8;

/// An image and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Name, unique in its data set, without folders or ending.
    pub name: String,
    /// Path of the image.
    pub image: PathBuf,
    /// Path of the label; where it is one mask per class the first of them, and of the image if there are none.
    pub label: PathBuf,
    /// Which of the descriptor's forms the label has.
    pub(super) form: usize,
    /// The masks that make up the label, in the order of their classes.
    pub(super) masks: Vec<Mask>,
}

impl Sample {
    /// The files that the label is read from.
    pub fn label_files(&self) -> impl Iterator<Item = &Path> {
        let one = self.masks.is_empty().then_some(self.label.as_path());
        one.into_iter().chain(self.masks.iter().map(|mask| mask.0.as_path()))
    }
}

/// The samples of one split.
#[derive(Clone, Debug)]
pub struct Index {
    /// The data set.
    pub descriptor: Descriptor,
    /// Where it lies.
    pub root: PathBuf,
    /// Name of the split.
    pub split: String,
    /// Image and label pairs, sorted by folder and name.
    pub samples: Vec<Sample>,
    /// How images come to 8 bits: as the descriptor says, unless a model that is to see them was trained otherwise.
    pub tone: Option<Tone>,
    /// What [`Index::survey`] found wrong, a line each; empty after [`Index::open`].
    pub problems: Vec<String>,
    /// What was left out and may well be meant to be, a line each; worth showing.
    pub notes: Vec<String>,
}

impl Index {
    /// Finds the pairs of a split; refused are a missing half (named and counted), an empty folder, a wrong
    /// root or split, and labels whose ids are mixed up (a few are looked into).
    pub fn open(descriptor: &Descriptor, root: &Path, split: &str) -> Result<Index> {
        let index = Self::survey(descriptor, root, split)?;
        if !index.problems.is_empty() {
            let line = format!(
                "{}: {}: {split}: {}",
                descriptor.name,
                root.display(),
                index.problems.join("; ")
            );
            return Err(Error::request(line)
                .hint("complete the pairs, or move what is odd out of the folders"));
        }
        index.look_for_mixup()?;
        Ok(index)
    }

    /// As [`Index::open`], but keeps the complete pairs and lists in `problems` what is wrong with the others.
    ///
    /// It opens no label; [`super::stats()`] looks into all of them.
    pub fn survey(descriptor: &Descriptor, root: &Path, split: &str) -> Result<Index> {
        let found = survey(descriptor, root, split)?;
        Ok(Index {
            descriptor: descriptor.clone(),
            root: root.into(),
            split: split.into(),
            tone: descriptor.tone,
            samples: found.samples,
            problems: found.problems,
            notes: found.notes,
        })
    }

    /// The splits that there are below a root: those with images and labels, and train and val if they have images.
    pub fn splits(descriptor: &Descriptor, root: &Path) -> Vec<String> {
        advice::splits(descriptor, root)
    }

    /// The image, RGB.
    pub fn image(&self, i: usize) -> Result<RgbImage> {
        decode::toned(&self.samples[i].image, self.tone)
    }

    /// The label as train ids, 255 for ignored. An unknown value is an error that names file, pixel and value.
    pub fn label(&self, i: usize) -> Result<GrayImage> {
        let raw = self.raw_label(i)?;
        let ids =
            self.form(i).mapping.apply(&raw).map_err(|unknown| self.unknown(i, &raw, unknown))?;
        let label = GrayImage::from_raw(raw.width, raw.height, ids);
        label.ok_or_else(|| {
            Error::request(format!("{}: damaged image", self.samples[i].label.display()))
        })
    }

    /// Image and label, whose sizes must agree.
    pub fn load(&self, i: usize) -> Result<(RgbImage, GrayImage)> {
        let (image, label) = (self.image(i)?, self.label(i)?);
        self.same_size(i, image.dimensions(), label.dimensions())?;
        Ok((image, label))
    }

    /// SHA-256, in hexadecimal, over the descriptor, the split, and each file's name and size in bytes.
    ///
    /// It does not change when the data set is copied elsewhere or its files are touched.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        add(&self.descriptor.text);
        add(&self.split);
        for sample in &self.samples {
            for path in std::iter::once(sample.image.as_path()).chain(sample.label_files()) {
                let bytes = std::fs::metadata(path).map_or(0, |m| m.len());
                add(&nfc(&path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy()));
                add(&bytes.to_string());
            }
        }
        crate::digest::hex(&hash.finalize())
    }

    pub(super) fn form(&self, i: usize) -> &LabelForm {
        &self.descriptor.labels[self.samples[i].form]
    }

    pub(super) fn raw_label(&self, i: usize) -> Result<RawLabel> {
        Ok(self.raw_label_and_overlap(i)?.0)
    }

    /// The label, and how many pixels are in masks of several classes.
    pub(super) fn raw_label_and_overlap(&self, i: usize) -> Result<(RawLabel, u64)> {
        let (sample, form) = (&self.samples[i], self.form(i));
        match &form.masks {
            Some(masks) => masks.unite(&sample.masks, form.encoding, &sample.image),
            None => Ok((decode::label(&sample.label, form.encoding)?, 0)),
        }
    }

    fn unknown(&self, i: usize, raw: &RawLabel, first: Unknown) -> Error {
        let sample = &self.samples[i];
        let path = sample.label.display().to_string();
        let error = self.unknown_values(&path, sample.form, &Found::of(raw));
        let hint = error.hint_text().unwrap_or_default().to_string();
        let Unknown { x, y } = first;
        Error::request(format!("{error}; the first at pixel ({x}, {y})")).hint(hint)
    }

    /// The error for labels of one form, `place`, that hold values which the descriptor does not have.
    pub(super) fn unknown_values(&self, place: &str, form: usize, found: &Found) -> Error {
        let descriptor = &self.descriptor;
        let form = &descriptor.labels[form];
        let whose = match form.ids {
            Ids::Native => format!("values of {}", descriptor.name),
            Ids::Train => "train ids".into(),
        };
        let (expected, got) = (expected(form), found.words(descriptor, form));
        let line = format!("{place}: expected {whose} ({expected}), got {got}");
        Error::request(line).hint(remedy::hint(descriptor, form, found))
    }

    /// Without the pairs at these places.
    pub fn without(mut self, places: &[usize]) -> Index {
        let mut place = 0;
        self.samples.retain(|_| {
            place += 1;
            !places.contains(&(place - 1))
        });
        self
    }

    pub(super) fn same_size(&self, i: usize, image: (u32, u32), label: (u32, u32)) -> Result<()> {
        if image == label {
            return Ok(());
        }
        let ((w, h), (lw, lh), path) = (image, label, self.samples[i].label.display());
        let error = Error::request(format!(
            "{path}: expected a label of its image's size, {w} x {h}, got {lw} x {lh}"
        ));
        let turned = || decode::header(&self.samples[i].image).is_ok_and(|h| h.orientation != 1);
        if (w, h) == (lh, lw) && turned() {
            let image = self.samples[i].image.display();
            return Err(error.hint(format!(
                "the EXIF orientation tag of {image} turns it, and the label was drawn on the picture as it is \
                 stored: turn the label, or remove the tag"
            )));
        }
        Err(error)
    }

    fn look_for_mixup(&self) -> Result<()> {
        if !mixup::possible(&self.descriptor) {
            return Ok(());
        }
        let mut evidence = Evidence::new();
        let step = self.samples.len().div_ceil(LOOKED_INTO).max(1);
        for i in (0..self.samples.len()).step_by(step).filter(|&i| self.form(i).ids == Ids::Native)
        {
            let raw = self.raw_label(i)?;
            self.form(i).mapping.apply(&raw).map_err(|unknown| self.unknown(i, &raw, unknown))?;
            if let Values::Bytes(values) = &raw.values {
                evidence.add(&histogram(values));
            }
        }
        let names = format!("{}: {}: {}", self.descriptor.name, self.root.display(), self.split);
        evidence.verdict(&self.descriptor).map_or(Ok(()), |e| Err(e.within(names)))
    }
}

/// How often each value occurs.
pub(super) fn histogram(values: &[u8]) -> [u64; 256] {
    // Two tables, so that a run of one value does not wait for its own last addition.
    let mut counts = [[0u64; 256]; 2];
    let mut pairs = values.chunks_exact(2);
    for pair in &mut pairs {
        counts[0][usize::from(pair[0])] += 1;
        counts[1][usize::from(pair[1])] += 1;
    }
    pairs.remainder().iter().for_each(|&v| counts[0][usize::from(v)] += 1);
    std::array::from_fn(|v| counts[0][v] + counts[1][v])
}
