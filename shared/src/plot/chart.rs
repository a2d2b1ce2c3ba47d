//! Curves over iterations in one or several panels: the paper's Fig. 4, losses and metrics of runs.
//! Not their reading, smoothing or normalizing. Lines carry their names at their ends, or in a legend below.

use super::label_layout::spread;
use super::series::Series;
use super::style::{CORNER, FAINT, GREY, HEADING, INK, LABEL, LEFT, tick};
use super::{Drawing, Pen};
use crate::error::{Context, Result};
use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::element::DashedPathElement;
use plotters::prelude::{
    ChartBuilder, Circle, DashedLineSeries, DrawingBackend, LineSeries, PathElement,
};
use plotters::style::{Color, RGBColor};

/// Axes with lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// Above the axes.
    pub title: String,
    /// A line across at this height, to compare with.
    pub level: Option<f64>,
    /// The lines.
    pub series: Vec<Series>,
}

/// Where the names of the lines stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Names {
    /// At the right end of each line: for many lines of similar colours.
    Ends,
    /// Once, below all panels: for lines that every panel has.
    Legend,
}

/// The figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Chart {
    /// Above.
    pub title: String,
    /// Below the lowest panels.
    pub x_axis: String,
    /// Row by row.
    pub panels: Vec<Panel>,
    /// Panels in a row.
    pub columns: usize,
    /// Where names stand.
    pub names: Names,
}

const WIDTH: u32 = 960;
const TITLE_HEIGHT: f64 = 34.0;
const ROW_HEIGHT: u32 = 270;
const X_AXIS_HEIGHT: u32 = 24;
const LEGEND_LINE: f64 = 20.0;
const MARGIN: f64 = 12.0;
/// Room for names at the ends of lines.
const NAMES_WIDTH: f64 = 120.0;
/// Room for the numbers below a panel.
const TICKS_HEIGHT: f64 = 26.0;
/// Distance of names at line ends.
const NAMES_GAP: f64 = LABEL - 1.0;
/// Up to so many points each is marked: few points look like a straight line otherwise.
const MARKED: usize = 12;

impl Chart {
    fn rows(&self) -> u32 {
        self.panels.len().div_ceil(self.columns.max(1)).max(1) as u32
    }

    /// One line of every name.
    fn legend(&self) -> Vec<&Series> {
        let mut entries: Vec<&Series> = Vec::new();
        for series in self.panels.iter().flat_map(|panel| &panel.series) {
            if !entries.iter().any(|known| known.name == series.name) {
                entries.push(series);
            }
        }
        entries
    }

    /// Entries of the legend in a line of it.
    fn legend_columns(&self) -> usize {
        let longest =
            self.legend().iter().map(|series| series.name.chars().count()).max().unwrap_or(0);
        let width = longest as f64 * LABEL * 0.66 + 50.0; // DejaVu's mean advance, a swatch, air
        ((f64::from(WIDTH) - 2.0 * MARGIN) / width).floor().max(1.0) as usize
    }

    fn legend_height(&self) -> f64 {
        match self.names {
            Names::Ends => 0.0,
            Names::Legend => {
                self.legend().len().div_ceil(self.legend_columns()) as f64 * LEGEND_LINE + 8.0
            }
        }
    }
}

impl Drawing for Chart {
    fn size(&self) -> (u32, u32) {
        let fixed = TITLE_HEIGHT + self.legend_height() + 2.0 * MARGIN;
        (WIDTH, fixed as u32 + X_AXIS_HEIGHT + self.rows() * ROW_HEIGHT)
    }

    fn draw<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, pen: Pen) -> Result<()> {
        let what = || "plot: chart".to_string();
        let area = area.margin(pen.px(MARGIN), pen.px(MARGIN), pen.px(MARGIN), pen.px(MARGIN));
        area.draw_text(&self.title, &pen.bold(HEADING, INK, CORNER), (pen.px(4.0), 0))
            .work(what)?;
        let (_, rest) = area.split_vertically(pen.px(TITLE_HEIGHT));
        let height = rest.dim_in_pixel().1 as i32;
        let (body, legend) = rest.split_vertically(height - pen.px(self.legend_height()));
        let body = body.margin(0, pen.px(f64::from(X_AXIS_HEIGHT)), 0, 0);
        let cells = body.split_evenly((self.rows() as usize, self.columns.max(1)));
        let x_range = self.x_range();
        for (panel, cell) in self.panels.iter().zip(&cells) {
            draw_panel(panel, cell, pen, x_range, self.names)?;
        }
        let columns = self.columns.max(1) as i32;
        let (width, bottom) = (body.dim_in_pixel().0 as i32, body.dim_in_pixel().1 as i32);
        for column in 0..columns {
            let (w, _) =
                area.estimate_text_size(&self.x_axis, &pen.text(LABEL, INK, CORNER)).work(what)?;
            let x = width / columns * column + (width / columns - w as i32) / 2;
            let below = pen.px(TITLE_HEIGHT) + bottom + pen.px(4.0);
            area.draw_text(&self.x_axis, &pen.text(LABEL, INK, CORNER), (x, below)).work(what)?;
        }
        if self.names == Names::Legend {
            self.draw_legend(&legend, pen)?;
        }
        Ok(())
    }
}

impl Chart {
    fn x_range(&self) -> (f64, f64) {
        let all = self.panels.iter().flat_map(|p| &p.series).flat_map(|s| &s.points);
        range(all.map(|(x, _)| *x)).unwrap_or((0.0, 1.0))
    }

    fn draw_legend<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>, pen: Pen) -> Result<()> {
        let what = || "plot: legend".to_string();
        let columns = self.legend_columns();
        let column = area.dim_in_pixel().0 as i32 / columns as i32;
        for (i, series) in self.legend().into_iter().enumerate() {
            let (x, row) = ((i % columns) as i32 * column + pen.px(8.0), (i / columns) as f64);
            let y = pen.px(8.0 + (row + 0.5) * LEGEND_LINE);
            let swatch = [(x, y), (x + pen.px(24.0), y)];
            let [r, g, b] = series.color;
            let style = pen.line(RGBColor(r, g, b), 3.0);
            match series.dash.lengths(pen) {
                None => area.draw(&PathElement::new(swatch, style)),
                Some((stroke, gap)) => {
                    area.draw(&DashedPathElement::new(swatch, stroke, gap, style))
                }
            }
            .work(what)?;
            area.draw_text(&series.name, &pen.text(LABEL, INK, LEFT), (x + pen.px(32.0), y))
                .work(what)?;
        }
        Ok(())
    }
}

fn draw_panel<B: DrawingBackend>(
    panel: &Panel,
    area: &DrawingArea<B, Shift>,
    pen: Pen,
    (x0, x1): (f64, f64),
    names: Names,
) -> Result<()> {
    let what = || format!("plot: {}", panel.title);
    let values = panel.series.iter().flat_map(|s| &s.points).map(|(_, y)| *y).chain(panel.level);
    let (low, high) = range(values).unwrap_or((0.0, 1.0));
    let air = ((high - low) * 0.05).max(1e-3 * high.abs()).max(1e-9);
    // Shares and losses begin at zero unless that would hide everything that happens.
    let y0 = if low >= 0.0 && low < 0.5 * high { 0.0 } else { low - air };
    let y1 = high + air;
    let title = pen.bold(LABEL + 1.0, INK, CORNER);
    area.draw_text(&panel.title, &title, (pen.px(52.0), pen.px(2.0))).work(what)?;
    let right = if names == Names::Ends { NAMES_WIDTH } else { 24.0 };
    let inner = area.margin(pen.px(24.0), 0, 0, pen.px(right));
    let mut chart = ChartBuilder::on(&inner)
        .x_label_area_size(pen.px(TICKS_HEIGHT))
        .y_label_area_size(pen.px(52.0))
        .build_cartesian_2d(x0..x1.max(x0 + 1.0), y0..y1)
        .work(what)?;
    chart
        .configure_mesh()
        .x_labels(8)
        .y_labels(6)
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&|v| tick(*v))
        .light_line_style(plotters::style::TRANSPARENT)
        .bold_line_style(pen.line(FAINT, 1.0))
        .axis_style(pen.line(GREY, 1.0))
        .set_all_tick_mark_size(pen.px(4.0))
        .label_style(pen.text(LABEL, INK, CORNER))
        .draw()
        .work(what)?;
    if let Some(level) = panel.level {
        let line = PathElement::new([(x0, level), (x1, level)], pen.line(GREY, 1.5));
        chart.draw_series([line]).work(what)?;
    }
    for series in &panel.series {
        let [r, g, b] = series.color;
        let style = pen.line(RGBColor(r, g, b), 1.75);
        for piece in series.points.split(|(_, y)| !y.is_finite()).filter(|p| !p.is_empty()) {
            let points = piece.iter().copied();
            match series.dash.lengths(pen) {
                None => chart.draw_series(LineSeries::new(points, style)).map(drop),
                Some((stroke, gap)) => {
                    chart.draw_series(DashedLineSeries::new(points, stroke, gap, style)).map(drop)
                }
            }
            .work(what)?;
            if piece.len() == 1 || series.points.len() <= MARKED {
                let dot = |&at| Circle::new(at, pen.px(3.0), RGBColor(r, g, b).filled());
                chart.draw_series(piece.iter().map(dot)).work(what)?;
            }
        }
    }
    if names == Names::Legend {
        return Ok(());
    }
    let (base_x, base_y) = area.get_base_pixel();
    let last = |s: &Series| s.points.iter().rev().find(|(_, y)| y.is_finite()).copied();
    let ends: Vec<(&Series, (i32, i32))> = panel
        .series
        .iter()
        .filter_map(|s| Some((s, chart.backend_coord(&last(s)?))))
        .map(|(s, (x, y))| (s, (x - base_x, y - base_y)))
        .collect();
    let wanted: Vec<i32> = ends.iter().map(|(_, (_, y))| *y).collect();
    let (top, bottom) = (pen.px(24.0), area.dim_in_pixel().1 as i32 - pen.px(TICKS_HEIGHT + 4.0));
    let placed = spread(&wanted, pen.px(NAMES_GAP), top, bottom);
    let edge = area.dim_in_pixel().0 as i32 - pen.px(NAMES_WIDTH);
    for ((series, (x, y)), at) in ends.into_iter().zip(placed) {
        let [r, g, b] = series.color;
        let color = RGBColor(r, g, b);
        // From the edge, even if the line ended before: a tie must not look like data.
        let tie = [(x.max(edge), y), (edge + pen.px(8.0), at), (edge + pen.px(12.0), at)];
        area.draw(&PathElement::new(tie, pen.line(color, 0.75))).work(what)?;
        let style = pen.text(LABEL - 1.0, color, LEFT);
        area.draw_text(&series.name, &style, (edge + pen.px(14.0), at)).work(what)?;
    }
    Ok(())
}

/// Least and greatest of the finite values.
fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.filter(|v| v.is_finite()).fold(None, |range, v| {
        let (low, high) = range.unwrap_or((v, v));
        Some((low.min(v), high.max(v)))
    })
}
