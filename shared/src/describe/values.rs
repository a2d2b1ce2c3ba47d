//! What label files hold, over a whole data set: values or colours, how often, in how many files, and palettes.
//! Not what they mean. Whether files are read by number or by colour is decided here, for all of them alike.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rayon::prelude::*;

use crate::dataset::histogram::{Histogram, MOST};
use crate::dataset::values::{self, Value};
use crate::decode::{self, LabelEncoding, RawLabel};
use crate::error::{Error, Result};
use crate::labels::MAX_CLASSES;

/// How labels are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Index,
    /// Grey pictures stored with three channels: each holds the value.
    Channel,
    Rgb,
}

/// The values of a data set's labels.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub numbers: Histogram,
    pub colors: Histogram,
    /// The colours of a value in palettes: several where palettes differ.
    pub palette: BTreeMap<u16, BTreeSet<[u8; 3]>>,
    pub sizes: BTreeMap<(u32, u32), u64>,
    /// Files of each kind.
    pub grey: u64,
    pub with_palette: u64,
    pub colored: u64,
    /// Colour files all of whose pixels are grey.
    pub grey_in_color: u64,
    pub files: u64,
    /// The file with more values than there can be classes.
    pub too_many: Option<String>,
}

/// One label file, read by number and by colour as far as it can be.
struct One {
    numbers: Option<RawLabel>,
    colors: Option<RawLabel>,
    found: [Option<values::Found>; 2],
}

/// Reads every label. `progress` hears how many are done.
pub(super) fn look(paths: &[&Path], progress: &dyn Fn(u64)) -> Result<Found> {
    const ROUND: usize = 64;
    let mut all = Found::default();
    for chunk in paths.chunks(ROUND) {
        let read: Vec<Result<One>> = chunk.par_iter().map(|path| One::read(path)).collect();
        for (path, one) in chunk.iter().zip(read) {
            all.add(path, one?);
        }
        progress(all.files);
    }
    Ok(all)
}

impl One {
    fn read(path: &Path) -> Result<Self> {
        let index = decode::label(path, LabelEncoding::Index);
        let color = decode::label(path, LabelEncoding::Rgb);
        let (numbers, colors) = match (index, color) {
            (Err(error), Err(_)) => match decode::label(path, LabelEncoding::Channel(0)) {
                Ok(channel) => (Some(channel), None),
                Err(_) => return Err(error),
            },
            (numbers, colors) => (numbers.ok(), colors.ok()),
        };
        let found = [&numbers, &colors].map(|label| label.as_ref().map(values::Found::of));
        Ok(Self { numbers, colors, found })
    }
}

impl Found {
    fn add(&mut self, path: &Path, one: One) {
        self.files += 1;
        match (&one.numbers, &one.colors) {
            (Some(_), Some(_)) => self.with_palette += 1,
            (Some(_), None) => self.grey += 1,
            _ => self.colored += 1,
        }
        if let Some(label) = one.numbers.as_ref().or(one.colors.as_ref()) {
            *self.sizes.entry((label.width, label.height)).or_default() += 1;
        }
        let [numbers, colors] = &one.found;
        let palette = one.numbers.as_ref().and_then(|label| label.palette.as_ref());
        if let (Some(palette), Some(numbers)) = (palette, numbers) {
            for value in numbers.numbers() {
                if let Some(color) = palette.get(usize::from(value)) {
                    self.palette.entry(value).or_default().insert(*color);
                }
            }
        }
        if let (None, Some(colors)) = (numbers, colors) {
            let grey = |value: &Value| matches!(value, Value::Color([r, g, b]) if r == g && g == b);
            self.grey_in_color += u64::from(colors.counts().all(|(value, _)| grey(value)));
        }
        for (found, all) in [(numbers, &mut self.numbers), (colors, &mut self.colors)] {
            let Some(found) = found else { continue };
            if found.counts().count() > MOST {
                self.too_many.get_or_insert_with(|| path.display().to_string());
            }
            all.add(found);
        }
    }

    /// Whether a value has different colours in different files: then only the colours mean something.
    pub fn palettes_differ(&self) -> bool {
        self.palette.values().any(|colors| colors.len() > 1)
    }

    /// How all files are to be read.
    pub fn reading(&self) -> Result<Reading> {
        if self.colored > 0 && self.grey > 0 {
            let line = format!(
                "labels: expected all grey or all in colour, got {} grey and {} in colour",
                self.grey, self.colored
            );
            return Err(Error::request(line).hint("convert one kind into the other"));
        }
        let reading = match () {
            () if self.colored > 0 && self.grey_in_color == self.files => Reading::Channel,
            () if self.colored > 0 || self.palettes_differ() => Reading::Rgb,
            () => Reading::Index,
        };
        let found = if reading == Reading::Index { &self.numbers } else { &self.colors };
        let kinds = found.counts.len();
        if kinds > MAX_CLASSES || self.too_many.is_some() {
            let file = self.too_many.as_ref().map_or(String::new(), |f| format!("{f}: "));
            let line = format!(
                "{file}labels: expected at most {MAX_CLASSES} values, got {kinds} or more: these are no class labels"
            );
            return Err(Error::request(line).hint(
                "photographs, depth and anti-aliased or compressed masks have that many: name the folder of the \
                 class labels, saved as PNG without smoothing",
            ));
        }
        Ok(reading)
    }
}
