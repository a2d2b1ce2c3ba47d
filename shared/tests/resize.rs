//! Resizing against Pillow, whose filters torchvision's transforms use too.
//! Not the choice of sizes. `goldens/resize.py` made the expected values.
//! Tolerance 1 of 255: both work in fixed point and may round a half to either side.

use image::{GrayImage, Rgb, RgbImage};
use serde::Deserialize;
use shared::preprocess::{at_evaluation_size, resize_image, resize_labels};

#[derive(Deserialize)]
struct Case {
    from: [u32; 2],
    to: [u32; 2],
    bilinear: Vec<u8>,
    nearest_red: Vec<u8>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("goldens/resize.json")).unwrap()
}

/// The formula of the script.
fn source([width, height]: [u32; 2]) -> RgbImage {
    let value = |x: u32, y: u32, c: u32| ((x * x * 37 + y * 91 + x * y * 5 + c * 53) % 256) as u8;
    RgbImage::from_fn(width, height, |x, y| Rgb([0, 1, 2].map(|c| value(x, y, c))))
}

#[test]
fn images_are_resized_as_pillow_does() {
    for case in cases() {
        let got = resize_image(&source(case.from), case.to[0], case.to[1]);
        assert_eq!(got.as_raw().len(), case.bilinear.len());
        let off = got.iter().zip(&case.bilinear).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
        assert!(off <= 1, "{:?} to {:?}: off by {off}", case.from, case.to);
    }
}

#[test]
fn labels_are_resized_as_pillow_does_and_keep_their_values() {
    for case in cases() {
        let [width, height] = case.from;
        let red = source(case.from).pixels().map(|p| p[0]).collect();
        let labels = GrayImage::from_raw(width, height, red).unwrap();
        let got = resize_labels(&labels, case.to[0], case.to[1]);
        assert_eq!(got.into_raw(), case.nearest_red, "{:?} to {:?}", case.from, case.to);
    }
}

#[test]
fn the_same_size_changes_nothing() {
    let image = source([9, 7]);
    assert_eq!(resize_image(&image, 9, 7), image);
    assert_eq!(at_evaluation_size(image.clone(), None), image);
    assert_eq!(at_evaluation_size(image.clone(), Some([5, 3])), resize_image(&image, 5, 3));
}
