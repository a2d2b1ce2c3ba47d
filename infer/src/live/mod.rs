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
mod ending;
mod ffmpeg;
mod frame;
mod input;
mod keys;
mod models;
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
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use shared::error::{Context, Error, Result, tell};

use self::board::Board;
use self::capture::{FrameSender, Source};
use self::frame::{Frame, RunState, SegmentedFrame};
use self::keys::{Look, View};
use self::models::Opened;
use self::notify::{Heartbeat, Manager};
pub use self::request::LiveArgs;
use self::request::Request;
use self::show::{Display, Settings, Unrecorded};
use self::sink::{Sink, SinkTarget};
use self::slot::{SharedPolicy, Slot};
use self::view::{Painter, natural_size};
use self::window::Window;
use self::worker::{Worker, WorkerEvent, WorkerPorts};
use crate::session::Model;
use crate::tone;

/// Runs the command; what goes to standard output is given to `print`. Where the sink is there, and after a
/// failure, the report goes to standard error.
///
/// # Errors
/// A wrong request, a source that breaks, a run that fails or passes its deadline, books that do not balance.
pub fn live(args: &LiveArgs, print: impl FnOnce(&str) -> Result<()>) -> Result<()> {
    let mut run = Running::start(args, Instant::now())?;
    let shown = run.display.run(&run.worker.pulse);
    let (report, verdict) = run.wind_down(shown);
    if verdict.is_ok() && args.sink != Some(SinkTarget::Stdout) {
        return print(&report).inspect_err(|_| tell(report.trim_end()));
    }
    tell(report.trim_end());
    verdict
}

/// A run, and all that its end needs; `ending` has that.
struct Running {
    shared: Arc<RunState>,
    frames: Arc<Slot<Frame>>,
    results: Arc<Slot<Arc<SegmentedFrame>>>,
    capture: JoinHandle<Result<()>>,
    worker: Worker,
    display: Display,
    sink: Option<Arc<Sink>>,
    manager: Arc<Manager>,
    deadline: Duration,
}

impl Running {
    /// Checks the request, opens the models, and starts every stage but the display, which is the caller's.
    fn start(args: &LiveArgs, began: Instant) -> Result<Self> {
        let request = Request::check(args)?;
        let Opened { mut models, hashes } = models::open(args)?;
        let tone = tone::common(&models)?;
        let provider = models::providers(&models);
        let painter = painter(args.view, request.titles.clone(), &models)?;
        let shared = RunState::new(Board::new(progress(args.headless)));
        let sink = args.sink.as_ref();
        let sink =
            sink.map(|place| Sink::open(place, hashes, request.limit, &shared)).transpose()?;
        let sink = sink.map(Arc::new);
        let window = if args.headless { None } else { Some(open_window(&request.titles)?) };

        let policy = SharedPolicy::from(request.policy);
        let frames = Arc::new(Slot::new(policy.clone()));
        let results = Arc::new(Slot::new(policy.clone()));
        let sender = FrameSender::new(Arc::clone(&frames), Arc::clone(&shared), args.max_frames);
        let sender = sender.with_tone(&request.source, tone)?;
        let capture = start_capture(request.source, sender)?;
        let manager = Arc::new(service_manager(&shared.board));
        let mut heart = Heartbeat::new(Arc::clone(&manager), provider.clone(), began);
        let (slow_down, readers) = (args.slow_down, sink.clone());
        let worker = Worker::start(
            WorkerPorts {
                frames: Arc::clone(&frames),
                results: Arc::clone(&results),
                policy: policy.clone(),
                shared: Arc::clone(&shared),
            },
            move |image| worker::segment(&mut models, image, slow_down),
            move |event| match event {
                WorkerEvent::Result(seen) => {
                    readers.iter().for_each(|sink| sink.publish(seen));
                    heart.frame();
                }
                WorkerEvent::Idle => heart.idle(),
            },
        )?;

        let settings = Settings {
            painter,
            look: Look::new(args.view, args.opacity as f32),
            policy,
            limit: request.limit,
            deadline: request.deadline,
            record: request.record,
            unrecorded: if sink.is_some() { Unrecorded::GoesOn } else { Unrecorded::Ends },
            record_fps: request.record_fps,
            provider,
            screenshots: args.screenshots.clone(),
            stay: args.max_frames.is_none(),
        };
        let before = Arc::clone(&frames);
        let display = Display::new(
            settings,
            window,
            Arc::clone(&results),
            Box::new(move || before.dropped()),
            Arc::clone(&shared),
        );
        let deadline = request.deadline;
        Ok(Self { shared, frames, results, capture, worker, display, sink, manager, deadline })
    }
}

fn painter(view: View, titles: Vec<String>, models: &[Model]) -> Result<Painter> {
    let cards: Vec<_> = models.iter().map(Model::card).collect();
    let painter = Painter::new(titles, &cards);
    if view == View::Rare && painter.rare.is_empty() {
        return Err(Error::request("--view: rare: expected a card with a rare class, got none")
            .hint(
                "a class is rare whose share of the training pixels, in the card, is under 2 %",
            ));
    }
    Ok(painter)
}

fn start_capture(source: Source, mut sender: FrameSender) -> Result<JoinHandle<Result<()>>> {
    let work = move || {
        let result = source.run(&mut sender);
        sender.shared.failed.fetch_or(result.is_err(), Relaxed);
        drop(sender); // which closes its slot
        result
    };
    let thread = Builder::new().name("capture".into()).spawn(work);
    thread.work(|| "capture: cannot start a thread".into())
}

fn open_window(titles: &[String]) -> Result<Window> {
    // The frame's size is not known yet: a window for frames of two to one, which can be resized.
    let size = natural_size(titles.len(), (512, 256));
    Window::open(&format!("infer live: {}", titles.join(" | ")), size)
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
