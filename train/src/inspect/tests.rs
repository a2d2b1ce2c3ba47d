//! What is kept of a split, and what becomes of damaged pairs.

use super::*;
use shared::dataset::Descriptor;
use shared::streets::{self, Counts, Layout, StreetSettings};
use std::fs::File;
use std::time::Duration;

fn write(root: &Path, train: u64, val: u64) {
    let settings = StreetSettings { width: 64, height: 64, seed: 0 };
    let counts = Counts { train, val, test: 0 };
    streets::write(Layout::Streets, root, &settings, counts, &|| {}).unwrap();
}

fn open(root: &Path, split: &str) -> Index {
    Index::open(&Descriptor::find("streets").unwrap(), root, split).unwrap()
}

fn data(damaged: Damaged, max_damaged: f64) -> DataChoice {
    let choice: DataChoice = toml::from_str("dataset = \"streets\"").unwrap();
    DataChoice { damaged, max_damaged, ..choice }
}

#[test]
fn what_was_found_is_not_taken_for_that_of_changed_files_or_of_a_set_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    write(&at("a"), 2, 0);
    let index = open(&at("a"), "train");
    let first = key(&index);
    assert_eq!(first, key(&open(&at("./a"), "train")));
    for file in [&index.samples[0].label, &index.samples[1].image] {
        let before = key(&index);
        let file = File::options().write(true).open(file).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::new(1, 1)).unwrap();
        assert_ne!(before, key(&index), "a file was changed");
    }
    let changed = key(&index);
    std::fs::rename(at("a"), at("b")).unwrap();
    assert_ne!(changed, key(&open(&at("b"), "train")), "nobody knows what the other folder held");
}

#[test]
fn a_damaged_pair_stops_or_is_left_out_and_named_within_the_largest_share() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), 5, 0);
    let whole = open(folder.path(), "train");
    let image = &whole.samples[2].image;
    // In the middle of the pixels, where no header tells: the first byte of the image data.
    let mut bytes = std::fs::read(image).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 8].fill(0xFF);
    std::fs::write(image, bytes).unwrap();

    let look = |data: &DataChoice| split(open(folder.path(), "train"), data);
    let error = look(&data(Damaged::Stop, 1.0)).unwrap_err();
    assert!(error.to_string().contains("000002"), "{error}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("data.damaged")), "{error:?}");
    let error = look(&data(Damaged::Skip, 0.1)).unwrap_err().to_string();
    assert!(error.contains("expected at most 0.1 of the pairs damaged"), "{error}");
    assert!(error.contains("got 1 of 5") && error.contains("000002"), "{error}");
    let found = look(&data(Damaged::Skip, 0.2)).unwrap();
    let names: Vec<&str> = found.index.samples.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["000000", "000001", "000003", "000004"]);
    assert_ne!(found.index.fingerprint(), whole.fingerprint());
    assert_eq!(found.stats.counts().iter().sum::<u64>() + found.stats.ignored, 4 * 64 * 64);
    let notes = found.index.notes.join("\n");
    assert!(notes.contains("damaged pairs left out of train: 1 of 5"), "{notes}");
    assert!(notes.contains("left out: ") && notes.contains("000002"), "{notes}");
    // The same once more, from what was kept.
    assert_eq!(look(&data(Damaged::Skip, 0.2)).unwrap().index.notes, found.index.notes);
}
