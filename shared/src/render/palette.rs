//! Labels to colours: the colour map, and its overlay on a photograph.
//! Not the class table itself, which the data set or the model's card brings.
//! Blending itself is `wash`'s.

use image::{GrayImage, RgbImage};

use super::Wash;
use crate::labels::Class;

/// Colour of pixels that belong to no class: ignored ones, and ids the class table does not have.
pub const IGNORED_COLOR: [u8; 3] = [0, 0, 0];

/// Colours for classes that have none of their own: easy to tell apart, none of them black.
const DISTINCT: [[u8; 3]; 20] = [
    [128, 64, 128],
    [220, 20, 60],
    [0, 130, 200],
    [60, 180, 75],
    [255, 225, 25],
    [245, 130, 48],
    [145, 30, 180],
    [70, 240, 240],
    [240, 50, 230],
    [210, 245, 60],
    [250, 190, 212],
    [0, 128, 128],
    [170, 110, 40],
    [128, 0, 0],
    [170, 255, 195],
    [128, 128, 0],
    [255, 215, 180],
    [0, 0, 128],
    [128, 128, 128],
    [220, 190, 255],
];

/// A colour for the class at this place: the first twenty are told apart at a glance, later ones are darker.
pub fn distinct_color(at: usize) -> [u8; 3] {
    let [r, g, b] = DISTINCT[at % DISTINCT.len()];
    let darker = |v: u8| (usize::from(v) * 4 / (4 + at / DISTINCT.len())) as u8;
    [darker(r), darker(g), darker(b)]
}

/// The colour of every possible label, ready for look-up.
#[derive(Debug, Clone)]
pub struct Palette {
    colors: [[u8; 3]; 256],
    classes: usize,
}

impl Palette {
    /// The palette of a class table: class `i` has the colour of `classes[i]`; the rest is black.
    pub fn new(classes: &[Class]) -> Self {
        let mut colors = [IGNORED_COLOR; 256];
        for (slot, class) in colors.iter_mut().zip(classes) {
            *slot = class.color;
        }
        Self { colors, classes: classes.len().min(256) }
    }

    /// The colour of one label.
    pub fn color(&self, label: u8) -> [u8; 3] {
        self.colors[usize::from(label)]
    }

    /// The colour map: `labels` u8 `[h, w]` to RGB of the same size.
    pub fn paint(&self, labels: &GrayImage) -> RgbImage {
        let mut out = RgbImage::new(labels.width(), labels.height());
        for (pixel, &label) in out.as_chunks_mut::<3>().0.iter_mut().zip(labels.as_raw()) {
            *pixel = self.colors[usize::from(label)];
        }
        out
    }

    /// The colour map laid over `image`, which must have the size of `labels`.
    ///
    /// `opacity` goes from 0 (the photograph) to 1 (the colour map). Ignored pixels stay as
    /// photographed: there is nothing to say about them.
    pub fn overlay(&self, image: &RgbImage, labels: &GrayImage, opacity: f32) -> RgbImage {
        let mut out = image.clone();
        self.overlay_onto(&mut out, labels, opacity);
        out
    }

    /// As [`Palette::overlay`], in place.
    ///
    /// # Panics
    /// When the sizes differ, which is a mistake of the caller.
    pub fn overlay_onto(&self, image: &mut RgbImage, labels: &GrayImage, opacity: f32) {
        self.wash(opacity).apply(image, labels);
    }

    /// The wash that [`Palette::overlay`] is.
    pub fn wash(&self, opacity: f32) -> Wash {
        let mut wash = Wash::clear();
        for label in 0..self.classes.min(usize::from(u8::MAX)) {
            wash.set(label as u8, self.colors[label], opacity);
        }
        wash
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{Luma, Rgb};

    fn palette() -> Palette {
        let class = |name: &str, color| Class { name: name.into(), color, native_id: 0 };
        Palette::new(&[class("road", [128, 64, 128]), class("car", [0, 0, 142])])
    }

    #[test]
    fn a_colour_map_has_the_class_colours_and_black_for_what_is_ignored() {
        let labels = GrayImage::from_raw(4, 1, vec![0, 1, 255, 7]).unwrap();
        let map = palette().paint(&labels);
        assert_eq!(map.get_pixel(0, 0), &Rgb([128, 64, 128]));
        assert_eq!(map.get_pixel(1, 0), &Rgb([0, 0, 142]));
        assert_eq!(map.get_pixel(2, 0), &Rgb(IGNORED_COLOR));
        assert_eq!(map.get_pixel(3, 0), &Rgb(IGNORED_COLOR));
    }

    #[test]
    fn an_overlay_goes_from_the_photograph_to_the_colour_map() {
        let image = RgbImage::from_pixel(2, 2, Rgb([200, 100, 51]));
        let labels = GrayImage::from_pixel(2, 2, Luma([1]));
        assert_eq!(palette().overlay(&image, &labels, 0.0), image);
        assert_eq!(palette().overlay(&image, &labels, 1.0), palette().paint(&labels));
        assert_eq!(palette().overlay(&image, &labels, 0.5).get_pixel(0, 0), &Rgb([100, 50, 97]));
    }

    #[test]
    fn an_overlay_leaves_ignored_pixels_as_photographed() {
        let image = RgbImage::from_pixel(1, 1, Rgb([9, 99, 199]));
        let labels = GrayImage::from_pixel(1, 1, Luma([255]));
        assert_eq!(palette().overlay(&image, &labels, 0.7), image);
    }
}
