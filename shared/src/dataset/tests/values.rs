//! Label values that a descriptor does not have: said once, with shares and names, and with the advice that fits.

use image::{ImageBuffer, Luma, RgbImage};

use super::{Disk, says};
use crate::dataset::*;

/// A descriptor of `val/*.png` and `masks/val/*.png`.
fn described(encoding: &str, classes: &str, ignored: &str) -> Descriptor {
    let text = format!(
        "name = \"own\"\nimages = \"{{split}}/{{name}}.png\"\n\
         labels = [{{ files = \"masks/{{split}}/{{name}}.png\"{encoding} }}]\n\
         classes = [{classes}]\nignored = [{ignored}]"
    );
    Descriptor::from_toml(&text, "own.toml").unwrap()
}

/// Classes "a", "b" and so on of these values.
fn classes(values: &[u16]) -> String {
    let one = |(i, v): (usize, &u16)| {
        format!("{{ name = \"{}\", native = {v} }}", char::from(b'a' + i as u8))
    };
    values.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
}

/// The hint for a label of these values.
fn hint(d: &Descriptor, values: [u8; 8]) -> String {
    let disk = Disk::new();
    disk.image("val/x.png");
    disk.label("masks/val/x.png", values);
    let index = Index::open(d, disk.root(), "val").unwrap();
    disk.words(index.label(0).unwrap_err()).1
}

#[test]
fn unknown_values_of_a_file_are_named_with_their_shares() {
    let disk = Disk::new();
    disk.camvid("a", [0, 1, 2, 0, 0, 0, 12, 99]);
    let error = disk.open("camvid", "val").unwrap().label(0).unwrap_err();
    says(
        &disk.words(error),
        "ROOT/valannot/a.png: expected values of camvid (0..10, 11), got 12: 12 %, 99: 12 %, \
         beside 0 (sky): 50 %, 1 (building): 12 %, 2 (pole): 12 %; the first at pixel (2, 1)",
        "values that are meant to take no part belong to the descriptor's `ignored`",
    );
}

#[test]
fn unknown_values_are_said_once_for_all_files_together() {
    let disk = Disk::new();
    disk.camvid("a", [0, 0, 0, 0, 0, 0, 255, 255]);
    disk.camvid("b", [0, 0, 0, 0, 0, 0, 0, 255]);
    disk.camvid("c", [0; 8]);
    disk.camvid("d", [11, 11, 11, 11, 11, 11, 11, 255]);
    let index = disk.open("camvid", "val").unwrap();
    let stats = stats(&index, &|_| ());
    assert_eq!(
        stats.problems,
        [
            "labels: 3 (valannot/a.png, valannot/b.png, valannot/d.png): expected values of camvid (0..10, 11), \
          got 255: 17 %, beside 0 (sky): 54 %, 11 (void): 29 % (values that are meant to take no part belong \
          to the descriptor's `ignored`, as 255 often is: ignored = [{ name = \"unlabelled\", native = 255 }])"
        ]
    );
    assert_eq!((stats.images, stats.counted), (4, 1));
}

#[test]
fn masks_of_black_and_white_and_of_one_bit_are_recognized() {
    let own = described("", &classes(&[0, 1]), "");
    assert_eq!(
        hint(&own, [0, 0, 0, 0, 255, 255, 255, 255]),
        "0 and 255 alone are a mask, black and white: class b needs native = 255 for such files"
    );
    let own = described("", &classes(&[0, 255]), "");
    assert_eq!(
        hint(&own, [0, 0, 0, 0, 1, 1, 1, 1]),
        "0 and 1 alone are a mask, such as files of 1 bit hold: class b needs native = 1 for such files"
    );
}

#[test]
fn values_times_257_in_16_bits_are_recognized() {
    let own = described("", &classes(&[0, 1, 2]), "");
    for (factor, expected) in [(257u16, "257 times"), (256, "256 times"), (1000, "take no part")] {
        let disk = Disk::new();
        disk.image("val/x.png");
        let values: Vec<u16> = [0, 0, 1, 1, 2, 2, 2, 0].iter().map(|v| v * factor).collect();
        let label = ImageBuffer::<Luma<u16>, _>::from_raw(4, 2, values).unwrap();
        label.save(disk.place("masks/val/x.png")).unwrap();
        let index = Index::open(&own, disk.root(), "val").unwrap();
        let hint = disk.words(index.label(0).unwrap_err()).1;
        assert!(hint.contains(expected), "{factor}: {hint}");
    }
}

#[test]
fn ids_from_one_and_ids_from_zero_are_told_apart() {
    let from_zero = described("", &classes(&[0, 1, 2]), "");
    let said = hint(&from_zero, [1, 1, 2, 2, 3, 3, 1, 2]);
    assert_eq!(said, "the ids seem to begin at 1: then a is native = 1, and so on");
    let said = hint(&from_zero, [0, 1, 2, 2, 3, 3, 1, 2]);
    assert!(said.starts_with("there is one value more than classes"), "{said}");
    let from_one = described("", &classes(&[1, 2, 3]), "");
    let said = hint(&from_one, [0, 1, 2, 2, 1, 1, 1, 2]);
    assert!(said.starts_with("0 is often the background"), "{said}");
}

#[test]
fn smoothed_numbers_and_pictures_in_the_place_of_labels_are_recognized() {
    let own = described("", &classes(&[0, 200]), "");
    let label = |values: [u8; 32]| {
        let disk = Disk::new();
        RgbImage::new(8, 4).save(disk.place("val/x.png")).unwrap();
        let label = image::GrayImage::from_raw(8, 4, values.to_vec()).unwrap();
        label.save(disk.place("masks/val/x.png")).unwrap();
        Index::open(&own, disk.root(), "val").unwrap().label(0).unwrap_err()
    };
    let edge = |i: usize| {
        if i < 12 {
            0
        } else if i < 21 {
            20 * (i - 11) as u8
        } else {
            200
        }
    };
    let said = label(std::array::from_fn(edge)).hint_text().unwrap().to_string();
    assert!(said.contains("smoothed (anti-aliased) edges"), "{said}");
    let said = label(std::array::from_fn(|i| 3 + 7 * i as u8)).hint_text().unwrap().to_string();
    assert!(said.contains("a picture's, not a label's"), "{said}");
}

#[test]
fn blended_lossy_and_exchanged_colours_are_recognized() {
    let colors =
        "{ name = \"sky\", color = [0, 0, 200] }, { name = \"road\", color = [200, 100, 0] }";
    let own = described(", encoding = \"rgb\"", colors, "");
    let said = |odd: [u8; 3]| {
        let disk = Disk::new();
        disk.image("val/x.png");
        let (sky, road) = ([0, 0, 200], [200, 100, 0]);
        let label = RgbImage::from_raw(4, 2, [sky, sky, sky, odd, road, road, road, road].concat());
        label.unwrap().save(disk.place("masks/val/x.png")).unwrap();
        let index = Index::open(&own, disk.root(), "val").unwrap();
        disk.words(index.label(0).unwrap_err()).1
    };
    let expected = "colours between known ones, as [100, 50, 100] between sky and road: \
                    smoothed (anti-aliased) edges, or resizing, blended them";
    assert!(said([100, 50, 100]).starts_with(expected), "{}", said([100, 50, 100]));
    let expected =
        "colours close to known ones, as [3, 1, 196] is sky's [0, 0, 200]: a format with losses";
    assert!(said([3, 1, 196]).starts_with(expected), "{}", said([3, 1, 196]));
    assert!(said([200, 0, 0]).starts_with("red and blue are exchanged"), "{}", said([200, 0, 0]));
    assert!(said([9, 200, 9]).starts_with("values that are meant"), "{}", said([9, 200, 9]));
}
