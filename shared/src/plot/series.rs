//! One line of a chart: its points, and what tells it from the others. Not its drawing, which is `chart`.

use super::Pen;

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// What it is called.
    pub name: String,
    /// RGB.
    pub color: [u8; 3],
    /// How it is drawn.
    pub dash: Dash,
    /// (x, y), by x; a gap where y is not finite.
    pub points: Vec<(f64, f64)>,
}

/// How a line is drawn: what tells lines apart when there are more of them than colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dash {
    /// Without gaps.
    #[default]
    Solid,
    /// Long strokes.
    Long,
    /// Short strokes.
    Short,
}

impl Dash {
    /// Lengths of stroke and gap, in pixels of the backend.
    pub(super) fn lengths(self, pen: Pen) -> Option<(i32, i32)> {
        let (stroke, gap) = match self {
            Self::Solid => return None,
            Self::Long => (8.0, 4.0),
            Self::Short => (2.5, 2.5),
        };
        Some((pen.px(stroke), pen.px(gap)))
    }
}
