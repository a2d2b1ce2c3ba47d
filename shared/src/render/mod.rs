//! Pictures of labels: colour maps, overlays, legends, text, figures with zoomed regions, error maps.
//! Not a window and not a chart: windows belong to `infer`, curves to `plot`. Everything here is a
//! function from pixels to pixels; writing files is the caller's.
//! The figures follow the layout of Fig. 3 of Tian et al., arXiv 2106.14917.

mod canvas;
mod errors;
mod figure;
mod legend;
mod palette;
mod text;
mod wash;

pub use canvas::{Kind, Rect, crop, fill, frame, paste, scale};
pub use errors::{ErrorCounts, FALSE_COLOR, MISSED_COLOR, RIGHT_COLOR, error_map};
pub use figure::{Cell, Figure, REGION_COLORS, Row};
pub use legend::{Entry, class_entries, legend};
pub use palette::{IGNORED_COLOR, Palette, distinct_color};
pub use text::{Style, Weight, draw as draw_text, line_height, shorten, width as text_width};
pub use wash::Wash;
