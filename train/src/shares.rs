//! The pixels of each class in a training split: counted once, and again when a label was changed since, be it in
//! place and at equal size, or when the data set lies elsewhere.
//! Not `train stats`, which looks for problems too and keeps nothing.

use shared::dataset::{Index, stats};
use shared::digest::sha256;
use shared::error::{Error, Result};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// Pixels of each class in a split, by train id.
///
/// # Errors
/// Labels that cannot be counted.
pub fn pixels_of_classes(index: &Index) -> Result<Vec<u64>> {
    let place = cache().map(|folder| folder.join(format!("{}.json", key(index))));
    let known = place.as_ref().and_then(|path| std::fs::read_to_string(path).ok());
    if let Some(pixels) = known.and_then(|text| serde_json::from_str::<Vec<u64>>(&text).ok())
        && pixels.len() == index.descriptor.num_classes()
    {
        return Ok(pixels);
    }
    let bar = crate::monitor::progress::count("counting classes", index.samples.len() as u64);
    let stats = stats(index, &|done| bar.set_position(done));
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

/// What counts are kept under. The fingerprint alone knows the names and sizes of files, not what is in them: to it,
/// two sets of equal names and sizes are one. Here a mistake in that would be other weights in the loss.
fn key(index: &Index) -> String {
    let root = index.root.canonicalize().unwrap_or_else(|_| index.root.clone());
    let changed_ns = |label: &Path| {
        let changed = label.metadata().and_then(|about| about.modified()).ok()?;
        changed.duration_since(UNIX_EPOCH).ok().map(|time| time.as_nanos())
    };
    let changes: Vec<_> = index.samples.iter().map(|sample| changed_ns(&sample.label)).collect();
    sha256(format!("{} {root:?} {changes:?}", index.fingerprint()))
}

/// The folder for counts: in `RECALL_SEG_CACHE`, or in the user's cache; none where there is no home.
fn cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set("RECALL_SEG_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("recall-seg")))
        .or_else(|| Some(set("HOME")?.join(".cache/recall-seg")))?;
    Some(base.join("class-pixels"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::dataset::Descriptor;
    use shared::streets::{self, Counts, Layout, StreetSettings};
    use std::fs::File;
    use std::time::Duration;

    #[test]
    fn counts_are_not_taken_for_those_of_changed_labels_or_of_a_set_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let settings = StreetSettings { width: 64, height: 64, seed: 0 };
        let counts = Counts { train: 2, val: 0, test: 0 };
        streets::write(Layout::Streets, &at("a"), &settings, counts, &|| {}).unwrap();
        let streets = Descriptor::find("streets").unwrap();
        let open = |name: &str| Index::open(&streets, &at(name), "train").unwrap();

        let index = open("a");
        let first = key(&index);
        assert_eq!(first, key(&open("./a")));
        let label = File::options().write(true).open(&index.samples[0].label).unwrap();
        label.set_modified(UNIX_EPOCH + Duration::new(1, 1)).unwrap();
        assert_ne!(first, key(&index), "a label was changed");
        let changed = key(&index);
        std::fs::rename(at("a"), at("b")).unwrap();
        let moved = open("b");
        assert_ne!(changed, key(&moved), "nobody knows what the other folder held");
    }
}
