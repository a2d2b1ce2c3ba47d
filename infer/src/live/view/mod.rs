//! What is shown: a frame, what the models saw in it and how the user wants it, to the pixels of a picture.
//! Not a window: the recorder gets the same pictures. Everything here is a function of its arguments.
//! The colour map over the frame, models side by side, is that of Fig. 3 of Tian et al., arXiv 2106.14917.

mod head;
mod layout;
mod panel;

use std::time::Duration;

use image::{Rgb, RgbImage};
use shared::card::Card;
use shared::labels::Class;
use shared::render::{
    Entry, Kind, Palette, Rect, Style, class_entries, draw_text, fill, frame, legend, line_height,
    paste, scale, shorten, text_width,
};

use super::frame::SegmentedFrame;
use super::keys::{Look, View};
pub use head::Head;
use layout::Layout;
pub use layout::natural_size;
pub use panel::{FOUND_BY_BOTH, FOUND_BY_FIRST, FOUND_BY_THIS};

/// What does not change during a run.
#[derive(Debug, Clone)]
pub struct Painter {
    /// Above each model's panel.
    pub titles: Vec<String>,
    /// The class table that all models share.
    pub classes: Vec<Class>,
    /// Train ids of the rare classes.
    pub rare: Vec<u8>,
    palette: Palette,
}

/// Whether a result may be taken for the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It may.
    Fresh,
    /// It is as old as this, and loses its colours.
    Stale(Duration),
}

const GROUND: [u8; 3] = [24, 26, 30];
const ALARM: [u8; 3] = [200, 30, 40];
const TITLE: Style = Style { size: 15.0, color: [235; 3], weight: shared::render::Weight::Bold };
const LEGEND_SIZE: f32 = 13.0;

impl Painter {
    /// For models with these titles and cards; the class table is the first one's.
    pub fn new(titles: Vec<String>, cards: &[&Card]) -> Self {
        let classes = cards.first().map_or_else(Vec::new, |card| card.classes.clone());
        let rare = cards.iter().map(|card| card.rare_classes()).find(|rare| !rare.is_empty());
        let rare = rare.unwrap_or_default().into_iter().map(|class| class as u8).collect();
        let palette = Palette::new(&classes);
        Self { titles, classes, rare, palette }
    }

    /// The picture, of this size. Panels keep the frame's proportions whatever the size.
    pub fn compose(
        &self,
        seen: &SegmentedFrame,
        freshness: Freshness,
        look: &Look,
        head: &Head,
        (width, height): (u32, u32),
    ) -> RgbImage {
        let mut canvas = RgbImage::from_pixel(width, height, Rgb(GROUND));
        let legend = legend(&self.legend(look), width, LEGEND_SIZE);
        let top = head.draw(&mut canvas);
        let layout = Layout::new(
            Rect::new(0, top, width, height.saturating_sub(top + legend.height())),
            self.titles.len() as u32,
            seen.frame.image.dimensions(),
            line_height(TITLE) + 6,
        );
        for (model, (title, spot)) in self.titles.iter().zip(&layout.panels).enumerate() {
            let text = shorten(title, TITLE, spot.picture.width);
            draw_text(&mut canvas, spot.title.0, spot.title.1, &text, TITLE);
            let panel = panel::panel(self, seen, model, freshness, look);
            let kind = if look.view == View::Colours { Kind::Labels } else { Kind::Photo };
            let size = (spot.picture.width, spot.picture.height);
            let mut picture = scale(&panel, size.0, size.1, kind);
            if let Freshness::Stale(age) = freshness {
                mark_stale(&mut picture, age);
            }
            paste(&mut canvas, &picture, spot.picture.x, spot.picture.y);
        }
        paste(&mut canvas, &legend, 0, height.saturating_sub(legend.height()));
        if look.help {
            head::draw_help(&mut canvas);
        }
        canvas
    }

    fn legend(&self, look: &Look) -> Vec<Entry> {
        let all = || class_entries(&self.classes);
        match (look.view, look.highlight) {
            (View::Rare, _) => {
                let mut entries: Vec<Entry> =
                    self.rare.iter().map(|&c| all()[usize::from(c)].clone()).collect();
                if self.titles.len() > 1 {
                    let first = &self.titles[0];
                    entries.push(Entry::new(format!("rare, not seen by {first}"), FOUND_BY_THIS));
                    entries.push(Entry::new(format!("rare, seen only by {first}"), FOUND_BY_FIRST));
                    entries.push(Entry::new("rare, seen by both", FOUND_BY_BOTH));
                }
                entries
            }
            (_, Some(class)) => all().into_iter().skip(usize::from(class)).take(1).collect(),
            _ => all(),
        }
    }
}

/// A red frame, and how old it is.
fn mark_stale(picture: &mut RgbImage, age: Duration) {
    let whole = Rect::new(0, 0, picture.width(), picture.height());
    frame(picture, whole, 4, ALARM);
    let style = Style::bold(18.0, [255; 3]);
    let text = format!("STALE {} ms", age.as_millis());
    let box_ = Rect::new(4, 4, text_width(&text, style) + 16, line_height(style) + 8);
    fill(picture, box_, ALARM);
    draw_text(picture, 12, 8, &text, style);
}

#[cfg(test)]
pub(super) mod tests;
