//! Split lists: what a line may be, which label an image then has, and what is said of lines that lead nowhere.

use super::*;

const VOC: &str = r#"
name = "voc"
images = "JPEGImages/{name}.{jpg|png}"
labels = [{ files = "SegmentationClass/{name}.png" }]
list = "ImageSets/{split}.txt"
classes = [{ name = "ground", native = 0 }, { name = "machine", native = 1 }]
"#;

impl Disk {
    fn pair(&self, name: &str) {
        self.image(&format!("JPEGImages/{name}.png"));
        self.label(&format!("SegmentationClass/{name}.png"), [0, 0, 1, 1, 0, 0, 1, 1]);
    }

    fn list(&self, path: &str, text: &str) {
        fs::write(self.place(path), text).unwrap();
    }

    fn survey(&self, descriptor: &str, split: &str) -> Index {
        let descriptor = Descriptor::from_toml(descriptor, "own.toml").unwrap();
        Index::survey(&descriptor, self.root(), split).unwrap()
    }
}

fn names(index: &Index) -> Vec<&str> {
    index.samples.iter().map(|s| s.name.as_str()).collect()
}

#[test]
fn a_list_of_stems_chooses_the_images_of_a_split_and_their_labels() {
    let disk = Disk::new();
    ["a", "b b", "c"].into_iter().for_each(|name| disk.pair(name));
    disk.image("JPEGImages/detection-only.png");
    disk.list("ImageSets/train.txt", "c\r\n\nb b\n");
    disk.list("ImageSets/val.txt", "a\n");
    let train = disk.survey(VOC, "train");
    assert_eq!(names(&train), ["b b", "c"]);
    assert!(train.problems.is_empty(), "{:?}", train.problems);
    assert_eq!(
        train.notes,
        ["image left out, it is in no list: 1 (JPEGImages/detection-only.png)"]
    );
    assert_eq!(names(&disk.survey(VOC, "val")), ["a"]);
}

#[test]
fn a_line_may_be_a_path_from_elsewhere_or_an_image_and_its_label() {
    let disk = Disk::new();
    ["a", "b", "c"].into_iter().for_each(|name| disk.pair(name));
    disk.label("fixed/c.png", [1; 8]);
    let lines = "/home/me/voc/JPEGImages/a.png\n\
                 JPEGImages/b.png SegmentationClass/b.png\n\
                 /voc/JPEGImages/c.png\t/voc/fixed/c.png\n";
    disk.list("ImageSets/train.txt", lines);
    let train = disk.survey(VOC, "train");
    assert_eq!(names(&train), ["a", "b", "c"]);
    assert_eq!(train.label(2).unwrap().as_raw(), &[1; 8]);
    assert_eq!(train.samples[1].label, disk.root().join("SegmentationClass/b.png"));
}

#[test]
fn a_table_pairs_images_and_labels_whose_names_have_nothing_in_common() {
    let disk = Disk::new();
    disk.image("pictures/morning.png");
    disk.image("pictures/noon.png");
    disk.label("truth/0001.png", [1; 8]);
    disk.label("truth/0002.png", [0; 8]);
    let own = VOC
        .replace("JPEGImages/{name}", "pictures/{name}")
        .replace("SegmentationClass/{name}", "truth/{number}")
        .replace("ImageSets/{split}.txt", "{split}.csv");
    disk.list(
        "train.csv",
        "id,Mask,Image\n7,truth/0002.png,\"pictures/morning.png\"\n8,truth/0001.png,noon\n",
    );
    let train = disk.survey(&own, "train");
    assert!(train.problems.is_empty(), "{:?}", train.problems);
    assert_eq!(train.label(0).unwrap().as_raw(), &[0; 8]);
    assert_eq!(train.label(1).unwrap().as_raw(), &[1; 8]);
    disk.list("train.csv", "a,b\n1,2\n");
    let descriptor = Descriptor::from_toml(&own, "own.toml").unwrap();
    let error = Index::survey(&descriptor, disk.root(), "train").unwrap_err();
    says(
        &disk.words(error),
        "ROOT/train.csv:1: expected a column \"image\", got a,b",
        "the header of a list is image, or image,label",
    );
}

#[test]
fn lines_that_lead_nowhere_are_named_with_their_list_and_number() {
    let disk = Disk::new();
    ["a", "b"].into_iter().for_each(|name| disk.pair(name));
    let lines = "a\nlost\nb\na\nJPEGImages/b.png SegmentationClass/lost.png\n";
    disk.list("ImageSets/train.txt", lines);
    let problems = disk.survey(VOC, "train").problems;
    assert_eq!(
        problems,
        [
            "line without image: 1 (ImageSets/train.txt:2 lost)",
            "line that names an image again: 2 (ImageSets/train.txt:4 a, ImageSets/train.txt:5 JPEGImages/b.png)",
        ]
    );
    disk.list("ImageSets/train.txt", "a\nJPEGImages/b.png SegmentationClass/lost.png\n");
    let problems = disk.survey(VOC, "train").problems;
    let line = "line without label: 1 (ImageSets/train.txt:2 SegmentationClass/lost.png)";
    assert_eq!(problems, [line]);
}

#[test]
fn a_name_that_two_folders_have_is_not_guessed() {
    let disk = Disk::new();
    for day in ["monday", "tuesday"] {
        disk.image(&format!("{day}/a.png"));
        disk.label(&format!("{day}/a_mask.png"), [0; 8]);
    }
    disk.list("train.txt", "monday/a\n");
    let own = VOC
        .replace("JPEGImages/{name}.{jpg|png}", "{day}/{name}.png")
        .replace("SegmentationClass/{name}", "{day}/{name}_mask")
        .replace("ImageSets/", "");
    let train = disk.survey(&own, "train");
    assert_eq!(train.samples[0].image, disk.root().join("monday/a.png"));
    assert!(train.problems.is_empty(), "{:?}", train.problems);
    disk.list("train.txt", "a\nmonday/a\n");
    let problems = disk.survey(&own, "train").problems;
    assert_eq!(problems, ["line that may mean several images: 1 (train.txt:1 a)"]);
}

#[test]
fn a_split_without_a_list_is_told_which_lists_there_are() {
    let disk = Disk::new();
    disk.pair("a");
    disk.list("ImageSets/train.txt", "a\n");
    let descriptor = Descriptor::from_toml(VOC, "own.toml").unwrap();
    let error = Index::open(&descriptor, disk.root(), "val").unwrap_err();
    says(
        &disk.words(error),
        "voc: ROOT: val: expected a list at ImageSets/{split}.txt, got none",
        "the splits there are: train",
    );
    for (bad, expected) in [
        ("list = \"train.txt\"", "expected {split} and no other word"),
        ("list = \"{split}.txt\"\nsplit = { by = \"random\" }", "expected none beside a list"),
    ] {
        let text = VOC.replace("list = \"ImageSets/{split}.txt\"", bad);
        let error = Descriptor::from_toml(&text, "own.toml").unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hint_text().is_some());
    }
}

#[test]
fn images_in_folders_of_their_own_are_split_over_all_of_them() {
    let disk = Disk::new();
    for n in 0..5 {
        disk.image(&format!("{n}_json/img.png"));
        disk.label(&format!("{n}_json/label.png"), [0; 8]);
    }
    let own = VOC
        .replace("JPEGImages/{name}.{jpg|png}", "{name}_json/img.png")
        .replace("SegmentationClass/{name}", "{name}_json/label")
        .replace(
            "list = \"ImageSets/{split}.txt\"",
            "split = { by = \"blocks\", train = 0.8, val = 0.2 }",
        );
    assert_eq!(names(&disk.survey(&own, "train")), ["0", "1", "2", "3"]);
    assert_eq!(names(&disk.survey(&own, "val")), ["4"]);
}
