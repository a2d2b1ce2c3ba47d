//! Recording and screenshots of what the display shows.
//! Not how either is written, which is `record`'s and `output`'s.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use shared::error::{Error, Result};
use shared::output_path::make_folder;

use super::{Display, GLANCE};
use crate::live::frame::Frame;
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
        self.record(format!("frame-{:06}", frame.sequence), now)
    }

    /// Records a result once more when it has become stale: nothing came after it, and a recording has no other
    /// way to say so. A pause stops its age.
    pub(super) fn record_standstill(&mut self) -> Result<()> {
        let now = Instant::now();
        let live = self.settings.policy.get() == Policy::Latest;
        let ages = live && !self.look.paused;
        let Some(current) = self.current.as_mut().filter(|_| ages) else { return Ok(()) };
        let frame = &current.seen.frame;
        if current.recorded_stale || !self.settings.limit.stale(frame.arrived.age(now)) {
            return Ok(());
        }
        current.recorded_stale = true;
        let name = format!("frame-{:06}-stale", frame.sequence);
        self.recorder.iter_mut().for_each(|(recorder, _)| recorder.repeat());
        self.record(name, now)
    }

    /// Records what is shown now.
    fn record(&mut self, name: String, now: Instant) -> Result<()> {
        let Some((_, size)) = self.recorder else { return Ok(()) };
        let Some(image) = self.compose(size, now) else { return Ok(()) };
        let added = self.add(Picture { name, at: self.time_of_current(now), image });
        self.pass_on(added)
    }

    /// What time a recording gives the current result. Live that of its showing, not of its frame's arrival:
    /// before that a standstill may have been shown. Of files at the rate that was asked for, else their own.
    fn time_of_current(&self, now: Instant) -> Duration {
        let (Some(current), Policy::Every) = (&self.current, self.settings.policy.get()) else {
            return now.saturating_duration_since(self.began);
        };
        let Frame { sequence, time, .. } = current.seen.frame;
        let at = |fps: f64| Duration::from_secs_f64(sequence as f64 / fps);
        self.settings.record_fps.map(at).or(time).unwrap_or_else(|| at(USUAL_FPS))
    }

    fn add(&mut self, mut picture: Picture) -> Result<()> {
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
                Put::Full(back) => back,
            };
            self.give_up_hanging()?;
        }
    }

    /// A recorder that ended before it was told to, or that hangs.
    pub(super) fn check_recorder(&mut self) -> Result<()> {
        let failed = self.recorder.as_mut().is_some_and(|(recorder, _)| recorder.has_failed());
        let checked = if failed { self.recording_ended() } else { self.give_up_hanging() };
        self.pass_on(checked)
    }

    /// Ends a recorder that has left a picture waiting for too long. In real time nobody waits with it: there
    /// the picture is replaced by the next.
    fn give_up_hanging(&mut self) -> Result<()> {
        let patience = self.settings.deadline.min(LONGEST_WAIT);
        match self.recorder.take_if(|(recorder, _)| recorder.hangs_for() >= patience) {
            Some((recorder, _)) => Err(recorder.give_up(patience)),
            None => Ok(()),
        }
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
        let of_source = || self.shared.source_fps.get().copied();
        let fps = settings.record_fps.or_else(of_source).unwrap_or(USUAL_FPS);
        let recorder = Recorder::start(target, settings.policy.get(), fps, &self.shared)?;
        self.recorder = Some((recorder, size));
        Ok(())
    }

    /// Saves what is shown, and says where, or why not: that is no reason to end a run.
    pub(super) fn screenshot(&mut self) {
        match self.save_picture() {
            Ok(Some(path)) => self.shared.board.say(format!("screenshot: {}", path.display())),
            Ok(None) => {} // nothing is shown yet
            Err(error) => {
                let hint = error.hint_text().map_or(String::new(), |hint| format!("; {hint}"));
                self.shared.board.say(format!("screenshot: {error}{hint}"));
            }
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
