//! One model's panel at the frame's own resolution: the part that is zoomed to, coloured.
//! Not its place in the window (`layout`). A stale result has no colours here, whatever the view.

use image::{GrayImage, RgbImage, imageops};
use shared::render::{FALSE_COLOR, MISSED_COLOR, RIGHT_COLOR, Rect, Wash, crop};

use super::{Freshness, Painter};
use crate::live::frame::SegmentedFrame;
use crate::live::keys::{Look, View};

/// Where this model sees a rare class and the first does not.
pub const FOUND_BY_THIS: [u8; 3] = MISSED_COLOR;
/// Where the first sees a rare class and this one does not.
pub const FOUND_BY_FIRST: [u8; 3] = FALSE_COLOR;
/// Where both see the same rare class.
pub const FOUND_BY_BOTH: [u8; 3] = RIGHT_COLOR;

/// How much of the photograph stays where nothing is marked.
const DIMMED: f32 = 0.4;
/// Weight of a mark's colour: the photograph shines through a little, so that one sees what it is.
const MARKED: f32 = 0.85;

/// The panel of a model, as large as the part of the frame that is shown.
pub fn panel(
    painter: &Painter,
    seen: &SegmentedFrame,
    model: usize,
    freshness: Freshness,
    look: &Look,
) -> RgbImage {
    let image = &seen.frame.image;
    let part = shown(look, image.dimensions());
    let mut picture = crop(image, part);
    if freshness != Freshness::Fresh {
        return colourless(&picture);
    }
    let Some(labels) = seen.labels.get(model) else { return picture };
    let labels = crop_labels(labels, part);
    match look.view {
        View::Photograph => {}
        View::Rare if model > 0 => {
            let first = crop_labels(&seen.labels[0], part);
            let marks = rare_marks(&first, &labels, &painter.rare);
            marks_wash().apply(&mut picture, &marks);
        }
        View::Rare => rare_wash(painter).apply(&mut picture, &labels),
        View::Overlay | View::Colours => {
            let opacity = if look.view == View::Colours { 1.0 } else { look.opacity };
            let wash = look.highlight.map_or_else(
                || painter.palette.wash(opacity),
                |class| highlight_wash(painter, class, opacity),
            );
            wash.apply(&mut picture, &labels);
        }
    }
    picture
}

/// The part of a frame of this size that is shown.
fn shown(look: &Look, (width, height): (u32, u32)) -> Rect {
    let part = |side: u32| (side / look.zoom).max(1);
    let (w, h) = (part(width), part(height));
    let start = |centre: f32, side: u32, part: u32| {
        ((centre * side as f32) as u32).saturating_sub(part / 2).min(side - part)
    };
    Rect::new(start(look.centre.0, width, w), start(look.centre.1, height, h), w, h)
}

fn crop_labels(labels: &GrayImage, part: Rect) -> GrayImage {
    imageops::crop_imm(labels, part.x, part.y, part.width, part.height).to_image()
}

/// Luma, BT.601: a picture that cannot be taken for a segmented one.
fn colourless(picture: &RgbImage) -> RgbImage {
    let mut out = picture.clone();
    for pixel in out.as_chunks_mut::<3>().0 {
        let [r, g, b] = pixel.map(u32::from);
        *pixel = [((r * 77 + g * 150 + b * 29) >> 8) as u8; 3];
    }
    out
}

/// One class in its colour, the rest dimmed.
fn highlight_wash(painter: &Painter, class: u8, opacity: f32) -> Wash {
    let mut wash = dimmed();
    // Even at opacity 0 the class stands out, by not being dimmed.
    wash.set(class, painter.palette.color(class), opacity);
    wash
}

/// The rare classes in their colours, the rest dimmed.
fn rare_wash(painter: &Painter) -> Wash {
    let mut wash = dimmed();
    for &class in &painter.rare {
        wash.set(class, painter.palette.color(class), MARKED);
    }
    wash
}

fn dimmed() -> Wash {
    let mut wash = Wash::clear();
    (0..=u8::MAX).for_each(|label| wash.set(label, [0; 3], 1.0 - DIMMED));
    wash
}

const NOTHING: u8 = 0;
const THIS: u8 = 1;
const FIRST: u8 = 2;
const BOTH: u8 = 3;

fn marks_wash() -> Wash {
    let mut wash = dimmed();
    for (mark, color) in [(THIS, FOUND_BY_THIS), (FIRST, FOUND_BY_FIRST), (BOTH, FOUND_BY_BOTH)] {
        wash.set(mark, color, MARKED);
    }
    wash
}

/// A mark per pixel: who sees a rare class there. Where the two see different rare classes, this model does
/// see one that the first does not.
fn rare_marks(first: &GrayImage, this: &GrayImage, rare: &[u8]) -> GrayImage {
    let mut is_rare = [false; 256];
    rare.iter().for_each(|&class| is_rare[usize::from(class)] = true);
    let mut marks = this.clone();
    for (mark, &first) in marks.iter_mut().zip(first.as_raw()) {
        let this = *mark;
        *mark = match (is_rare[usize::from(first)], is_rare[usize::from(this)]) {
            (true, true) if first == this => BOTH,
            (_, true) => THIS,
            (true, false) => FIRST,
            (false, false) => NOTHING,
        };
    }
    marks
}
