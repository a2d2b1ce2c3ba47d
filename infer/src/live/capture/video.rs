//! Watching over ffmpeg: stalls, ends, changes of size and garbage are reported within a second (a stall where frames
//! come rarely: 2.5), and what is live is opened again, after a growing pause. Not the reading itself, which is `pipe`'s.
//! A file that ends has ended; a camera or a stream that ends has failed. One that was never there is tried
//! for a while and then fails the run, so that who started it (systemd) starts it again.

use std::time::{Duration, Instant};

use crossbeam_channel::RecvTimeoutError;
use shared::error::{Error, Result};

use super::FrameSender;
use super::pace::Pace;
use super::patience::{Intervals, Patience};
use super::pipe::{Arrival, Pipe};
use super::timeline::Timeline;
use crate::live::clock::Stamp;
use crate::live::counts::Tally;
use crate::live::ffmpeg::Ffmpeg;
use crate::live::input::{Nature, Playing, VideoInput};
use crate::table::counted;

mod verdict;

/// Why frames stopped coming.
#[derive(Debug)]
enum End {
    /// Nobody wants more.
    Enough,
    /// It ended, as files do.
    Ended,
    /// It ended before it should have; in words.
    CutOff(String),
    /// It broke; in words.
    Broken(String),
    /// It is not what the user takes it for.
    Refused(Error),
}

/// Delivers the frames of an input; see [`super::Source::run`].
pub fn run(
    input: &VideoInput,
    ffmpeg: &Ffmpeg,
    playing: Playing,
    patience: Patience,
    sender: &mut FrameSender,
) -> Result<()> {
    let mut watch = Watch::new(input, playing, patience);
    while sender.wanted() {
        let before = sender.delivered();
        let end = match Pipe::open(ffmpeg, input, playing) {
            Ok(mut pipe) => watch.follow(&mut pipe, sender),
            // Too many processes or open files, say, which may pass.
            Err(error) if !watch.is_file() => End::Broken(error.to_string()),
            Err(error) => return Err(error.within(format!("source: {input}"))),
        };
        let frames = sender.delivered();
        let line = match end {
            End::Enough => return Ok(()),
            End::Refused(error) => return Err(error),
            // ffmpeg cannot go back where a server gives a file from its start only.
            End::Ended if watch.is_file() && playing.again && frames > before => {
                Tally::count(&sender.shared.tally.reopened);
                continue;
            }
            End::Ended if watch.is_file() && frames > 0 => {
                let frames = counted(frames, "frame");
                sender.shared.board.say(format!("source: {input}: ended after {frames}"));
                return Ok(());
            }
            End::CutOff(why) if watch.is_file() => return Err(watch.cut_off(&why, frames)),
            End::Ended | End::CutOff(_) => "ended".into(),
            End::Broken(why) => why,
        };
        if let Some(error) = watch.failure(&line, frames) {
            return Err(error);
        }
        let away = watch.lost.get_or_insert_with(Instant::now).elapsed();
        let mut pause = patience.pause_after(away);
        if frames == 0 {
            // A last time when it is over.
            pause = pause.min(patience.open.saturating_sub(watch.began.elapsed()));
        }
        let seconds = pause.as_secs_f64();
        sender.fault(format!("source: {input}: {line}; opening it again in {seconds:.2} s"));
        if sender.shared.stop.sleep(pause) {
            return Ok(());
        }
        Tally::count(&sender.shared.tally.reopened);
    }
    Ok(())
}

struct Watch<'a> {
    input: &'a VideoInput,
    playing: Playing,
    patience: Patience,
    /// What the input is, once that is known.
    nature: Option<Nature>,
    usual: Intervals,
    times: Timeline,
    pace: Pace,
    size: Option<(u32, u32)>,
    began: Instant,
    /// Since when frames are missing.
    lost: Option<Instant>,
}

/// How often the wish to end is looked at while waiting.
const GLANCE: Duration = Duration::from_millis(50);

/// A complaint is the reason of an end if frames had ceased for no longer than this.
const RECENT: Duration = Duration::from_secs(2);

impl<'a> Watch<'a> {
    fn new(input: &'a VideoInput, playing: Playing, patience: Patience) -> Self {
        let pace = match playing.fps {
            None if playing.realtime => Pace::own(),
            fps => Pace::new(fps),
        };
        Self {
            input,
            playing,
            patience,
            nature: input.nature(),
            usual: Intervals::default(),
            times: Timeline::default(),
            pace,
            size: None,
            began: Instant::now(),
            lost: None,
        }
    }

    fn is_file(&self) -> bool {
        self.nature == Some(Nature::File)
    }

    /// Takes over what ffmpeg says of a URL, when it says something for the first time: what has a length is a file.
    fn learn(&mut self, pipe: &Pipe, sender: &FrameSender) -> Result<()> {
        let (None, Some(length)) = (self.nature, pipe.length()) else { return Ok(()) };
        if length.is_none() {
            self.nature = Some(Nature::Live);
            let refused = self.playing.check_live("a stream");
            return refused.map_err(|e| e.within(format!("source: {}", self.input)));
        }
        self.nature = Some(Nature::File);
        sender.set_policy(self.playing.policy());
        Ok(())
    }

    /// Delivers frames until they end.
    fn follow(&mut self, pipe: &mut Pipe, sender: &mut FrameSender) -> End {
        let (mut last, mut first) = (Instant::now(), true);
        let (mut reported, mut patience) = (false, self.patience());
        let mut before = None;
        // What it complained about last, which may be why it ends.
        let mut told = None;
        loop {
            match pipe.frames.recv_timeout(GLANCE) {
                Ok(Ok(arrival)) => {
                    if let Err(error) = self.learn(pipe, sender) {
                        return End::Refused(error);
                    }
                    self.notice(&arrival, sender);
                    if first && !self.is_file() {
                        // Who joins a stream in the middle misses what came before: no fault, unless it ends.
                        told = self.problem(pipe);
                    }
                    if let Some(fps) = pipe.fps()
                        && sender.shared.source_fps.set(fps).is_ok()
                    {
                        // All that is known of it so far; eight frames on, it is forgotten.
                        self.usual.note(Duration::from_secs_f64(1.0 / fps));
                    }
                    if let Some(before) = before.replace(arrival.arrived.at) {
                        self.usual.note(arrival.arrived.at.saturating_duration_since(before));
                    }
                    patience = self.patience();
                    let time = self.times.place(arrival.seconds, pipe.fps());
                    if self.pace.wait(time, &sender.shared.stop) {
                        return End::Enough;
                    }
                    // ffmpeg is ahead of a file's pace: its frames arrive when their turn has come.
                    let arrived = if self.is_file() { Stamp::now() } else { arrival.arrived };
                    if !sender.deliver(arrival.image, arrived, arrival.capture, Some(time)) {
                        return End::Enough;
                    }
                    (last, first, reported) = (Instant::now(), false, false);
                }
                Ok(Err(garbage)) => return End::Broken(garbage),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let learned = self.learn(pipe, sender);
                    return learned.map_or_else(End::Refused, |()| self.end_of(pipe, told, last));
                }
            }
            if !sender.wanted() {
                return End::Enough;
            }
            // What it complains about while frames go on; the reason of an end is told with the end.
            if !first && let Some(problem) = self.problem(pipe) {
                sender.fault(format!("source: {}: ffmpeg: {problem}", self.input));
                told = Some(problem);
            }
            let waited = last.elapsed();
            if waited > patience.report && !reported {
                reported = true;
                self.report_silence(first, last, sender);
            }
            let too_long = match (first, sender.delivered()) {
                // The last of several attempts has a moment, too.
                (true, 0) => self.began.elapsed() > patience.open && waited > patience.report,
                (true, _) => waited > patience.open,
                (false, _) => waited > patience.stall,
            };
            if too_long {
                let reason = self.problem(pipe).map_or(String::new(), |p| format!(" ({p})"));
                return End::Broken(format!("no frame for {:.1} s{reason}", waited.as_secs_f64()));
            }
        }
    }

    /// Says that nothing comes. Before the first frame that is no fault: a stream begins with its next keyframe.
    fn report_silence(&mut self, first: bool, last: Instant, sender: &FrameSender) {
        let (input, seconds) = (self.input, last.elapsed().as_secs_f64());
        if first {
            sender.shared.board.say(format!("source: {input}: no frame yet after {seconds:.1} s"));
        } else {
            self.lost.get_or_insert(last);
            sender.fault(format!("source: {input}: no frame for {seconds:.1} s"));
        }
    }

    /// What became of an ffmpeg whose frames have ended; `told` is what it complained about before.
    fn end_of(&self, pipe: &mut Pipe, told: Option<String>, last: Instant) -> End {
        let well = pipe.ended_well();
        if let Some(why) = pipe.cut_off() {
            return End::CutOff(self.input.without_url(why));
        }
        match self.problem(pipe).or(told.filter(|_| last.elapsed() < RECENT)) {
            _ if well => End::Ended,
            Some(problem) => End::Broken(problem),
            None => End::Broken("ffmpeg ended with an error".into()),
        }
    }

    /// What may be waited with what is known of the source. A file may be as slow as it says: it stands still
    /// only where its disk does.
    fn patience(&self) -> Patience {
        let usual = self.patience.with(self.usual.longest());
        if self.is_file() { usual } else { usual.capped() }
    }

    /// What ffmpeg complained about last.
    fn problem(&self, pipe: &Pipe) -> Option<String> {
        let problem = self.input.without_url(&pipe.problems().pop()?);
        Some(problem.chars().take(200).collect()) // cut only now: half a URL would not be recognized
    }

    /// Reports that frames are back, or of another size.
    fn notice(&mut self, arrival: &Arrival, sender: &FrameSender) {
        if let Some(lost) = self.lost.take() {
            let seconds = lost.elapsed().as_secs_f64();
            sender
                .shared
                .board
                .say(format!("source: {}: frames again after {seconds:.2} s", self.input));
        }
        let (width, height) = arrival.image.dimensions();
        if let Some((w, h)) = self.size.replace((width, height))
            && (w, h) != (width, height)
        {
            sender.fault(format!(
                "source: {}: changed size from {w}x{h} to {width}x{height}",
                self.input
            ));
        }
    }
}
