//! Text on pictures: one line at a time, in DejaVu Sans, which is embedded and free to ship.
//! Not a layout engine: no wrapping, no bidirectional text; a character without a glyph is a box.
//! Glyphs are rasterized by `ab_glyph` and blended by coverage.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, PxScale, ScaleFont, point};
use image::RgbImage;

static REGULAR: LazyLock<FontRef<'static>> = LazyLock::new(|| embedded(dejavu::sans::regular()));
static BOLD: LazyLock<FontRef<'static>> = LazyLock::new(|| embedded(dejavu::sans::bold()));

fn embedded(bytes: &'static [u8]) -> FontRef<'static> {
    FontRef::try_from_slice(bytes).expect("the embedded font is part of the program")
}

/// Which cut of the font.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// For running text.
    Regular,
    /// For headings.
    Bold,
}

/// How a line of text looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Height of the line in pixels, from the top of the tallest letter to the lowest descender.
    pub size: f32,
    /// RGB.
    pub color: [u8; 3],
    /// Cut of the font.
    pub weight: Weight,
}

impl Style {
    /// Running text.
    pub fn regular(size: f32, color: [u8; 3]) -> Self {
        Self { size, color, weight: Weight::Regular }
    }

    /// Headings.
    pub fn bold(size: f32, color: [u8; 3]) -> Self {
        Self { size, color, weight: Weight::Bold }
    }

    fn font(&self) -> &'static FontRef<'static> {
        match self.weight {
            Weight::Regular => &REGULAR,
            Weight::Bold => &BOLD,
        }
    }
}

/// Height in pixels that a line of this style takes.
pub fn line_height(style: Style) -> u32 {
    style.size.ceil() as u32
}

/// Width in pixels of `text`.
pub fn width(text: &str, style: Style) -> u32 {
    let font = style.font().as_scaled(PxScale::from(style.size));
    let mut previous = None;
    let mut x = 0.0;
    for id in text.chars().map(|c| font.glyph_id(c)) {
        x += previous.map_or(0.0, |p| font.kern(p, id)) + font.h_advance(id);
        previous = Some(id);
    }
    x.ceil() as u32
}

/// `text`, cut and ended with an ellipsis where it is wider than `max_width` pixels.
pub fn shorten(text: &str, style: Style, max_width: u32) -> String {
    if width(text, style) <= max_width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        let candidate: String = kept.iter().chain(&['…']).collect();
        if width(&candidate, style) <= max_width {
            return candidate;
        }
    }
    String::new()
}

/// Draws `text` with its upper left corner at (`x`, `y`); what lies outside the canvas is cut off.
pub fn draw(canvas: &mut RgbImage, x: i32, y: i32, text: &str, style: Style) {
    let font = style.font();
    let scaled = font.as_scaled(PxScale::from(style.size));
    let baseline = y as f32 + scaled.ascent();
    let mut pen = x as f32;
    let mut previous = None;
    for id in text.chars().map(|c| scaled.glyph_id(c)) {
        pen += previous.map_or(0.0, |p| scaled.kern(p, id));
        previous = Some(id);
        let glyph = id.with_scale_and_position(style.size, point(pen, baseline));
        pen += scaled.h_advance(id);
        let Some(outline) = font.outline_glyph(glyph) else { continue }; // a space has none
        let corner = outline.px_bounds().min;
        outline.draw(|dx, dy, coverage| {
            let (px, py) = (corner.x as i64 + i64::from(dx), corner.y as i64 + i64::from(dy));
            let inside = (0..i64::from(canvas.width())).contains(&px)
                && (0..i64::from(canvas.height())).contains(&py);
            if inside {
                let pixel = canvas.get_pixel_mut(px as u32, py as u32);
                for (value, ink) in pixel.0.iter_mut().zip(style.color) {
                    let mixed = f32::from(*value)
                        + (f32::from(ink) - f32::from(*value)) * coverage.min(1.0);
                    *value = mixed.round() as u8;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    const STYLE: Style = Style { size: 16.0, color: [0, 0, 0], weight: Weight::Regular };

    fn ink(canvas: &RgbImage) -> Option<(u32, u32, u32, u32)> {
        let dark =
            || canvas.enumerate_pixels().filter(|(_, _, p)| p.0[0] < 128).map(|(x, y, _)| (x, y));
        Some((
            dark().map(|p| p.0).min()?,
            dark().map(|p| p.1).min()?,
            dark().map(|p| p.0).max()?,
            dark().map(|p| p.1).max()?,
        ))
    }

    #[test]
    fn text_stays_inside_the_box_it_announces() {
        let mut canvas = RgbImage::from_pixel(300, 40, Rgb([255; 3]));
        draw(&mut canvas, 10, 5, "Äpfel, gj|", STYLE);
        let (left, top, right, bottom) = ink(&canvas).unwrap();
        assert!(left >= 10 && right < 10 + width("Äpfel, gj|", STYLE), "{left}..{right}");
        assert!(top >= 5 && bottom < 5 + line_height(STYLE), "{top}..{bottom}");
    }

    #[test]
    fn text_beyond_the_canvas_is_cut_off_quietly() {
        let mut canvas = RgbImage::from_pixel(8, 8, Rgb([255; 3]));
        draw(&mut canvas, -30, -4, "far too long for this", STYLE);
        assert!(ink(&canvas).is_some());
    }

    #[test]
    fn long_text_is_shortened_to_fit() {
        let full = "a rather long name of a model";
        let short = shorten(full, STYLE, 100);
        assert!(short.ends_with('…') && width(&short, STYLE) <= 100);
        assert_eq!(shorten(full, STYLE, 1000), full);
    }
}
