//! Labels that are one mask per class and image: united, counted where they overlap, and refused where it is not
//! plain what they mean.

use super::*;

const OWN: &str = r#"
name = "yard"
images = "images/{name}.png"
labels = [{ files = "masks/task-{name}-annotation-{annotation}-by-{user}-tag-{class}-{n}.png", rest = "ground" }]
split = { by = "blocks", train = 1.0, val = 0.0 }
classes = [
    { name = "ground", native = 0 },
    { name = "traffic", native = 1 },
    { name = "traffic light", native = 2, mask = "traffic-light" },
]
"#;

impl Disk {
    fn mask(&self, name: &str, rest: &str, set: [u8; 8]) {
        self.label(&format!("masks/task-{name}-annotation-{rest}.png"), set);
    }

    fn masks(&self, descriptor: &str) -> Index {
        let descriptor = Descriptor::from_toml(descriptor, "own.toml").unwrap();
        Index::survey(&descriptor, self.root(), "train").unwrap()
    }
}

#[test]
fn masks_of_an_image_become_one_label_and_the_later_class_wins() {
    let disk = Disk::new();
    disk.image("images/1.png");
    disk.mask("1", "4-by-1-tag-traffic-light-0", [0, 0, 0, 255, 255, 0, 0, 0]);
    disk.mask("1", "4-by-1-tag-traffic-0", [255, 0, 0, 255, 0, 0, 0, 0]);
    disk.mask("1", "4-by-1-tag-traffic-1", [255, 7, 0, 0, 0, 0, 0, 0]);
    let index = disk.masks(OWN);
    assert!(index.problems.is_empty(), "{:?}", index.problems);
    assert_eq!(index.label(0).unwrap().as_raw(), &[1, 1, 0, 2, 2, 0, 0, 0]);
    assert_eq!(index.samples[0].label_files().count(), 3);
    let stats = stats(&index, &|_| {});
    assert_eq!(stats.counts(), [4, 2, 2]);
    assert_eq!(
        stats.notes,
        [
            "masks of several classes overlap in 1 pixels (12.500 %) of 1 images: the class further down in the descriptor wins"
        ]
    );
}

#[test]
fn a_pixel_in_no_mask_is_a_class_or_ignored_as_the_descriptor_says() {
    let disk = Disk::new();
    disk.image("images/1.png");
    disk.mask("1", "4-by-1-tag-traffic-0", [255, 0, 0, 0, 0, 0, 0, 0]);
    let ignored = OWN.replace("rest = \"ground\"", "rest = \"void\"")
        + "ignored = [{ name = \"void\", native = 255 }]";
    let label = disk.masks(&ignored).label(0).unwrap();
    assert_eq!(label.as_raw(), &[1, 255, 255, 255, 255, 255, 255, 255]);
    for (bad, expected) in [
        (
            OWN.replace(", rest = \"ground\"", ""),
            "rest: expected a class or an ignored entry, got none",
        ),
        (OWN.replace("rest = \"ground\"", "rest = \"sea\""), "got sea"),
        (OWN.replace("{class}", "x"), "rest and unmasked only with {class}"),
    ] {
        let error = Descriptor::from_toml(&bad, "own.toml").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn an_image_without_masks_lacks_its_label_unless_it_is_said_to_be_all_rest() {
    let disk = Disk::new();
    disk.image("images/1.png");
    disk.image("images/2.png");
    disk.mask("1", "4-by-1-tag-traffic-0", [255, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(disk.masks(OWN).problems, ["image without label: 1 (images/2.png)"]);
    let index =
        disk.masks(&OWN.replace("rest = \"ground\"", "rest = \"ground\", unmasked = \"rest\""));
    assert!(index.problems.is_empty(), "{:?}", index.problems);
    assert_eq!(index.label(1).unwrap().as_raw(), &[0; 8]);
}

#[test]
fn masks_of_unknown_classes_of_two_annotations_or_of_two_sizes_are_problems() {
    let disk = Disk::new();
    disk.image("images/1.png");
    disk.mask("1", "4-by-1-tag-traffic-0", [255; 8]);
    disk.mask("1", "5-by-2-tag-traffic-0", [0; 8]);
    disk.mask("1", "4-by-1-tag-tree-0", [0; 8]);
    assert_eq!(
        disk.masks(OWN).problems,
        [
            "mask of a class that the descriptor does not have: 1 (masks/task-1-annotation-4-by-1-tag-tree-0.png)",
            "image with several annotations: 1 (masks/task-1-annotation-4-by-1-tag-traffic-0.png)",
        ]
    );
    let small = GrayImage::new(2, 2);
    small.save(disk.place("masks/task-1-annotation-4-by-1-tag-traffic-light-0.png")).unwrap();
    let error = disk.words(disk.masks(OWN).label(0).unwrap_err()).0;
    assert!(error.contains("expected a mask of the size of"), "{error}");
    assert!(error.ends_with("4 x 2, got 2 x 2"), "{error}");
}

#[test]
fn masks_beside_their_images_are_not_taken_for_images() {
    let disk = Disk::new();
    disk.image("day/1.png");
    disk.label("day/1_traffic.png", [1, 0, 0, 0, 0, 0, 0, 0]);
    let own = OWN.replace("images/{name}", "day/{name}").replace(
        "masks/task-{name}-annotation-{annotation}-by-{user}-tag-{class}-{n}",
        "day/{name}_{class}",
    );
    let index = disk.masks(&own);
    assert!(index.problems.is_empty(), "{:?}", index.problems);
    assert_eq!(index.label(0).unwrap().as_raw(), &[1, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn labels_called_otherwise_than_their_images_are_found_by_the_table_of_names() {
    let disk = Disk::new();
    disk.image("images/ab12-street.png");
    disk.mask("1", "4-by-1-tag-traffic-0", [255, 0, 0, 0, 0, 0, 0, 0]);
    let named = format!("{OWN}\n[label_names]\n\"ab12-street\" = \"1\"\n");
    let index = disk.masks(&named);
    assert!(index.problems.is_empty(), "{:?}", index.problems);
    assert_eq!(index.samples[0].name, "ab12-street");
    let twice = format!("{named}\"other\" = \"1\"\n");
    let error = Descriptor::from_toml(&twice, "own.toml").unwrap_err();
    assert!(error.to_string().contains("label_names \"1\": expected once, got twice"), "{error}");
}
