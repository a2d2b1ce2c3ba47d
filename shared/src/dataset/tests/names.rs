//! Files under other names than the descriptor's, in other folders, or in other formats: found, counted, pointed out.

use std::fs;

use super::{Disk, says};
use crate::dataset::*;

/// A descriptor with these two patterns, of classes 0 and 1.
fn described(images: &str, labels: &str) -> Descriptor {
    let text = format!(
        "name = \"own\"\nimages = \"{images}\"\nlabels = [{{ files = \"{labels}\" }}]\n\
         classes = [{{ name = \"a\", native = 0 }}, {{ name = \"b\", native = 1 }}]"
    );
    Descriptor::from_toml(&text, "own.toml").unwrap()
}

fn names(index: &Index) -> Vec<&str> {
    index.samples.iter().map(|s| s.name.as_str()).collect()
}

#[test]
fn pictures_in_subfolders_and_of_other_formats_are_counted() {
    let disk = Disk::new();
    disk.camvid("a", [0; 8]);
    for name in ["monday/b.jpg", "monday/early/c.png", ".cache/d.jpg", "@eaDir/e.jpg"] {
        disk.image(&format!("val/{name}"));
    }
    for name in ["f.HEIC", "monday/g.avif", "Thumbs.db", "notes.txt"] {
        fs::write(disk.place(&format!("val/{name}")), "x").unwrap();
    }
    let index = disk.open("camvid", "val").unwrap();
    assert_eq!(names(&index), ["a"]);
    assert_eq!(
        index.notes,
        [
            "picture left out, its format is not read: 2 (val/f.HEIC, val/monday/g.avif)",
            "picture left out, it lies in another folder than images do: 2 (val/monday/b.jpg, \
             val/monday/early/c.png); ** in a descriptor's patterns stands for folders of any depth"
        ]
    );
}

#[test]
fn pictures_above_the_folders_of_the_pattern_are_counted_too() {
    let disk = Disk::new();
    disk.city("a", "labelIds", [7; 8]);
    disk.image("leftImg8bit/val/b_leftImg8bit.png");
    let notes = disk.open("cityscapes", "val").unwrap().notes;
    assert!(notes[0].contains("another folder") && notes[0].contains("val/b_leftImg8bit.png"));
}

#[test]
fn labels_and_other_splits_beside_the_images_are_not_left_out() {
    let disk = Disk::new();
    for split in ["train", "val"] {
        disk.image(&format!("all/{split}_x.jpg"));
        disk.label(&format!("all/{split}_x.png"), [0; 8]);
    }
    let own = described("all/{split}_{name}.jpg", "all/{split}_{name}.png");
    let index = Index::open(&own, disk.root(), "val").unwrap();
    assert_eq!((names(&index), index.notes.len()), (vec!["x"], 0));
}

#[test]
fn two_stars_stand_for_folders_of_any_depth_in_images_and_labels_alike() {
    let disk = Disk::new();
    for (way, value) in [("", 0), ("monday/", 1), ("monday/early/", 0)] {
        disk.image(&format!("val/{way}x.jpg"));
        disk.label(&format!("masks/val/{way}x.png"), [value; 8]);
    }
    let own = described("{split}/**/{name}.jpg", "masks/{split}/**/{name}.png");
    let index = Index::open(&own, disk.root(), "val").unwrap();
    assert_eq!(names(&index), ["x", "monday_x", "monday_early_x"]);
    let values: Vec<u8> = (0..3).map(|i| index.label(i).unwrap().as_raw()[0]).collect();
    assert_eq!((values, index.notes.len()), (vec![0, 1, 0], 0));
    // A label in another folder is none of this image's.
    fs::rename(disk.place("masks/val/monday/x.png"), disk.place("masks/val/x2.png")).unwrap();
    let error = Index::open(&own, disk.root(), "val").unwrap_err().to_string();
    assert!(error.contains("image without label: 1 (val/monday/x.jpg)"), "{error}");
    let placed = "sample = \"{name}_in_{**}\"\nimages";
    let text = own.text.replacen("images", placed, 1);
    let text: Vec<&str> = text.lines().filter(|l| *l != "sample = \"{name}\"").collect();
    let own = Descriptor::from_toml(&text.join("\n"), "own.toml").unwrap();
    let index = Index::survey(&own, disk.root(), "val").unwrap();
    assert_eq!(names(&index), ["x_in_", "x_in_monday_early"]);
}

#[test]
fn endings_match_in_any_case() {
    let disk = Disk::new();
    disk.image("val/a.JPG");
    disk.label("valannot/a.png", [0; 8]);
    fs::rename(disk.place("valannot/a.png"), disk.place("valannot/a.PNG")).unwrap();
    assert_eq!(names(&disk.open("camvid", "val").unwrap()), ["a"]);
    disk.label("valannot/a.png", [1; 8]);
    let error = disk.refused("camvid", "val").0;
    assert!(error.ends_with("two labels for one image: 1 (valannot/a.png)"), "{error}");
}

#[test]
fn a_name_is_the_same_with_accents_in_one_piece_and_in_two() {
    let [whole, apart] = ["stra\u{df}e_gr\u{fc}n", "stra\u{df}e_gru\u{308}n"];
    let fingerprint = |image: &str, label: &str| {
        let disk = Disk::new();
        disk.image(&format!("val/{image}.png"));
        disk.label(&format!("valannot/{label}.png"), [0; 8]);
        let index = disk.open("camvid", "val").unwrap();
        assert_eq!(names(&index), [whole]);
        index.fingerprint()
    };
    let both = [fingerprint(whole, apart), fingerprint(apart, whole)];
    assert_eq!(both, [fingerprint(whole, whole), fingerprint(apart, apart)]);
}

#[test]
fn a_label_under_another_name_is_pointed_out_with_the_pattern_that_takes_it() {
    let check = |label: &str, expected: &str| {
        let disk = Disk::new();
        disk.image("val/0001_x.png");
        disk.label("valannot/0001_xy.png", [0; 8]);
        fs::rename(disk.place("valannot/0001_xy.png"), disk.place(label)).unwrap();
        let line =
            "camvid: ROOT: val: expected labels at {split}annot/{name}.png, got none for 1 images";
        says(&disk.refused("camvid", "val"), line, expected);
    };
    check(
        "valannot/0001_x_L.png",
        "for val/0001_x.png there is valannot/0001_x_L.png: \
         files = \"{split}annot/{name}_L.png\" would take it",
    );
    check(
        "valannot/mask-0001_X.png",
        "for val/0001_x.png there is valannot/mask-0001_X.png: \
         files = \"{split}annot/mask-{name}.png\" would take it",
    );
    check(
        "valannot/0001_x.jpg",
        "for val/0001_x.png there is valannot/0001_x.jpg: a label has to be in a format that \
         keeps its numbers, such as PNG",
    );
    check(
        "valannot/0001_x.BMP",
        "for val/0001_x.png there is valannot/0001_x.BMP: \
         files = \"{split}annot/{name}.BMP\" would take it",
    );
    check(
        "valannot/0001_x.json",
        "for val/0001_x.png there is valannot/0001_x.json: outlines, where pixels are wanted; \
         export them as PNG masks",
    );
    check(
        "valannot/10001_x.png",
        "the label of val/0001_x.png was looked for at valannot/0001_x.png; valannot holds 10001_x.png",
    );
    check(
        "labels/val/0001_x.png",
        "the label of val/0001_x.png was looked for at valannot/0001_x.png; valannot is empty",
    );
}

#[test]
fn a_missing_folder_of_labels_is_said_with_what_lies_there_instead() {
    let disk = Disk::new();
    disk.image("val/a.png");
    disk.label("val_labels/a.png", [0; 8]);
    let hint = "the label of val/a.png was looked for at valannot/a.png; there is no folder valannot; \
                ROOT holds val, val_labels";
    assert_eq!(disk.refused("camvid", "val").1, hint);
}

#[test]
fn some_labels_under_another_name_are_pointed_out_too() {
    let disk = Disk::new();
    disk.camvid("a", [0; 8]);
    disk.image("val/b.png");
    disk.label("valannot/b_L.png", [0; 8]);
    // This one belongs to another image.
    disk.image("val/b_0.png");
    disk.label("valannot/b_0.png", [0; 8]);
    assert_eq!(
        disk.refused("camvid", "val").0,
        "camvid: ROOT: val: image without label: 1 (val/b.png); for val/b.png there is \
         valannot/b_L.png: files = \"{split}annot/{name}_L.png\" would take it; \
         label without image: 1 (valannot/b_L.png)"
    );
}

#[test]
fn cityscapes_with_polygons_alone_names_the_program_that_makes_labels_of_them() {
    let disk = Disk::new();
    disk.image("leftImg8bit/val/aachen/aachen_0_leftImg8bit.png");
    let folder = "gtFine/val/aachen/aachen_0_gtFine";
    fs::write(disk.place(&format!("{folder}_polygons.json")), "{}").unwrap();
    disk.label(&format!("{folder}_color.png"), [0; 8]);
    let (line, hint) = disk.refused("cityscapes", "val");
    assert!(line.contains("got none for 1 images"), "{line}");
    assert_eq!(
        hint,
        "for leftImg8bit/val/aachen/aachen_0_leftImg8bit.png there is \
         gtFine/val/aachen/aachen_0_gtFine_polygons.json, polygons alone: label images are made of them \
         by createTrainIdLabelImgs of the Python package cityscapesscripts \
         (CITYSCAPES_DATASET=ROOT csCreateTrainIdLabelImgs)"
    );
}

#[test]
fn pictures_that_are_all_left_out_are_named_with_the_reason() {
    let refused = |picture: &str| {
        let disk = Disk::new();
        fs::write(disk.place(picture), "x").unwrap();
        disk.refused("camvid", "val").1
    };
    assert_eq!(
        refused("val/monday/a.jpg"),
        "pictures there: 1 (val/monday/a.jpg): they lie deeper: ** in a descriptor's patterns stands \
         for folders of any depth"
    );
    assert_eq!(
        refused("val/a.heic"),
        "pictures there: 1 (val/a.heic): their format is not read: convert them to PNG"
    );
}

#[test]
fn one_class_that_counts_is_pointed_out() {
    let disk = Disk::new();
    disk.image("val/a.png");
    disk.label("masks/val/a.png", [0, 0, 0, 0, 1, 1, 1, 1]);
    let text = |classes: &str| {
        format!(
            "name = \"own\"\nimages = \"{{split}}/{{name}}.png\"\n\
             labels = [{{ files = \"masks/{{split}}/{{name}}.png\" }}]\n{classes}"
        )
    };
    let notes = |classes: &str| {
        let own = Descriptor::from_toml(&text(classes), "own.toml").unwrap();
        Index::open(&own, disk.root(), "val").unwrap().notes.join("\n")
    };
    let alone = "one class alone counts, crack: accuracy and IoU will be 100 % whatever is learned, \
                 since all other pixels are ignored; ";
    assert_eq!(
        notes(
            "classes = [{ name = \"crack\", native = 1 }]\nignored = [{ name = \"wall\", native = 0 }]"
        ),
        format!(
            "{alone}make wall a class: wall=train behind the data set's name and a colon does that"
        )
    );
    assert_eq!(
        notes(
            "classes = [{ name = \"crack\", native = 1 }, { name = \"own\", native = 0, scored = false }]"
        ),
        format!(
            "{alone}make the background a class, such as {{ name = \"background\", native = 0 }}"
        )
    );
    assert_eq!(
        notes("classes = [{ name = \"crack\", native = 1 }, { name = \"wall\", native = 0 }]"),
        ""
    );
}
