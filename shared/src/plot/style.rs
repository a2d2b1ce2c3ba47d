//! Colours, fonts and line widths of all figures. Not what is drawn with them.
//! The palette is Okabe and Ito's (2008), made to be told apart whatever one's colour vision.

use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, RGBColor, ShapeStyle, TextStyle, register_font};
use std::sync::Once;

/// Colours for things without a colour of their own, in this order: black, blue, vermilion, green, purple, orange, sky.
pub const INKS: [[u8; 3]; 7] = [
    [0, 0, 0],
    [0, 114, 178],
    [213, 94, 0],
    [0, 158, 115],
    [204, 121, 167],
    [230, 159, 0],
    [86, 180, 233],
];

/// Text and axes.
pub(super) const INK: RGBColor = RGBColor(40, 40, 40);
/// Grid lines, under the data.
pub(super) const FAINT: RGBColor = RGBColor(225, 225, 225);
/// Between the two.
pub(super) const GREY: RGBColor = RGBColor(130, 130, 130);

/// Text size of labels, in CSS pixels.
pub(super) const LABEL: f64 = 13.0;
/// Text size of headings.
pub(super) const HEADING: f64 = 16.0;

const FAMILY: &str = "sans-serif";

/// Turns sizes of the drawing into sizes of the backend, which is larger for pictures.
#[derive(Clone, Copy, Debug)]
pub struct Pen {
    scale: u32,
}

impl Pen {
    pub(super) fn new(scale: u32) -> Self {
        static FONTS: Once = Once::new();
        FONTS.call_once(|| {
            // The fonts are part of the program: one that plotters cannot read would have no text in any test's picture.
            let _ = register_font(FAMILY, FontStyle::Normal, dejavu::sans::regular());
            let _ = register_font(FAMILY, FontStyle::Bold, dejavu::sans::bold());
        });
        Self { scale }
    }

    /// A length, in pixels of the backend.
    pub(super) fn px(self, length: f64) -> i32 {
        (length * f64::from(self.scale)).round() as i32
    }

    /// A line or an outline.
    pub(super) fn line(self, color: RGBColor, width: f64) -> ShapeStyle {
        color.stroke_width(self.px(width).max(1) as u32)
    }

    /// Text whose `anchor` is put where it is drawn.
    pub(super) fn text(self, size: f64, color: RGBColor, anchor: Pos) -> TextStyle<'static> {
        let color = color.to_backend_color();
        TextStyle { color, ..TextStyle::from((FAMILY, self.px(size))).pos(anchor) }
    }

    /// Text in bold.
    pub(super) fn bold(self, size: f64, color: RGBColor, anchor: Pos) -> TextStyle<'static> {
        let color = color.to_backend_color();
        TextStyle { color, ..TextStyle::from((FAMILY, self.px(size), FontStyle::Bold)).pos(anchor) }
    }
}

/// Left edge, upper edge.
pub(super) const CORNER: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Top };
/// Left edge, middle.
pub(super) const LEFT: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };

/// A colour as dark as it must be to be read on white, its hue kept: light class colours are darkened.
pub fn legible(color: [u8; 3]) -> [u8; 3] {
    // Relative luminance of WCAG, which asks for a contrast of 3 : 1 for graphics: 1.05 / (L + 0.05) >= 3.
    const MOST: f64 = 0.3;
    let channel = |v: u8| {
        let v = f64::from(v) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    let mut color = color;
    while 0.2126 * channel(color[0]) + 0.7152 * channel(color[1]) + 0.0722 * channel(color[2])
        > MOST
    {
        color = color.map(|v| (f64::from(v) * 0.95) as u8);
    }
    color
}

/// A tick's number: no more digits than it needs.
pub(super) fn tick(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn light_colours_become_legible_and_dark_ones_stay() {
        assert_eq!(legible([128, 64, 128]), [128, 64, 128]);
        let [r, g, b] = legible([255, 255, 0]);
        assert!(r == g && b == 0 && r < 170, "{r} {g} {b}");
    }
}
