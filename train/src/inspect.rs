//! A split, looked at before the first step: every pair decoded, pixels of classes counted, damaged pairs left out.
//! Done once: what was found is kept in the user's cache until a file is changed, be it in place and at equal size, or the
//! data set lies elsewhere. Not `train stats`, which goes on after problems and keeps nothing.

use crate::recipe::DataChoice;
use crate::user_cache;
use serde::{Deserialize, Serialize};
use shared::dataset::stats::palettes_between;
use shared::dataset::{Index, Stats, stats};
use shared::digest::sha256;
use shared::error::{Error, Result};
use std::path::Path;
use std::time::UNIX_EPOCH;

/// What becomes of a pair that cannot be decoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Damaged {
    /// It ends the run before the first step.
    #[default]
    Stop,
    /// It is left out, counted and named.
    Skip,
}

/// Version of what is kept: another one is looked at again.
const FORMAT: u32 = 2;

/// The cache's folder for what was found.
const CACHE: &str = "splits";

const HINT: &str = "`train stats` lists every problem of a data set";

/// A split that a run can use.
#[derive(Debug)]
pub struct Inspected {
    /// Its sound pairs; the notes say what was left out.
    pub index: Index,
    /// What they hold.
    pub stats: Stats,
}

/// Looks at a training and a validation split.
///
/// # Errors
/// As [`split`]; palettes that differ between the two.
pub fn both(train: Index, val: Index, data: &DataChoice) -> Result<(Inspected, Inspected)> {
    let (train, val) = (split(train, data)?, split(val, data)?);
    let palettes = [&train, &val].map(|it| (it.index.split.as_str(), &it.stats.palette));
    match palettes_between(&palettes) {
        None => Ok((train, val)),
        Some(error) => Err(error.within("data")),
    }
}

/// Looks at a split, or remembers what was found.
///
/// # Errors
/// Labels that the descriptor does not fit, damaged pairs where those are not skipped, or too many of them.
pub fn split(index: Index, data: &DataChoice) -> Result<Inspected> {
    let stats = remembered(&index)?;
    let places: Vec<usize> = stats.damaged.iter().map(|damaged| damaged.sample).collect();
    let Some(first) = stats.damaged.first() else {
        return Ok(Inspected { index: Index { notes: stats.notes.clone(), ..index }, stats });
    };
    if data.damaged == Damaged::Stop {
        let line = format!("data: {}", first.problem);
        return Err(Error::request(line).hint(format!(
            "{HINT}; data.damaged = \"skip\" leaves out pairs that cannot be decoded"
        )));
    }
    let (damaged, all) = (places.len(), index.samples.len());
    if damaged as f64 > data.max_damaged * all as f64 {
        let most = data.max_damaged;
        let line = format!(
            "data: {}: expected at most {most} of the pairs damaged (data.max_damaged), got {damaged} of {all}: {}",
            index.split, first.problem
        );
        return Err(Error::request(line).hint(HINT));
    }
    let mut notes = stats.notes.clone();
    notes.push(format!("damaged pairs left out of {}: {damaged} of {all}", index.split));
    notes.extend(stats.damaged.iter().map(|damaged| format!("left out: {}", damaged.problem)));
    Ok(Inspected { index: Index { notes, ..index.without(&places) }, stats })
}

/// What is in a split whose labels make sense.
fn remembered(index: &Index) -> Result<Stats> {
    let key = key(index);
    if let Some(stats) = user_cache::read::<Stats>(CACHE, &key)
        && stats.images == index.samples.len() as u64
    {
        // The file names of before: notes are of folders too, which the key does not know.
        return Ok(Stats { notes: notes(index, &stats), ..stats });
    }
    let bar = crate::monitor::progress::count("looking at the data", index.samples.len() as u64);
    let stats = stats(index, &|done| bar.set_position(done));
    bar.finish_and_clear();
    if let Some(problem) = stats.problems.first() {
        return Err(Error::request(format!("data: {problem}")).hint(HINT));
    }
    let own = Stats { notes: stats.notes[index.notes.len()..].to_vec(), ..stats.clone() };
    user_cache::write(CACHE, &key, &own);
    Ok(stats)
}

/// The index's notes of today, and those that were kept of its files.
fn notes(index: &Index, kept: &Stats) -> Vec<String> {
    index.notes.iter().chain(&kept.notes).cloned().collect()
}

/// The share of each class in the valid pixels; 0 if there are none.
pub fn shares(pixels: &[u64]) -> Vec<f64> {
    let total = pixels.iter().sum::<u64>().max(1) as f64;
    pixels.iter().map(|&n| n as f64 / total).collect()
}

/// What is found is kept under this. The fingerprint alone knows the names and sizes of files, not what is in them: to
/// it, two sets of equal names and sizes are one. Here a mistake in that would be other weights in the loss.
fn key(index: &Index) -> String {
    let root = index.root.canonicalize().unwrap_or_else(|_| index.root.clone());
    let changed_ns = |file: &Path| {
        let changed = file.metadata().and_then(|about| about.modified()).ok()?;
        changed.duration_since(UNIX_EPOCH).ok().map(|time| time.as_nanos())
    };
    let images = index.samples.iter().map(|sample| sample.image.as_path());
    let labels = index.samples.iter().flat_map(|sample| sample.label_files());
    let changes: Vec<_> = images.chain(labels).map(changed_ns).collect();
    sha256(format!("{FORMAT} {} {root:?} {changes:?}", index.fingerprint()))
}

#[cfg(test)]
mod tests;
