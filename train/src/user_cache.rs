//! Small results that are worth keeping between runs, as JSON files in the user's cache. A cache that
//! cannot be read or written costs the next run some seconds and nothing else, so nothing here fails.

use serde::{Serialize, de::DeserializeOwned};
use std::path::PathBuf;

/// What was kept under a key in one of the cache's folders.
pub fn read<T: DeserializeOwned>(folder: &str, key: &str) -> Option<T> {
    serde_json::from_str(&std::fs::read_to_string(place(folder, key)?).ok()?).ok()
}

/// Keeps a value under a key in one of the cache's folders.
pub fn write<T: Serialize>(folder: &str, key: &str, value: &T) {
    if let (Some(path), Ok(text)) = (place(folder, key), serde_json::to_string(value))
        && let Some(folder) = path.parent()
        && std::fs::create_dir_all(folder).is_ok()
    {
        let _ = shared::files::write_atomic(&path, text.as_bytes());
    }
}

/// `RECALL_SEG_CACHE`, or the user's cache; `None` where there is no home.
fn place(folder: &str, key: &str) -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let base = set("RECALL_SEG_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("recall-seg")))
        .or_else(|| Some(set("HOME")?.join(".cache/recall-seg")))?;
    Some(base.join(folder).join(format!("{key}.json")))
}
