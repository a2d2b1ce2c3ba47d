//! Files that are missing, odd, damaged or of another size: what is refused, what is noted, what statistics say.

use std::fs;

use image::GrayImage;

use super::{Disk, says};
use crate::dataset::*;

#[test]
fn missing_halves_are_counted_and_named() {
    let disk = Disk::new();
    disk.camvid("a", [0; 8]);
    for name in ["b", "c", "d", "e"] {
        disk.image(&format!("val/{name}.png"));
    }
    disk.label("valannot/z.png", [0; 8]);
    disk.image("val/a.png");
    says(
        &disk.refused("camvid", "val"),
        "camvid: ROOT: val: image without label: 4 (val/b.png, val/c.png, val/d.png, ...); \
         label without image: 1 (valannot/z.png); two files for one image: 1 (val/a.png)",
        "complete the pairs, or move what is odd out of the folders",
    );
    let index = Index::survey(&Descriptor::find("camvid").unwrap(), disk.root(), "val").unwrap();
    assert_eq!((index.samples.len(), index.problems.len()), (1, 3));
}

#[test]
fn a_picture_that_is_left_out_is_noted() {
    let disk = Disk::new();
    disk.camvid("a", [0, 0, 0, 0, 1, 1, 1, 1]);
    fs::write(disk.place("val/b.heic"), "x").unwrap();
    fs::write(disk.place("val/readme.txt"), "x").unwrap();
    fs::write(disk.place("val/._a.jpg"), "x").unwrap();
    let index = disk.open("camvid", "val").unwrap();
    assert_eq!(index.notes, ["picture left out, its format is not read: 1 (val/b.heic)"]);
    let stats = stats(&index, &|_| ());
    assert_eq!((stats.notes, stats.problems), (index.notes, vec![]));
}

#[cfg(target_os = "linux")] // elsewhere such names cannot be made
#[test]
fn a_picture_whose_name_is_not_utf8_is_not_left_out_in_silence() {
    use std::os::unix::ffi::OsStrExt;
    let disk = Disk::new();
    disk.camvid("a", [0; 8]);
    let name = |bytes| disk.place("val").join(std::ffi::OsStr::from_bytes(bytes));
    fs::write(name(b"\xff.txt"), "x").unwrap();
    disk.open("camvid", "val").unwrap();
    fs::write(name(b"b\xff.jpg"), "x").unwrap();
    says(
        &disk.refused("camvid", "val"),
        "camvid: ROOT: val: name that is not UTF-8: 1 (val/b\u{fffd}.jpg)",
        "complete the pairs, or move what is odd out of the folders",
    );
}

#[test]
fn a_wrong_root_or_split_is_told_apart() {
    let disk = Disk::new();
    let nothing = |where_: &str| {
        format!(
            "camvid: {where_}: expected images at {{split}}/{{name}}.{{png|jpg|jpeg}}, got none"
        )
    };
    let hint = "it is empty; the data root is the folder with {split}/{name}.{png|jpg|jpeg}";
    says(&disk.refused("camvid", "val"), &nothing("ROOT: val"), hint);
    disk.camvid("a", [0; 8]);
    says(&disk.refused("camvid", "vall"), &nothing("ROOT: vall"), "the splits there are: val");
    let camvid = Descriptor::find("camvid").unwrap();
    let above = Index::open(&camvid, disk.root().parent().unwrap(), "val");
    assert!(above.is_err());
    let within = disk.words(Index::open(&camvid, &disk.root().join("val"), "val").unwrap_err());
    says(&within, &nothing("ROOT/val: val"), "ROOT looks right");
    let nowhere = disk.words(Index::open(&camvid, &disk.root().join("no"), "val").unwrap_err());
    assert_eq!(nowhere.0, "camvid: ROOT/no: expected a folder, got none");
}

#[test]
fn a_root_one_folder_too_high_is_pointed_out() {
    let disk = Disk::new();
    disk.image("cityscapes/leftImg8bit/val/aachen/a_leftImg8bit.png");
    let got = disk.refused("cityscapes", "val");
    assert_eq!(got.1, "ROOT/cityscapes looks right");
}

#[test]
fn a_folder_without_any_label_is_said_so() {
    let disk = Disk::new();
    disk.image("val/a.png");
    let line =
        "camvid: ROOT: val: expected labels at {split}annot/{name}.png, got none for 1 images";
    let hint = "the label of val/a.png was looked for at valannot/a.png; there is no folder valannot; \
                ROOT holds val";
    says(&disk.refused("camvid", "val"), line, hint);
}

#[test]
fn a_label_of_another_size_is_refused() {
    let disk = Disk::new();
    disk.camvid("a", [0; 8]);
    GrayImage::new(2, 4).save(disk.place("valannot/a.png")).unwrap();
    let error = disk.open("camvid", "val").unwrap().load(0).unwrap_err();
    let line = "ROOT/valannot/a.png: expected a label of its image's size, 4 x 2, got 2 x 4";
    says(&disk.words(error), line, "");
}

#[test]
fn statistics_count_pixels_and_go_on_after_a_problem() {
    let disk = Disk::new();
    disk.camvid("a", [0, 0, 0, 1, 1, 2, 11, 11]);
    disk.camvid("b", [0, 0, 0, 0, 0, 0, 0, 11]);
    disk.camvid("c", [12; 8]);
    disk.camvid("d", [0; 8]);
    fs::write(disk.place("val/d.jpg"), &fs::read(disk.place("val/a.jpg")).unwrap()[..200]).unwrap();
    disk.image("val/e.png");
    let index = Index::survey(&Descriptor::find("camvid").unwrap(), disk.root(), "val").unwrap();
    let done = std::cell::Cell::new(0);
    let stats = stats(&index, &|n| done.set(n));
    assert_eq!(done.get(), 4);
    assert_eq!((stats.images, stats.counted, stats.valid, stats.ignored), (4, 2, 13, 3));
    assert_eq!(stats.counts()[..4], [10, 2, 1, 0]);
    assert_eq!(stats.classes[0].images, 2);
    assert!((stats.shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let size = stats::SizeCount { width: 4, height: 2, images: 2 };
    assert_eq!(stats.sizes, [size]);
    let damaged: Vec<usize> = stats.damaged.iter().map(|d| d.sample).collect();
    assert_eq!((stats.problems.len(), damaged), (2, vec![3]));
    let problems = stats.all_problems().join("\n");
    for expected in [
        "image without label: 1 (val/e.png)",
        "labels: 1 (valannot/c.png): expected values of camvid (0..10, 11), got 12: 100 %",
        "d.jpg: damaged image",
    ] {
        assert!(problems.contains(expected), "{expected} in {problems}");
    }
}

#[test]
fn statistics_decode_images_unless_a_quick_look_is_asked_for() {
    let disk = Disk::new();
    disk.camvid("a", [0; 8]);
    disk.image("val/b.png");
    disk.label("valannot/b.png", [0; 8]);
    // A changed byte of compressed pixels: no header tells of it.
    let path = disk.place("val/b.png");
    let mut bytes = fs::read(&path).unwrap();
    let pixels = bytes.windows(4).position(|w| w == b"IDAT").unwrap() + 8;
    bytes[pixels] ^= 0x55;
    fs::write(&path, bytes).unwrap();
    let index = disk.open("camvid", "val").unwrap();
    let places = |images| {
        let stats = stats_with(&index, images, &|_| ());
        stats.damaged.iter().map(|d| d.sample).collect::<Vec<_>>()
    };
    assert_eq!((places(Images::Decoded), places(Images::Headers)), (vec![1], vec![]));
    let rest = index.clone().without(&[1]);
    assert_eq!((rest.samples.len(), rest.samples[0].name.as_str()), (1, "a"));
    assert_ne!(rest.fingerprint(), index.fingerprint());
}

#[test]
fn the_splits_there_are_can_be_asked_for() {
    let disk = Disk::new();
    disk.camvid("a", [0; 8]);
    disk.image("test/a.png");
    disk.label("testannot/a.png", [0; 8]);
    disk.image("train/a.png"); // without its label: it is there all the same, for whoever asks what is wrong
    disk.image("other/a.png");
    let splits = |name: &str| Index::splits(&Descriptor::find(name).unwrap(), disk.root());
    assert_eq!(splits("camvid"), ["test", "train", "val"]);
    assert_eq!(splits("synthia"), ["train", "val", "test"]);
}
