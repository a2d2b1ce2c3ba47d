//! Runs that fail: for want of memory, or because the graph does not take the size.
//! Not a repair: the sizes that work are found by trying, and told.

use image::RgbImage;
use shared::error::Error;

use super::{Input, Model, Size, Want};
use crate::refused::{is_memory, plain};

/// The error of a run on an image of this size, and whether memory was the reason.
pub(super) fn of_run(error: &ort::Error, size: Size) -> (Error, bool) {
    let message = plain(error.message());
    if is_memory(&message) {
        return (no_memory(size, &message), true);
    }
    (Error::work(format!("run on {}x{}: {message}", size.0, size.1)), false)
}

/// The error of a run that there is no memory for.
pub(super) fn no_memory((w, h): Size, got: &dyn std::fmt::Display) -> Error {
    Error::work(format!("expected memory for a run on {w}x{h}, got {got}")).hint(
        "--input-size WIDTHxHEIGHT makes images smaller; `eval` and `predict` take --window WIDTHxHEIGHT, which sees them in parts; --threads 1 needs less",
    )
}

impl Model {
    /// An error of the last run, with the sizes that work if its size was the reason.
    pub(crate) fn explain(&mut self, error: Error, (w, h): Size) -> Error {
        if !std::mem::take(&mut self.failed) || self.sizing().rigid {
            return error;
        }
        let Some(multiple) = self.multiple_that_works((w, h)) else { return error };
        let up = |side: u32| side.next_multiple_of(multiple);
        let (next_w, next_h) = (up(w), up(h));
        let line = format!("{error}: expected sides that are multiples of {multiple}, got {w}x{h}");
        let size = format!("--input-size {next_w}x{next_h} resizes images to that size");
        let card = format!("multiple = {multiple} under [input] in the card rounds sides up; ");
        let card = if self.card_sum().is_some() { card } else { String::new() };
        Error::request(line).hint(format!("{card}{size}"))
    }

    /// The least power of two whose next multiples the graph takes: of two sizes, so that it is no
    /// accident.
    fn multiple_that_works(&mut self, (w, h): Size) -> Option<u32> {
        (1..=8).map(|power| 1 << power).find(|&multiple: &u32| {
            let up = |side: u32, more: u32| (side.div_ceil(multiple) + more) * multiple;
            let is_new = up(w, 0) != w || up(h, 0) != h;
            is_new && self.takes((up(w, 0), up(h, 0))) && self.takes((up(w, 1), up(h, 2)))
        })
    }

    fn takes(&mut self, (w, h): Size) -> bool {
        let want = if self.gives(Want::Logits) { Want::Logits } else { Want::Labels };
        let image = RgbImage::new(w, h);
        let takes = self.run(Input::image(&image), want).is_ok();
        self.failed = false;
        takes
    }
}
