//! The built-in data sets: their tables, where their files lie, their splits.
//! The Cityscapes table is written here once more, from the official scripts' `helpers/labels.py`.

use super::{Disk, says};
use crate::dataset::*;
use crate::labels::IGNORE;

#[test]
fn the_cityscapes_table_is_the_official_one() {
    // (name, id, trainId), trainId 255 or -1 written as IGNORE; "license plate" (-1, -1) is never drawn.
    let official: [(&str, u16, u8); 34] = [
        ("unlabeled", 0, IGNORE),
        ("ego vehicle", 1, IGNORE),
        ("rectification border", 2, IGNORE),
        ("out of roi", 3, IGNORE),
        ("static", 4, IGNORE),
        ("dynamic", 5, IGNORE),
        ("ground", 6, IGNORE),
        ("road", 7, 0),
        ("sidewalk", 8, 1),
        ("parking", 9, IGNORE),
        ("rail track", 10, IGNORE),
        ("building", 11, 2),
        ("wall", 12, 3),
        ("fence", 13, 4),
        ("guard rail", 14, IGNORE),
        ("bridge", 15, IGNORE),
        ("tunnel", 16, IGNORE),
        ("pole", 17, 5),
        ("polegroup", 18, IGNORE),
        ("traffic light", 19, 6),
        ("traffic sign", 20, 7),
        ("vegetation", 21, 8),
        ("terrain", 22, 9),
        ("sky", 23, 10),
        ("person", 24, 11),
        ("rider", 25, 12),
        ("car", 26, 13),
        ("truck", 27, 14),
        ("bus", 28, 15),
        ("caravan", 29, IGNORE),
        ("trailer", 30, IGNORE),
        ("train", 31, 16),
        ("motorcycle", 32, 17),
        ("bicycle", 33, 18),
    ];
    let d = Descriptor::find("cityscapes").unwrap();
    assert_eq!(d.num_classes(), 19);
    for (name, id, train) in official {
        assert_eq!(d.to_train(id), Some(train), "{name}");
        if train != IGNORE {
            let class = &d.classes[usize::from(train)];
            assert_eq!((class.name.as_str(), u16::from(class.native_id)), (name, id));
        }
    }
    for unknown in [34, 35, 254, 255, 256, u16::MAX] {
        assert_eq!(d.to_train(unknown), None, "{unknown}");
    }
}

#[test]
fn every_built_in_data_set_has_a_native_value_for_every_class_and_distinct_colours() {
    for (name, classes) in [("camvid", 11), ("cityscapes", 19), ("streets", 13), ("synthia", 13)] {
        assert!(Descriptor::builtin_names().contains(&name));
        let d = Descriptor::find(name).unwrap();
        assert_eq!((d.name.as_str(), d.num_classes()), (name, classes));
        for (id, class) in d.classes.iter().enumerate() {
            assert_eq!(
                d.to_train(class.native_id.into()),
                Some(id as u8),
                "{name}: {}",
                class.name
            );
            let same = d.classes.iter().filter(|c| c.color == class.color).count();
            assert_eq!(same, 1, "{name}: {}", class.name);
        }
    }
    assert_eq!(Descriptor::builtin_names().len(), 4);
}

#[test]
fn cityscapes_pairs_are_found_over_cities_and_mapped_to_train_ids() {
    let disk = Disk::new();
    disk.city("aachen_000001_000019", "labelIds", [7, 8, 11, 26, 33, 0, 3, 23]);
    disk.city("aachen_000000_000019", "labelIds", [7; 8]);
    disk.label("gtFine/val/aachen/aachen_000000_000019_gtFine_instanceIds.png", [0; 8]);
    let index = disk.open("cityscapes", "val").unwrap();
    let names: Vec<&str> = index.samples.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["aachen_000000_000019", "aachen_000001_000019"]);
    let (image, label) = index.load(1).unwrap();
    assert_eq!(image.dimensions(), (4, 2));
    assert_eq!(label.as_raw(), &[0, 1, 2, 13, 18, 255, 255, 10]);
}

#[test]
fn synthia_takes_the_first_channel_and_splits_each_camera() {
    let disk = Disk::new();
    for camera in ["Stereo_Left/Omni_F", "Stereo_Right/Omni_B"] {
        for frame in 0..10 {
            disk.image(&format!("RGB/{camera}/{frame:06}.png"));
            let label = format!("GT/LABELS/{camera}/{frame:06}.png");
            disk.label_16(&label, [0, 1, 3, 12, 13, 14, 15, 11]);
        }
    }
    for split in ["synthia", "synthia:split=random,seed=3", "synthia:split=blocks"] {
        let sizes = ["train", "val", "test"].map(|s| disk.open(split, s).unwrap().samples.len());
        assert_eq!(sizes, [14, 2, 4], "{split}");
    }
    let index = disk.open("synthia:split=blocks", "val").unwrap();
    assert_eq!(index.samples[1].name, "Stereo_Right_Omni_B_000007");
    assert_eq!(index.label(0).unwrap().as_raw(), &[255, 0, 2, 11, 255, 255, 12, 10]);
    let index = disk.open("synthia:void=train", "train").unwrap();
    assert_eq!(index.descriptor.name, "synthia:void=train");
    assert_eq!(index.descriptor.classes[13].name, "void");
    assert_eq!(index.label(0).unwrap().as_raw(), &[13, 0, 2, 11, 255, 255, 12, 10]);
    assert_eq!(disk.open("synthia:void=unscored", "train").unwrap().descriptor.unscored, [13]);
    let line = "synthia: split: expected train, val, test, got all";
    says(&disk.refused("synthia", "all"), line, "");
}

#[test]
fn synthia_holds_out_the_same_instants_in_every_camera() {
    let disk = Disk::new();
    let cameras = ["Stereo_Left/Omni_F", "Stereo_Right/Omni_F", "Stereo_Left/Omni_B"];
    for camera in cameras {
        for frame in 0..40 {
            disk.image(&format!("RGB/{camera}/{frame:06}.png"));
            disk.label_16(&format!("GT/LABELS/{camera}/{frame:06}.png"), [1; 8]);
        }
    }
    for dataset in ["synthia", "synthia:seed=3", "synthia:split=blocks"] {
        let instants = |split| {
            let mut count = std::collections::BTreeMap::new();
            for sample in disk.open(dataset, split).unwrap().samples {
                let instant = sample.image.file_name().unwrap().to_os_string();
                *count.entry(instant).or_insert(0) += 1;
            }
            count
        };
        let (train, val, test) = (instants("train"), instants("val"), instants("test"));
        assert_eq!([train.len(), val.len(), test.len()], [28, 4, 8], "{dataset}");
        for split in [&train, &val, &test] {
            assert!(split.values().all(|&n| n == cameras.len()), "{dataset}: {split:?}");
        }
        let held_out = val.keys().chain(test.keys());
        assert_eq!(held_out.filter(|&instant| train.contains_key(instant)).count(), 0);
    }
}

#[test]
fn a_split_does_not_depend_on_where_the_data_set_lies() {
    let names = || {
        let disk = Disk::new();
        for frame in 0..20 {
            disk.image(&format!("RGB/Stereo_Left/Omni_F/{frame:06}.png"));
            disk.label_16(&format!("GT/LABELS/Stereo_Left/Omni_F/{frame:06}.png"), [1; 8]);
        }
        let index = disk.open("synthia", "train").unwrap();
        let names: Vec<String> = index.samples.iter().map(|s| s.name.clone()).collect();
        (names, index.fingerprint())
    };
    assert_eq!(names(), names());
}
