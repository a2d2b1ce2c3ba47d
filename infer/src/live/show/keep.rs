//! What of the display is kept: the recording and screenshots.
//! Not how either is written, which is `record`'s and `output`'s.

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

impl Display {
    /// Records the current result.
    pub(super) fn record(&mut self, sequence: u64, now: Instant) -> Result<()> {
        self.start_recorder()?;
        let Some((_, size)) = self.recorder else { return Ok(()) };
        let at = self.current.as_ref().map_or(now, |current| current.seen.frame.arrived.at);
        let Some(image) = self.compose(size, now) else { return Ok(()) };
        let mut picture = Picture { sequence, at, image };
        let patience = self.settings.deadline.min(LONGEST_WAIT);
        while let Some((recorder, _)) = &self.recorder {
            picture = match recorder.add(picture, GLANCE) {
                Put::Done => break,
                Put::Closed(_) => return self.recording_failed(),
                Put::Full(back) => back,
            };
            if self.is_to_end() {
                break;
            }
            if now.elapsed() >= patience {
                return self.recorder.take().map_or(Ok(()), |(r, _)| Err(r.give_up(patience)));
            }
        }
        Ok(())
    }

    /// Why a recorder takes nothing more, which it says when it is finished.
    pub(super) fn recording_failed(&mut self) -> Result<()> {
        let Some((recorder, _)) = self.recorder.take() else { return Ok(()) };
        let line = recorder.finish(Instant::now() + Duration::from_secs(1))?;
        Err(Error::work(format!("{line}: expected it to go on, got an end")))
    }

    /// With the first result, whose size decides that of the pictures.
    fn start_recorder(&mut self) -> Result<()> {
        let Some(current) = &self.current else { return Ok(()) };
        let settings = &mut self.settings;
        let Some(tape) = settings.tape.take() else { return Ok(()) };
        let size =
            natural_size(settings.painter.titles.len(), current.seen.frame.image.dimensions());
        let fps = match settings.policy {
            Policy::Latest => None,
            Policy::Every => {
                settings.record_fps.or(self.shared.source_fps.get().copied()).or(Some(USUAL_FPS))
            }
        };
        let recorder = Recorder::start(tape, size, settings.policy, fps, &self.shared)?;
        self.recorder = Some((recorder, size));
        Ok(())
    }

    /// Saves what is shown under a name that is free.
    pub(super) fn screenshot(&mut self) -> Result<()> {
        let size = self.window.as_ref().map_or((1280, 720), Window::size);
        let Some(picture) = self.compose(size, Instant::now()) else { return Ok(()) };
        let sequence = self.current.as_ref().map_or(0, |c| c.seen.frame.sequence);
        make_folder(&self.settings.screenshots)?;
        let name = |n: u32| {
            let again = if n > 1 { format!("-{n}") } else { String::new() };
            self.settings.screenshots.join(format!("live-{sequence:06}{again}.png"))
        };
        let path = (1..).map(name).find(|path| !path.exists()).unwrap_or_else(|| name(1));
        write_png(&path, &picture)?;
        self.shared.board.say(format!("screenshot: {}", path.display()));
        Ok(())
    }
}
