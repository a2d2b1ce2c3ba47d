//! `infer live`: models on a camera, a stream, a video, images or a generated drive, as it happens.
//! Not a score (`eval`) and not a benchmark (`bench`).
//!
//! ```text
//! capture -> slot of one -> worker -> slot of one -> display -> window, recorder
//!                              \-> sink: a slot of one and a thread per reader
//! ```
//!
//! In the slots the latest wins, for cameras, streams and `--realtime`; of files every frame is waited for.
//! captured = shown + dropped + in flight holds at the end, or the command fails (`counts`).

mod board;
mod capture;
mod clock;
pub mod config;
mod counts;
mod ffmpeg;
mod frame;
mod input;
mod keys;
mod named;
mod notify;
mod record;
mod request;
mod show;
pub mod sink;
mod slot;
mod stages;
mod stop;
mod view;
mod window;
mod worker;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};
use shared::error::{Error, Result, tell};

use self::board::Board;
use self::capture::Feed;
use self::counts::{Counts, Tally};
use self::frame::Shared;
use self::keys::Look;
use self::notify::{Heartbeat, Manager};
pub use self::request::LiveArgs;
use self::request::Request;
use self::show::{Display, Settings};
use self::sink::{Place, Sink};
use self::slot::Slot;
use self::stop::{SOON, wait_until};
use self::view::{Painter, natural_size};
use self::window::Window;
use self::worker::{News, Post, Worker};
use crate::interrupt;
use crate::model_file::ModelFile;
use crate::session::Model;

/// How long the last frame, a source that hangs, and the whole end with its recording may take: together
/// less than a service manager waits before it kills (`TimeoutStopSec`).
const FRAME: Duration = Duration::from_secs(20);
const SOURCE: Duration = Duration::from_secs(2);
const ENDING: Duration = Duration::from_secs(30);

/// Runs the command; what goes to standard output is given to `print`, unless the sink is there.
///
/// # Errors
/// A wrong request, a source that breaks, a run that fails or passes its deadline, books that do not balance.
pub fn live(args: &LiveArgs, print: impl FnOnce(&str)) -> Result<()> {
    let began = Instant::now();
    let request = Request::check(args)?;
    let Opened { mut models, hashes } = open(args)?;
    let shared = Shared::new(Board::new(progress(args.headless)));
    let sink = args.sink.as_ref();
    let sink = sink.map(|place| Sink::open(place, hashes, request.limit, &shared)).transpose()?;
    let sink = sink.map(Arc::new);

    let cards: Vec<_> = models.iter().map(Model::card).collect();
    let painter = Painter::new(request.titles.clone(), &cards);
    let provider = models.first().map_or_else(String::new, |m| m.provider().to_string());
    let window = if args.headless { None } else { Some(open_window(&request)?) };

    let (frames, results) =
        (Arc::new(Slot::new(request.policy)), Arc::new(Slot::new(request.policy)));
    let mut feed = Feed::new(Arc::clone(&frames), Arc::clone(&shared), args.max_frames);
    let source = request.source;
    let capture = std::thread::spawn(move || {
        let result = source.run(&mut feed);
        feed.shared.failed.fetch_or(result.is_err(), Relaxed);
        drop(feed); // which closes its slot
        result
    });
    let (slow_down, readers) = (args.slow_down, sink.clone());
    let manager = Arc::new(service_manager(&shared.board));
    let mut heart = Heartbeat::new(Arc::clone(&manager), provider.clone(), began);
    let worker = Worker::start(
        Post {
            frames: Arc::clone(&frames),
            results: Arc::clone(&results),
            policy: request.policy,
            shared: Arc::clone(&shared),
        },
        move |image| worker::segment(&mut models, image, slow_down),
        move |news| match news {
            News::Result(seen) => {
                readers.iter().for_each(|sink| sink.publish(seen));
                heart.frame();
            }
            News::Idle => heart.idle(),
        },
    )?;

    let settings = Settings {
        painter,
        look: Look::new(args.view, args.opacity as f32),
        policy: request.policy,
        limit: request.limit,
        deadline: request.deadline,
        tape: request.tape,
        record_fps: request.record_fps,
        provider,
        screenshots: args.screenshots.clone(),
        stay: args.max_frames.is_none(),
    };
    let before = Arc::clone(&frames);
    let mut display = Display::new(
        settings,
        window,
        Arc::clone(&results),
        Box::new(move || before.dropped()),
        Arc::clone(&shared),
    );
    let shown = display.run(&worker.pulse);

    // The end, from the source on: nothing new comes, the worker ends its frame, unless it hangs.
    manager.stopping();
    shared.stop.ask();
    frames.close();
    results.close();
    let until = Instant::now() + ENDING;
    if shown.is_ok()
        && !worker.ends_within(SOON)
        && let Some((_, frame)) = worker.pulse.busy(Instant::now())
    {
        let once_more = interrupt::once_more();
        shared.board.say(format!("waiting for the labels of frame {frame}{once_more}"));
    }
    let patience = if shown.is_err() { SOON } else { request.deadline.min(FRAME) };
    let worked = worker.join(patience).unwrap_or_else(|| {
        Tally::count(&shared.tally.left); // the frame it hangs on
        Ok(())
    });
    let captured = if wait_until(Instant::now() + SOURCE, || capture.is_finished()) {
        capture.join().unwrap_or_else(|_| Err(Error::work("capture: a panic, see above")))
    } else {
        shared.board.say("source: it hangs, and is left behind");
        Ok(())
    };
    let (medians, recorded) = display.finish(until);
    shared.board.bar().finish_and_clear();

    let tally = &shared.tally;
    let counts = Counts {
        captured: tally.captured.load(Relaxed),
        shown: tally.shown.load(Relaxed),
        dropped_before: frames.dropped(),
        dropped_after: results.dropped(),
        in_flight: tally.left.load(Relaxed) + frames.held() + results.held(),
    };
    let mut report = vec![counts.to_string(), about(tally)];
    report.extend((!medians.is_empty()).then(|| format!("median ms: {medians}")));
    let (sent, delivered) = sink.map(|sink| sink.finish()).unzip();
    report.extend(sent);
    report.extend(recorded.as_ref().ok().cloned().flatten());
    let report = report.join("\n") + "\n";
    let verdict = shown.and(worked).and(captured).and(recorded.map(drop));
    let verdict = verdict.and(delivered.unwrap_or(Ok(())));
    let verdict = verdict.and_then(|()| nothing_lost(counts, tally));
    if args.sink == Some(Place::Stdout) || verdict.is_err() {
        tell(report.trim_end());
    } else {
        print(&report);
    }
    verdict
}

/// Books that do not balance, or images that could not be read, make the command fail.
fn nothing_lost(counts: Counts, tally: &Tally) -> Result<()> {
    if !counts.balanced() {
        return Err(Error::work(format!("books: {counts}")).hint("please report it as a bug"));
    }
    match tally.unreadable.load(Relaxed) {
        0 => Ok(()),
        n => Err(Error::work(format!(
            "source: expected images that can be read, got {n} unreadable"
        ))
        .hint("the lines above name them")),
    }
}

fn about(tally: &Tally) -> String {
    let [stale, faults, reopened, unreadable] =
        [&tally.stale, &tally.faults, &tally.reopened, &tally.unreadable].map(|n| n.load(Relaxed));
    let unreadable =
        if unreadable > 0 { format!(", unreadable {unreadable}") } else { String::new() };
    format!("of the shown stale {stale}; source: faults {faults}, reopened {reopened}{unreadable}")
}

/// Models, opened, with the SHA-256 of their files.
struct Opened {
    models: Vec<Model>,
    hashes: Vec<[u8; 32]>,
}

fn open(args: &LiveArgs) -> Result<Opened> {
    let options = args.run.options(&args.models)?;
    let mut opened = Opened { models: Vec::new(), hashes: Vec::new() };
    for path in &args.models {
        let file = ModelFile::read(path)?;
        let model = Model::load(&file, options.clone())?;
        tell(model.provider_line());
        if let Some(first) = opened.models.first() {
            same_classes(first, &model)?;
        }
        opened.hashes.push(Sha256::digest(&file.bytes).into());
        opened.models.push(model);
    }
    Ok(opened)
}

/// One legend, and one meaning of a label, for all panels.
fn same_classes(first: &Model, other: &Model) -> Result<()> {
    let names = |model: &Model| -> Vec<String> {
        model.card().classes.iter().map(|class| class.name.clone()).collect()
    };
    let (expected, got) = (names(first), names(other));
    if expected == got {
        return Ok(());
    }
    let differ = expected.iter().zip(&got).position(|(a, b)| a != b);
    let at = differ.unwrap_or(expected.len().min(got.len()));
    let name = |names: &[String]| names.get(at).cloned().unwrap_or_else(|| "none".into());
    Err(Error::request(format!(
        "models: {}: class {at}: expected {} as in {}, got {}",
        other.path().display(),
        name(&expected),
        first.path().display(),
        name(&got)
    ))
    .hint("models shown side by side must have the same classes"))
}

fn open_window(request: &Request) -> Result<Window> {
    // The frame's size is not known yet: a window for frames of two to one, which can be resized.
    let size = natural_size(request.titles.len(), (512, 256));
    Window::open(&format!("infer live: {}", request.titles.join(" | ")), size)
}

/// Who started this as a service; one that cannot be told anything is reported, and told nothing.
fn service_manager(board: &Board) -> Manager {
    Manager::of_this_process().unwrap_or_else(|e| {
        board.say(format!("NOTIFY_SOCKET: cannot be used, the service manager hears nothing: {e}"));
        Manager::default()
    })
}

/// A line that moves, where there is no window and standard error is a terminal.
fn progress(headless: bool) -> ProgressBar {
    if !headless {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos} shown: {msg}") {
        bar.set_style(style);
    }
    bar
}
