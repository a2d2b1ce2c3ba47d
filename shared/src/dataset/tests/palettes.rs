//! Palette labels: one number, one colour, from file to file and from split to split.

use std::io::BufWriter;

use super::Disk;
use crate::dataset::stats::palettes_between;
use crate::dataset::*;

impl Disk {
    /// A palette label of 4 x 2 pixels, its palette in the order of the numbers.
    fn palette(&self, path: &str, values: [u8; 8], palette: &[[u8; 3]]) {
        let file = std::fs::File::create(self.place(path)).unwrap();
        let mut encoder = png::Encoder::new(BufWriter::new(file), 4, 2);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette.concat());
        encoder.write_header().unwrap().write_image_data(&values).unwrap();
    }
}

const RED: [u8; 3] = [200, 0, 0];
const BLUE: [u8; 3] = [0, 0, 200];
const BLACK: [u8; 3] = [0, 0, 0];

fn described(disk: &Disk, encoding: &str, names: &[&str]) -> Index {
    for name in names {
        disk.image(&format!("val/{name}.png"));
    }
    let text = format!(
        "name = \"own\"\nimages = \"{{split}}/{{name}}.png\"\n\
         labels = [{{ files = \"masks/{{split}}/{{name}}.png\"{encoding} }}]\nclasses = [\
         {{ name = \"black\", native = 0 }}, {{ name = \"red\", native = 1, color = [200, 0, 0] }},\
         {{ name = \"blue\", native = 2, color = [0, 0, 200] }}]"
    );
    Index::open(&Descriptor::from_toml(&text, "own.toml").unwrap(), disk.root(), "val").unwrap()
}

#[test]
fn palettes_that_differ_from_file_to_file_are_a_problem() {
    let disk = Disk::new();
    disk.palette("masks/val/a.png", [0, 0, 0, 0, 1, 1, 2, 2], &[BLACK, RED, BLUE]);
    disk.palette("masks/val/b.png", [0, 0, 0, 0, 1, 1, 1, 1], &[BLACK, BLUE]);
    disk.palette("masks/val/c.png", [0, 0, 0, 0, 1, 1, 1, 1], &[BLACK, RED]);
    let names = ["a", "b", "c"];
    let problems = stats(&described(&disk, "", &names), &|_| ()).problems;
    assert_eq!(
        problems,
        ["labels: expected one palette, got palettes that differ: 1 is [200, 0, 0] in 2 \
          (masks/val/a.png), [0, 0, 200] in 1 (masks/val/b.png) (encoding = \"rgb\" in the descriptor \
          reads the colours instead of the numbers; encoding = \"index\" says that the numbers are \
          right all the same)"]
    );
    // The advice helps, either way.
    let stats = stats(&described(&disk, ", encoding = \"rgb\"", &names), &|_| ());
    assert_eq!((stats.problems.len(), stats.counts()), (0, vec![12, 6, 6]));
    let index = described(&disk, ", encoding = \"index\"", &names);
    assert_eq!(super::super::stats(&index, &|_| ()).problems.len(), 0);
    assert_eq!(index.fingerprint(), described(&disk, "", &names).fingerprint());
}

#[test]
fn entries_that_no_pixel_uses_may_differ() {
    let disk = Disk::new();
    disk.palette("masks/val/a.png", [0, 0, 0, 0, 1, 1, 1, 1], &[BLACK, RED, BLUE]);
    disk.palette("masks/val/b.png", [0, 0, 0, 0, 1, 1, 1, 1], &[BLACK, RED, RED, RED]);
    let stats = stats(&described(&disk, "", &["a", "b"]), &|_| ());
    assert_eq!((stats.problems.len(), stats.notes.len()), (0, 0));
    assert_eq!(stats.palette, Palette::from([(0, BLACK), (1, RED)]));
}

#[test]
fn grey_labels_among_palette_labels_are_noted() {
    let disk = Disk::new();
    disk.palette("masks/val/a.png", [1; 8], &[BLACK, RED]);
    disk.label("masks/val/b.png", [1; 8]);
    let stats = stats(&described(&disk, "", &["a", "b"]), &|_| ());
    assert_eq!(stats.problems.len(), 0);
    assert_eq!(
        stats.notes,
        [
            "labels of several kinds, whose numbers are all read alike: grey of 8 bits 1 \
             (masks/val/b.png), palette of 8 bits 1 (masks/val/a.png)",
            "one class alone has pixels in val: red"
        ]
    );
}

#[test]
fn palettes_of_two_splits_are_compared_too() {
    let [a, b] = [Palette::from([(1, RED), (2, BLUE)]), Palette::from([(2, BLACK), (3, RED)])];
    let error = palettes_between(&[("train", &a), ("val", &b)]).unwrap();
    assert!(error.to_string().ends_with("2 is [0, 0, 200] in train, [0, 0, 0] in val"), "{error}");
    assert!(palettes_between(&[("train", &a), ("val", &a), ("test", &Palette::new())]).is_none());
}
