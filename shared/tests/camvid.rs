//! The real CamVid, when it is at hand: counts and shares as its own README states them.
//! Not decoding's corner cases: those have files made for them.
//! CAMVID_ROOT names the folder; else `../shared/data/camvid` beside the repository.

use std::path::{Path, PathBuf};

use shared::dataset::{Descriptor, Index, stats};

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

#[test]
fn the_shares_of_the_training_pixels_are_those_of_the_readme() {
    let Some(root) = root() else { return };
    let index = Index::open(&Descriptor::find("camvid").unwrap(), &root, "train").unwrap();
    let stats = stats(&index, &|_| ());
    assert!(stats.problems.is_empty(), "{:?}", stats.problems);
    assert_eq!(
        (stats.sizes[0].width, stats.sizes[0].height, stats.sizes[0].images),
        (480, 360, 367)
    );
    // In percent of all pixels, void too, and the last digit that the README gives.
    let readme = [
        ("sky", 16.8, 0.1),
        ("building", 23.3, 0.1),
        ("pole", 0.98, 0.01),
        ("road", 31.7, 0.1),
        ("sidewalk", 4.5, 0.1),
        ("tree", 9.7, 0.1),
        ("sign", 1.17, 0.01),
        ("fence", 1.13, 0.01),
        ("car", 5.9, 0.1),
        ("pedestrian", 0.64, 0.01),
        ("bicyclist", 0.29, 0.01),
    ];
    let all = (stats.valid + stats.ignored) as f64;
    assert_eq!(stats.valid + stats.ignored, 367 * 480 * 360);
    for (class, (name, percent, digit)) in stats.classes.iter().zip(readme) {
        assert_eq!(class.name, name);
        let got = 100.0 * class.pixels as f64 / all;
        assert!(
            (got - percent).abs() <= digit / 2.0 + 1e-9,
            "{name}: {got:.3} %, README {percent} %"
        );
    }
    assert!((100.0 * stats.ignored as f64 / all - 3.9).abs() <= 0.05);
}
