//! The pixels of each class in a training split: counted once, kept under the data's fingerprint.
//! Not `train stats`, which looks for problems too and keeps nothing.

use shared::dataset::{Index, stats};
use shared::error::{Error, Result};
use std::path::PathBuf;

/// Pixels of each class in a split, by train id.
///
/// # Errors
/// Labels that cannot be counted.
pub fn pixels_of_classes(index: &Index) -> Result<Vec<u64>> {
    let place = cache().map(|folder| folder.join(format!("{}.json", index.fingerprint())));
    let known = place.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    if let Some(pixels) = known.and_then(|text| serde_json::from_str::<Vec<u64>>(&text).ok())
        && pixels.len() == index.descriptor.num_classes()
    {
        return Ok(pixels);
    }
    let bar = crate::monitor::progress::count("counting classes", index.samples.len() as u64);
    let stats = stats(index, &|done| bar.set_position(done))?;
    bar.finish_and_clear();
    if let Some(problem) = stats.problems.first() {
        return Err(Error::request(format!("data: {problem}"))
            .hint("`train stats` lists every problem of a data set"));
    }
    let pixels = stats.counts();
    // A cache that cannot be written costs the next run some seconds, nothing else.
    if let (Some(path), Ok(text)) = (place, serde_json::to_string(&pixels))
        && let Some(folder) = path.parent()
        && std::fs::create_dir_all(folder).is_ok()
    {
        let _ = shared::files::write_atomic(&path, text.as_bytes());
    }
    Ok(pixels)
}

/// The share of each class in the valid pixels; 0 if there are none.
pub fn of(pixels: &[u64]) -> Vec<f64> {
    let total = pixels.iter().sum::<u64>().max(1) as f64;
    pixels.iter().map(|&n| n as f64 / total).collect()
}

/// The folder for counts: in `RECALL_SEG_CACHE`, or in the user's cache; none where there is no home.
fn cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set("RECALL_SEG_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("recall-seg")))
        .or_else(|| Some(set("HOME")?.join(".cache/recall-seg")))?;
    Some(base.join("class-pixels"))
}
