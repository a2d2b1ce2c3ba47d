//! The options of commands that may see an image several times: `--scales`, `--flip`, `--window`,
//! `--overlap`. Not what is done with them, which is `Averaging`'s.

use clap::Args;

use super::{Averaging, Window};
use crate::args::{parse_in, parse_size};

/// How the user wants images to be seen.
#[derive(Debug, Clone, Args)]
pub struct Views {
    /// Run each image at these scales and average the softmax (multi-scale evaluation) [example:
    /// 0.5,0.75,1,1.25,1.5,1.75]
    #[arg(long, value_delimiter = ',', value_name = "FACTOR,FACTOR", default_value = "1", value_parser = parse_scale)]
    scales: Vec<f64>,
    /// Also run each image mirrored
    #[arg(long)]
    flip: bool,
    /// Run each image in overlapping windows of this size (sliding-window evaluation)
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    window: Option<(u32, u32)>,
    /// Overlap of neighbouring windows, 0 to 0.9 [default: 0.33]
    #[arg(long, value_name = "SHARE", requires = "window", value_parser = parse_overlap)]
    overlap: Option<f64>,
}

fn parse_scale(text: &str) -> std::result::Result<f64, String> {
    parse_in(text.trim(), 0.1..=8.0)
}

fn parse_overlap(text: &str) -> std::result::Result<f64, String> {
    parse_in(text, 0.0..=0.9)
}

impl Views {
    /// `None`: at a single scale, and whole.
    pub fn averaging(&self) -> Option<Averaging> {
        let overlap = self.overlap.unwrap_or(0.33);
        let window = self.window.map(|size| Window { size, overlap });
        let averaging = Averaging { scales: self.scales.clone(), flip: self.flip, window };
        Some(averaging).filter(|a| !a.is_plain())
    }
}
