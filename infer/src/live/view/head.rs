//! Text over the picture: the head-up line, notices, and the help. Not where the numbers come from.
//! Words stand in columns, so that a number that changes does not move the others.

use image::RgbImage;
use shared::render::{Rect, Style, Weight, draw_text, fill, line_height, text_width};

use super::{ALARM, GROUND};
use crate::live::keys::KEYS;

/// What stands above the panels.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// Rates, times, counts.
    pub words: Vec<String>,
    /// Something the user must see.
    pub notice: Option<String>,
}

const TEXT: Style = Style { size: 14.0, color: [225; 3], weight: Weight::Regular };
const NOTICE: Style = Style { size: 14.0, color: [255; 3], weight: Weight::Bold };
const MARGIN: u32 = 8;
/// Widths are rounded up to this, in pixels.
const COLUMN: u32 = 24;

impl Head {
    /// Draws it at the top; returns its height in pixels.
    pub fn draw(&self, canvas: &mut RgbImage) -> u32 {
        let line = line_height(TEXT) + 6;
        let (mut x, mut y) = (MARGIN, 4);
        for word in &self.words {
            let width = text_width(word, TEXT);
            if x > MARGIN && x + width > canvas.width() {
                (x, y) = (MARGIN, y + line);
            }
            draw_text(canvas, x as i32, y as i32, word, TEXT);
            x += (width + 12).next_multiple_of(COLUMN);
        }
        y += line;
        if let Some(notice) = &self.notice {
            fill(canvas, Rect::new(0, y, canvas.width(), line), ALARM);
            draw_text(canvas, MARGIN as i32, (y + 2) as i32, notice, NOTICE);
            y += line;
        }
        y
    }
}

/// The keys, in a box in the middle.
pub fn draw_help(canvas: &mut RgbImage) {
    let line = line_height(TEXT) + 4;
    let (name_width, widest) = (
        KEYS.iter().map(|(name, ..)| text_width(name, NOTICE)).max().unwrap_or(0) + 16,
        KEYS.iter().map(|(.., words)| text_width(words, TEXT)).max().unwrap_or(0),
    );
    let (width, height) = (name_width + widest + 32, KEYS.len() as u32 * line + 24);
    let x = canvas.width().saturating_sub(width) / 2;
    let y = canvas.height().saturating_sub(height) / 2;
    fill(canvas, Rect::new(x, y, width, height), [90, 95, 105]);
    fill(canvas, Rect::new(x + 1, y + 1, width - 2, height - 2), GROUND);
    for (row, (name, _, words)) in (0..).zip(&KEYS) {
        let y = (y + 12 + row * line) as i32;
        draw_text(canvas, (x + 16) as i32, y, name, NOTICE);
        draw_text(canvas, (x + 16 + name_width) as i32, y, words, TEXT);
    }
}
