//! Watching over ffmpeg: stalls, ends, changes of size and garbage are reported within a second, and what is
//! live is opened again, after a growing pause. Not the reading itself, which is `pipe`'s.
//! A file that ends has ended; a camera or a stream that ends has failed.

use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use shared::error::{Error, Result};

use super::Feed;
use super::pace::Pace;
use super::pipe::{Arrival, Pipe};
use crate::live::counts::Tally;
use crate::live::ffmpeg::{Ffmpeg, Input};

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Without a frame for so long, it is reported.
    pub report: Duration,
    /// Without a frame for so long after the first, the source is given up, and opened again if it is live.
    pub stall: Duration,
    /// As `stall`, for the first frame after opening.
    pub open: Duration,
    /// The pause before opening again; it doubles up to `longest` and starts over when frames come.
    pub pause: Duration,
    /// The longest pause.
    pub longest: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            report: Duration::from_millis(800),
            stall: Duration::from_secs(3),
            open: Duration::from_secs(10),
            pause: Duration::from_millis(250),
            longest: Duration::from_secs(5),
        }
    }
}

impl Patience {
    /// The same with a source of so many frames a second: a slow one may miss two frames before that is reported.
    pub(super) fn with(self, fps: f64) -> Self {
        let frames = |n: f64| Duration::try_from_secs_f64(n / fps).unwrap_or_default();
        Self { report: self.report.max(frames(2.5)), stall: self.stall.max(frames(5.0)), ..self }
    }
}

/// Why frames stopped coming.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Nobody wants more.
    Enough,
    /// It ended, as files do.
    Ended,
    /// It broke; in words.
    Broken(String),
}

/// Delivers the frames of an input; see [`super::Source::run`].
pub fn run(
    input: &Input,
    ffmpeg: &Ffmpeg,
    fps: Option<f64>,
    patience: Patience,
    feed: &mut Feed,
) -> Result<()> {
    let mut watch = Watch { input, patience, pace: Pace::new(fps), size: None, lost: None };
    let mut pause = patience.pause;
    while feed.wanted() {
        let before = feed.delivered();
        let end = watch.follow(&mut Pipe::open(ffmpeg, input)?, feed);
        let line = match end {
            End::Enough => return Ok(()),
            End::Ended if !input.is_live() && feed.delivered() > 0 => {
                let frames = feed.delivered();
                feed.shared.board.say(format!("source: {input}: ended after {frames} frames"));
                return Ok(());
            }
            End::Ended => "ended".into(),
            End::Broken(why) => why,
        };
        if feed.delivered() == 0 {
            return Err(Error::request(format!(
                "source: {input}: expected video, got no frame: {line}"
            ))
            .hint(input.hint()));
        }
        if !input.is_live() {
            let frames = feed.delivered();
            return Err(Error::work(format!("source: {input}: after {frames} frames: {line}")));
        }
        if feed.delivered() > before {
            pause = patience.pause;
        }
        watch.lost.get_or_insert_with(Instant::now);
        let seconds = pause.as_secs_f64();
        feed.fault(format!("source: {input}: {line}; opening it again in {seconds:.2} s"));
        if feed.shared.stop.sleep(pause) {
            return Ok(());
        }
        pause = (pause * 2).min(patience.longest);
        Tally::count(&feed.shared.tally.reopened);
    }
    Ok(())
}

struct Watch<'a> {
    input: &'a Input,
    patience: Patience,
    pace: Pace,
    size: Option<(u32, u32)>,
    /// Since when frames are missing.
    lost: Option<Instant>,
}

/// How often the wish to end is looked at while waiting.
const GLANCE: Duration = Duration::from_millis(50);

/// A complaint is the reason of an end if frames had ceased for no longer than this.
const RECENT: Duration = Duration::from_secs(2);

impl Watch<'_> {
    /// Delivers frames until they end.
    fn follow(&mut self, pipe: &mut Pipe, feed: &mut Feed) -> End {
        let (mut last, mut first) = (Instant::now(), true);
        let (mut reported, mut patience) = (false, self.patience);
        // What it complained about last, which may be why it ends.
        let mut told = None;
        loop {
            match pipe.frames.recv_timeout(GLANCE) {
                Ok(Ok(arrival)) => {
                    self.notice(&arrival, feed);
                    if let Some(fps) = pipe.fps() {
                        patience = self.patience.with(fps);
                        let _ = feed.shared.source_fps.set(fps); // the first is kept
                    }
                    if self.pace.wait(&feed.shared.stop)
                        || !feed.deliver(arrival.image, arrival.arrived, arrival.capture)
                    {
                        return End::Enough;
                    }
                    (last, first, reported) = (Instant::now(), false, false);
                }
                Ok(Err(garbage)) => return End::Broken(garbage),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let well = pipe.ended_well();
                    let reason = self.problem(pipe).or(told.filter(|_| last.elapsed() < RECENT));
                    return match reason {
                        _ if well => End::Ended,
                        Some(problem) => End::Broken(problem),
                        None => End::Broken("ffmpeg ended with an error".into()),
                    };
                }
            }
            if !feed.wanted() {
                return End::Enough;
            }
            // What it complains about while frames go on; the reason of an end is told with the end.
            if !first && let Some(problem) = self.problem(pipe) {
                feed.fault(format!("source: {}: ffmpeg: {problem}", self.input));
                told = Some(problem);
            }
            let waited = last.elapsed();
            if waited > patience.report && !reported {
                reported = true;
                self.lost.get_or_insert(last);
                feed.fault(format!(
                    "source: {}: no frame for {:.1} s",
                    self.input,
                    waited.as_secs_f64()
                ));
            }
            let limit = if first { patience.open } else { patience.stall };
            if waited > limit {
                let reason = self.problem(pipe).map_or(String::new(), |p| format!(" ({p})"));
                return End::Broken(format!("no frame for {:.1} s{reason}", waited.as_secs_f64()));
            }
        }
    }

    /// What ffmpeg complained about last.
    fn problem(&self, pipe: &Pipe) -> Option<String> {
        let problem = self.input.without_url(&pipe.problems().pop()?);
        Some(problem.chars().take(200).collect()) // cut only now: half a URL would not be recognized
    }

    /// Reports that frames are back, or of another size.
    fn notice(&mut self, arrival: &Arrival, feed: &Feed) {
        if let Some(lost) = self.lost.take() {
            let seconds = lost.elapsed().as_secs_f64();
            feed.shared
                .board
                .say(format!("source: {}: frames again after {seconds:.2} s", self.input));
        }
        let (width, height) = arrival.image.dimensions();
        if let Some((w, h)) = self.size.replace((width, height))
            && (w, h) != (width, height)
        {
            feed.fault(format!(
                "source: {}: changed size from {w}x{h} to {width}x{height}",
                self.input
            ));
        }
    }
}
