//! One training sample out of one decoded image: random scale, crop, jitter, flip.
//! Not a chain of images: only the window that the crop shows is ever resized, and it is written in its place in the batch.
//! As DeepLab does it (Chen et al., arXiv 1706.05587, section 4), with the antialiased filter of `shared::preprocess`.

use super::jitter::Change;
use super::{DataSettings, Decoded, Purpose, stream};
use fast_image_resize as fir;
use shared::labels::IGNORE;
use shared::preprocess::MEAN;
use shared::random::Stream;

/// Where a sample's pixels come from along one axis.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Axis {
    /// The image's length.
    source: u32,
    /// Its length after scaling.
    scaled: u32,
    /// First visible pixel of the scaled image.
    first: u32,
    /// Visible pixels.
    visible: u32,
    /// Where in the sample the first visible pixel lands.
    at: u32,
}

impl Axis {
    /// A window of `crop` pixels (the whole length if none) on an axis scaled by `factor`, at a random place: within the
    /// image where that is longer, around it where it is shorter.
    fn draw(source: u32, factor: f64, crop: Option<u32>, stream: &mut Stream) -> Self {
        let scaled = ((f64::from(source) * factor).round() as u32).max(1);
        let crop = crop.unwrap_or(scaled);
        let shift = stream.below(u64::from(scaled.abs_diff(crop)) + 1) as u32;
        let (first, at) = if scaled >= crop { (shift, 0) } else { (0, shift) };
        Self { source, scaled, first, visible: scaled.min(crop), at }
    }

    /// The window in the image's own pixels: first edge and length. Their sum, rounded, is never beyond the image.
    fn window(&self) -> (f64, f64) {
        let source = f64::from(self.source);
        let edge = |scaled: u32| (f64::from(scaled) * source / f64::from(self.scaled)).min(source);
        let (first, end) = (edge(self.first), edge(self.first + self.visible));
        (first, end - first)
    }

    /// The image's pixel that the centre of visible pixel `i` lies in.
    fn nearest(&self, i: u32) -> usize {
        let centre = 2 * (u64::from(self.first) + u64::from(i)) + 1;
        (centre * u64::from(self.source) / (2 * u64::from(self.scaled))) as usize
    }
}

/// The size (width, height) of the sample that a decoded image becomes.
pub(super) fn sample_size(settings: &DataSettings, sample: &Decoded) -> [u32; 2] {
    settings.crop.unwrap_or([sample.image.width(), sample.image.height()])
}

/// Writes the sample of (seed, epoch, index) to `image` (`[h, w, 3]` RGB) and `label` (`[h, w]`), whose size is
/// `settings.crop`, or without one the decoded image's own.
///
/// # Panics
/// If the two slices are not of that size.
pub fn augment(
    settings: &DataSettings,
    sample: &Decoded,
    (seed, epoch, index): (u64, u64, u64),
    image: &mut [u8],
    label: &mut [u8],
) {
    let [width, height] = sample_size(settings, sample);
    assert_eq!(label.len(), width as usize * height as usize, "the label's place has its size");
    assert_eq!(image.len(), 3 * label.len(), "the image's place has its size");
    let mut stream = stream(Purpose::Augmentation, seed, epoch, index);
    // Every number is drawn, used or not: switching one change off leaves the others as they were.
    let factor = stream.range(settings.scale[0], settings.scale[1]);
    let x = Axis::draw(sample.image.width(), factor, settings.crop.map(|c| c[0]), &mut stream);
    let y = Axis::draw(sample.image.height(), factor, settings.crop.map(|c| c[1]), &mut stream);
    let flip = stream.uniform() < 0.5 && settings.flip;
    let change = Change::draw(&settings.jitter, &mut stream);

    let mut pixels = window(sample, x, y); // [visible h, visible w, 3]
    change.apply(&mut pixels);
    if (x.visible, y.visible) != (width, height) {
        let mean = MEAN.map(|m| (m * 255.0).round() as u8);
        image.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&mean));
        label.fill(IGNORE);
    }
    let columns: Vec<usize> = (0..x.visible).map(|i| x.nearest(i)).collect();
    let (wide, shown) = (width as usize, x.visible as usize);
    let left = if flip { width - x.at - x.visible } else { x.at } as usize;
    for (i, row) in pixels.chunks_exact(3 * shown).enumerate() {
        let start = (y.at as usize + i) * wide + left;
        let image = &mut image[3 * start..][..3 * shown];
        let label = &mut label[start..][..shown];
        let ids =
            &sample.label.as_raw()[y.nearest(i as u32) * x.source as usize..][..x.source as usize];
        if flip {
            let pixels = image.chunks_exact_mut(3).zip(row.chunks_exact(3).rev());
            pixels.for_each(|(to, from)| to.copy_from_slice(from));
            label.iter_mut().zip(columns.iter().rev()).for_each(|(to, &from)| *to = ids[from]);
        } else {
            image.copy_from_slice(row);
            label.iter_mut().zip(&columns).for_each(|(to, &from)| *to = ids[from]);
        }
    }
}

/// The visible part of the scaled image, RGB. Pixels next to the window take part in the filter, so that it equals
/// resizing the whole image and cutting afterwards.
fn window(sample: &Decoded, x: Axis, y: Axis) -> Vec<u8> {
    let source = sample.image.as_raw();
    if (x.scaled, y.scaled) == (x.source, y.source) {
        let rows =
            (y.first..y.first + y.visible).map(|row| (row * x.source + x.first) as usize * 3);
        return rows
            .flat_map(|start| &source[start..][..3 * x.visible as usize])
            .copied()
            .collect();
    }
    let ((left, width), (top, height)) = (x.window(), y.window());
    let view = fir::images::ImageRef::new(x.source, y.source, source, fir::PixelType::U8x3)
        .expect("an RgbImage's buffer has its size");
    let mut target = fir::images::Image::new(x.visible, y.visible, fir::PixelType::U8x3);
    let options = fir::ResizeOptions::new()
        .resize_alg(fir::ResizeAlg::Convolution(fir::FilterType::Bilinear))
        .crop(left, top, width, height);
    fir::Resizer::new()
        .resize(&view, &mut target, &options)
        .expect("the window lies within the image");
    target.into_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{GrayImage, RgbImage};
    use shared::preprocess::resize_image;

    /// Red and green say where a pixel is (2 x, 2 y), and so does the label (8 x 8 tiles, 15 to a row).
    fn coordinates(width: u32, height: u32) -> Decoded {
        let image =
            RgbImage::from_fn(width, height, |x, y| image::Rgb([2 * x as u8, 2 * y as u8, 7]));
        let label =
            GrayImage::from_fn(width, height, |x, y| image::Luma([(x / 8 + 15 * (y / 8)) as u8]));
        Decoded { image, label }
    }

    fn run(settings: &DataSettings, sample: &Decoded, index: u64) -> (Vec<u8>, Vec<u8>) {
        let [w, h] = sample_size(settings, sample);
        let (mut image, mut label) = (vec![0; (3 * w * h) as usize], vec![0; (w * h) as usize]);
        augment(settings, sample, (1, 2, index), &mut image, &mut label);
        (image, label)
    }

    #[test]
    fn image_and_label_stay_aligned_under_scale_crop_and_flip() {
        let sample = coordinates(120, 120);
        let settings =
            DataSettings { scale: [0.5, 2.0], crop: Some([64, 48]), ..DataSettings::default() };
        let (mut flipped, mut padded) = (0, 0);
        for index in 0..200 {
            let (image, label) = run(&settings, &sample, index);
            let mut compared = Vec::new();
            for (pixel, &id) in image.chunks_exact(3).zip(&label) {
                if id == IGNORE {
                    assert_eq!(pixel, [124, 116, 104], "padding has the mean colour");
                    padded += 1;
                    continue;
                }
                // The tile's middle is at most four pixels away, and half a pixel for the filter and rounding.
                let far = |value: u8, tile: u8| {
                    (f64::from(value) / 2.0 - (8.0 * f64::from(tile) + 3.5)).abs()
                };
                assert!(
                    far(pixel[0], id % 15) <= 4.8 && far(pixel[1], id / 15) <= 4.8,
                    "{pixel:?} {id}"
                );
                compared.push(pixel[0]);
            }
            flipped += usize::from(compared.first() > compared.get(40));
        }
        assert!((60..140).contains(&flipped), "{flipped} of 200 flipped");
        assert!(padded > 0, "the smallest scale needs padding");
    }

    #[test]
    fn a_window_equals_resizing_the_whole_image_and_cutting() {
        let mut noise = Stream::new(0, 0, 0);
        let image = RgbImage::from_fn(97, 61, |_, _| {
            image::Rgb([0; 3].map(|_: i32| noise.next_u64() as u8))
        });
        let sample = Decoded { image, label: GrayImage::new(97, 61) };
        for index in 0..50 {
            let mut stream = Stream::new(3, 0, index);
            let factor = stream.range(0.4, 2.5);
            let x = Axis::draw(97, factor, Some(33), &mut stream);
            let y = Axis::draw(61, factor, Some(33), &mut stream);
            let whole = resize_image(&sample.image, x.scaled, y.scaled);
            let cut = image::imageops::crop_imm(&whole, x.first, y.first, x.visible, y.visible)
                .to_image();
            let worst =
                window(&sample, x, y).iter().zip(cut.as_raw()).map(|(a, b)| a.abs_diff(*b)).max();
            assert!(worst <= Some(1), "{worst:?} grey levels apart");
        }
    }

    #[test]
    fn no_window_reaches_beyond_the_image() {
        for source in [97, 360, 480, 769, 1024, 2048] {
            for scaled in source / 2..2 * source {
                let visible = scaled.min(256);
                for first in [0, (scaled - visible) / 3, scaled - visible] {
                    let (from, length) = Axis { source, scaled, first, visible, at: 0 }.window();
                    assert!(from + length <= f64::from(source), "{source} {scaled} {first}");
                }
            }
        }
    }

    #[test]
    fn without_settings_a_sample_is_the_image_itself() {
        let sample = coordinates(30, 20);
        let settings = DataSettings { flip: false, ..DataSettings::default() };
        let (image, label) = run(&settings, &sample, 5);
        assert!(image == *sample.image.as_raw() && label == *sample.label.as_raw());
    }

    #[test]
    fn a_sample_is_a_function_of_seed_epoch_and_index() {
        let sample = coordinates(120, 120);
        let jitter =
            super::super::Jitter { brightness: 0.3, contrast: 0.3, saturation: 0.3, hue: 0.1 };
        let settings = DataSettings {
            scale: [0.5, 2.0],
            crop: Some([32, 32]),
            jitter,
            ..DataSettings::default()
        };
        assert!(run(&settings, &sample, 5) == run(&settings, &sample, 5));
        assert!(run(&settings, &sample, 5) != run(&settings, &sample, 6));
    }
}
