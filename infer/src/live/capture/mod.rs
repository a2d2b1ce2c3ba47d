//! The first stage: frames from a source into the slot before the worker.
//! Not what a source is by name, which is `request`'s. One file per kind: images, generated streets, and
//! `video` for everything that the ffmpeg program reads (files, streams, cameras), over `pipe` and `words`.

mod images;
mod pace;
mod patience;
mod pipe;
mod streets;
mod timeline;
mod video;
mod words;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use image::RgbImage;
use shared::decode::Tone;
use shared::error::Result;
use shared::streets::StreetSettings;

use super::clock::Stamp;
use super::counts::Tally;
use super::ffmpeg::Ffmpeg;
use super::frame::{Frame, RunState};
use super::input::{Playing, VideoInput};
use super::slot::{Policy, Slot};
pub use patience::Patience;

#[cfg(test)]
mod tests;

/// A source, checked.
#[derive(Debug, Clone)]
pub enum Source {
    /// Image files, in this order.
    Images {
        /// The files.
        paths: Vec<PathBuf>,
        /// From the start again after the last.
        again: bool,
        /// At most so many a second.
        fps: Option<f64>,
    },
    /// The endless generated drive.
    Streets {
        /// Size and seed.
        settings: StreetSettings,
        /// Frames per second of the drive's own time.
        drive_fps: f64,
        /// Whether that is kept in real time.
        paced: bool,
    },
    /// What ffmpeg reads.
    Video {
        /// What to read.
        input: VideoInput,
        /// The program.
        ffmpeg: Ffmpeg,
        /// How to play it, if it is a file.
        playing: Playing,
        /// How long to wait for what.
        patience: Box<Patience>,
    },
}

impl Source {
    /// Delivers frames until the source ends, enough were delivered, or the end was asked for.
    ///
    /// # Errors
    /// A file that gives no frame (exit code 2) or breaks off, a live source that was never there (exit code 1).
    pub fn run(&self, sender: &mut FrameSender) -> Result<()> {
        match self {
            Self::Images { paths, again, fps } => images::run(paths, *again, *fps, sender),
            Self::Streets { settings, drive_fps, paced } => {
                streets::run(settings, *drive_fps, *paced, sender);
                Ok(())
            }
            Self::Video { input, ffmpeg, playing, patience } => {
                video::run(input, ffmpeg, *playing, **patience, sender)
            }
        }
    }
}

/// The way of a source's frames into the slot, and into the books.
pub struct FrameSender {
    /// The slot before the worker.
    pub slot: Arc<Slot<Frame>>,
    /// What all threads share.
    pub shared: Arc<RunState>,
    /// Frames to capture at most.
    pub max_frames: u64,
    /// How image files come to 8 bits.
    pub file_tone: Option<Tone>,
    frame_tone: Option<Tone>,
    sequence: u64,
}

impl FrameSender {
    /// A sender into `slot` that ends after `max_frames`.
    pub fn new(slot: Arc<Slot<Frame>>, shared: Arc<RunState>, max_frames: Option<u64>) -> Self {
        Self {
            slot,
            shared,
            max_frames: max_frames.unwrap_or(u64::MAX),
            file_tone: None,
            frame_tone: None,
            sequence: 0,
        }
    }

    /// Brings what the source gives to 8 bits as the models' cards say.
    ///
    /// # Errors
    /// A window, which is for images of 16 bits, where the source is no image file (exit code 2).
    pub fn with_tone(mut self, source: &Source, tone: Option<Tone>) -> Result<Self> {
        match source {
            Source::Images { .. } => self.file_tone = tone,
            _ => {
                tone.map_or(Ok(()), Tone::check_frames).map_err(|e| e.within("source"))?;
                self.frame_tone = tone;
            }
        }
        Ok(self)
    }

    /// Hands a frame over, and of a video its time; says whether more are wanted.
    pub fn deliver(
        &mut self,
        mut image: RgbImage,
        arrived: Stamp,
        capture: Duration,
        time: Option<Duration>,
    ) -> bool {
        if let Some(tone) = self.frame_tone {
            tone.apply(&mut image);
        }
        let tally = &self.shared.tally;
        Tally::count(&tally.captured);
        let frame = Frame { sequence: self.sequence, image, arrived, capture, time };
        self.sequence += 1;
        if self.slot.put(frame).is_err() {
            Tally::count(&tally.left);
            return false;
        }
        self.wanted()
    }

    /// Whether more frames are wanted.
    pub fn wanted(&self) -> bool {
        self.sequence < self.max_frames && !self.shared.stop.asked()
    }

    /// Frames delivered so far.
    pub fn delivered(&self) -> u64 {
        self.sequence
    }

    /// Decides what happens to frames that find the next stage busy, before there is one.
    pub fn set_policy(&self, policy: Policy) {
        if self.sequence == 0 {
            self.slot.policy().set(policy);
        }
    }

    /// Reports a fault of the source and counts it.
    pub fn fault(&self, line: impl AsRef<str>) {
        Tally::count(&self.shared.tally.faults);
        self.shared.board.say(line);
    }
}

/// However a source ends, by a panic too: a worker that waits for it for ever would pass for alive.
impl Drop for FrameSender {
    fn drop(&mut self) {
        self.shared.failed.fetch_or(std::thread::panicking(), Relaxed);
        self.slot.close();
    }
}
