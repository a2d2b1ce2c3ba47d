//! Where a model is right and wrong about one class: a picture and its counts.
//! Not a score: per-class accuracy comes from the confusion matrix.
//! The photograph is greyed, so that the three colours (told apart by the colour-blind too) stand out.

use image::{GrayImage, Rgb, RgbImage};

use crate::labels::IGNORE;

/// Colour of pixels of the class that the model found.
pub const RIGHT_COLOR: [u8; 3] = [0, 190, 130];
/// Colour of pixels of the class that the model missed.
pub const MISSED_COLOR: [u8; 3] = [240, 70, 20];
/// Colour of pixels that the model wrongly gave to the class.
pub const FALSE_COLOR: [u8; 3] = [80, 160, 255];

/// Pixel counts of one class in one image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErrorCounts {
    /// Of the class, and found.
    pub right: u64,
    /// Of the class, and given to another.
    pub missed: u64,
    /// Of another class, and given to this one.
    pub wrong: u64,
}

impl ErrorCounts {
    /// Share of the class's pixels that were found; `None` without any.
    pub fn accuracy(&self) -> Option<f64> {
        let total = self.right + self.missed;
        (total > 0).then(|| self.right as f64 / total as f64)
    }
}

/// The picture and the counts for `class`. Ignored pixels of the truth are not counted.
///
/// # Panics
/// When the sizes of the three differ, which is a mistake of the caller.
pub fn error_map(
    image: &RgbImage,
    truth: &GrayImage,
    prediction: &GrayImage,
    class: u8,
) -> (RgbImage, ErrorCounts) {
    assert_eq!(image.dimensions(), truth.dimensions(), "error map: image and truth differ in size");
    assert_eq!(
        truth.dimensions(),
        prediction.dimensions(),
        "error map: truth and prediction differ in size"
    );
    let mut counts = ErrorCounts::default();
    let mut out = RgbImage::new(image.width(), image.height());
    let labels = truth.as_raw().iter().zip(prediction.as_raw());
    for ((to, from), (&truth, &prediction)) in out.pixels_mut().zip(image.pixels()).zip(labels) {
        *to = match (truth == class, prediction == class) {
            (true, true) => {
                counts.right += 1;
                Rgb(RIGHT_COLOR)
            }
            (true, false) => {
                counts.missed += 1;
                Rgb(MISSED_COLOR)
            }
            (false, true) if truth != IGNORE => {
                counts.wrong += 1;
                Rgb(FALSE_COLOR)
            }
            _ => Rgb([dimmed_grey(from.0); 3]),
        };
    }
    (out, counts)
}

/// Luma (BT.601), compressed towards a dark grey.
fn dimmed_grey([r, g, b]: [u8; 3]) -> u8 {
    let luma = (u32::from(r) * 77 + u32::from(g) * 150 + u32::from(b) * 29) >> 8;
    (luma * 150 / 255 + 20) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_map_counts_right_missed_and_false_and_skips_what_is_ignored() {
        let image = RgbImage::from_pixel(5, 1, Rgb([90; 3]));
        let truth = GrayImage::from_raw(5, 1, vec![2, 2, 0, 0, IGNORE]).unwrap();
        let prediction = GrayImage::from_raw(5, 1, vec![2, 1, 2, 0, 2]).unwrap();
        let (picture, counts) = error_map(&image, &truth, &prediction, 2);
        assert_eq!(counts, ErrorCounts { right: 1, missed: 1, wrong: 1 });
        assert_eq!(counts.accuracy(), Some(0.5));
        assert_eq!(picture.get_pixel(0, 0).0, RIGHT_COLOR);
        assert_eq!(picture.get_pixel(1, 0).0, MISSED_COLOR);
        assert_eq!(picture.get_pixel(2, 0).0, FALSE_COLOR);
        assert_eq!(picture.get_pixel(3, 0), picture.get_pixel(4, 0));
    }
}
