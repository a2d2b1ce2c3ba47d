//! Drawing on an RGB picture: rectangles, pasting, cutting out, scaling.
//! Not anti-aliased geometry: boxes are whole pixels, and what lies outside the canvas is cut off.
//! Colours are RGB, coordinates are pixels from the upper left corner.

use image::{Rgb, RgbImage, imageops};

use crate::preprocess;

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    /// Left edge.
    pub x: u32,
    /// Upper edge.
    pub y: u32,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Rect {
    /// The rectangle with this corner and size.
    pub fn new(x: u32, y: u32, width: u32, height: u32) -> Self {
        Self { x, y, width, height }
    }

    /// The part of it that lies within a picture of this size.
    pub fn clipped(self, width: u32, height: u32) -> Self {
        let (x, y) = (self.x.min(width), self.y.min(height));
        Self { x, y, width: self.width.min(width - x), height: self.height.min(height - y) }
    }

    /// Whether the two share a pixel.
    pub fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.width
            && other.x < self.x + self.width
            && self.y < other.y + other.height
            && other.y < self.y + self.height
    }
}

/// What a picture shows, which decides how it may be enlarged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A photograph: enlarged smoothly.
    Photo,
    /// A colour map: enlarged without inventing colours.
    Labels,
}

/// Fills `area` with `color`.
pub fn fill(canvas: &mut RgbImage, area: Rect, color: [u8; 3]) {
    let area = area.clipped(canvas.width(), canvas.height());
    for y in area.y..area.y + area.height {
        for x in area.x..area.x + area.width {
            canvas.put_pixel(x, y, Rgb(color));
        }
    }
}

/// Draws the outline of `area`, `thickness` pixels wide, inwards.
pub fn frame(canvas: &mut RgbImage, area: Rect, thickness: u32, color: [u8; 3]) {
    let Rect { x, y, width, height } = area;
    let (tx, ty) = (thickness.min(width), thickness.min(height));
    fill(canvas, Rect::new(x, y, width, ty), color);
    fill(canvas, Rect::new(x, y + height - ty, width, ty), color);
    fill(canvas, Rect::new(x, y, tx, height), color);
    fill(canvas, Rect::new(x + width - tx, y, tx, height), color);
}

/// Copies `picture` to (`x`, `y`) of the canvas.
pub fn paste(canvas: &mut RgbImage, picture: &RgbImage, x: u32, y: u32) {
    imageops::replace(canvas, picture, i64::from(x), i64::from(y));
}

/// The part of `picture` under `area`.
pub fn crop(picture: &RgbImage, area: Rect) -> RgbImage {
    let area = area.clipped(picture.width(), picture.height());
    imageops::crop_imm(picture, area.x, area.y, area.width, area.height).to_image()
}

/// `picture` at another size: averaged where it shrinks (thin poles stay visible), and where it
/// grows smooth for photographs, nearest for colour maps.
pub fn scale(picture: &RgbImage, width: u32, height: u32, kind: Kind) -> RgbImage {
    let grows = width >= picture.width() && height >= picture.height();
    match kind {
        _ if picture.dimensions() == (width, height) => picture.clone(),
        Kind::Labels if grows => {
            imageops::resize(picture, width, height, imageops::FilterType::Nearest)
        }
        _ => preprocess::resize_image(picture, width, height),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rectangle_over_the_edge_is_clipped() {
        assert_eq!(Rect::new(6, 7, 9, 9).clipped(10, 8), Rect::new(6, 7, 4, 1));
        assert_eq!(Rect::new(60, 70, 9, 9).clipped(10, 8), Rect::new(10, 8, 0, 0));
        let mut canvas = RgbImage::new(4, 4);
        fill(&mut canvas, Rect::new(2, 2, 50, 50), [255; 3]);
        assert_eq!(canvas.pixels().filter(|p| p.0[0] == 255).count(), 4);
    }

    #[test]
    fn a_frame_leaves_its_inside_alone() {
        let mut canvas = RgbImage::new(6, 6);
        frame(&mut canvas, Rect::new(0, 0, 6, 6), 1, [255; 3]);
        assert_eq!(canvas.pixels().filter(|p| p.0[0] == 255).count(), 20);
    }

    #[test]
    fn enlarging_a_colour_map_invents_no_colour() {
        let map = RgbImage::from_fn(2, 1, |x, _| Rgb([if x == 0 { 10 } else { 200 }; 3]));
        let large = scale(&map, 8, 4, Kind::Labels);
        assert!(large.pixels().all(|p| p.0[0] == 10 || p.0[0] == 200));
    }
}
