//! Recording and screenshots of what the display shows.
//! Not how either is written, which is `record`'s and `output`'s.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use shared::error::{Error, Result};
use shared::output_path::make_folder;

use super::{Display, GLANCE};
use crate::live::record::{Picture, Recorder};
use crate::live::slot::{Policy, Put};
use crate::live::view::natural_size;
use crate::live::window::Window;
use crate::output::write_png;

/// Frames per second of a recording where neither the user nor the source says.
const USUAL_FPS: f64 = 25.0;

/// A recorder that takes no picture for so long hangs, if the deadline is not shorter.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// What a recording that fails means for the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unrecorded {
    /// It ends at once: the recording is what it is for.
    Ends,
    /// It goes on without, and fails at its end: others read the labels.
    GoesOn,
}

impl Display {
    /// Records the current result, which has just come.
    pub(super) fn record_result(&mut self, now: Instant) -> Result<()> {
        let started = self.start_recorder();
        self.pass_on(started)?;
        let Some(current) = &self.current else { return Ok(()) };
        let frame = &current.seen.frame;
        self.record(format!("frame-{:06}", frame.sequence), frame.arrived.at, now)
    }

    /// Records a result once more when it has become stale: nothing came after it, and a recording has no other
    /// way to say so.
    pub(super) fn record_standstill(&mut self) -> Result<()> {
        let now = Instant::now();
        let live = self.settings.policy == Policy::Latest;
        let Some(current) = self.current.as_mut().filter(|_| live) else { return Ok(()) };
        let frame = &current.seen.frame;
        if current.recorded_stale || !self.settings.limit.stale(frame.arrived.age(now)) {
            return Ok(());
        }
        current.recorded_stale = true;
        let name = format!("frame-{:06}-stale", frame.sequence);
        self.record(name, now, now)
    }

    /// Records what is shown now.
    fn record(&mut self, name: String, at: Instant, now: Instant) -> Result<()> {
        let Some((_, size)) = self.recorder else { return Ok(()) };
        let Some(image) = self.compose(size, now) else { return Ok(()) };
        let added = self.add(Picture { name, at, image }, now);
        self.pass_on(added)
    }

    fn add(&mut self, mut picture: Picture, since: Instant) -> Result<()> {
        let patience = self.settings.deadline.min(LONGEST_WAIT);
        loop {
            let ending = self.is_to_end();
            let Some((recorder, _)) = &mut self.recorder else { return Ok(()) };
            picture = match recorder.add(picture, GLANCE) {
                Put::Done => return Ok(()),
                Put::Closed(_) => return self.recording_ended(),
                Put::Full(_) if ending => {
                    recorder.lose();
                    return Ok(());
                }
                Put::Full(_) if since.elapsed() >= patience => {
                    return self.recorder.take().map_or(Ok(()), |(r, _)| Err(r.give_up(patience)));
                }
                Put::Full(back) => back,
            }
        }
    }

    /// A recorder that ended before it was told to.
    pub(super) fn check_recorder(&mut self) -> Result<()> {
        if !self.recorder.as_mut().is_some_and(|(recorder, _)| recorder.has_failed()) {
            return Ok(());
        }
        let ended = self.recording_ended();
        self.pass_on(ended)
    }

    /// Why a recorder takes nothing more, which it says when it is finished.
    fn recording_ended(&mut self) -> Result<()> {
        let Some((recorder, _)) = self.recorder.take() else { return Ok(()) };
        let line = recorder.finish(Instant::now() + Duration::from_secs(1))?;
        Err(Error::work(format!("{line}: expected it to go on, got an end")))
    }

    /// Passes on why the recording failed, or keeps it until the end of a run that goes on.
    fn pass_on(&mut self, recorded: Result<()>) -> Result<()> {
        match (recorded, self.settings.unrecorded) {
            (Err(error), Unrecorded::GoesOn) => {
                self.shared.board.say(format!("{error}; going on without a recording"));
                self.unrecorded = Some(error);
                Ok(())
            }
            (recorded, _) => recorded,
        }
    }

    /// With the first result, whose size decides that of the pictures.
    fn start_recorder(&mut self) -> Result<()> {
        let Some(current) = &self.current else { return Ok(()) };
        let settings = &mut self.settings;
        let Some(target) = settings.record.take() else { return Ok(()) };
        let size =
            natural_size(settings.painter.titles.len(), current.seen.frame.image.dimensions());
        let fps = match settings.policy {
            Policy::Latest => None,
            Policy::Every => {
                settings.record_fps.or(self.shared.source_fps.get().copied()).or(Some(USUAL_FPS))
            }
        };
        let recorder = Recorder::start(target, size, settings.policy, fps, &self.shared)?;
        self.recorder = Some((recorder, size));
        Ok(())
    }

    /// Saves what is shown, and says where, or why not: that is no reason to end a run.
    pub(super) fn screenshot(&mut self) {
        match self.save_picture() {
            Ok(Some(path)) => self.shared.board.say(format!("screenshot: {}", path.display())),
            Ok(None) => {} // nothing is shown yet
            Err(error) => self.shared.board.say(format!("screenshot: {error}")),
        }
    }

    /// Under a name that is free.
    fn save_picture(&mut self) -> Result<Option<PathBuf>> {
        let size = self.window.as_ref().map_or((1280, 720), Window::size);
        let Some(picture) = self.compose(size, Instant::now()) else { return Ok(None) };
        let sequence = self.current.as_ref().map_or(0, |c| c.seen.frame.sequence);
        make_folder(&self.settings.screenshots)?;
        let name = |n: u32| {
            let again = if n > 1 { format!("-{n}") } else { String::new() };
            self.settings.screenshots.join(format!("live-{sequence:06}{again}.png"))
        };
        let path = (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(1));
        write_png(&path, &picture)?;
        Ok(Some(path))
    }
}
