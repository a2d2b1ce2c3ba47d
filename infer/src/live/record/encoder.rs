//! The ffmpeg that encodes: pictures into its pipe, its complaints heard while it runs, its end bounded.
//! Not where the video goes (`target`). A process that hangs is killed; what it has written can be played.
//! How pictures and their times go through the pipe is `matroska`'s.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;
use std::time::{Duration, Instant};

use image::RgbImage;
use shared::error::{Context, Error, Result};

use super::VideoFormat;
use super::matroska::Headers;
use crate::live::frame::RunState;
use crate::live::stop::wait_until;

/// A running ffmpeg that encodes; killed when this is dropped.
pub struct Encoder {
    child: Child,
    complaint: Arc<OnceLock<String>>,
}

impl Encoder {
    /// Starts encoding to `path` pictures that bring their times, usually `fps` a second.
    ///
    /// # Errors
    /// An ffmpeg, or a thread, that cannot be started.
    pub fn start(
        format: &VideoFormat,
        path: &Path,
        fps: f64,
        shared: &Arc<RunState>,
    ) -> Result<(Self, Pictures)> {
        let mut child = format.ffmpeg.encode(path, format.container)?;
        let (Some(pipe), Some(err)) = (child.stdin.take(), child.stderr.take()) else {
            return Err(Error::work("expected pipes to ffmpeg, got none"));
        };
        let encoder = Self { child, complaint: Arc::default() };
        let (first, shared) = (Arc::clone(&encoder.complaint), Arc::clone(shared));
        Builder::new()
            .name("ffmpeg's messages".into())
            .spawn(move || listen(err, &first, &shared))
            .work(|| "cannot start a thread".into())?;
        let pictures = Pictures { pipe, headers: Headers::new(fps) };
        Ok((encoder, pictures))
    }

    /// Whether it runs no more.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it has written the end of the file, which it does when its pipe is closed.
    ///
    /// # Errors
    /// If it failed, or had to be killed because it took longer than until then.
    pub fn finish(mut self, until: Instant) -> Result<()> {
        if !wait_until(until, || self.has_ended()) {
            return Err(Error::work(
                "expected ffmpeg to write the end of the file, got nothing: it was killed",
            ));
        }
        if self.child.wait().is_ok_and(|status| status.success()) {
            return Ok(());
        }
        wait_until(Instant::now() + Duration::from_millis(100), || self.complaint.get().is_some());
        let why = self.complaint.get().map_or("it gave no reason", String::as_str);
        Err(Error::work(format!("expected ffmpeg to encode, got a failure: {why}")))
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        let _ = self.child.kill(); // it has ended, or hangs
        // A process that waits for a disk cannot be killed: it is left behind then.
        wait_until(Instant::now() + Duration::from_millis(100), || self.has_ended());
    }
}

/// Reads messages as long as there are any, or ffmpeg would wait for room in its pipe. The first is told at
/// once: those that follow are about the same.
fn listen(err: ChildStderr, first: &OnceLock<String>, shared: &RunState) {
    let mut lines = BufReader::new(err);
    let mut line = Vec::new();
    while matches!(lines.by_ref().take(4096).read_until(b'\n', &mut line), Ok(n) if n > 0) {
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        if !text.is_empty() && first.set(text.clone()).is_ok() {
            shared.board.say(format!("record: ffmpeg: {text}"));
        }
        line.clear();
    }
}

/// Where pictures go in.
pub struct Pictures {
    pipe: ChildStdin,
    headers: Headers,
}

impl Pictures {
    /// Writes a picture that is of this time.
    ///
    /// # Errors
    /// If ffmpeg reads no more.
    pub fn write(&mut self, picture: &RgbImage, at: Duration) -> io::Result<()> {
        self.pipe.write_all(&self.headers.heading(picture.dimensions(), at))?;
        self.pipe.write_all(picture.as_raw())
    }
}
