//! Writing down what is shown: a video, or a folder of PNG files.
//! Not the labels (`sink`) and not single pictures (the screenshot key). In real time the recorder may drop
//! frames, counted, and never slows anyone; of a file every frame is recorded.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use image::RgbImage;
use shared::error::{Context, Error, Result};

use super::ffmpeg::Ffmpeg;
use super::slot::{Policy, Slot, Taken};
use crate::output::{make_folder, make_parent, write_png};

/// Where pictures go.
#[derive(Debug, Clone)]
pub enum Tape {
    /// A video file.
    Video {
        /// The file.
        path: PathBuf,
        /// Its container, as ffmpeg calls it.
        format: &'static str,
        /// The program that encodes.
        ffmpeg: Ffmpeg,
    },
    /// A folder of `frame-SEQUENCE.png`.
    Folder(PathBuf),
}

/// Containers by the ending of the file.
const FORMATS: [(&str, &str); 3] = [("mp4", "mp4"), ("mkv", "matroska"), ("mov", "mov")];

impl Tape {
    /// What `--record PATH` means.
    ///
    /// # Errors
    /// An unknown ending, a folder that is not empty, a missing ffmpeg (exit code 2).
    pub fn new(path: &Path) -> Result<Self> {
        let what = || format!("record: {}", path.display());
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        match ending {
            Some(ending) if !path.is_dir() => {
                let format = FORMATS.iter().find(|(e, _)| *e == ending).ok_or_else(|| {
                    Error::request(format!(
                        "{}: expected .mp4, .mkv or .mov, got .{ending}",
                        what()
                    ))
                    .hint("a name without ending is a folder for PNG files")
                })?;
                make_parent(Some(path))?;
                let ffmpeg = Ffmpeg::find("record")?;
                Ok(Self::Video { path: path.to_owned(), format: format.1, ffmpeg })
            }
            _ => {
                make_folder(path)?;
                let full = std::fs::read_dir(path).request(what)?.next().is_some();
                if full {
                    return Err(Error::request(format!(
                        "{}: expected an empty folder, got one with files",
                        what()
                    ))
                    .hint("frames of two runs would be mixed: name another folder"));
                }
                Ok(Self::Folder(path.to_owned()))
            }
        }
    }
}

/// A recording in progress.
pub struct Recorder {
    slot: Arc<Slot<(u64, RgbImage)>>,
    thread: JoinHandle<Result<u64>>,
    path: PathBuf,
}

impl Recorder {
    /// Starts recording pictures of one size, both sides even; a video without `fps` keeps the times at
    /// which they come.
    ///
    /// # Errors
    /// An ffmpeg that cannot be started.
    pub fn start(tape: Tape, size: (u32, u32), policy: Policy, fps: Option<f64>) -> Result<Self> {
        let slot = Arc::new(Slot::new(policy));
        let own = Arc::clone(&slot);
        let (path, thread) = match tape {
            Tape::Folder(folder) => {
                let path = folder.clone();
                (path, std::thread::spawn(move || closing(&own, |slot| to_folder(slot, &folder))))
            }
            Tape::Video { path, format, ffmpeg } => {
                let beside = beside(&path);
                let child = ffmpeg.encode(&beside, format, size, fps)?;
                let place = path.clone();
                let work = move |slot: &Slot<_>| {
                    let result = to_video(slot, child).and_then(|n| {
                        settle(&beside, &place)?;
                        Ok(n)
                    });
                    if result.is_err() {
                        let _ = std::fs::remove_file(&beside); // half a video; the first failure is told
                    }
                    result
                };
                (path, std::thread::spawn(move || closing(&own, work)))
            }
        };
        Ok(Self { slot, thread, path })
    }

    /// Gives it a picture; false once recording has failed.
    pub fn add(&self, sequence: u64, picture: RgbImage) -> bool {
        self.slot.put((sequence, picture)).is_ok()
    }

    /// Ends the recording and says what became of it.
    ///
    /// # Errors
    /// Pictures that could not be written, an ffmpeg that failed.
    pub fn finish(self) -> Result<String> {
        self.slot.close();
        let dropped = self.slot.dropped();
        let recorded =
            self.thread.join().unwrap_or_else(|_| Err(Error::work("record: a panic, see above")));
        let recorded =
            recorded.map_err(|e| e.within(format!("record: {}", self.path.display())))?;
        let path = self.path.display();
        Ok(format!("record: {path}: {recorded} frames, dropped by a slow encoder {dropped}"))
    }
}

/// Nobody waits for room in the slot of a recorder that has ended.
fn closing<T>(slot: &Slot<T>, work: impl FnOnce(&Slot<T>) -> Result<u64>) -> Result<u64> {
    let result = work(slot);
    slot.close();
    result
}

/// Takes pictures until the slot is closed, and counts them.
fn each(
    slot: &Slot<(u64, RgbImage)>,
    mut write: impl FnMut(u64, &RgbImage) -> Result<()>,
) -> Result<u64> {
    let mut count = 0;
    loop {
        match slot.take(Duration::from_secs(1)) {
            Taken::Item((sequence, picture)) => write(sequence, &picture)?,
            Taken::Nothing => continue,
            Taken::Closed => return Ok(count),
        }
        count += 1;
    }
}

fn to_folder(slot: &Slot<(u64, RgbImage)>, folder: &Path) -> Result<u64> {
    each(slot, |sequence, picture| {
        write_png(&folder.join(format!("frame-{sequence:06}.png")), picture)
    })
}

fn to_video(slot: &Slot<(u64, RgbImage)>, mut child: Child) -> Result<u64> {
    let Some(mut input) = child.stdin.take() else {
        return Err(Error::work("expected a pipe to ffmpeg, got none"));
    };
    let written = each(slot, |_, picture| input.write_all(picture.as_raw()).work(|| "pipe".into()));
    drop(input); // the end of its input makes ffmpeg write the end of the file
    let ended = wait(&mut child, Duration::from_secs(30));
    let mut words = String::new();
    if let Some(err) = child.stderr.take() {
        let _ = err.take(4096).read_to_string(&mut words); // only words for the message below
    }
    if ended {
        return written;
    }
    let _ = child.kill();
    let _ = child.wait();
    let why = words.lines().last().unwrap_or("it gave no reason").to_owned();
    Err(Error::work(format!("expected ffmpeg to encode, got a failure: {why}")))
}

/// Whether the process ends well within the time.
fn wait(child: &mut Child, patience: Duration) -> bool {
    let until = Instant::now() + patience;
    while Instant::now() < until {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => std::thread::sleep(Duration::from_millis(5)),
            Err(_) => return false,
        }
    }
    false
}

/// The name under which a video grows, in its folder.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}.tmp", std::process::id()))
}

/// Syncs the finished video and gives it its name.
fn settle(beside: &Path, path: &Path) -> Result<()> {
    let file = std::fs::File::open(beside).work(|| "cannot open".into())?;
    file.sync_all().work(|| "cannot sync".into())?;
    std::fs::rename(beside, path).work(|| "cannot rename into place".into())
}
