//! Random changes of colour. Brightness, contrast, saturation and hue are each linear in (R, G, B), so that all four
//! together are one matrix and one offset per image, applied in one pass and rounded once.
//! Not torchvision's hue: the colour circle is that of the YUV plane, not of HSV. Luminance weights: ITU-R BT.601.

use super::Jitter;
use shared::random::Stream;

const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// One image's change of colour, drawn from the settings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    brightness: f64,
    contrast: f64,
    saturation: f64,
    hue: f64,
}

impl Change {
    /// Draws the four amounts, always four numbers from the stream.
    pub fn draw(settings: &Jitter, stream: &mut Stream) -> Self {
        let mut around = |middle: f64, most: f64| stream.range(middle - most, middle + most);
        Self {
            brightness: around(1.0, settings.brightness),
            contrast: around(1.0, settings.contrast),
            saturation: around(1.0, settings.saturation),
            hue: around(0.0, settings.hue),
        }
    }

    /// Changes RGB pixels in place.
    pub fn apply(&self, pixels: &mut [u8]) {
        if (self.brightness, self.contrast, self.saturation, self.hue) == (1.0, 1.0, 1.0, 0.0) {
            return;
        }
        let scale = self.brightness * self.contrast;
        let chroma = chroma_matrix(self.saturation, self.hue);
        let matrix = chroma.map(|row| row.map(|x| (x * scale) as f32));
        // Contrast pulls towards the mean luminance as brightness has left it; the chroma matrix keeps greys.
        let offset = if self.contrast == 1.0 {
            0.0
        } else {
            (1.0 - self.contrast) * self.brightness * mean_luma(pixels)
        };
        let offset = offset as f32 + 0.5; // for rounding: a cast to u8 cuts, and clamps to 0..=255
        for pixel in pixels.chunks_exact_mut(3) {
            let [r, g, b] = [0, 1, 2].map(|i| f32::from(pixel[i]));
            for (value, [to_r, to_g, to_b]) in pixel.iter_mut().zip(matrix) {
                *value = (to_r * r + to_g * g + to_b * b + offset) as u8;
            }
        }
    }
}

fn mean_luma(pixels: &[u8]) -> f64 {
    let mut sums = [0u64; 3];
    for pixel in pixels.chunks_exact(3) {
        sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u64::from(value));
    }
    let count = (pixels.len() / 3).max(1) as f64;
    sums.iter().zip(LUMA).map(|(&sum, weight)| sum as f64 * weight).sum::<f64>() / count
}

/// Keeps the luminance, turns the chroma (U, V) by `hue` of a circle, and scales it by `saturation`.
fn chroma_matrix(saturation: f64, hue: f64) -> [[f64; 3]; 3] {
    // U = 0.492 (B - Y) and V = 0.877 (R - Y), as rows over (R, G, B).
    const SCALE_U: f64 = 0.492;
    const SCALE_V: f64 = 0.877;
    let (sin, cos) = (hue * std::f64::consts::TAU).sin_cos();
    let mut matrix = [[0.0; 3]; 3];
    for from in 0..3 {
        let u = SCALE_U * (if from == 2 { 1.0 } else { 0.0 } - LUMA[from]);
        let v = SCALE_V * (if from == 0 { 1.0 } else { 0.0 } - LUMA[from]);
        let red = saturation * (sin * u + cos * v) / SCALE_V;
        let blue = saturation * (cos * u - sin * v) / SCALE_U;
        // What red and blue gain in luminance, green loses.
        let green = -(LUMA[0] * red + LUMA[2] * blue) / LUMA[1];
        for (row, chroma) in matrix.iter_mut().zip([red, green, blue]) {
            row[from] = LUMA[from] + chroma;
        }
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Change = Change { brightness: 1.0, contrast: 1.0, saturation: 1.0, hue: 0.0 };

    fn applied(change: Change, pixels: &[u8]) -> Vec<u8> {
        let mut pixels = pixels.to_vec();
        change.apply(&mut pixels);
        pixels
    }

    fn luma(pixel: &[u8]) -> f64 {
        pixel.iter().zip(LUMA).map(|(&v, w)| f64::from(v) * w).sum()
    }

    #[test]
    fn a_full_turn_of_the_circle_changes_nothing() {
        let pixels: Vec<u8> = (0..=255).flat_map(|v| [v, 255 - v, v / 2]).collect();
        assert_eq!(applied(Change { hue: 1.0, ..NOTHING }, &pixels), pixels);
    }

    #[test]
    fn hue_and_saturation_keep_greys_and_luminance() {
        let change = Change { saturation: 0.7, hue: 0.2, ..NOTHING };
        assert_eq!(applied(change, &[77, 77, 77]), [77, 77, 77]);
        let pixel = [120, 100, 140];
        assert!((luma(&applied(change, &pixel)) - luma(&pixel)).abs() < 1.0);
        assert_ne!(applied(change, &pixel), pixel);
    }

    #[test]
    fn without_saturation_every_pixel_is_its_own_grey() {
        assert_eq!(applied(Change { saturation: 0.0, ..NOTHING }, &[255, 0, 0]), [76, 76, 76]);
    }

    #[test]
    fn without_contrast_the_image_is_its_mean_luminance() {
        assert_eq!(
            applied(Change { contrast: 0.0, ..NOTHING }, &[0, 0, 0, 200, 200, 200]),
            [100; 6]
        );
    }

    #[test]
    fn brightness_multiplies_and_stops_at_white() {
        let change = Change { brightness: 1.5, ..NOTHING };
        assert_eq!(applied(change, &[100, 200, 0]), [150, 255, 0]);
    }

    #[test]
    fn amounts_are_drawn_within_their_ranges() {
        let settings = Jitter { brightness: 0.2, contrast: 0.3, saturation: 0.4, hue: 0.1 };
        for index in 0..1000 {
            let change = Change::draw(&settings, &mut Stream::new(1, 2, index));
            assert!(
                (0.8..=1.2).contains(&change.brightness) && (0.7..=1.3).contains(&change.contrast)
            );
            assert!((0.6..=1.4).contains(&change.saturation) && (-0.1..=0.1).contains(&change.hue));
        }
        assert_eq!(Change::draw(&Jitter::default(), &mut Stream::new(1, 2, 3)), NOTHING);
    }
}
