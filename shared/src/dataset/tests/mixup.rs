//! Train ids where a data set's own ids are expected, and the reverse: refused; honest labels that look odd: not.

use super::{Disk, says};
use crate::dataset::*;

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
        "ROOT/gtFine/val/aachen/a_gtFine_labelIds.png: expected values of cityscapes \
         (7, 8, 11..13, 17, 19..28, 31..33, 0..6, 9, 10, 14..16, 18, 29, 30), got 255: 25 %, \
         beside 0 (unlabeled): 12 %, 1 (ego vehicle): 12 %, 2 (rectification border): 12 %, \
         10 (rail track): 12 %, 2 more; the first at pixel (1, 1)",
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
        "ROOT/gtFine/val/aachen/a_gtFine_labelTrainIds.png: expected train ids (0..18, 255), \
         got 23: 12 %, 26: 12 %, 33: 12 %, beside 0 (road): 12 %, 3 (wall): 12 %, \
         7 (traffic sign): 12 %, 8 (vegetation): 12 %, 1 more; the first at pixel (3, 0)",
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
    assert_eq!(stats(&index, &|_| ()).problems, Vec::<String>::new());
    // An unknown value is no proof either.
    disk.label("val_labels/a.png", [0, 0, 0, 0, 255, 1, 2, 3]);
    let hint = disk.words(index.label(0).unwrap_err()).1;
    assert!(hint.starts_with("values that are meant to take no part"), "{hint}");
}

#[test]
fn statistics_see_a_mix_up_over_all_files() {
    let disk = Disk::new();
    disk.city("a", "labelIds", [0, 0, 0, 1, 2, 8, 10, 13]);
    let index =
        Index::survey(&Descriptor::find("cityscapes").unwrap(), disk.root(), "val").unwrap();
    let stats = stats(&index, &|_| ());
    assert!(stats.problems[0].contains("got what looks like train ids"), "{:?}", stats.problems);
}
