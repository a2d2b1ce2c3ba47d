//! Whether the end of an input fails the run, and in what words. Not what is tried before that.

use shared::error::Error;

use super::Watch;
use crate::table::counted;

impl Watch<'_> {
    /// Why the run fails at the end of a file that was cut off.
    pub(super) fn cut_off(&self, why: &str, frames: u64) -> Error {
        let input = self.input;
        if frames == 0 {
            let line = format!("source: {input}: expected video, got no frame: {why}");
            return Error::request(line).hint(input.hint_without_seeking());
        }
        let frames = counted(frames, "frame");
        Error::work(format!("source: {input}: ended early, after {frames}: {why}"))
            .hint("the file is cut off, perhaps while it was recorded or copied")
    }

    /// Why the run fails after an end, if it does, when `frames` were delivered in all.
    pub(super) fn failure(&self, line: &str, frames: u64) -> Option<Error> {
        let (input, waited) = (self.input, self.began.elapsed());
        let what = format!("source: {input}");
        let none = "expected video, got no frame";
        Some(match frames {
            0 if self.is_file() || input.is_misnamed(line) => {
                Error::request(format!("{what}: {none}: {line}")).hint(input.hint())
            }
            0 if waited >= self.patience.open => {
                let seconds = waited.as_secs_f64();
                Error::work(format!("{what}: {none} in {seconds:.1} s: {line}")).hint(input.hint())
            }
            _ if self.is_file() => {
                Error::work(format!("{what}: after {}: {line}", counted(frames, "frame")))
            }
            _ => return None,
        })
    }
}
