//! What keys do to the view: a state machine without a window. Not which key of which toolkit, see `window`.
//! The table is both the meaning of the keys and the help that `h` shows.

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Stop and go on.
    Pause,
    /// One more frame while paused.
    Step,
    /// The next view.
    View,
    /// More of the colours.
    MoreOpacity,
    /// Less of the colours.
    LessOpacity,
    /// Highlight the next class.
    NextClass,
    /// Highlight the class before.
    PreviousClass,
    /// Highlight none.
    AllClasses,
    /// Closer; from the closest back to the whole.
    Zoom,
    /// Move what is shown, in steps of an eighth of it.
    Pan(i8, i8),
    /// Save what is shown.
    Screenshot,
    /// Show or hide the keys.
    Help,
    /// End.
    Quit,
}

/// Keys by the name of their cap, what they do, and in words.
pub const KEYS: [(&str, Action, &str); 17] = [
    ("Space", Action::Pause, "pause, go on"),
    ("N", Action::Step, "next frame while paused"),
    ("V", Action::View, "view: overlay, colours, photograph, rare classes"),
    ("]", Action::MoreOpacity, "more colour"),
    ("[", Action::LessOpacity, "less colour"),
    ("C", Action::NextClass, "highlight the next class"),
    ("X", Action::PreviousClass, "highlight the class before"),
    ("A", Action::AllClasses, "all classes alike"),
    ("Z", Action::Zoom, "zoom: 1, 2, 4, 8 times"),
    ("Left", Action::Pan(-1, 0), "move left while zoomed"),
    ("Right", Action::Pan(1, 0), "move right"),
    ("Up", Action::Pan(0, -1), "move up"),
    ("Down", Action::Pan(0, 1), "move down"),
    ("S", Action::Screenshot, "save a screenshot"),
    ("H", Action::Help, "show or hide this help"),
    ("Q", Action::Quit, "quit"),
    ("Esc", Action::Quit, "quit"),
];

/// What is drawn over the frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum View {
    /// The colour map over the frame.
    Overlay,
    /// The colour map alone.
    Colours,
    /// The frame alone.
    Photograph,
    /// Rare classes only; in the panels after the first, where they differ from the first.
    Rare,
}

/// How the user wants it shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Look {
    /// What is drawn.
    pub view: View,
    /// Weight of the colours in the overlay, 0 to 1.
    pub opacity: f32,
    /// Train id of the class that stands out.
    pub highlight: Option<u8>,
    /// 1, 2, 4 or 8.
    pub zoom: u32,
    /// Middle of what is shown, as a share of width and height.
    pub centre: (f32, f32),
    /// Whether the keys are listed.
    pub help: bool,
    /// Whether time stands still.
    pub paused: bool,
}

/// What somebody else has to do about a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Draw anew.
    Redraw,
    /// Take one frame.
    Step,
    /// Save what is shown.
    Screenshot,
    /// End.
    Quit,
}

const CLOSEST: u32 = 8;

impl Look {
    /// At the start.
    pub fn new(view: View, opacity: f32) -> Self {
        let centre = (0.5, 0.5);
        Self { view, opacity, highlight: None, zoom: 1, centre, help: false, paused: false }
    }

    /// Applies a key; `classes` is the number of classes.
    pub fn apply(&mut self, action: Action, classes: usize) -> Effect {
        let classes = classes.clamp(1, 255) as u8;
        match action {
            Action::Pause => self.paused = !self.paused,
            Action::Step => {
                self.paused = true;
                return Effect::Step;
            }
            Action::View => {
                self.view = match self.view {
                    View::Overlay => View::Colours,
                    View::Colours => View::Photograph,
                    View::Photograph => View::Rare,
                    View::Rare => View::Overlay,
                }
            }
            Action::MoreOpacity => self.opacity = (self.opacity + 0.1).min(1.0),
            Action::LessOpacity => self.opacity = (self.opacity - 0.1).max(0.0),
            Action::NextClass => {
                self.highlight = Some(self.highlight.map_or(0, |c| (c + 1) % classes));
            }
            Action::PreviousClass => {
                let before = |c: u8| c.checked_sub(1).unwrap_or(classes - 1);
                self.highlight = Some(self.highlight.map_or(classes - 1, before));
            }
            Action::AllClasses => self.highlight = None,
            Action::Zoom => {
                self.zoom = if self.zoom == CLOSEST { 1 } else { self.zoom * 2 };
                self.pan(0, 0);
            }
            Action::Pan(x, y) => self.pan(x, y),
            Action::Screenshot => return Effect::Screenshot,
            Action::Help => self.help = !self.help,
            Action::Quit => return Effect::Quit,
        }
        Effect::Redraw
    }

    /// Moves by eighths of what is shown, and never over the edge.
    fn pan(&mut self, x: i8, y: i8) {
        let shown = 1.0 / self.zoom as f32;
        let moved = |centre: f32, steps: i8| {
            (centre + f32::from(steps) * shown / 8.0).clamp(shown / 2.0, 1.0 - shown / 2.0)
        };
        self.centre = (moved(self.centre.0, x), moved(self.centre.1, y));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(actions: &[Action]) -> Look {
        let mut look = Look::new(View::Overlay, 0.5);
        for &action in actions {
            look.apply(action, 3);
        }
        look
    }

    #[test]
    fn views_zooms_and_classes_go_round() {
        use Action::{NextClass, PreviousClass, View as Next, Zoom};
        assert_eq!(after(&[Next; 3]).view, View::Rare);
        assert_eq!(after(&[Next; 4]), after(&[]));
        assert_eq!((after(&[Zoom; 3]).zoom, after(&[Zoom; 4]).zoom), (8, 1));
        assert_eq!(after(&[NextClass; 3]).highlight, Some(2));
        assert_eq!(after(&[NextClass; 4]).highlight, Some(0));
        assert_eq!(after(&[PreviousClass]).highlight, Some(2));
        assert_eq!(after(&[NextClass, PreviousClass]).highlight, Some(2));
        assert_eq!(after(&[NextClass, Action::AllClasses]), after(&[]));
    }

    #[test]
    fn opacity_stays_within_its_bounds() {
        assert_eq!(after(&[Action::MoreOpacity; 9]).opacity, 1.0);
        assert_eq!(after(&[Action::LessOpacity; 9]).opacity, 0.0);
    }

    #[test]
    fn what_is_shown_never_leaves_the_frame() {
        let corner = after(&[&[Action::Zoom][..], &[Action::Pan(1, -1); 20]].concat());
        assert_eq!(corner.centre, (0.75, 0.25));
        assert_eq!(after(&[Action::Pan(1, 1); 9]).centre, (0.5, 0.5), "nothing to move unzoomed");
        let whole = [&[Action::Zoom][..], &[Action::Pan(1, 1); 9], &[Action::Zoom; 3]].concat();
        assert_eq!(after(&whole).centre, (0.5, 0.5));
    }

    #[test]
    fn a_step_pauses_and_each_key_stands_once_in_the_table() {
        let mut look = after(&[]);
        assert_eq!(look.apply(Action::Step, 3), Effect::Step);
        assert!(look.paused);
        assert_eq!(look.apply(Action::Quit, 3), Effect::Quit);
        let mut names: Vec<&str> = KEYS.iter().map(|(name, ..)| *name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), KEYS.len());
    }
}
