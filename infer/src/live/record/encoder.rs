//! The ffmpeg that encodes: pictures into its pipe, its complaints heard while it runs, its end bounded.
//! Not where the video goes (`target`). A process that hangs is killed; what it has written can be played.
//!
//! Pictures that come when they come need times. Raw video has none, and ffmpeg's own stamps follow the wall
//! clock, which is set now and then; so they are sent as an IVF stream of PPM pictures, whose times follow
//! the monotonic clock. Sources: IVF as in libvpx's `ivfenc.c`, netpbm's ppm(5).

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin};
use std::sync::{Arc, OnceLock};
use std::thread::Builder;
use std::time::{Duration, Instant};

use image::RgbImage;
use shared::error::{Context, Error, Result};

use super::VideoFormat;
use crate::live::frame::RunState;
use crate::live::stop::wait_until;

/// A running ffmpeg that encodes; killed when this is dropped.
pub struct Encoder {
    child: Child,
    complaint: Arc<OnceLock<String>>,
}

impl Encoder {
    /// Starts encoding to `path`; a video without a rate keeps the times of its pictures.
    ///
    /// # Errors
    /// An ffmpeg, or a thread, that cannot be started.
    pub fn start(
        format: &VideoFormat,
        path: &Path,
        size: (u32, u32),
        fps: Option<f64>,
        shared: &Arc<RunState>,
    ) -> Result<(Self, Pictures)> {
        let mut child = format.ffmpeg.encode(path, format.container, size, fps)?;
        let (Some(pipe), Some(err)) = (child.stdin.take(), child.stderr.take()) else {
            return Err(Error::work("expected pipes to ffmpeg, got none"));
        };
        let encoder = Self { child, complaint: Arc::default() };
        let (first, shared) = (Arc::clone(&encoder.complaint), Arc::clone(shared));
        Builder::new()
            .name("ffmpeg's messages".into())
            .spawn(move || listen(err, &first, &shared))
            .work(|| "cannot start a thread".into())?;
        let pictures = Pictures { pipe, headers: fps.is_none().then(IvfHeaders::default) };
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
    /// Of a video without a rate.
    headers: Option<IvfHeaders>,
}

impl Pictures {
    /// Writes a picture that is of this moment.
    ///
    /// # Errors
    /// If ffmpeg reads no more.
    pub fn write(&mut self, picture: &RgbImage, at: Instant) -> io::Result<()> {
        if let Some(headers) = &mut self.headers {
            self.pipe.write_all(&headers.heading(picture.dimensions(), at))?;
        }
        self.pipe.write_all(picture.as_raw())
    }
}

/// Milliseconds since the first picture, each later than the one before.
#[derive(Debug, Default)]
struct IvfHeaders(Option<(Instant, u64)>);

impl IvfHeaders {
    /// What stands before a picture's pixels: IVF's and PPM's headers, and the stream's own before the first.
    fn heading(&mut self, (width, height): (u32, u32), at: Instant) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (start, ms) = match self.0 {
            Some((start, last)) => {
                let ms = at.saturating_duration_since(start).as_millis() as u64;
                (start, ms.max(last + 1))
            }
            None => {
                bytes.extend(b"DKIF\0\0\x20\0PPM "); // version 0, a header of 32 bytes, the codec
                bytes.extend((width as u16).to_le_bytes()); // the pictures' own headers count
                bytes.extend((height as u16).to_le_bytes());
                for number in [1000_u32, 1, 0, 0] {
                    bytes.extend(number.to_le_bytes()); // times are in 1 / 1000 s; no number of frames
                }
                (at, 0)
            }
        };
        self.0 = Some((start, ms));
        let ppm = format!("P6 {width} {height} 255\n");
        let length = ppm.len() as u32 + 3 * width * height;
        bytes.extend(length.to_le_bytes());
        bytes.extend(ms.to_le_bytes());
        bytes.extend(ppm.as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_pictures_own_and_never_stand_still() {
        let (start, mut headers) = (Instant::now(), IvfHeaders::default());
        let mut time = |ms: u64| {
            let bytes = headers.heading((4, 2), start + Duration::from_millis(ms));
            let frame = &bytes[bytes.len() - 23..]; // 12 of IVF, "P6 4 2 255\n"
            assert_eq!(frame[..4], (11 + 24_u32).to_le_bytes());
            assert_eq!(&frame[12..], b"P6 4 2 255\n");
            (u64::from_le_bytes(frame[4..12].try_into().unwrap()), bytes.len())
        };
        assert_eq!(time(0), (0, 32 + 23));
        assert_eq!([time(40), time(40), time(5000)], [(40, 23), (41, 23), (5000, 23)]);
    }
}
