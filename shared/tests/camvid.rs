//! The real CamVid, when it is at hand: counts and shares as its own README states them.
//! Not decoding's corner cases: those have files made for them.
//! CAMVID_ROOT names the folder; else `../shared/data/camvid` beside the repository.

use std::path::{Path, PathBuf};

use shared::dataset::{Descriptor, Index};

/// The folder, or nothing with a note; on a CI machine its absence is a failure.
fn root() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/camvid");
    let root = std::env::var_os("CAMVID_ROOT").map_or(beside, PathBuf::from);
    if root.is_dir() {
        return Some(root);
    }
    assert!(std::env::var_os("CI").is_none(), "{}: CamVid is expected here", root.display());
    eprintln!("skipped: no CamVid at {}; set CAMVID_ROOT", root.display());
    None
}

#[test]
fn camvid_has_367_training_and_101_validation_pairs() {
    let Some(root) = root() else { return };
    let camvid = Descriptor::find("camvid").unwrap();
    for (split, count) in [("train", 367), ("val", 101)] {
        let index = Index::open(&camvid, &root, split).unwrap();
        assert_eq!(index.samples.len(), count);
        let (image, label) = index.load(0).unwrap();
        assert_eq!(image.dimensions(), (480, 360));
        assert!(label.as_raw().iter().all(|&v| v < 11 || v == 255));
    }
}
