//! What of the display is kept: the recording and screenshots.
//! Not how either is written, which is `record`'s and `output`'s.

use std::time::Instant;

use shared::error::Result;

use super::Display;
use crate::live::record::Recorder;
use crate::live::slot::Policy;
use crate::live::view::natural_size;
use crate::live::window::Window;
use crate::output::{make_folder, write_png};

/// Frames per second of a recording where neither the user nor the source says.
const USUAL_FPS: f64 = 25.0;

impl Display {
    /// Records the current result.
    pub(super) fn record(&mut self, sequence: u64, now: Instant) -> Result<()> {
        self.start_recorder()?;
        let Some((_, size)) = self.recorder else { return Ok(()) };
        let Some(picture) = self.compose(size, now) else { return Ok(()) };
        // A recorder that takes nothing more has failed; why, it says when it is finished.
        match self.recorder.take() {
            Some((recorder, _)) if !recorder.add(sequence, picture) => recorder.finish().map(drop),
            recorder => {
                self.recorder = recorder;
                Ok(())
            }
        }
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
        let recorder = Recorder::start(tape, size, settings.policy, fps)?;
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
