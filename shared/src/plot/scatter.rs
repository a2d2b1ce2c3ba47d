//! A scatter of named points with bars for their spread, and quadrants through a reference: the paper's Figs. 1 and 2.
//! Not tied to accuracy and IoU. Better is to the right and up, and that quadrant is tinted.

use super::label_layout::{Area, near};
use super::style::{CORNER, FAINT, GREY, HEADING, INK, INKS, LABEL, legible};
use super::{Drawing, Pen};
use crate::error::{Context, Result};
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::{
    ChartBuilder, Circle, DrawingBackend, PathElement, Rectangle, Text, TriangleMarker,
};
use plotters::style::{Color, RGBColor};

/// A point.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// Its name, written beside it.
    pub name: String,
    /// Where, horizontally.
    pub x: f64,
    /// Where, vertically.
    pub y: f64,
    /// Half the length of its horizontal bar; none without a spread.
    pub x_spread: Option<f64>,
    /// Half the length of its vertical bar.
    pub y_spread: Option<f64>,
    /// Whether the quadrants go through it.
    pub reference: bool,
}

/// The figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Scatter {
    /// Above.
    pub title: String,
    /// Below the horizontal axis.
    pub x_axis: String,
    /// Beside the vertical axis.
    pub y_axis: String,
    /// The points, finite numbers.
    pub points: Vec<Point>,
}

/// Radius of a point, in CSS pixels.
const RADIUS: f64 = 5.0;
/// Half the width of a bar's end.
const CAP: f64 = 4.0;
/// Where both numbers are better than the reference's.
const TINT: RGBColor = RGBColor(232, 242, 250);

impl Scatter {
    /// The range of an axis: all points with their bars, and some air.
    fn range(&self, of: impl Fn(&Point) -> (f64, Option<f64>)) -> (f64, f64) {
        let ends = self.points.iter().map(|p| {
            let (value, spread) = of(p);
            (value - spread.unwrap_or(0.0), value + spread.unwrap_or(0.0))
        });
        let (low, high) =
            ends.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (a, b)| (l.min(a), h.max(b)));
        if !(low.is_finite() && high.is_finite()) {
            return (0.0, 1.0);
        }
        let air = ((high - low) * 0.12).max(0.5);
        (low - air, high + air)
    }
}

impl Drawing for Scatter {
    fn size(&self) -> (u32, u32) {
        (760, 560)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, pen: Pen) -> Result<()> {
        let what = || "plot: scatter".to_string();
        let (x0, x1) = self.range(|p| (p.x, p.x_spread));
        let (y0, y1) = self.range(|p| (p.y, p.y_spread));
        let title = pen.bold(HEADING, INK, CORNER);
        let area = area.margin(pen.px(12.0), pen.px(12.0), pen.px(12.0), pen.px(20.0));
        area.draw_text(&self.title, &title, (pen.px(8.0), 0)).work(what)?;
        let area = area.margin(pen.px(30.0), 0, 0, 0);
        let mut chart = ChartBuilder::on(&area)
            .x_label_area_size(pen.px(46.0))
            .y_label_area_size(pen.px(58.0))
            .build_cartesian_2d(x0..x1, y0..y1)
            .work(what)?;
        let reference = self.points.iter().find(|p| p.reference);
        if let Some(r) = reference {
            let better = Rectangle::new([(r.x, r.y), (x1, y1)], TINT.filled());
            chart.draw_series([better]).work(what)?;
        }
        chart
            .configure_mesh()
            .x_labels(8)
            .y_labels(8)
            .x_label_formatter(&|v| super::style::tick(*v))
            .y_label_formatter(&|v| super::style::tick(*v))
            .light_line_style(plotters::style::TRANSPARENT)
            .bold_line_style(pen.line(FAINT, 1.0))
            .axis_style(pen.line(GREY, 1.0))
            .set_all_tick_mark_size(pen.px(4.0))
            .label_style(pen.text(LABEL, INK, CORNER))
            .axis_desc_style(pen.text(LABEL + 1.0, INK, CORNER))
            .x_desc(&self.x_axis)
            .y_desc(&self.y_axis)
            .draw()
            .work(what)?;
        if let Some(r) = reference {
            let style = pen.line(GREY, 1.5);
            let lines = [[(r.x, y0), (r.x, y1)], [(x0, r.y), (x1, r.y)]];
            chart.draw_series(lines.map(|line| PathElement::new(line, style))).work(what)?;
        }

        let pixel = |x: f64, y: f64| chart.backend_coord(&(x, y));
        let (base_x, base_y) = area.get_base_pixel();
        let local = |(x, y): (i32, i32)| (x - base_x, y - base_y);
        // The reference is a black disc, the others have colours in turn and then other shapes; names have the
        // colours of their points.
        let inks = &INKS[1..];
        let mut others = 0..;
        let looks: Vec<(RGBColor, usize)> = self
            .points
            .iter()
            .map(|p| {
                let n = if p.reference { None } else { others.next() };
                let (ink, shape) =
                    n.map_or((INKS[0], 0), |n| (legible(inks[n % inks.len()]), n / inks.len()));
                (RGBColor(ink[0], ink[1], ink[2]), shape)
            })
            .collect();
        let mut taken = Vec::new();
        let cap = pen.px(CAP);
        for (point, &(color, shape)) in self.points.iter().zip(&looks) {
            let style = pen.line(color, 1.5);
            let bar = |from: (i32, i32), to: (i32, i32), across: (i32, i32)| {
                let ends = [from, to].map(|(x, y)| {
                    let (dx, dy) = across;
                    [(x - dx, y - dy), (x + dx, y + dy)]
                });
                [[from, to], ends[0], ends[1]]
            };
            let mut bars = Vec::new();
            if let Some(s) = point.x_spread {
                let (from, to) = (pixel(point.x - s, point.y), pixel(point.x + s, point.y));
                bars.extend(bar(local(from), local(to), (0, cap)));
            }
            if let Some(s) = point.y_spread {
                let (from, to) = (pixel(point.x, point.y - s), pixel(point.x, point.y + s));
                bars.extend(bar(local(from), local(to), (cap, 0)));
            }
            for [from, to] in bars {
                area.draw(&PathElement::new([from, to], style)).work(what)?;
                let (left, right) = (from.0.min(to.0) - 2, from.0.max(to.0) + 2);
                let (top, bottom) = (from.1.min(to.1) - 2, from.1.max(to.1) + 2);
                taken.push(Area { left, top, right, bottom });
            }
            let center = local(pixel(point.x, point.y));
            taken.push(Area::around(center, pen.px(RADIUS + 1.0)));
            let radius = pen.px(RADIUS);
            let corner = |by: i32| (center.0 + by, center.1 + by);
            match shape % 3 {
                0 => area.draw(&Circle::new(center, radius, color.filled())),
                1 => area.draw(&Rectangle::new([corner(-radius), corner(radius)], color.filled())),
                _ => area.draw(&TriangleMarker::new(center, radius + radius / 2, color.filled())),
            }
            .work(what)?;
        }

        // Names last, over everything.
        let (top, bottom) = (local(pixel(x0, y1)), local(pixel(x1, y0)));
        let frame = Area { left: top.0, top: top.1, right: bottom.0, bottom: bottom.1 };
        let style = |p: &Point, color| match p.reference {
            true => pen.bold(LABEL, color, CORNER),
            false => pen.text(LABEL, color, CORNER),
        };
        if let Some((x, y)) = reference.map(|r| local(pixel(r.x, r.y))) {
            taken.push(Area { left: x - 1, right: x + 1, ..frame });
            taken.push(Area { top: y - 1, bottom: y + 1, ..frame });
        }
        let centers: Vec<_> = self.points.iter().map(|p| local(pixel(p.x, p.y))).collect();
        let mut sizes = Vec::new();
        for (point, &(color, _)) in self.points.iter().zip(&looks) {
            let (w, h) = area.estimate_text_size(&point.name, &style(point, color)).work(what)?;
            sizes.push((w as i32 + pen.px(4.0), h as i32 + pen.px(2.0)));
        }
        let places = near(&centers, &sizes, &taken, frame, pen.px(RADIUS + 3.0));
        let named = self.points.iter().zip(&looks).zip(places).zip(&centers);
        for (((point, &(color, _)), place), &(x, y)) in named {
            // A name that had to go far, or lies nearer to another point, is tied to its own.
            let gap = |(x, y): (i32, i32)| {
                let nearest = (x.clamp(place.left, place.right), y.clamp(place.top, place.bottom));
                (nearest, (nearest.0 - x).abs().max((nearest.1 - y).abs()))
            };
            let (nearest, far) = gap((x, y));
            let astray = centers.iter().any(|&other| other != (x, y) && gap(other).1 <= far);
            if far > pen.px(2.0 * RADIUS + 6.0) || astray {
                area.draw(&PathElement::new([(x, y), nearest], pen.line(color, 0.75)))
                    .work(what)?;
            }
            let name = Text::new(point.name.as_str(), (place.left, place.top), style(point, color));
            area.draw(&name).work(what)?;
        }
        Ok(())
    }
}
