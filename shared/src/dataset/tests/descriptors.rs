//! Descriptors of a user's own: what is read, what is refused; the settings behind a data set's name.

use std::fs;

use image::RgbImage;

use super::Disk;
use crate::dataset::*;

#[test]
fn a_users_own_descriptor_is_read_from_its_file() {
    let disk = Disk::new();
    let path = disk.place("yard.toml");
    fs::write(&path, include_str!("../example.toml")).unwrap();
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
    let line = "ROOT/val_paint/a.png: expected values of painted (4 colours), got [1, 2, 3]: 12 %, \
                beside [128, 64, 128] (road): 38 %, [0, 0, 0] (void): 25 %, [64, 0, 128] (car): 12 %, \
                [192, 128, 192] (car): 12 %; the first at pixel (1, 1)";
    assert_eq!(disk.words(error).0, line);
}

#[test]
fn a_descriptor_that_contradicts_itself_is_refused() {
    let good = include_str!("../example.toml");
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
