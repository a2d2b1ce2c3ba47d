//! A figure: rows of pictures under column titles, boxes around regions, the regions enlarged
//! below each picture, a legend. Not a chart. The layout is that of the paper's Fig. 3.
//! Region `i` has the same colour of box everywhere, so that the eye finds its enlargement.

use image::{Rgb, RgbImage};

use super::{
    Entry, Kind, Rect, Style, crop, draw_text, frame, legend, line_height, paste, scale, shorten,
};

/// Colours of the boxes, in the order of the regions.
pub const REGION_COLORS: [[u8; 3]; 4] =
    [[255, 214, 0], [0, 229, 255], [255, 64, 200], [120, 255, 60]];

const MARGIN: u32 = 16;
const GAP: u32 = 8;
const INK: [u8; 3] = [30; 3];
const TITLE: Style = Style { size: 22.0, color: INK, weight: super::Weight::Bold };
const HEADING: Style = Style { size: 18.0, color: INK, weight: super::Weight::Bold };
const CAPTION: Style = Style { size: 14.0, color: [90; 3], weight: super::Weight::Regular };
const LEGEND_SIZE: f32 = 15.0;
/// A picture is at most so many times as high as a cell is wide: a very tall one is narrowed, since a figure
/// that fills the memory shows nothing.
const TALLEST: u32 = 4;

/// One picture of a row.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The picture, at full resolution: enlargements are cut from it.
    pub picture: RgbImage,
    /// How it may be enlarged.
    pub kind: Kind,
    /// A line below it, or nothing.
    pub caption: String,
}

/// One row: the same scene in every column.
#[derive(Debug, Clone)]
pub struct Row {
    /// A line above the row, or nothing.
    pub caption: String,
    /// One per column, all of one size.
    pub cells: Vec<Cell>,
    /// Regions to box and enlarge, in pixels of the pictures; at most as many as there are colours.
    pub regions: Vec<Rect>,
}

/// A complete figure.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Heading of the figure, or empty.
    pub title: String,
    /// Heading of each column.
    pub columns: Vec<String>,
    /// From top to bottom.
    pub rows: Vec<Row>,
    /// What the colours mean.
    pub legend: Vec<Entry>,
    /// A line at the very bottom, or empty.
    pub note: String,
}

impl Figure {
    /// Draws the figure, each picture `cell_width` pixels wide (a very tall one less).
    pub fn draw(&self, cell_width: u32) -> RgbImage {
        let columns = self.columns.len().max(1) as u32;
        let width = 2 * MARGIN + columns * cell_width + (columns - 1) * GAP;
        let inner = width - 2 * MARGIN;
        let column_x = |i: usize| MARGIN + i as u32 * (cell_width + GAP);
        let strips: Vec<RgbImage> =
            self.rows.iter().map(|row| draw_row(row, width, cell_width)).collect();
        let legend = legend(&self.legend, inner, LEGEND_SIZE);

        let above = |text: &str, style| if text.is_empty() { 0 } else { line_height(style) + GAP };
        let top = MARGIN + above(&self.title, TITLE);
        let header = line_height(HEADING) + GAP;
        let body: u32 = strips.iter().map(RgbImage::height).sum();
        let height = top + header + body + legend.height() + above(&self.note, CAPTION) + MARGIN;
        let mut canvas =
            RgbImage::from_pixel(width.max(legend.width() + 2 * MARGIN), height, Rgb([255; 3]));

        let title = shorten(&self.title, TITLE, inner);
        draw_text(&mut canvas, MARGIN as i32, MARGIN as i32, &title, TITLE);
        for (i, name) in self.columns.iter().enumerate() {
            let name = shorten(name, HEADING, cell_width);
            draw_text(&mut canvas, column_x(i) as i32, top as i32, &name, HEADING);
        }
        let mut y = top + header;
        for strip in &strips {
            paste(&mut canvas, strip, 0, y);
            y += strip.height();
        }
        paste(&mut canvas, &legend, MARGIN, y);
        y += legend.height();
        let note = shorten(&self.note, CAPTION, inner);
        draw_text(&mut canvas, MARGIN as i32, (y + GAP / 2) as i32, &note, CAPTION);
        canvas
    }
}

/// One row as a strip of the full width: caption, pictures with boxes, enlargements, cell captions.
fn draw_row(row: &Row, width: u32, cell_width: u32) -> RgbImage {
    let size = row.cells.first().map_or((1, 1), |c| c.picture.dimensions());
    let zoom = ZoomLayout::new(&row.regions, size, cell_width);
    let (picture_width, cell_height) = zoom.picture;
    let caption = if row.caption.is_empty() { 0 } else { line_height(CAPTION) + GAP / 2 };
    let cell_caption = if row.cells.iter().all(|c| c.caption.is_empty()) {
        0
    } else {
        line_height(CAPTION) + GAP / 2
    };
    let zoom_height = if zoom.slots.is_empty() { 0 } else { zoom.height + GAP / 2 };
    let height = caption + cell_height + zoom_height + cell_caption + 2 * GAP;

    let mut strip = RgbImage::from_pixel(width, height, Rgb([255; 3]));
    let text = shorten(&row.caption, CAPTION, width - 2 * MARGIN);
    draw_text(&mut strip, MARGIN as i32, 0, &text, CAPTION);
    for (i, cell) in row.cells.iter().enumerate() {
        let x = MARGIN + i as u32 * (cell_width + GAP);
        let mut picture = scale(&cell.picture, picture_width, cell_height, cell.kind);
        for (slot, color) in zoom.slots.iter().zip(REGION_COLORS) {
            // A dark line around the coloured one keeps it visible on any background.
            let thick = 2 + cell_width / 400;
            frame(&mut picture, slot.on_picture, thick + 2, [0; 3]);
            let inside = Rect {
                x: slot.on_picture.x + 1,
                y: slot.on_picture.y + 1,
                width: slot.on_picture.width.saturating_sub(2),
                height: slot.on_picture.height.saturating_sub(2),
            };
            frame(&mut picture, inside, thick, color);
        }
        paste(&mut strip, &picture, x + (cell_width - picture_width) / 2, caption);
        let below = caption + cell_height + GAP / 2;
        for (slot, color) in zoom.slots.iter().zip(REGION_COLORS) {
            let part = crop(&cell.picture, slot.region);
            let mut part = scale(&part, slot.below.width, slot.below.height, cell.kind);
            let whole = Rect::new(0, 0, slot.below.width, slot.below.height);
            frame(&mut part, whole, 2 + cell_width / 400, color);
            paste(&mut strip, &part, x + slot.below.x, below + slot.below.y);
        }
        let text = shorten(&cell.caption, CAPTION, cell_width);
        draw_text(
            &mut strip,
            x as i32,
            (caption + cell_height + zoom_height + GAP / 2) as i32,
            &text,
            CAPTION,
        );
    }
    strip
}

/// `value * to / from`, rounded, at least 1.
fn scaled(value: u32, to: u32, from: u32) -> u32 {
    ((u64::from(value) * u64::from(to) + u64::from(from) / 2) / u64::from(from.max(1))).max(1)
        as u32
}

/// The scaled picture, where the boxes lie on it, and where the enlargements lie below it.
struct ZoomLayout {
    picture: (u32, u32),
    slots: Vec<Slot>,
    height: u32,
}

struct Slot {
    region: Rect,
    on_picture: Rect,
    below: Rect,
}

impl ZoomLayout {
    fn new(regions: &[Rect], (width, height): (u32, u32), cell_width: u32) -> Self {
        let tallest = TALLEST * cell_width;
        let is_tall = scaled(height, cell_width, width) > tallest;
        let (to, from) = if is_tall { (tallest, height) } else { (cell_width, width) };
        let on = |v| scaled(v, to, from);
        let picture = (on(width), on(height));
        let regions: Vec<Rect> = regions
            .iter()
            .map(|r| r.clipped(width, height))
            .filter(|r| r.width > 0 && r.height > 0)
            .take(REGION_COLORS.len())
            .collect();
        let count = regions.len().max(1) as u32;
        let slot_width = (cell_width - (count - 1) * GAP / 2) / count;
        // Each enlargement keeps its shape; a tall region is narrowed rather than let run on.
        let fit = |r: &Rect| {
            let height = scaled(r.height, slot_width, r.width);
            if height <= picture.1 {
                (slot_width, height)
            } else {
                (scaled(r.width, picture.1, r.height), picture.1)
            }
        };
        let height = regions.iter().map(|r| fit(r).1).max().unwrap_or(0);
        let slots = (0_u32..)
            .zip(&regions)
            .map(|(i, &region)| {
                let (w, h) = fit(&region);
                let left = i * (slot_width + GAP / 2) + (slot_width - w) / 2;
                let (x, y) = (on(region.x + 1) - on(1), on(region.y + 1) - on(1));
                Slot {
                    region,
                    on_picture: Rect::new(x, y, on(region.width), on(region.height))
                        .clipped(picture.0, picture.1),
                    below: Rect::new(left, (height - h) / 2, w, h),
                }
            })
            .collect();
        Self { picture, slots, height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(regions: Vec<Rect>) -> Figure {
        let cell = |kind| Cell {
            picture: RgbImage::from_fn(200, 100, |x, y| Rgb([x as u8, y as u8, 40])),
            kind,
            caption: "a caption".into(),
        };
        Figure {
            title: "Title".into(),
            columns: vec!["image".into(), "truth".into(), "model".into()],
            rows: vec![Row {
                caption: "scene 1".into(),
                cells: vec![cell(Kind::Photo), cell(Kind::Labels), cell(Kind::Labels)],
                regions,
            }],
            legend: vec![Entry::new("road", [128, 64, 128])],
            note: "a note".into(),
        }
    }

    #[test]
    fn a_figure_is_as_wide_as_its_columns_and_grows_by_its_enlargements() {
        let plain = figure(vec![]).draw(300);
        let zoomed = figure(vec![Rect::new(10, 10, 50, 25), Rect::new(100, 50, 50, 25)]).draw(300);
        assert_eq!(plain.width(), 2 * MARGIN + 3 * 300 + 2 * GAP);
        assert_eq!(plain.width(), zoomed.width());
        assert_eq!(zoomed.height() - plain.height(), 148 / 2 + GAP / 2);
        for color in &REGION_COLORS[..2] {
            assert!(zoomed.pixels().any(|p| &p.0 == color));
        }
    }

    #[test]
    fn regions_beyond_the_picture_tall_or_empty_do_no_harm() {
        let odd =
            vec![Rect::new(190, 90, 500, 500), Rect::new(0, 0, 2, 100), Rect::new(500, 500, 3, 3)];
        figure(odd).draw(120);
    }

    #[test]
    fn a_very_tall_picture_is_narrowed_and_its_box_with_it() {
        let mut tall = figure(vec![Rect::new(0, 0, 2, 2500)]);
        tall.rows[0].cells.iter_mut().for_each(|c| c.picture = RgbImage::new(2, 5000));
        let drawn = tall.draw(120);
        // Picture and enlargement, each at most four times as high as a cell is wide, and lines of text.
        assert!((960..1300).contains(&drawn.height()), "{}", drawn.height());
        // A single column of pixels, in the middle of the cell.
        let width = (0..120).filter(|x| drawn.get_pixel(MARGIN + x, 300).0 != [255; 3]).count();
        assert_eq!(width, 1);
    }
}
