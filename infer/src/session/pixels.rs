//! From u8 pixels to what a graph takes: nothing to do, normalized numbers, or bytes in another
//! order. Not resizing, which is `shared::preprocess`'s. Models that `train export` writes take the
//! pixels as they are; most models from elsewhere want `(value / 255 * white - mean) / std` in f32,
//! computed once per value.

use half::f16;
use rayon::prelude::*;
use shared::card::{ColorOrder, ForeignInput, Layout};

/// What a graph takes.
#[derive(Debug, Clone)]
pub(crate) enum Pixels {
    /// u8 `[batch, height, width, 3]`, RGB.
    Bytes,
    /// u8 in another layout or order.
    Rearranged(Normalization),
    /// f32, normalized.
    Floats(Normalization),
    /// f16, normalized in f32.
    Halves(Normalization),
}

/// A number that pixels become.
pub(crate) trait Number: Copy + Default + Send + Sync {
    /// The number for a byte, normalized.
    fn of(byte: u8, normalized: f32) -> Self;
}

impl Number for f32 {
    fn of(_: u8, normalized: f32) -> Self {
        normalized
    }
}

impl Number for f16 {
    fn of(_: u8, normalized: f32) -> Self {
        Self::from_f32(normalized)
    }
}

impl Number for u8 {
    fn of(byte: u8, _: f32) -> Self {
        byte
    }
}

/// A table of the 256 values a channel can have, per channel of the graph.
#[derive(Debug, Clone)]
pub(crate) struct Normalization {
    pub layout: Layout,
    color: ColorOrder,
    /// One per channel of the graph.
    table: Vec<[f32; 256]>,
}

impl Normalization {
    pub fn new(input: &ForeignInput) -> Self {
        let value = |channel: usize, value: usize| {
            let [mean, std] = [(&input.mean, 0.0), (&input.std, 1.0)]
                .map(|(values, none)| values.get(channel).copied().unwrap_or(none));
            (value as f32 / 255.0 * input.white - mean) / std
        };
        let channels = input.color.channels();
        let table = (0..channels).map(|c| std::array::from_fn(|v| value(c, v))).collect();
        Self { layout: input.layout, color: input.color, table }
    }

    /// Dimensions of the graph's input.
    pub fn shape(&self, batch: u32, height: u32, width: u32) -> [i64; 4] {
        let [n, h, w] = [batch, height, width].map(i64::from);
        let channels = self.table.len() as i64;
        match self.layout {
            Layout::ChannelsFirst => [n, channels, h, w],
            Layout::ChannelsLast => [n, h, w, channels],
        }
    }

    /// Values that so many bytes of RGB become.
    pub fn length(&self, bytes: usize) -> usize {
        bytes / 3 * self.table.len()
    }

    /// `pixels` u8 `[batch, h, w, 3]` into `out`, in the graph's layout; `out` gets the right
    /// length.
    pub fn apply<T: Number>(&self, pixels: &[u8], batch: u32, out: &mut Vec<T>) {
        let channels = self.table.len();
        out.resize(self.length(pixels.len()), T::default());
        let image = pixels.len() / batch.max(1) as usize;
        if image == 0 {
            return;
        }
        let images = pixels.chunks_exact(image);
        for (out, pixels) in out.chunks_exact_mut(image / 3 * channels).zip(images) {
            let rgb = pixels.as_chunks::<3>().0;
            match self.layout {
                Layout::ChannelsFirst => out
                    .par_chunks_exact_mut(rgb.len())
                    .enumerate()
                    .for_each(|(channel, out)| self.channel(channel, rgb, out.iter_mut())),
                Layout::ChannelsLast => {
                    for channel in 0..channels {
                        let out = out.iter_mut().skip(channel).step_by(channels);
                        self.channel(channel, rgb, out);
                    }
                }
            }
        }
    }

    /// Fills one channel of the graph.
    fn channel<'a, T: Number + 'a>(
        &self,
        channel: usize,
        rgb: &[[u8; 3]],
        out: impl Iterator<Item = &'a mut T>,
    ) {
        let table: [T; 256] =
            std::array::from_fn(|byte| T::of(byte as u8, self.table[channel][byte]));
        let byte = |pixel: &[u8; 3]| match self.color {
            ColorOrder::Rgb => pixel[channel],
            ColorOrder::Bgr => pixel[2 - channel],
            ColorOrder::Gray => luma(pixel),
        };
        for (value, pixel) in out.zip(rgb) {
            *value = table[usize::from(byte(pixel))];
        }
    }
}

/// Luma of ITU-R 601 in integers, as Pillow's `convert("L")` has it.
fn luma(rgb: &[u8; 3]) -> u8 {
    let [r, g, b] = rgb.map(u32::from);
    ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(layout: Layout, color: ColorOrder) -> ForeignInput {
        let channels = color.channels();
        ForeignInput {
            image: None,
            name: None,
            layout,
            color,
            white: 255.0,
            mean: vec![1.0, 2.0, 3.0][..channels].to_vec(),
            std: vec![1.0, 2.0, 4.0][..channels].to_vec(),
            size: None,
            multiple: 1,
        }
    }

    fn normalized(layout: Layout, color: ColorOrder) -> Vec<f32> {
        let mut out = Vec::new();
        Normalization::new(&input(layout, color)).apply(&[5, 6, 7, 255, 0, 11], 1, &mut out);
        out
    }

    #[test]
    fn channels_go_where_layout_and_colour_order_say() {
        let close = |got: Vec<f32>, expected: &[f32]| {
            assert_eq!(got.len(), expected.len());
            assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-4), "{got:?}");
        };
        let [first, last] = [Layout::ChannelsFirst, Layout::ChannelsLast];
        close(normalized(first, ColorOrder::Rgb), &[4.0, 254.0, 2.0, -1.0, 1.0, 2.0]);
        close(normalized(last, ColorOrder::Rgb), &[4.0, 2.0, 1.0, 254.0, -1.0, 2.0]);
        close(normalized(first, ColorOrder::Bgr), &[6.0, 10.0, 2.0, -1.0, 0.5, 63.0]);
        // 0.299 x 5 + 0.587 x 6 + 0.114 x 7 = 5.8; 0.299 x 255 + 0.114 x 11 = 77.5.
        close(normalized(first, ColorOrder::Gray), &[5.0, 76.0]);
    }

    #[test]
    fn bytes_keep_their_values_and_halves_are_rounded_floats() {
        let normalization = Normalization::new(&input(Layout::ChannelsFirst, ColorOrder::Bgr));
        let mut bytes: Vec<u8> = Vec::new();
        normalization.apply(&[5, 6, 7, 255, 0, 11], 1, &mut bytes);
        assert_eq!(bytes, [7, 11, 6, 0, 5, 255]);
        let mut halves: Vec<f16> = Vec::new();
        normalization.apply(&[5, 6, 7, 255, 0, 11], 2, &mut halves);
        assert_eq!(
            halves.iter().map(|v| v.to_f32()).collect::<Vec<_>>(),
            [6.0, 2.0, 0.5, 10.0, -1.0, 63.0]
        );
    }
}
