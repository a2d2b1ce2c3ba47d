//! The loader over real files: order, threads, resuming, errors.
//! Not the augmentation itself: its tests stand beside the code.

use shared::dataset::{Descriptor, Index};
use std::path::Path;
use std::sync::Arc;
use train::data::{Batch, DataSettings, Jitter, Loader, LoaderSettings};

/// Writes a data set of `count` noisy images, image `i` with the label `i % 5` at its corner, and opens it.
fn write(folder: &Path, count: usize, size: impl Fn(usize) -> (u32, u32)) -> Arc<Index> {
    for (i, kind) in (0..count).flat_map(|i| [(i, "train"), (i, "trainannot")]) {
        std::fs::create_dir_all(folder.join(kind)).expect("temporary folder");
        let path = folder.join(kind).join(format!("{i:03}.png"));
        let (w, h) = size(i);
        let noise = |x: u32, y: u32| shared::random::hash(i as u64, x.into(), y.into());
        if kind == "train" {
            image::RgbImage::from_fn(w, h, |x, y| {
                image::Rgb([i as u8, noise(x, y) as u8, noise(y, x) as u8])
            })
            .save(path)
        } else {
            image::GrayImage::from_fn(w, h, |x, y| {
                image::Luma([((i as u32 + x / 8 + y / 8) % 5) as u8])
            })
            .save(path)
        }
        .expect("temporary folder");
    }
    Arc::new(Index::open(&descriptor(), folder, "train").expect("complete pairs"))
}

fn descriptor() -> Descriptor {
    let classes: Vec<String> =
        (0..5).map(|c| format!("{{ name = \"c{c}\", native = {c} }}")).collect();
    let text = format!(
        "name = \"test\"\nimages = \"{{split}}/{{name}}.png\"\nlabels = [{{ files = \"{{split}}annot/{{name}}.png\" }}]\n\
         classes = [{}]",
        classes.join(", ")
    );
    Descriptor::from_toml(&text, "test").expect("a valid descriptor")
}

fn settings() -> DataSettings {
    let jitter = Jitter { brightness: 0.2, contrast: 0.2, saturation: 0.2, hue: 0.05 };
    DataSettings { scale: [0.5, 2.0], crop: Some([24, 16]), jitter, ..DataSettings::default() }
}

/// Batches of so many samples, made by one thread from the first on.
fn batches_of(batch: usize) -> LoaderSettings {
    LoaderSettings { batch, seed: 7, workers: 1, first_batch: 0 }
}

fn batches(
    index: &Arc<Index>,
    settings: &DataSettings,
    workers: usize,
    first: u64,
    count: usize,
) -> Vec<Batch> {
    let wanted = LoaderSettings { workers, first_batch: first, ..batches_of(3) };
    let mut loader = Loader::new(index.clone(), settings.clone(), wanted).expect("valid settings");
    (0..count).map(|_| loader.next().expect("good files")).collect()
}

#[test]
fn any_number_of_threads_and_any_cache_give_the_same_batches() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let index = write(folder.path(), 10, |_| (40, 30));
    let one = batches(&index, &settings(), 1, 0, 8);
    let numbers: Vec<_> = one.iter().map(|b| (b.number, b.epoch)).collect();
    assert_eq!(numbers, [(0, 0), (1, 0), (2, 0), (3, 1), (4, 1), (5, 1), (6, 2), (7, 2)]);
    assert_eq!((one[0].n, one[0].h, one[0].w), (3, 16, 24));
    assert!(one == batches(&index, &settings(), 3, 0, 8));
    assert!(one == batches(&index, &DataSettings { cache_mb: 0, ..settings() }, 2, 0, 8));
}

#[test]
fn resuming_at_a_batch_gives_the_rest_of_the_stream() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let index = write(folder.path(), 10, |_| (40, 30));
    let all = batches(&index, &settings(), 2, 0, 9);
    for first in [1, 4, 5] {
        assert!(all[first..] == batches(&index, &settings(), 3, first as u64, 9 - first));
    }
}

#[test]
fn plain_samples_are_the_files_in_a_random_order() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let index = write(folder.path(), 9, |_| (16, 8));
    let plain = DataSettings { flip: false, ..DataSettings::default() };
    let mut seen = vec![];
    for batch in batches(&index, &plain, 2, 0, 3) {
        for (image, label) in batch.images.chunks(16 * 8 * 3).zip(batch.labels.chunks(16 * 8)) {
            let i = image[0] as usize;
            let (want, ids) = index.load(i).expect("good files");
            assert!(image == want.as_raw() && label == ids.as_raw());
            seen.push(i);
        }
    }
    seen.sort();
    assert_eq!(seen, (0..9).collect::<Vec<_>>());
}

#[test]
fn resizing_brings_different_sizes_together() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let index = write(folder.path(), 4, |i| (20 + i as u32, 12));
    let resized = DataSettings { resize: Some([10, 6]), ..DataSettings::default() };
    let batch = &batches(&index, &resized, 1, 0, 1)[0];
    assert_eq!((batch.h, batch.w), (6, 10));
    let mut loader =
        Loader::new(index, DataSettings::default(), batches_of(3)).expect("valid settings");
    let error = loader.next().expect_err("sizes differ");
    assert!(error.to_string().contains(".png: expected 2"), "{error}");
    assert!(error.hint_text().is_some_and(|hint| hint.contains("augment.crop")));
}

#[test]
fn batches_of_different_sizes_are_refused_too() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let index = write(folder.path(), 2, |i| (20 + i as u32, 12));
    let mut loader =
        Loader::new(index, DataSettings::default(), batches_of(1)).expect("valid settings");
    loader.next().expect("the first");
    let error = loader.next().expect_err("sizes differ");
    assert!(error.to_string().starts_with("after batch 0: batch 1: expected"), "{error}");
}

#[test]
fn a_damaged_file_is_named_and_dropping_the_loader_ends_its_threads() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let index = write(folder.path(), 8, |_| (16, 8));
    let path = folder.path().join("train/005.png");
    let bytes = std::fs::read(&path).expect("written above");
    std::fs::write(&path, &bytes[..bytes.len() / 2]).expect("temporary folder");
    for workers in [1, 3] {
        let plain = DataSettings::default();
        let wanted = LoaderSettings { workers, ..batches_of(2) };
        let mut loader = Loader::new(index.clone(), plain, wanted).expect("valid settings");
        let error =
            (0..4).find_map(|_| loader.next().err()).expect("one of the four batches has it");
        assert!(error.to_string().contains("005.png"), "{error}");
    }
    assert_eq!(Arc::strong_count(&index), 1, "no thread is left that holds the index");
}

#[test]
fn a_loader_that_nobody_reads_can_be_dropped() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let index = write(folder.path(), 8, |_| (16, 8));
    let wanted = LoaderSettings { workers: 3, ..batches_of(2) };
    drop(Loader::new(index.clone(), DataSettings::default(), wanted).expect("valid settings"));
    assert_eq!(Arc::strong_count(&index), 1);
}

#[test]
fn bad_requests_are_refused_before_a_thread_starts() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let index = write(folder.path(), 2, |_| (16, 8));
    let error = Loader::new(index.clone(), DataSettings::default(), batches_of(3))
        .err()
        .expect("too large");
    assert!(error.to_string().contains("expected 1 to 2"), "{error}");
    let scaled = DataSettings { scale: [0.5, 1.0], ..DataSettings::default() };
    assert!(Loader::new(index, scaled, batches_of(1)).is_err());
}
