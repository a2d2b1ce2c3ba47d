//! Data sets on disk as their authors lay them out, made small: what is found, what is refused, in which words.
//! Not the real ones: CamVid has its own file under `tests/`.
//! The Cityscapes table is written here once more, from the official scripts' `helpers/labels.py`.

use std::fs;
use std::path::{Path, PathBuf};

use image::{GrayImage, RgbImage};

use super::*;
use crate::labels::IGNORE;

/// A folder to fill, and what is asked of it.
struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    fn new() -> Self {
        Disk { dir: tempfile::tempdir().unwrap() }
    }

    fn root(&self) -> &Path {
        self.dir.path()
    }

    fn place(&self, path: &str) -> PathBuf {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        path
    }

    fn image(&self, path: &str) {
        RgbImage::from_pixel(4, 2, image::Rgb([9, 8, 7])).save(self.place(path)).unwrap();
    }

    /// A label of 4 x 2 pixels.
    fn label(&self, path: &str, values: [u8; 8]) {
        GrayImage::from_raw(4, 2, values.to_vec()).unwrap().save(self.place(path)).unwrap();
    }

    fn label_16(&self, path: &str, values: [u16; 8]) {
        let pixels: Vec<u16> = values.iter().flat_map(|&v| [v, 77, 0]).collect();
        image::ImageBuffer::<image::Rgb<u16>, _>::from_raw(4, 2, pixels)
            .unwrap()
            .save(self.place(path))
            .unwrap();
    }

    fn city(&self, name: &str, ids: &str, values: [u8; 8]) {
        self.image(&format!("leftImg8bit/val/aachen/{name}_leftImg8bit.png"));
        self.label(&format!("gtFine/val/aachen/{name}_gtFine_{ids}.png"), values);
    }

    fn camvid(&self, name: &str, values: [u8; 8]) {
        self.image(&format!("val/{name}.jpg"));
        self.label(&format!("valannot/{name}.png"), values);
    }

    fn open(&self, dataset: &str, split: &str) -> crate::error::Result<Index> {
        Index::open(&Descriptor::find(dataset)?, self.root(), split)
    }

    /// The error of opening, with the folder's name taken out, and its hint.
    fn refused(&self, dataset: &str, split: &str) -> (String, String) {
        self.words(self.open(dataset, split).expect_err("it should be refused"))
    }

    fn words(&self, error: crate::error::Error) -> (String, String) {
        let short = |s: &str| s.replace(&self.root().display().to_string(), "ROOT");
        (short(&error.to_string()), short(error.hint_text().unwrap_or_default()))
    }
}

#[track_caller]
fn says(got: &(String, String), line: &str, hint: &str) {
    assert_eq!(got.0, line);
    assert_eq!(got.1, hint);
}

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
fn train_id_files_are_recognized_by_their_name() {
    let disk = Disk::new();
    disk.city("a", "labelTrainIds", [0, 1, 2, 13, 18, 255, 255, 10]);
    let index = disk.open("cityscapes", "val").unwrap();
    assert_eq!(index.label(0).unwrap().as_raw(), &[0, 1, 2, 13, 18, 255, 255, 10]);
    // Where both are there, the data set's own ids are read.
    disk.city("a", "labelIds", [7; 8]);
    let index = disk.open("cityscapes", "val").unwrap();
    assert_eq!(index.label(0).unwrap().as_raw(), &[0; 8]);
}

#[test]
fn train_ids_in_a_file_of_label_ids_are_refused() {
    let disk = Disk::new();
    disk.city("a", "labelIds", [0, 1, 2, 13, 18, 255, 255, 10]);
    says(
        &disk.refused("cityscapes", "val"),
        "ROOT/gtFine/val/aachen/a_gtFine_labelIds.png: pixel (1, 1): expected a value of cityscapes, got 255",
        "the values look like train ids (0 to 18 and 255): the place of such files is \
         gtFine/{split}/{city}/{name}_gtFine_labelTrainIds.png",
    );
}

#[test]
fn train_ids_without_an_ignored_pixel_are_refused_by_what_they_would_mean() {
    let disk = Disk::new();
    disk.city("a", "labelIds", [0, 0, 0, 1, 2, 8, 10, 13]);
    disk.city("b", "labelIds", [0, 0, 2, 2, 8, 8, 10, 10]);
    says(
        &disk.refused("cityscapes", "val"),
        "cityscapes: ROOT: val: expected the ids of cityscapes, got what looks like train ids: \
         no value above 18, and 75 % would be ignored",
        "the values look like train ids (0 to 18 and 255): the place of such files is \
         gtFine/{split}/{city}/{name}_gtFine_labelTrainIds.png; \
         labels that are right all the same need a descriptor without that place",
    );
}

#[test]
fn label_ids_in_a_file_of_train_ids_are_refused() {
    let disk = Disk::new();
    disk.city("a", "labelTrainIds", [7, 8, 11, 26, 33, 0, 3, 23]);
    let index = disk.open("cityscapes", "val").unwrap();
    says(
        &disk.words(index.label(0).unwrap_err()),
        "ROOT/gtFine/val/aachen/a_gtFine_labelTrainIds.png: pixel (3, 0): \
         expected a train id (0 to 18, or 255), got 26",
        "these look like the data set's own ids: their place is \
         gtFine/{split}/{city}/{name}_gtFine_labelIds.png",
    );
}

#[test]
fn honest_labels_of_odd_scenes_are_not_taken_for_train_ids() {
    // A test split's labels, a street without sky and green, a single road: no false alarm.
    for values in
        [[0, 1, 2, 3, 3, 3, 3, 3], [7, 7, 7, 8, 11, 17, 12, 1], [7; 8], [4, 4, 4, 4, 4, 7, 7, 11]]
    {
        let disk = Disk::new();
        disk.city("a", "labelIds", values);
        disk.open("cityscapes", "val").unwrap();
    }
}

#[test]
fn sparse_labels_of_a_data_set_without_train_ids_are_no_mix_up() {
    // Few pixels are labelled, and the last class is in none of the files: every value is a train id too.
    let disk = Disk::new();
    let classes: Vec<String> =
        (1..=6).map(|id| format!("{{ name = \"c{id}\", native = {id} }}")).collect();
    let text = format!(
        "name = \"sparse\"\nimages = \"{{split}}/{{name}}.png\"\n\
         labels = [{{ files = \"{{split}}_labels/{{name}}.png\" }}]\n\
         classes = [{}]\nignored = [{{ name = \"unlabelled\", native = 0 }}]",
        classes.join(", ")
    );
    let sparse = Descriptor::from_toml(&text, "sparse.toml").unwrap();
    for name in ["a", "b"] {
        disk.image(&format!("val/{name}.png"));
        disk.label(&format!("val_labels/{name}.png"), [0, 0, 0, 0, 0, 0, 0, 4]);
    }
    disk.label("val_labels/a.png", [0, 0, 0, 0, 0, 1, 2, 3]);
    let index = Index::open(&sparse, disk.root(), "val").unwrap();
    assert_eq!(stats(&index, &|_| ()).unwrap().problems, Vec::<String>::new());
    // An unknown value is no proof either.
    disk.label("val_labels/a.png", [0, 0, 0, 0, 255, 1, 2, 3]);
    let hint = disk.words(index.label(0).unwrap_err()).1;
    assert!(hint.starts_with("values that are meant to take no part"), "{hint}");
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
    disk.camvid("a", [0; 8]);
    fs::write(disk.place("val/b.bmp"), "x").unwrap();
    fs::write(disk.place("val/readme.txt"), "x").unwrap();
    fs::write(disk.place("val/._a.jpg"), "x").unwrap();
    let index = disk.open("camvid", "val").unwrap();
    assert_eq!(index.notes, ["picture left out, its name does not match: 1 (val/b.bmp)"]);
    let stats = stats(&index, &|_| ()).unwrap();
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
    says(&disk.refused("camvid", "val"), line, "");
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
fn an_unknown_value_is_named_with_its_file_and_pixel() {
    let disk = Disk::new();
    disk.camvid("a", [0, 1, 2, 3, 4, 5, 12, 99]);
    let error = disk.open("camvid", "val").unwrap().label(0).unwrap_err();
    says(
        &disk.words(error),
        "ROOT/valannot/a.png: pixel (2, 1): expected a value of camvid, got 12",
        "values that are meant to take no part belong to the descriptor's `ignored`",
    );
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
    let stats = stats(&index, &|n| done.set(n)).unwrap();
    assert_eq!(done.get(), 4);
    assert_eq!((stats.images, stats.counted, stats.valid, stats.ignored), (4, 2, 13, 3));
    assert_eq!(stats.counts()[..4], [10, 2, 1, 0]);
    assert_eq!(stats.classes[0].images, 2);
    assert!((stats.shares().iter().sum::<f64>() - 1.0).abs() < 1e-12);
    let size = stats::SizeCount { width: 4, height: 2, images: 2 };
    assert_eq!(stats.sizes, [size]);
    let problems = stats.problems.join("\n");
    for expected in
        ["image without label: 1 (val/e.png)", "c.png: pixel (0, 0)", "d.jpg: damaged image"]
    {
        assert!(problems.contains(expected), "{expected} in {problems}");
    }
}

#[test]
fn statistics_see_a_mix_up_over_all_files() {
    let disk = Disk::new();
    disk.city("a", "labelIds", [0, 0, 0, 1, 2, 8, 10, 13]);
    let index =
        Index::survey(&Descriptor::find("cityscapes").unwrap(), disk.root(), "val").unwrap();
    let stats = stats(&index, &|_| ()).unwrap();
    assert!(stats.problems[0].contains("got what looks like train ids"), "{:?}", stats.problems);
}

#[test]
fn a_users_own_descriptor_is_read_from_its_file() {
    let disk = Disk::new();
    let path = disk.place("yard.toml");
    fs::write(&path, include_str!("example.toml")).unwrap();
    disk.image("frames/train/monday/x.jpeg");
    disk.label("masks/train/monday/x.png", [1, 2, 7, 3, 4, 0, 255, 1]);
    let path = path.display().to_string();
    let index = disk.open(&path, "train").unwrap();
    assert_eq!(index.samples[0].name, "monday_x");
    assert_eq!(index.label(0).unwrap().as_raw(), &[0, 1, 1, 2, 3, 255, 255, 0]);
    assert_eq!(index.descriptor.unscored, [3]);
    let index = disk.open(&format!("{path}:void=train"), "train").unwrap();
    assert_eq!(index.label(0).unwrap().as_raw(), &[0, 1, 1, 2, 3, 4, 4, 0]);
}

#[test]
fn colours_can_stand_for_classes_and_several_for_one() {
    let disk = Disk::new();
    let text = r#"
        name = "painted"
        images = "{split}/{name}.png"
        labels = [{ files = "{split}_paint/{name}.png", encoding = "rgb" }]
        classes = [
            { name = "road", color = [128, 64, 128] },
            { name = "car", color = [0, 0, 142], rgb = [[64, 0, 128], [192, 128, 192]] },
        ]
        ignored = [{ name = "void" }]
    "#;
    let painted = Descriptor::from_toml(text, "painted.toml").unwrap();
    disk.image("val/a.png");
    let [road, car, van, void] = [[128, 64, 128], [64, 0, 128], [192, 128, 192], [0, 0, 0]];
    let save = |colors: [[u8; 3]; 8]| {
        let label = RgbImage::from_raw(4, 2, colors.concat()).unwrap();
        label.save(disk.place("val_paint/a.png")).unwrap();
        Index::open(&painted, disk.root(), "val").unwrap().label(0)
    };
    let label = save([road, road, car, van, void, car, road, void]).unwrap();
    assert_eq!(label.as_raw(), &[0, 0, 1, 1, 255, 1, 0, 255]);
    let error = save([road, road, car, van, void, [1, 2, 3], road, void]).unwrap_err();
    let line =
        "ROOT/val_paint/a.png: pixel (1, 1): expected a value of painted, got colour [1, 2, 3]";
    assert_eq!(disk.words(error).0, line);
}

#[test]
fn a_descriptor_that_contradicts_itself_is_refused() {
    let good = include_str!("example.toml");
    Descriptor::from_toml(good, "d.toml").unwrap();
    let check = |from: &str, to: &str, expected: &str| {
        assert!(good.contains(from), "{from}");
        let error = Descriptor::from_toml(&good.replace(from, to), "d.toml").unwrap_err();
        assert!(error.hint_text().is_some(), "{error}");
        let error = error.to_string();
        assert!(error.starts_with("d.toml: ") && error.contains(expected), "{error}");
    };
    check("sample", "smaple", "unknown field `smaple`");
    check("native = 1 }", "natvie = 1 }", "unknown field `natvie`");
    check("native = 1 }", "native = 70000 }", "d.toml");
    check(
        "native = 1 }",
        "native = 700 }",
        "ground: expected a native value, the first of them at most 255, got 700",
    );
    check("native = 1 }", "}", "ground: expected a native value");
    check("native = 1 }", "native = 2 }", "native value 2: expected once, got twice");
    check("\"person\"", "\"machine\"", "name \"machine\": expected once, got twice");
    check("\"person\"", "\"\"", "name: expected one that can be printed, got \"\"");
    check("\"void\"", "\"vo\\nid\"", "name: expected one that can be printed, got \"vo\\nid\"");
    check("\"yard\"", "\" \"", "name: expected one that can be printed, got \" \"");
    check("frames/{split}", "frames/all", "images: expected {split} in the pattern");
    check(
        "masks/{split}/{day}/{name}.png",
        "masks/{split}/{name}.png",
        "expected the words of images",
    );
    check("{name}.png", "{name.png", "a { without }");
    check("ids = \"train\"", "channel = 1", "channel only with");
}

#[test]
fn an_unknown_data_set_or_setting_lists_what_there_is() {
    let line = |name: &str| {
        let error = Descriptor::find(name).unwrap_err();
        assert!(error.hint_text().is_some(), "{error}");
        error.to_string()
    };
    assert_eq!(
        line("citscapes"),
        "data set \"citscapes\": expected camvid, cityscapes, streets, synthia, or the path of a descriptor"
    );
    assert_eq!(
        line("synthia:split=odd"),
        "synthia:split=odd: split: expected random or blocks, got \"odd\""
    );
    assert_eq!(
        line("camvid:split=random"),
        "camvid:split=random: split: expected no such setting (the splits of this data set are folders), got \"random\""
    );
    assert_eq!(
        line("synthia:viod=train"),
        "synthia:viod=train: expected the setting split, seed, or an ignored entry (void, reserved), got viod"
    );
}
