//! How images come to be what a network sees: turned by their tag, 16 bits brought to 8. Formats are `decode`'s.

use std::fs;

use image::{GrayImage, ImageBuffer, Luma};

use super::{Disk, says};
use crate::dataset::*;
use crate::decode::{Named, Tone, Window};

/// The example's data set, as `image` says.
fn yard(image: &str) -> Descriptor {
    let text = include_str!("../example.toml");
    Descriptor::from_toml(&format!("{image}\n{text}"), "yard.toml").unwrap()
}

/// A thermal image of 4 x 2 pixels, and its label.
fn thermal(disk: &Disk, name: &str, values: [u16; 8]) {
    let image: ImageBuffer<Luma<u16>, _> = ImageBuffer::from_raw(4, 2, values.to_vec()).unwrap();
    image.save(disk.place(&format!("frames/train/monday/{name}.png"))).unwrap();
    disk.label(&format!("masks/train/monday/{name}.png"), [1; 8]);
}

/// A JPEG with the EXIF orientation tag.
fn tagged(disk: &Disk, path: &str, tag: u8) {
    disk.image(path);
    let path = disk.place(path);
    let bytes = fs::read(&path).unwrap();
    let tiff = [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[tag, 0, 0, 0, 0, 0, 0, 0][..]];
    let exif = [&b"Exif\0\0"[..], &tiff.concat()].concat();
    let length = (exif.len() as u16 + 2).to_be_bytes();
    fs::write(path, [&bytes[..2], &[0xFF, 0xE1], &length, &exif, &bytes[2..]].concat()).unwrap();
}

#[test]
fn the_descriptor_brings_images_of_16_bits_to_8() {
    let disk = Disk::new();
    thermal(&disk, "a", [7000, 7100, 8050, 9100, 0, 65535, 7004, 7005]);
    let red = |image: &str| -> Vec<u8> {
        let index = Index::open(&yard(image), disk.root(), "train").unwrap();
        index.image(0).unwrap().pixels().map(|p| p.0[0]).collect()
    };
    assert_eq!(red(""), [27, 27, 31, 35, 0, 255, 27, 27]);
    // (v - 7000) / 2100 * 255, halves up: 12.14, 127.5, 255, ..., 0.49, 0.61
    assert_eq!(red("image = { min = 7000, max = 9100 }"), [0, 12, 128, 255, 0, 255, 0, 1]);
    assert_eq!(red("image = \"stretch\"")[3..6], [35, 0, 255]);
}

#[test]
fn what_an_image_rule_may_be_is_said() {
    let text = include_str!("../example.toml");
    let refused = |image: &str| {
        Descriptor::from_toml(&format!("{image}\n{text}"), "d.toml").unwrap_err().to_string()
    };
    let expected = "expected { min = NUMBER, max = NUMBER } of 0 to 65535, or \"stretch\"";
    for image in
        ["\"strech\"", "{ min = 1 }", "{ min = 1, max = 70000 }", "{ min = 1, max = 2, m = 3 }"]
    {
        let line = refused(&format!("image = {image}"));
        assert!(line.contains(expected), "{line}");
    }
    let line = refused("image = { min = 9, max = 9 }");
    assert!(line.contains("image: expected min below max, got 9 and 9"), "{line}");
}

#[test]
fn the_rule_belongs_to_a_data_sets_identity_and_its_absence_changes_nothing() {
    assert!(!yard("").text.contains("image ="));
    assert_eq!(yard("").tone, None);
    let window = Some(Tone::Window(Window { min: 7000, max: 9100 }));
    assert_eq!(yard("image = { min = 7000, max = 9100 }").tone, window);
    assert_eq!(yard("image = \"stretch\"").tone, Some(Tone::Named(Named::Stretch)));
    let disk = Disk::new();
    thermal(&disk, "a", [7; 8]);
    let print =
        |image: &str| Index::open(&yard(image), disk.root(), "train").unwrap().fingerprint();
    assert_ne!(print(""), print("image = \"stretch\""));
}

#[test]
fn images_of_16_bits_that_keep_few_grey_levels_are_told_with_the_window_that_would_keep_them() {
    let disk = Disk::new();
    thermal(&disk, "a", [7000, 7100, 7200, 7001, 7002, 7003, 7004, 7005]);
    thermal(&disk, "b", [7300; 8]);
    let note = "image of 16 bits that keeps few grey levels: 1 (frames/train/monday/a.png); the fewest are 2 of \
        8 with the upper 8 bits; values are 7000 to 7200: image = { min = 7000, max = 7200 } or image = \
        \"stretch\" in the descriptor keeps more";
    let index = Index::survey(&yard(""), disk.root(), "train").unwrap();
    assert!(stats(&index, &|_| {}).notes.contains(&note.to_string()));
    let window = yard("image = { min = 7000, max = 7300 }");
    let index = Index::survey(&window, disk.root(), "train").unwrap();
    let notes = stats(&index, &|_| {}).notes;
    assert!(!notes.iter().any(|note| note.contains("16 bits")), "{notes:?}");
}

#[test]
fn a_window_on_images_of_8_bits_is_a_problem_in_statistics_and_an_error_in_use() {
    let disk = Disk::new();
    disk.image("frames/train/monday/a.png");
    disk.label("masks/train/monday/a.png", [1; 8]);
    let index = Index::open(&yard("image = { min = 7, max = 9 }"), disk.root(), "train").unwrap();
    let expected = "a.png: expected an image of 16 bits a channel, as the window";
    let line = index.load(0).unwrap_err().to_string();
    assert!(line.contains(expected), "{line}");
    let problems = stats(&index, &|_| {}).all_problems();
    assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
}

#[test]
fn images_turned_by_their_tag_are_counted_and_named_where_the_label_is_not() {
    let disk = Disk::new();
    tagged(&disk, "frames/train/monday/a.jpg", 6);
    disk.label("masks/train/monday/a.png", [1; 8]);
    tagged(&disk, "frames/train/monday/b.jpg", 8);
    GrayImage::from_pixel(2, 4, Luma([1])).save(disk.place("masks/train/monday/b.png")).unwrap();
    let index = Index::open(&yard(""), disk.root(), "train").unwrap();
    assert_eq!(index.load(1).unwrap().0.dimensions(), (2, 4));
    says(
        &disk.words(index.load(0).unwrap_err()),
        "ROOT/masks/train/monday/a.png: expected a label of its image's size, 2 x 4, got 4 x 2",
        "the EXIF orientation tag of ROOT/frames/train/monday/a.jpg turns it, and the label was drawn on the \
         picture as it is stored: turn the label, or remove the tag",
    );
    let stats = stats(&index, &|_| {});
    let note = "image turned as its EXIF orientation tag says: 1 (frames/train/monday/b.jpg)";
    assert!(stats.notes.contains(&note.to_string()), "{:?}", stats.notes);
    assert!(stats.problems.len() == 1 && stats.problems[0].contains("EXIF"), "{stats:?}");
}

#[test]
fn transparent_pixels_are_refused_in_the_same_words_by_statistics_and_in_use() {
    let disk = Disk::new();
    let clear = image::RgbaImage::from_pixel(4, 2, image::Rgba([9, 8, 7, 128]));
    clear.save(disk.place("frames/train/monday/a.png")).unwrap();
    disk.label("masks/train/monday/a.png", [1; 8]);
    let index = Index::open(&yard(""), disk.root(), "train").unwrap();
    let expected = "a.png: expected an opaque image, got one with transparent pixels";
    let line = index.load(0).unwrap_err().to_string();
    assert!(line.contains(expected), "{line}");
    let problems = stats(&index, &|_| {}).all_problems();
    assert!(problems.len() == 1 && problems[0].contains(expected), "{problems:?}");
}
