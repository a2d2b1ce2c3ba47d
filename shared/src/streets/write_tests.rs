//! Tests of the writer: files, bit depths, refusals, and that the real loaders read the sets.
//! The pixels themselves are tested in `scene_tests`.
//! Source: own; the expected folders are those of the real data sets.

use std::path::Path;

use super::*;
use crate::dataset::Index;
use crate::error::Blame;
use crate::streets::layouts::row;
use crate::streets::palette::Thing;

const SMALL: StreetSettings = StreetSettings { width: 96, height: 64, seed: 3 };
const FEW: Counts = Counts { train: 2, val: 1, test: 1 };

fn make(layout: Layout, out: &Path) -> Summary {
    write(layout, out, &SMALL, FEW, &|| {}).unwrap()
}

#[test]
fn each_layout_has_its_files_at_their_bit_depths() {
    let folder = tempfile::tempdir().unwrap();
    let check = |layout: Layout, expected: &[(&str, image::ColorType)]| {
        let out = folder.path().join(layout.name());
        assert_eq!(make(layout, &out), Summary { scenes: 4, already_there: false });
        for (path, color) in expected {
            let picture = image::open(out.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            assert_eq!(
                (picture.width(), picture.height(), picture.color()),
                (96, 64, *color),
                "{path}"
            );
        }
    };
    use image::ColorType::{L8, L16, Rgb8, Rgb16};
    check(
        Layout::Streets,
        &[
            ("images/train/000001.png", Rgb8),
            ("labels/train/000001.png", L8),
            ("labels/val/000000.png", L8),
        ],
    );
    check(
        Layout::Cityscapes,
        &[
            ("leftImg8bit/train/streets/streets_000001_000019_leftImg8bit.png", Rgb8),
            ("gtFine/train/streets/streets_000001_000019_gtFine_labelIds.png", L8),
            ("gtFine/val/streets/streets_000000_000019_gtFine_labelTrainIds.png", L8),
            ("gtFine/test/streets/streets_000000_000019_gtFine_instanceIds.png", L16),
        ],
    );
    check(
        Layout::Synthia,
        &[
            ("RGB/Stereo_Left/Omni_F/000000.png", Rgb8),
            ("GT/LABELS/Stereo_Left/Omni_R/000000.png", Rgb16),
        ],
    );
    check(
        Layout::Camvid,
        &[("train/000001.png", Rgb8), ("trainannot/000001.png", L8), ("testannot/000000.png", L8)],
    );
}

#[test]
fn the_loaders_read_every_layout() {
    let folder = tempfile::tempdir().unwrap();
    for layout in Layout::ALL {
        let out = folder.path().join(layout.name());
        let counts = Counts { train: 16, val: 8, test: 0 };
        write(layout, &out, &SMALL, counts, &|| {}).unwrap();
        let descriptor = Descriptor::find(layout.name()).unwrap();
        let index = Index::open(&descriptor, &out, "train").unwrap();
        assert!(index.samples.len() >= 16, "{}", layout.name());
        let (image, label) = index.load(0).unwrap();
        assert_eq!(image.dimensions(), label.dimensions());
    }
}

#[test]
fn every_id_is_known_to_the_data_set_that_reads_it() {
    let name = |set: &str, id: u8| {
        let descriptor = Descriptor::find(set).unwrap();
        let train =
            descriptor.to_train(u16::from(id)).unwrap_or_else(|| panic!("{set}: unknown id {id}"));
        descriptor
            .classes
            .get(train as usize)
            .map_or("ignored".to_owned(), |c| c.name.to_lowercase())
    };
    // Classes of one meaning have different names in the four sets; those named here must be met exactly.
    for (thing, expected) in [
        (Thing::Road, ["road", "road", "road", "road"]),
        (Thing::LaneMarking, ["lane marking", "road", "lane marking", "road"]),
        (Thing::Sidewalk, ["sidewalk", "sidewalk", "sidewalk", "sidewalk"]),
        (Thing::Grass, ["vegetation", "terrain", "vegetation", "tree"]),
        (Thing::Building, ["building", "building", "building", "building"]),
        (Thing::Fence, ["fence", "fence", "fence", "fence"]),
        (Thing::Vegetation, ["vegetation", "vegetation", "vegetation", "tree"]),
        (Thing::Sky, ["sky", "sky", "sky", "sky"]),
        (Thing::Car, ["car", "car", "car", "car"]),
        (Thing::Truck, ["car", "truck", "car", "car"]),
        (Thing::Pole, ["pole", "pole", "pole", "pole"]),
        (Thing::TrafficLight, ["traffic light", "traffic light", "traffic light", "sign"]),
        (Thing::TrafficSign, ["traffic sign", "traffic sign", "traffic sign", "sign"]),
        (Thing::Person, ["pedestrian", "person", "pedestrian", "pedestrian"]),
        (Thing::Rider, ["pedestrian", "rider", "pedestrian", "bicyclist"]),
        (Thing::Bicycle, ["bicycle", "bicycle", "bicycle", "bicyclist"]),
        (Thing::Clutter, ["ignored", "ignored", "ignored", "ignored"]),
    ] {
        let r = row(thing);
        let got = [
            name("streets", r.streets),
            name("cityscapes", r.cityscapes),
            name("synthia", r.synthia),
            name("camvid", r.camvid),
        ];
        for (got, expected) in got.iter().zip(expected) {
            assert!(got.contains(expected), "{thing:?}: expected {expected}, got {got}");
        }
    }
}

#[test]
fn single_objects_are_counted_within_their_class() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    write(
        Layout::Cityscapes,
        &out,
        &StreetSettings::default(),
        Counts { train: 6, val: 0, test: 0 },
        &|| {},
    )
    .unwrap();
    let mut several = 0;
    for k in 0..6 {
        let base = out.join(format!("gtFine/train/streets/streets_{k:06}_000019_gtFine"));
        let open = |kind: &str| image::open(format!("{}_{kind}.png", base.display())).unwrap();
        let (labels, instances) = (open("labelIds").to_luma8(), open("instanceIds").to_luma16());
        for (label, instance) in labels.iter().zip(instances.iter()) {
            let counted = [24, 25, 26, 27, 33].contains(label);
            assert_eq!(u16::from(*label), if counted { instance / 1000 } else { *instance });
            several += usize::from(*instance == 26_001);
        }
    }
    assert!(several > 0, "some scene has a second car");
}

#[test]
fn the_same_set_is_left_alone_and_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("set");
    std::fs::create_dir(&out).unwrap();
    assert!(!make(Layout::Streets, &out).already_there, "an empty folder is filled");
    assert!(make(Layout::Streets, &out).already_there);
    let other = StreetSettings { seed: 4, ..SMALL };
    let error = write(Layout::Streets, &out, &other, FEW, &|| {}).unwrap_err();
    assert_eq!(error.blame(), Blame::Request);
    assert!(error.hint_text().is_some());
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing is left beside the set"
    );
}

#[test]
fn sizes_and_counts_out_of_bounds_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for (width, height) in [(62, 64), (64, 0), (321, 160), (8194, 64)] {
        let settings = StreetSettings { width, height, seed: 0 };
        let error =
            write(Layout::Streets, &folder.path().join("x"), &settings, FEW, &|| {}).unwrap_err();
        assert_eq!(error.blame(), Blame::Request);
        assert!(error.to_string().contains(&format!("{width}x{height}")));
    }
    let none = Counts { train: 0, val: 0, test: 0 };
    let error = write(Layout::Streets, &folder.path().join("x"), &SMALL, none, &|| {}).unwrap_err();
    assert_eq!(error.blame(), Blame::Request);
    assert!("kitti".parse::<Layout>().is_err());
}

#[test]
fn a_place_where_no_folder_can_be_made_is_the_requests_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    for out in [file.join("x"), file, "/proc/x".into(), "..".into()] {
        let error = write(Layout::Streets, &out, &SMALL, FEW, &|| {}).unwrap_err();
        assert_eq!(error.blame(), Blame::Request, "{error}");
        assert!(error.hint_text().is_some(), "{error}");
    }
}

#[cfg(target_os = "linux")] // which has a disk that is always full
#[test]
fn a_disk_that_is_full_is_an_error_however_small_the_file() {
    let destination = Destination::Split("train", "a".into());
    let cityscapes = Descriptor::find("cityscapes").unwrap();
    for file in files(Layout::Streets, &scene(&SMALL, 0), &destination, &cityscapes) {
        let error = file.save(Path::new("/dev/full"), &SMALL).unwrap_err();
        assert_eq!(error.blame(), Blame::Work, "{error}");
    }
}

#[test]
fn leftovers_of_killed_writers_go_and_what_others_hold_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    for left in
        [".set.1.partial/images", ".set.2.partial/images", ".sets.1.partial", ".set.a.partial"]
    {
        std::fs::create_dir_all(at(left)).unwrap();
    }
    let held = File::open(at(".set.2.partial")).unwrap();
    held.lock().unwrap();
    make(Layout::Streets, &at("set"));
    let entries = std::fs::read_dir(folder.path()).unwrap();
    let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".set.2.partial", ".set.a.partial", ".sets.1.partial", "set"]);
}

#[test]
fn splits_share_no_scene_and_do_not_depend_on_each_others_size() {
    let folder = tempfile::tempdir().unwrap();
    let (a, b) = (folder.path().join("a"), folder.path().join("b"));
    make(Layout::Streets, &a);
    write(Layout::Streets, &b, &SMALL, Counts { train: 1, val: 1, test: 0 }, &|| {}).unwrap();
    let read = |path: &Path| std::fs::read(path).unwrap();
    assert_eq!(read(&a.join("images/val/000000.png")), read(&b.join("images/val/000000.png")));
    assert_ne!(read(&a.join("images/val/000000.png")), read(&a.join("images/train/000000.png")));
}
