//! One running ffmpeg that decodes: frames from its standard output, and their sizes from its standard error.
//! Not what to do when it ends, which is `video`'s.
//!
//! Raw video has no header, so the size of each frame comes from ffmpeg's `showinfo` filter, which writes a
//! line per frame before the frame itself is written. With `-autoscale 0` a source that changes its size
//! changes that of the raw frames, and nothing is stretched or cut. Tried with ffmpeg 5.1.
//! A plain pipe and not the crate ffmpeg-sidecar: that reads the size once, from the first log lines, and
//! would take every frame after a change of size for garbage.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, ChildStdout};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use image::RgbImage;
use shared::decode::{MAX_PIXELS, MAX_SIDE};
use shared::error::Result;

use crate::live::clock::Stamp;
use crate::live::ffmpeg::{Ffmpeg, Input};

/// A frame that came out of the pipe.
pub struct Arrival {
    /// Its pixels.
    pub image: RgbImage,
    /// When its last byte was there.
    pub arrived: Stamp,
    /// From ffmpeg's word that it is decoded to its last byte.
    pub capture: Duration,
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
}

/// Messages of ffmpeg kept until someone asks; more would be the same ones again.
const KEPT_PROBLEMS: usize = 8;

impl Pipe {
    /// Starts ffmpeg on an input.
    ///
    /// # Errors
    /// A program that cannot be started (exit code 2).
    pub fn open(ffmpeg: &Ffmpeg, input: &Input) -> Result<Self> {
        let mut child = ffmpeg.decode(input)?;
        let (size_out, sizes) = unbounded();
        // One ahead: while a file's frame waits for the worker, the next is being decoded.
        let (frame_out, frames) = bounded(1);
        let heard = Arc::new(Heard::default());
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            let hearing = Arc::clone(&heard);
            std::thread::spawn(move || listen(err, &size_out, &hearing));
            std::thread::spawn(move || read(out, &sizes, &frame_out));
        }
        Ok(Self { child, frames, heard })
    }

    /// What ffmpeg complained about since this was last asked.
    pub fn problems(&self) -> Vec<String> {
        std::mem::take(&mut *self.heard.problems.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Frames per second of the source, once ffmpeg has said so.
    pub fn fps(&self) -> Option<f64> {
        self.heard.fps.get().copied()
    }

    /// Waits a moment for the process to end by itself, whose output has ended; says whether it went well.
    pub fn ended_well(&mut self) -> bool {
        let until = Instant::now() + Duration::from_millis(500);
        while Instant::now() < until {
            match self.child.try_wait() {
                Ok(Some(status)) => return status.success(),
                Ok(None) => std::thread::sleep(Duration::from_millis(5)),
                Err(_) => return false,
            }
        }
        false
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        // It may have ended already; either way nothing of it stays, and the threads meet the ends of its pipes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads ffmpeg's messages: sizes go to the reader, errors are kept.
fn listen(err: ChildStderr, sizes: &Sender<((u32, u32), Instant)>, heard: &Heard) {
    let mut lines = BufReader::new(err);
    let mut line = Vec::new();
    // Bytes and not text: a damaged stream puts its damage into the messages.
    while matches!(lines.read_until(b'\n', &mut line), Ok(n) if n > 0) {
        let text = String::from_utf8_lossy(&line);
        if let Some(size) = frame_size(&text) {
            let _ = sizes.send((size, Instant::now())); // nobody reads any more: the pipe is being closed
        } else if let Some(fps) = frame_rate(&text) {
            let _ = heard.fps.set(fps); // the first word on it counts
        } else if let Some(problem) = problem(&text) {
            let mut kept = heard.problems.lock().unwrap_or_else(PoisonError::into_inner);
            if kept.len() < KEPT_PROBLEMS {
                kept.push(problem);
            }
        }
        line.clear();
    }
}

/// Reads frames of the sizes that were announced, until the stream ends or makes no sense.
fn read(
    mut out: ChildStdout,
    sizes: &Receiver<((u32, u32), Instant)>,
    frames: &Sender<std::result::Result<Arrival, String>>,
) {
    while let Ok(((width, height), decoded)) = sizes.recv() {
        let sane = (1..=MAX_SIDE).contains(&width)
            && (1..=MAX_SIDE).contains(&height)
            && u64::from(width) * u64::from(height) <= MAX_PIXELS;
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
        let capture = decoded.elapsed();
        if frames.send(Ok(Arrival { image, arrived, capture })).is_err() {
            return;
        }
    }
}

/// The size in a line of `showinfo`: `[Parsed_showinfo_0 @ 0x..] [info] n:   7 pts:... s:320x160 i:P ...`.
fn frame_size(line: &str) -> Option<(u32, u32)> {
    let frame = line.split_once("] n:").filter(|(filter, _)| filter.contains("showinfo"))?.1;
    let (width, height) = frame.split_once(" s:")?.1.split(' ').next()?.split_once('x')?;
    Some((width.parse().ok()?, height.trim_end().parse().ok()?))
}

/// The rate in the line with which `showinfo` starts: `... config in time_base: 1/1200000, frame_rate: 10/1`.
fn frame_rate(line: &str) -> Option<f64> {
    let rate = line.split_once("config in ")?.1.split_once("frame_rate: ")?.1.trim();
    let (frames, seconds) = rate.split_once('/')?;
    let rate = frames.parse::<f64>().ok()? / seconds.parse::<f64>().ok()?;
    (rate.is_finite() && (0.01..=1000.0).contains(&rate)).then_some(rate)
}

/// The message of a line that ffmpeg calls an error, without who says it.
fn problem(line: &str) -> Option<String> {
    let text = ["[error] ", "[fatal] ", "[panic] "].iter().find_map(|l| line.split_once(l))?.1;
    Some(text.trim().chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frames_size_is_found_in_its_line_and_in_no_other() {
        let line = "[Parsed_showinfo_0 @ 0x55d0] [info] n:   9 pts:1080000 pts_time:0.9     pos:     4623 fmt:yuv444p sar:1/1 s:320x160 i:P iskey:0 type:P \n";
        assert_eq!(frame_size(line), Some((320, 160)));
        for other in [
            "[Parsed_showinfo_0 @ 0x55d0] [info] config in time_base: 1/1200000, frame_rate: 10/1",
            "[Parsed_showinfo_0 @ 0x55d0] [info] color_range:unknown color_space:unknown",
            "[info] Stream #0:0: Video: h264, yuv444p(progressive), 320x160, 10 fps",
            "[Parsed_showinfo_0 @ 0x55d0] [info] n:   9 s:axb i:P",
        ] {
            assert_eq!(frame_size(other), None, "{other}");
        }
    }

    #[test]
    fn a_rate_is_taken_where_there_is_one() {
        let line = |rate| {
            format!(
                "[Parsed_showinfo_0 @ 0x5] [info] config in time_base: 1/90000, frame_rate: {rate}\n"
            )
        };
        assert_eq!(frame_rate(&line("30000/1001")), Some(30000.0 / 1001.0));
        assert_eq!(frame_rate(&line("0/0")), None, "a stream that does not know");
        assert_eq!(frame_rate(&line("1/0")), None);
    }

    #[test]
    fn a_problem_is_what_ffmpeg_calls_one() {
        assert_eq!(
            problem("[mov @ 0x1] [error] moov atom not found\n").as_deref(),
            Some("moov atom not found")
        );
        assert_eq!(problem("[swscaler @ 0x1] [warning] deprecated pixel format"), None);
    }
}
