//! Progress on standard error: bars with rate and time left on a terminal, nothing where there is none.
//! Not the log: `monitor` writes lines and files. indicatif draws, and hides itself without a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar for a number of images.
pub fn count(what: &'static str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_message(what);
    style(&bar, "{msg} {wide_bar} {pos}/{len} images  {per_sec}  {eta} left");
    bar
}

/// A bar for the steps of a run that begins at `first`.
pub fn steps(first: u64, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total).with_position(first);
    // Rate and time left speak of this sitting alone.
    bar.reset_eta();
    style(&bar, "{wide_bar} {pos}/{len}  {msg}  {eta} left");
    bar
}

fn style(bar: &ProgressBar, template: &str) {
    // A template that indicatif refuses leaves its default bar, which is worse, but no reason to stop a run.
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
