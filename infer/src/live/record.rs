//! Writing down what is shown: a video, or a folder of PNG files.
//! Not the labels (`sink`) and not single pictures (the screenshot key). In real time the recorder may drop
//! frames, counted, and never slows anyone; of a file every frame is recorded.
//!
//! A video grows under its own name, in a form that can be played wherever it breaks off: what was recorded
//! until a failure, a kill or a power cut stays.

mod encoder;
mod matroska;
mod target;

use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use image::RgbImage;
use shared::error::{Context, Error, Result};

use self::encoder::Encoder;
#[cfg(test)]
pub use self::matroska::times;
pub use self::target::RecordTarget;
use self::target::{Reserved, VideoFormat};
use super::frame::RunState;
use super::slot::{Policy, Put, Slot, Taken};
use super::stop::{SOON, wait_until};
use crate::interrupt;
use crate::output::write_png;

/// A picture to record.
pub struct Picture {
    /// Of its file in a folder, without ending.
    pub name: String,
    /// Its time in the recording, which begins with that of the first.
    pub at: Duration,
    /// What was shown.
    pub image: RgbImage,
}

/// A recording in progress.
pub struct Recorder {
    slot: Arc<Slot<Picture>>,
    thread: JoinHandle<Written>,
    encoder: Option<Encoder>,
    place: Reserved,
    /// Pictures that nobody waited for at the end.
    lost: u64,
    /// Pictures of results that had been recorded before.
    repeated: u64,
    shared: Arc<RunState>,
}

/// How many pictures were written, and what ended that.
type Written = (u64, Result<()>);

impl Recorder {
    /// Starts recording pictures of one size, both sides even, usually `fps` a second. A name that is taken already is left alone, which is said.
    ///
    /// # Errors
    /// A place that cannot be made; an ffmpeg, or a thread, that cannot be started.
    pub fn start(
        target: RecordTarget,
        policy: Policy,
        fps: f64,
        shared: &Arc<RunState>,
    ) -> Result<Self> {
        let place = target.reserve(&shared.board)?;
        let within = |e: Error| e.within(format!("record: {}", place.path().display()));
        let slot = Arc::new(Slot::new(policy));
        let (encoder, thread) = match &place {
            Reserved::Folder(folder) => {
                let folder = folder.clone();
                (None, write_each(&slot, move |picture| to_folder(picture, &folder)))
            }
            Reserved::Video(file, format) => {
                let (encoder, mut pictures) =
                    Encoder::start(format, file.path(), fps, shared).map_err(within)?;
                let write = move |picture: &Picture| {
                    pictures.write(&picture.image, picture.at).work(|| "ffmpeg".into())
                };
                (Some(encoder), write_each(&slot, write))
            }
        };
        let thread = thread.map_err(within)?;
        Ok(Self { slot, thread, encoder, place, lost: 0, repeated: 0, shared: Arc::clone(shared) })
    }

    /// Gives it a picture; where every one is recorded, waits at most so long for room.
    pub fn add(&self, picture: Picture, patience: Duration) -> Put<Picture> {
        self.slot.put_within(picture, patience)
    }

    /// Counts a picture that was not added.
    pub fn lose(&mut self) {
        self.lost += 1;
    }

    /// Counts a picture of a result that has been recorded before.
    pub fn repeat(&mut self) {
        self.repeated += 1;
    }

    /// How long it has left a picture waiting.
    pub fn hangs_for(&self) -> Duration {
        self.slot.untaken_for(Instant::now())
    }

    /// Whether it takes nothing more, before it was told to end; why, [`Recorder::finish`] says.
    pub fn has_failed(&mut self) -> bool {
        self.thread.is_finished() || self.encoder.as_mut().is_some_and(Encoder::has_ended)
    }

    /// Ends the recording, until then at the latest, and says what became of it.
    ///
    /// # Errors
    /// Pictures that could not be written, an ffmpeg that failed or did not end.
    pub fn finish(mut self, until: Instant) -> Result<String> {
        let path = self.place.path().display().to_string();
        self.slot.close();
        let dropped = self.slot.dropped() + self.lost;
        let soon = until.min(Instant::now() + SOON);
        if !wait_until(soon, || match &mut self.encoder {
            Some(encoder) => encoder.has_ended(),
            None => self.thread.is_finished(),
        }) {
            let once_more = interrupt::once_more();
            self.shared.board.say(format!("record: {path}: waiting for its end{once_more}"));
        }
        let encoded = self.encoder.take().map_or(Ok(()), |encoder| encoder.finish(until));
        // ffmpeg has gone, so that its pipe takes nothing; only a disk can hold the thread.
        let in_time = wait_until(until.max(Instant::now() + SOON), || self.thread.is_finished());
        let (count, written) = match in_time {
            true => {
                self.thread.join().unwrap_or_else(|_| (0, Err(Error::work("a panic, see above"))))
            }
            false => {
                (0, Err(Error::work("expected a picture to be written, got a disk that hangs")))
            }
        };
        encoded.and(written).map_err(|e| failed(e, &self.place))?;
        let results = (count + dropped).saturating_sub(self.repeated);
        let repeated = match self.repeated {
            0 => String::new(),
            repeated => format!(" + repeated as stale {repeated}"),
        };
        Ok(format!(
            "record: {path}: results {results}{repeated} = written {count} + dropped by a slow encoder {dropped}"
        ))
    }

    /// Ends a recording that takes no picture for so long, at once.
    pub fn give_up(self, after: Duration) -> Error {
        let line = format!("expected a picture to be taken within {} s", after.as_secs_f64());
        failed(Error::work(line + ", got none taken"), &self.place)
    }
}

fn failed(error: Error, place: &Reserved) -> Error {
    let path = place.path().display();
    let error = error.within(format!("record: {path}"));
    match place {
        Reserved::Video(file, _) if !file.is_used() => error.hint("nothing was recorded"),
        _ => error.hint(format!("what was recorded until then is kept: {path}")),
    }
}

/// Starts a thread that writes pictures until the slot is closed.
fn write_each(
    slot: &Arc<Slot<Picture>>,
    mut write: impl FnMut(&Picture) -> Result<()> + Send + 'static,
) -> Result<JoinHandle<Written>> {
    let slot = Arc::clone(slot);
    let work = move || {
        let mut count = 0;
        loop {
            let result = match slot.take(Duration::from_secs(1)) {
                Taken::Item(picture) => write(&picture),
                Taken::Nothing => continue,
                Taken::Closed => return (count, Ok(())),
            };
            if result.is_err() {
                slot.close(); // nobody waits for room in it
                return (count, result);
            }
            count += 1;
        }
    };
    Builder::new().name("recorder".into()).spawn(work).work(|| "cannot start a thread".into())
}

fn to_folder(picture: &Picture, folder: &Path) -> Result<()> {
    write_png(&folder.join(format!("{}.png", picture.name)), &picture.image)
}
