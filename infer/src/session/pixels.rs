//! From u8 pixels to what a graph takes: nothing to do, or normalized floats.
//! Not resizing, which is `shared::preprocess`'s. Models that `train export` writes take the pixels as they
//! are; models from elsewhere want `(value / 255 * white - mean) / std` in f32, computed once per value.

use rayon::prelude::*;
use shared::card::{ColorOrder, ForeignInput, Layout};

/// What a graph takes.
#[derive(Debug, Clone)]
pub(crate) enum Pixels {
    /// u8 `[batch, height, width, 3]`, RGB.
    Bytes,
    /// f32, normalized.
    Floats(Normalization),
}

/// A table of the 256 values a channel can have, per channel of the graph.
#[derive(Debug, Clone)]
pub(crate) struct Normalization {
    pub layout: Layout,
    /// Channel of the image (R, G, B) that each channel of the graph is.
    source: [usize; 3],
    table: Box<[[f32; 256]; 3]>,
}

impl Normalization {
    pub fn new(input: &ForeignInput) -> Self {
        let value = |channel: usize, value: usize| {
            (value as f32 / 255.0 * input.white - input.mean[channel]) / input.std[channel]
        };
        let source = match input.color {
            ColorOrder::Rgb => [0, 1, 2],
            ColorOrder::Bgr => [2, 1, 0],
        };
        let table = std::array::from_fn(|c| std::array::from_fn(|v| value(c, v)));
        Self { layout: input.layout, source, table: Box::new(table) }
    }

    /// Dimensions of the graph's input.
    pub fn shape(&self, batch: u32, height: u32, width: u32) -> [i64; 4] {
        let [n, h, w] = [batch, height, width].map(i64::from);
        match self.layout {
            Layout::ChannelsFirst => [n, 3, h, w],
            Layout::ChannelsLast => [n, h, w, 3],
        }
    }

    /// `pixels` u8 `[batch, h, w, 3]` into `out`, f32 in the graph's layout; `out` gets the right length.
    pub fn apply(&self, pixels: &[u8], batch: u32, out: &mut Vec<f32>) {
        out.resize(pixels.len(), 0.0);
        let image = pixels.len() / batch.max(1) as usize;
        if image == 0 {
            return;
        }
        for (out, pixels) in out.chunks_exact_mut(image).zip(pixels.chunks_exact(image)) {
            match self.layout {
                Layout::ChannelsFirst => self.planes(pixels, out),
                Layout::ChannelsLast => self.interleaved(pixels, out),
            }
        }
    }

    fn planes(&self, pixels: &[u8], out: &mut [f32]) {
        let plane = out.len() / 3;
        let rgb = pixels.as_chunks::<3>().0;
        out.par_chunks_exact_mut(plane).enumerate().for_each(|(channel, out)| {
            let (source, table) = (self.source[channel], &self.table[channel]);
            for (value, pixel) in out.iter_mut().zip(rgb) {
                *value = table[usize::from(pixel[source])];
            }
        });
    }

    fn interleaved(&self, pixels: &[u8], out: &mut [f32]) {
        let (rgb, out) = (pixels.as_chunks::<3>().0, out.as_chunks_mut::<3>().0);
        for (values, pixel) in out.iter_mut().zip(rgb) {
            *values = std::array::from_fn(|c| self.table[c][usize::from(pixel[self.source[c]])]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalized(layout: Layout, color: ColorOrder) -> Vec<f32> {
        let input = ForeignInput {
            name: None,
            layout,
            color,
            white: 255.0,
            mean: [1.0, 2.0, 3.0],
            std: [1.0, 2.0, 4.0],
            size: None,
            multiple: 1,
        };
        let mut out = Vec::new();
        Normalization::new(&input).apply(&[5, 6, 7, 255, 0, 11], 1, &mut out);
        out
    }

    #[test]
    fn channels_go_where_layout_and_colour_order_say() {
        let close = |got: Vec<f32>, expected: [f32; 6]| {
            assert!(got.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-4), "{got:?}");
        };
        close(
            normalized(Layout::ChannelsFirst, ColorOrder::Rgb),
            [4.0, 254.0, 2.0, -1.0, 1.0, 2.0],
        );
        close(normalized(Layout::ChannelsLast, ColorOrder::Rgb), [4.0, 2.0, 1.0, 254.0, -1.0, 2.0]);
        close(
            normalized(Layout::ChannelsFirst, ColorOrder::Bgr),
            [6.0, 10.0, 2.0, -1.0, 0.5, 63.0],
        );
    }
}
