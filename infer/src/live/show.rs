//! The last stage: results to the window and the recorder, keys to the view, and the end of the run.
//! Not what a picture looks like (`view`). It runs on the main thread, where windows must be.
//!
//! How old a result is, as it is shown: live, its age grows until the next one replaces it, so that a
//! picture on the screen turns stale by itself; of a file the age is the time that the models took, since
//! nothing has happened meanwhile that it could miss. A pause stops both, and is written over the picture.

mod headline;
mod keep;

pub use keep::Unrecorded;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use shared::error::{Error, Result};

use super::clock::{Limit, Rate};
use super::counts::Tally;
use super::frame::{RunState, SegmentedFrame};
use super::keys::{Effect, Look};
use super::record::{RecordTarget, Recorder};
use super::slot::{Policy, SharedPolicy, Slot, Taken};
use super::stages::{Stage, StageMedians};
use super::view::{Freshness, Painter};
use super::window::Window;
use super::worker::Pulse;
use crate::interrupt;

/// What the display is told at the start.
pub struct Settings {
    /// How to paint.
    pub painter: Painter,
    /// How to begin.
    pub look: Look,
    /// Whether results replace each other.
    pub policy: SharedPolicy,
    /// From which age on they are stale.
    pub limit: Limit,
    /// How long the models may take for a frame.
    pub deadline: Duration,
    /// What to record on.
    pub record: Option<RecordTarget>,
    /// What it means when that fails.
    pub unrecorded: Unrecorded,
    /// Rate of the recording, where frames have one.
    pub record_fps: Option<f64>,
    /// Where models run, for the head-up line.
    pub provider: String,
    /// Folder for screenshots.
    pub screenshots: PathBuf,
    /// Whether a window stays open after the source's end.
    pub stay: bool,
}

/// The display, with a window or without.
pub struct Display {
    settings: Settings,
    shared: Arc<RunState>,
    results: Arc<Slot<Arc<SegmentedFrame>>>,
    frames_dropped: Box<dyn Fn() -> u64>,
    window: Option<Window>,
    recorder: Option<(Recorder, (u32, u32))>,
    /// Why there is no recording any more.
    unrecorded: Option<Error>,
    look: Look,
    stages: StageMedians,
    rate: Rate,
    current: Option<Current>,
    drawn: Option<(Instant, (u32, u32))>,
    ended: bool,
    /// What times in real time count from.
    began: Instant,
}

/// The result that is shown.
struct Current {
    seen: Arc<SegmentedFrame>,
    /// Its age when it came, or, live, when time was stopped.
    age: Duration,
    /// Whether the recording has it as stale.
    recorded_stale: bool,
}

/// How long to wait for a result before looking at the window again: sixty times a second.
const GLANCE: Duration = Duration::from_millis(15);
/// A live picture is drawn anew at least so often, for its age.
const REFRESH: Duration = Duration::from_millis(100);

impl Display {
    /// A display; `window` is opened with the first result, at a size that suits it.
    pub fn new(
        settings: Settings,
        window: Option<Window>,
        results: Arc<Slot<Arc<SegmentedFrame>>>,
        frames_dropped: Box<dyn Fn() -> u64>,
        shared: Arc<RunState>,
    ) -> Self {
        let look = settings.look.clone();
        Self {
            settings,
            shared,
            results,
            frames_dropped,
            window,
            recorder: None,
            unrecorded: None,
            look,
            stages: StageMedians::default(),
            rate: Rate::default(),
            current: None,
            drawn: None,
            ended: false,
            began: Instant::now(),
        }
    }

    /// Shows results until there are no more, the user wants no more, or the models hang.
    ///
    /// # Errors
    /// A run past its deadline, a recording that fails, a display that goes away.
    pub fn run(&mut self, pulse: &Pulse) -> Result<()> {
        loop {
            let now = Instant::now();
            if self.is_to_end() {
                return Ok(());
            }
            self.check_recorder()?;
            self.check_deadline(pulse, now)?;
            let mut step = false;
            for effect in self.keys() {
                match effect {
                    Effect::Quit => return Ok(()),
                    Effect::Step => step = true,
                    Effect::Screenshot => self.screenshot(),
                    Effect::Redraw => {}
                }
                self.drawn = None;
            }
            if self.window.as_ref().is_some_and(|w| !w.is_open()) {
                return Ok(());
            }
            if self.look.paused && !step || self.ended {
                std::thread::sleep(GLANCE);
            } else {
                match self.results.take(GLANCE) {
                    Taken::Item(seen) => self.accept(seen)?,
                    Taken::Nothing => {}
                    Taken::Closed if self.stays() => {
                        self.ended = true;
                    }
                    Taken::Closed => return Ok(()),
                }
            }
            self.record_standstill()?;
            self.draw()?;
        }
    }

    /// Whether someone wants the run to end.
    fn is_to_end(&self) -> bool {
        interrupt::asked() || self.shared.stop.asked()
    }

    /// Whether the last picture of a source that has ended stays on the screen.
    fn stays(&self) -> bool {
        self.window.is_some() && self.settings.stay && !self.shared.failed.load(Relaxed)
    }

    fn check_deadline(&self, pulse: &Pulse, now: Instant) -> Result<()> {
        let deadline = self.settings.deadline;
        match pulse.busy(now) {
            Some((busy, frame)) if busy > deadline => Err(Error::work(format!(
                "models: frame {frame}: expected labels within {} s, got none",
                deadline.as_secs_f64()
            ))
            .hint("a device may hang; --deadline sets how long to wait")),
            _ => Ok(()),
        }
    }

    /// What the keys that were pressed ask for.
    fn keys(&mut self) -> Vec<Effect> {
        let actions = self.window.as_mut().map_or_else(Vec::new, Window::actions);
        let classes = self.settings.painter.classes.len();
        let was = self.look.paused;
        let effects = actions.into_iter().map(|action| self.look.apply(action, classes)).collect();
        if self.look.paused && !was {
            let now = Instant::now();
            let live = self.settings.policy.get() == Policy::Latest;
            if let Some(current) = self.current.as_mut().filter(|_| live) {
                current.age = current.seen.frame.arrived.age(now);
            }
        }
        effects
    }

    /// Takes a result over: counts it, and records it.
    fn accept(&mut self, seen: Arc<SegmentedFrame>) -> Result<()> {
        let now = Instant::now();
        let age = match self.settings.policy.get() {
            Policy::Latest => seen.frame.arrived.age(now),
            Policy::Every => seen.prepare + seen.run + seen.post,
        };
        let tally = &self.shared.tally;
        Tally::count(&tally.shown);
        let stale = self.settings.limit.stale(age);
        if stale && Tally::count(&tally.stale) == 1 {
            self.shared.board.say(format!(
                "a result {} ms old is stale and shown without colours: older than --stale-ms {}",
                age.as_millis(),
                self.settings.limit.0.as_millis()
            ));
        }
        self.rate.count(now);
        for (stage, time) in [
            (Stage::Capture, seen.frame.capture),
            (Stage::Prepare, seen.prepare),
            (Stage::Run, seen.run),
            (Stage::Labels, seen.post),
        ] {
            self.stages.add(stage, time);
        }
        self.current = Some(Current { seen, age, recorded_stale: stale });
        self.drawn = None;
        let words = self.words(now).join(", ");
        self.shared.board.bar().inc(1);
        self.shared.board.bar().set_message(words);
        self.record_result(now)
    }

    /// Draws into the window if there is something new to see.
    fn draw(&mut self) -> Result<()> {
        let Some(window) = &self.window else { return Ok(()) };
        let (now, size) = (Instant::now(), window.size());
        let refresh = |at: Instant| now - at < REFRESH || self.quiet();
        if self.drawn.is_some_and(|(at, drawn)| drawn == size && refresh(at)) {
            return Ok(());
        }
        let Some(picture) = self.compose(size, now) else { return Ok(()) };
        self.drawn = Some((now, size));
        match &mut self.window {
            Some(window) => window.show(&picture),
            None => Ok(()),
        }
    }

    /// Whether what is shown changes by a new result only.
    fn quiet(&self) -> bool {
        self.settings.policy.get() == Policy::Every && !self.ended
    }

    /// The picture of this moment; `None` before the first result.
    fn compose(&mut self, size: (u32, u32), now: Instant) -> Option<image::RgbImage> {
        let head = self.head(now);
        let start = Instant::now();
        let current = self.current.as_ref()?;
        let freshness = self.freshness(current, now);
        let seen = &current.seen;
        let picture = self.settings.painter.compose(seen, freshness, &self.look, &head, size);
        self.stages.add(Stage::Draw, start.elapsed());
        Some(picture)
    }

    /// Its age as it is shown now; see the top of this file.
    fn age(&self, current: &Current, now: Instant) -> Duration {
        let grows = self.settings.policy.get() == Policy::Latest && !self.look.paused;
        if grows { current.seen.frame.arrived.age(now) } else { current.age }
    }

    fn freshness(&self, current: &Current, now: Instant) -> Freshness {
        let age = self.age(current, now);
        if self.settings.limit.stale(age) { Freshness::Stale(age) } else { Freshness::Fresh }
    }

    /// Ends the recording, until then at the latest; gives the medians of the stages, and the line about it.
    ///
    /// # Errors
    /// In the second: a recording that failed.
    pub fn finish(self, until: Instant) -> (String, Result<Option<String>>) {
        let recorded = match (self.unrecorded, self.recorder) {
            (Some(error), _) => Err(error),
            (None, recorder) => recorder.map(|(recorder, _)| recorder.finish(until)).transpose(),
        };
        (self.stages.words().join(", "), recorded)
    }
}

#[cfg(test)]
mod tests;
