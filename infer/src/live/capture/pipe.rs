//! One running ffmpeg that decodes: frames from its standard output, and their sizes from its standard error.
//! Not what to do when it ends, which is `video`'s, nor what its lines mean, which is `words`'.
//!
//! Raw video has no header, so the size of each frame comes from ffmpeg's `showinfo` filter, which writes a
//! line per frame before the frame itself is written. With `-noautoscale` a source that changes its size
//! changes that of the raw frames, and nothing is stretched or cut.
//! A plain pipe and not the crate ffmpeg-sidecar: that reads the size once, from the first log lines, and
//! would take every frame after a change of size for garbage.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout, ExitStatus};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use image::RgbImage;
use shared::decode::MAX_SIDE;
use shared::error::{Context, Result};

use super::words::{Announced, Ear, Word};
use crate::live::clock::Stamp;
use crate::live::ffmpeg::Ffmpeg;
use crate::live::input::{Playing, VideoInput};
use crate::live::stop::wait_until;

/// A frame that came out of the pipe.
pub struct Arrival {
    /// Its pixels.
    pub image: RgbImage,
    /// When its last byte was there.
    pub arrived: Stamp,
    /// From ffmpeg's word that it is decoded, or from when it was wanted, to its last byte.
    pub capture: Duration,
    /// Its time in the source, in seconds, where it has one.
    pub seconds: Option<f64>,
}

/// A running ffmpeg; it is killed when this is dropped.
pub struct Pipe {
    child: Child,
    /// Frames, or what made the stream unreadable; disconnected when the stream has ended.
    pub frames: Receiver<std::result::Result<Arrival, String>>,
    heard: Arc<Heard>,
}

/// What ffmpeg says besides the sizes of frames.
#[derive(Debug, Default)]
struct Heard {
    problems: Mutex<Vec<String>>,
    fps: OnceLock<f64>,
    length: OnceLock<Option<Duration>>,
    cut_off: OnceLock<String>,
}

/// Messages of ffmpeg kept until someone asks; more would be the same ones again.
const KEPT_PROBLEMS: usize = 8;

impl Pipe {
    /// Starts ffmpeg on an input.
    ///
    /// # Errors
    /// A program or a thread that cannot be started (exit code 1): there may be room for it later.
    pub fn open(ffmpeg: &Ffmpeg, input: &VideoInput, playing: Playing) -> Result<Self> {
        let child = ffmpeg.decode(input, playing)?;
        let (announce, announced) = unbounded();
        // One ahead: while a file's frame waits for the worker, the next is being decoded.
        let (frame_out, frames) = bounded(1);
        let mut pipe = Self { child, frames, heard: Arc::default() };
        if let (Some(out), Some(err)) = (pipe.child.stdout.take(), pipe.child.stderr.take()) {
            let heard = Arc::clone(&pipe.heard);
            start(move || listen(err, &announce, &heard))?;
            start(move || read(out, &announced, &frame_out))?;
        }
        Ok(pipe)
    }

    /// What ffmpeg complained about since this was last asked.
    pub fn problems(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.problems.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Frames per second of the source, once ffmpeg has said so.
    pub fn fps(&self) -> Option<f64> {
        self.heard.fps.get().copied()
    }

    /// How long the source is, once ffmpeg has said so; `None` within: it does not know.
    pub fn length(&self) -> Option<Option<Duration>> {
        self.heard.length.get().copied()
    }

    /// At the end: what says that a file was cut off, if it was.
    pub fn cut_off(&self) -> Option<&str> {
        self.heard.cut_off.get().map(String::as_str)
    }

    /// Waits a moment for the process to end by itself, whose output has ended; says whether it went well.
    pub fn ended_well(&mut self) -> bool {
        self.ended(Duration::from_millis(500)).is_some_and(|status| status.success())
    }

    /// How the process ended, if it does within the time.
    fn ended(&mut self, patience: Duration) -> Option<ExitStatus> {
        wait_until(Instant::now() + patience, || !matches!(self.child.try_wait(), Ok(None)));
        self.child.try_wait().ok().flatten()
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It may have ended already; either way nothing of it stays, and the threads meet the ends of its pipes.
        let _ = self.child.kill();
        // A driver or a network file system may hold it where no signal reaches; it is not waited for then.
        self.ended(Duration::from_secs(1));
    }
}

/// What the filter says of the next frame, and when it said so; or why that makes no sense.
type Announcement = std::result::Result<(Announced, Instant), String>;

fn start(work: impl FnOnce() + Send + 'static) -> Result<()> {
    std::thread::Builder::new().spawn(work).map(drop).work(|| "cannot start a thread".into())
}

/// Reads ffmpeg's messages: sizes go to the reader, errors are kept.
fn listen(err: ChildStderr, announce: &Sender<Announcement>, heard: &Heard) {
    let mut ear = Ear::default();
    let mut lines = BufReader::new(err);
    let mut line = Vec::new();
    // Bytes and not text: a damaged stream puts its damage into the messages.
    while matches!(lines.read_until(b'\n', &mut line), Ok(n) if n > 0) {
        // Where nobody is told any more, the pipe is being closed; of rates the first word counts.
        match ear.hear(&String::from_utf8_lossy(&line)) {
            Some(Word::Frame(frame)) => drop(announce.send(Ok((frame, Instant::now())))),
            Some(Word::Nonsense(why)) => drop(announce.send(Err(why))),
            Some(Word::Rate(fps)) => drop(heard.fps.set(fps)),
            Some(Word::Length(length)) => drop(heard.length.set(length)),
            Some(Word::Problem(problem)) => {
                let mut kept = heard.problems.lock().unwrap_or_else(PoisonError::into_inner);
                if kept.len() < KEPT_PROBLEMS {
                    kept.push(problem);
                }
            }
            None => {}
        }
        line.clear();
    }
    if let Some(why) = ear.cut_off() {
        let _ = heard.cut_off.set(why); // nobody else sets it
    }
}

/// Reads frames of the sizes that were announced, until the stream ends or makes no sense.
fn read(
    mut out: ChildStdout,
    announced: &Receiver<Announcement>,
    frames: &Sender<std::result::Result<Arrival, String>>,
) {
    let mut wanted = Instant::now();
    while let Ok(next) = announced.recv() {
        let (Announced { size: (width, height), seconds }, decoded) = match next {
            Ok(frame) => frame,
            Err(why) => {
                let _ = frames.send(Err(why)); // not wanted any more: the pipe is being closed
                return;
            }
        };
        let sane = (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height);
        if !sane {
            let _ = frames.send(Err(format!(
                "expected a frame of at most {MAX_SIDE} pixels a side, got {width}x{height}"
            )));
            return;
        }
        let size = width as usize * height as usize * 3;
        let mut pixels = Vec::with_capacity(size);
        let got = out.by_ref().take(size as u64).read_to_end(&mut pixels).unwrap_or(0);
        let Some(image) = RgbImage::from_raw(width, height, pixels) else {
            if got > 0 {
                let _ = frames.send(Err(format!(
                    "expected {size} bytes of a frame of {width}x{height}, got {got}"
                )));
            }
            return;
        };
        let arrived = Stamp::now();
        let capture = decoded.max(wanted).elapsed();
        if frames.send(Ok(Arrival { image, arrived, capture, seconds })).is_err() {
            return;
        }
        wanted = Instant::now();
    }
}
