//! The pairs of image and label of one split, in a fixed order, and their decoding.
//! Not a loader: it holds paths, not pixels, and each call decodes.
//! Incomplete pairs are reported with their names, never skipped in silence.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use image::{GrayImage, RgbImage};
use sha2::{Digest, Sha256};

use super::descriptor::Descriptor;
use super::pattern::{Pattern, SPLIT};
use super::split::{NAMES, Scheme};
use crate::decode;
use crate::error::{Error, Result};

/// An image and its label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Name, unique in its data set, without folders or ending.
    pub name: String,
    /// Path of the image.
    pub image: PathBuf,
    /// Path of the label.
    pub label: PathBuf,
    /// Which of the descriptor's forms the label has.
    pub(super) form: usize,
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
    /// Image and label pairs, sorted by their path's placeholders.
    pub samples: Vec<Sample>,
    /// What [`Index::survey`] found wrong; empty after [`Index::open`].
    pub problems: Vec<String>,
}

impl Index {
    /// Finds the pairs of a split and refuses a split with a half missing, naming it.
    pub fn open(descriptor: &Descriptor, root: &Path, split: &str) -> Result<Index> {
        let index = Self::survey(descriptor, root, split)?;
        match index.problems.first() {
            None => Ok(index),
            Some(first) => Err(Error::request(format!("{}: {split}: {first}", descriptor.name))
                .hint("complete the pairs, or move the odd files away; `train stats` lists every problem")),
        }
    }

    /// As [`Index::open`], but keeps the complete pairs and lists what is wrong in `problems`.
    pub fn survey(descriptor: &Descriptor, root: &Path, split: &str) -> Result<Index> {
        let d = descriptor;
        if !root.is_dir() {
            return Err(Error::request(format!("{}: {}: expected a folder", d.name, root.display()))
                .hint("--data-root is the folder that the data set was unpacked in"));
        }
        let images = d.images.find(root, d.images.with_split(split))?.files;
        if images.is_empty() {
            return Err(nothing_found(d, root, split));
        }
        let mut problems = Vec::new();
        let mut pairs: BTreeMap<Vec<String>, (PathBuf, Option<(PathBuf, usize)>)> = BTreeMap::new();
        for (key, path) in images {
            if let Some((other, _)) = pairs.insert(key, (path.clone(), None)) {
                problems.push(format!("two files for one image: {} and {}", other.display(), path.display()));
            }
        }
        let mut orphans = Vec::new();
        for (form, labels) in d.labels.iter().enumerate() {
            for (key, path) in labels.files.find(root, labels.files.with_split(split))?.files {
                let key = reorder(&key, &labels.files, &d.images);
                match pairs.get_mut(&key) {
                    Some((_, label)) => label.get_or_insert((path, form)).clone(),
                    None => { orphans.push(path); continue; }
                };
            }
        }
        let missing: Vec<PathBuf> = pairs.values().filter(|p| p.1.is_none()).map(|p| p.0.clone()).collect();
        orphans.sort();
        report(&mut problems, "image without label", &missing, root);
        report(&mut problems, "label without image", &orphans, root);
        let mut samples = Vec::new();
        let mut folders: BTreeMap<PathBuf, Vec<Sample>> = BTreeMap::new();
        for (key, (image, label)) in pairs {
            let Some((label, form)) = label else { continue };
            let values: Vec<(&str, &str)> = d.images.holes().iter().map(String::as_str).zip(key.iter().map(String::as_str)).collect();
            let name = Pattern::fill(&d.sample, &values);
            let sample = Sample { name, image, label, form };
            match d.split.by {
                Scheme::Folder => samples.push(sample),
                _ => folders.entry(sample.image.parent().unwrap_or(root).to_path_buf()).or_default().push(sample),
            }
        }
        if d.split.by != Scheme::Folder {
            let at = NAMES.iter().position(|n| *n == split).ok_or_else(|| {
                Error::request(format!("{}: split: expected {}, got {split}", d.name, NAMES.join(", ")))
            })?;
            for (folder, all) in folders {
                let name = folder.strip_prefix(root).unwrap_or(&folder).display().to_string();
                samples.extend(d.split.members(at, &name, all.len()).into_iter().map(|i| all[i].clone()));
            }
        }
        Ok(Index { descriptor: d.clone(), root: root.into(), split: split.into(), samples, problems })
    }

    /// The image, RGB.
    pub fn image(&self, i: usize) -> Result<RgbImage> {
        decode::rgb(&self.samples[i].image)
    }

    /// The label as train ids, 255 for ignored. An unknown value is an error that names file, pixel and value.
    pub fn label(&self, i: usize) -> Result<GrayImage> {
        let sample = &self.samples[i];
        let form = &self.descriptor.labels[sample.form];
        let raw = decode::label(&sample.label, form.encoding)?;
        let ids = form.mapping.apply(&raw).map_err(|u| {
            Error::request(format!(
                "{}: pixel ({}, {}): expected a value of {}, got {}",
                sample.label.display(), u.x, u.y, self.descriptor.name, u.value
            ))
        })?;
        GrayImage::from_raw(raw.width, raw.height, ids)
            .ok_or_else(|| Error::request(format!("{}: damaged label", sample.label.display())))
    }

    /// Image and label, whose sizes must agree.
    pub fn load(&self, i: usize) -> Result<(RgbImage, GrayImage)> {
        let (image, label) = (self.image(i)?, self.label(i)?);
        if image.dimensions() != label.dimensions() {
            let ((w, h), (lw, lh)) = (image.dimensions(), label.dimensions());
            return Err(Error::request(format!(
                "{}: expected a label of its image's size, {w} x {h}, got {lw} x {lh}",
                self.samples[i].label.display()
            )));
        }
        Ok((image, label))
    }

    /// SHA-256, in hexadecimal, over the descriptor, the split, and each file's name and size in bytes.
    ///
    /// It does not change when the data set is copied or its files are touched.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        add(&self.descriptor.text);
        add(&self.split);
        for sample in &self.samples {
            add(&sample.name);
            for path in [&sample.image, &sample.label] {
                let bytes = std::fs::metadata(path).map_or(0, |m| m.len());
                add(&path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy());
                add(&bytes.to_string());
            }
        }
        hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

fn reorder(key: &[String], from: &Pattern, to: &Pattern) -> Vec<String> {
    let value = |hole: &String| from.holes().iter().position(|h| h == hole).map(|i| key[i].clone());
    to.holes().iter().map(|h| value(h).unwrap_or_default()).collect()
}

fn report(problems: &mut Vec<String>, what: &str, paths: &[PathBuf], root: &Path) {
    const SHOWN: usize = 3;
    if paths.is_empty() {
        return;
    }
    let names: Vec<String> =
        paths.iter().take(SHOWN).map(|p| p.strip_prefix(root).unwrap_or(p).display().to_string()).collect();
    let more = if paths.len() > SHOWN { ", ..." } else { "" };
    problems.push(format!("{what}: {} ({}{more})", paths.len(), names.join(", ")));
}

fn nothing_found(d: &Descriptor, root: &Path, split: &str) -> Error {
    let splits: Vec<String> = d.images.values(root, SPLIT).into_iter().collect();
    Error::request(format!("{}: {}: {split}: expected images at {}, got none", d.name, root.display(), d.images.text()))
        .hint(format!("splits there: {}", splits.join(", ")))
}
