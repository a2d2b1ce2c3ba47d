//! The paper's figures: scatters with quadrants (Figs. 1 and 2) and curves over iterations (Fig. 4), as SVG and PNG.
//!
//! Not pictures of labels, which are `render`'s, and not where numbers come from: callers fill plain structs.
//! plotters draws, with the embedded DejaVu Sans, so that no font of the system is needed. Colours are told apart
//! by the colour-blind, or stand beside names.

mod chart;
mod label_layout;
mod scatter;
mod series;
mod style;

use crate::error::{Context, Error, Result};
use crate::files::write_atomic;
use crate::preprocess::resize_image;
use image::{ImageFormat, RgbImage};
use plotters::backend::{BitMapBackend, SVGBackend};
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters::prelude::DrawingBackend;
use std::io::Cursor;
use std::path::Path;
use style::Pen;

pub use chart::{Chart, Names, Panel};
pub use scatter::{Point, Scatter};
pub use series::{Dash, Series};
pub use style::{INKS, legible};

/// Pixels of a PNG for one of the drawing's: sharp on dense screens.
const DENSITY: u32 = 2;

/// A PNG is drawn so many times larger and then averaged, which smooths its edges.
const OVERSAMPLING: u32 = 2;

/// Something that can be drawn at a size of its own.
pub trait Drawing {
    /// Width and height in CSS pixels.
    fn size(&self) -> (u32, u32);

    /// Draws on a white area of that size, times the pen's scale.
    #[doc(hidden)]
    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, pen: Pen) -> Result<()>;
}

/// Writes a drawing as SVG or PNG, whichever the file's name ends in.
///
/// # Errors
/// Another ending (exit code 2), or those of the file system.
pub fn save(drawing: &impl Drawing, path: &Path) -> Result<()> {
    match path.extension().and_then(|e| e.to_str()) {
        Some("svg") => write_atomic(path, svg(drawing)?.as_bytes()),
        Some("png") => save_picture(&picture(drawing)?, path),
        _ => Err(Error::request(format!(
            "plot: {}: expected a name ending in .svg or .png",
            path.display()
        ))),
    }
}

/// Writes a picture as PNG.
///
/// # Errors
/// Those of the file system.
pub fn save_picture(picture: &RgbImage, path: &Path) -> Result<()> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).work(|| format!("{}", path.display()))?;
    write_atomic(path, bytes.get_ref())
}

/// The drawing as SVG.
///
/// # Errors
/// None that checked numbers can cause.
pub fn svg(drawing: &impl Drawing) -> Result<String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, drawing.size()).into_drawing_area();
        render(drawing, &area, 1)?;
    }
    Ok(text)
}

/// The drawing as a picture of twice its size.
///
/// # Errors
/// As [`svg`].
pub fn picture(drawing: &impl Drawing) -> Result<RgbImage> {
    let (width, height) = drawing.size();
    let scale = DENSITY * OVERSAMPLING;
    let mut large = RgbImage::new(width * scale, height * scale);
    {
        let (w, h) = large.dimensions();
        let area = BitMapBackend::with_buffer(large.as_mut(), (w, h)).into_drawing_area();
        render(drawing, &area, scale)?;
    }
    Ok(resize_image(&large, width * DENSITY, height * DENSITY))
}

fn render<B: DrawingBackend>(
    drawing: &impl Drawing,
    area: &DrawingArea<B, Shift>,
    scale: u32,
) -> Result<()> {
    area.fill(&plotters::style::WHITE).work(|| "plot".into())?;
    drawing.draw(area, Pen::new(scale))?;
    area.present().work(|| "plot".into())
}
