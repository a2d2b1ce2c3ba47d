//! Image files as a source. Not a data set: no labels, no splits.
//! A file that cannot be read is reported and counted, once however often it is tried, and the next one comes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use shared::decode;
use shared::error::{Error, Result};

use super::FrameSender;
use super::pace::Pace;
use crate::live::clock::Stamp;
use crate::live::counts::Tally;
use crate::table::counted;

/// Delivers the images, once or again and again.
///
/// # Errors
/// If not one could be read: at first (exit code 2), or in a later round (exit code 1).
pub fn run(
    paths: &[PathBuf],
    again: bool,
    fps: Option<f64>,
    sender: &mut FrameSender,
) -> Result<()> {
    let mut pace = Pace::new(fps);
    let mut named = BTreeSet::new();
    loop {
        let before = sender.delivered();
        for path in paths {
            if !sender.wanted() || pace.wait(Duration::ZERO, &sender.shared.stop) {
                return Ok(());
            }
            let start = Instant::now();
            match decode::toned(path, sender.file_tone) {
                Ok(image) => {
                    sender.deliver(image, Stamp::now(), start.elapsed(), None);
                }
                Err(error) if named.insert(path) => {
                    Tally::count(&sender.shared.tally.unreadable);
                    sender.shared.board.say(format!("unreadable: {error}"));
                }
                Err(_) => {}
            }
        }
        if sender.delivered() == before {
            let files = counted(paths.len(), "file");
            let line = format!("source: expected images that can be read, got none in {files}");
            let error = match before {
                0 => Error::request(line),
                n => Error::work(format!("{line} any more, after {}", counted(n, "frame"))),
            };
            return Err(error.hint("the lines above say what is wrong with each"));
        }
        if !again {
            let frames = counted(sender.delivered(), "frame");
            sender.shared.board.say(format!("source: ended after {frames}"));
            return Ok(());
        }
    }
}
