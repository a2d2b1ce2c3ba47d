//! A colour for every label, laid over a photograph with an opacity of its own.
//! Not a choice of colours: the palette's overlay, and highlights and marks of the live view, are washes.
//! One look-up per pixel; blending is fixed-point, so that it keeps up with video.

use image::{GrayImage, RgbImage};

/// What becomes of a pixel, by its label.
#[derive(Debug, Clone)]
pub struct Wash {
    /// Share of the photograph that stays, in 1/256.
    kept: [u32; 256],
    /// What is added, in 1/256, with half a unit to round the shift to nearest.
    added: [[u32; 3]; 256],
}

impl Wash {
    /// The one that changes nothing.
    pub fn clear() -> Self {
        Self { kept: [256; 256], added: [[128; 3]; 256] }
    }

    /// Lays `color` over the pixels of `label`; `opacity` goes from 0 (the photograph) to 1 (the colour).
    pub fn set(&mut self, label: u8, color: [u8; 3], opacity: f32) {
        let alpha = (opacity.clamp(0.0, 1.0) * 256.0).round() as u32;
        self.kept[usize::from(label)] = 256 - alpha;
        self.added[usize::from(label)] = color.map(|c| u32::from(c) * alpha + 128);
    }

    /// Washes `image` by the `labels` of its pixels.
    ///
    /// # Panics
    /// When the sizes differ, which is a mistake of the caller.
    pub fn apply(&self, image: &mut RgbImage, labels: &GrayImage) {
        assert_eq!(
            image.dimensions(),
            labels.dimensions(),
            "overlay: image and labels differ in size"
        );
        for (pixel, &label) in image.as_chunks_mut::<3>().0.iter_mut().zip(labels.as_raw()) {
            let (keep, add) = (self.kept[usize::from(label)], self.added[usize::from(label)]);
            for (value, add) in pixel.iter_mut().zip(add) {
                *value = ((u32::from(*value) * keep + add) >> 8) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn each_label_has_a_colour_and_an_opacity_of_its_own() {
        let mut wash = Wash::clear();
        wash.set(1, [200, 0, 0], 1.0);
        wash.set(2, [0, 0, 0], 0.5);
        let mut image = RgbImage::from_pixel(3, 1, Rgb([10, 100, 255]));
        wash.apply(&mut image, &GrayImage::from_raw(3, 1, vec![0, 1, 2]).unwrap());
        assert_eq!(image.as_raw().as_slice(), [10, 100, 255, 200, 0, 0, 5, 50, 128]);
    }
}
