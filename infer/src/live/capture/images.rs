//! Image files as a source. Not a data set: no labels, no splits.
//! A file that cannot be read is reported and counted, and the next one comes.

use std::path::PathBuf;
use std::time::Instant;

use shared::decode;
use shared::error::{Error, Result};

use super::Feed;
use super::pace::Pace;
use crate::live::clock::Stamp;
use crate::live::counts::Tally;

/// Delivers the images, once or again and again.
///
/// # Errors
/// If not one could be read (exit code 2).
pub fn run(paths: &[PathBuf], again: bool, fps: Option<f64>, feed: &mut Feed) -> Result<()> {
    let mut pace = Pace::new(fps);
    loop {
        for path in paths {
            if !feed.wanted() || pace.wait(&feed.shared.stop) {
                return Ok(());
            }
            let start = Instant::now();
            match decode::rgb(path) {
                Ok(image) => {
                    feed.deliver(image, Stamp::now(), start.elapsed());
                }
                Err(error) => {
                    Tally::count(&feed.shared.tally.unreadable);
                    feed.shared.board.say(format!("unreadable: {error}"));
                }
            }
        }
        if feed.delivered() == 0 {
            return Err(Error::request(format!(
                "source: expected images that can be read, got none in {} files",
                paths.len()
            ))
            .hint("the lines above say what is wrong with each"));
        }
        if !again {
            feed.shared.board.say(format!("source: ended after {} frames", feed.delivered()));
            return Ok(());
        }
    }
}
