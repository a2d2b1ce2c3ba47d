//! The legend: a swatch and a name per entry, flowing over as many rows as the width needs.
//! Not tied to classes: error maps have legends too.
//! Names are never cut: a legend narrower than its longest entry grows to it.

use image::{Rgb, RgbImage};

use super::{Rect, Style, draw_text, fill, frame, line_height, text_width};
use crate::labels::Class;

/// One line of the legend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What the colour stands for.
    pub name: String,
    /// RGB.
    pub color: [u8; 3],
}

impl Entry {
    /// An entry with this name and colour.
    pub fn new(name: impl Into<String>, color: [u8; 3]) -> Self {
        Self { name: name.into(), color }
    }
}

/// The entries of a class table, in its order.
pub fn class_entries(classes: &[Class]) -> Vec<Entry> {
    classes.iter().map(|class| Entry::new(&class.name, class.color)).collect()
}

/// A legend on white, `width` pixels wide, with text `size` pixels high.
pub fn legend(entries: &[Entry], width: u32, size: f32) -> RgbImage {
    let style = Style::regular(size, [30; 3]);
    let swatch = line_height(style);
    let gap = swatch / 2;
    // All columns have the same width, so that the rows line up.
    let names = entries.iter().map(|e| text_width(&e.name, style)).max().unwrap_or(0);
    let column = swatch + gap + names + 2 * gap;
    let columns = (width.saturating_sub(gap) / column).clamp(1, entries.len().max(1) as u32);
    let rows = (entries.len() as u32).div_ceil(columns);
    let line = swatch + gap;
    let mut canvas =
        RgbImage::from_pixel(width.max(column + gap), rows * line + gap, Rgb([255; 3]));
    for (i, entry) in (0_u32..).zip(entries) {
        let (x, y) = (gap + i % columns * column, gap + i / columns * line);
        fill(&mut canvas, Rect::new(x, y, swatch, swatch), entry.color);
        frame(&mut canvas, Rect::new(x, y, swatch, swatch), 1, [120; 3]); // white swatches need an edge
        draw_text(&mut canvas, (x + swatch + gap) as i32, y as i32, &entry.name, style);
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_legend_shows_every_colour_at_any_width() {
        let entries: Vec<Entry> =
            (0..19_u8).map(|i| Entry::new(format!("class {i}"), [200, i * 10, 33])).collect();
        for width in [10, 200, 2000] {
            let picture = legend(&entries, width, 14.0);
            for entry in &entries {
                assert!(picture.pixels().any(|p| p.0 == entry.color), "{} at {width}", entry.name);
            }
        }
    }
}
