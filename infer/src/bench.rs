//! `infer bench`: how fast models are here, stage by stage, several in one table.
//! Not a score and not a gate. Frames are decoded before the clock starts; one goes through at a time.
//! Stages: prepare (resize), run (ONNX Runtime), labels at the frame's size (`post` in the JSON), draw (colours).

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use image::RgbImage;
use serde::Serialize;
use shared::decode;
use shared::error::{Error, Result, tell};
use shared::preprocess;
use shared::render::Palette;
use shared::streets::{StreetSettings, drive_frame};

use crate::args::{Run, parse_size};
use crate::compare::titles;
use crate::interrupt;
use crate::output::{check_json, write_json};
use crate::score::progress;
use crate::session::{Model, Options};
use crate::source::sources;
use crate::table::counted;
use crate::timing::{Distribution, FrameTimes, P99_FRAMES, forget_peak_memory, peak_memory};

/// What the user typed after `infer bench`.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Exported models
    #[arg(long, visible_alias = "model", required = true, num_args = 1.., value_name = "FILE.onnx")]
    models: Vec<PathBuf>,
    /// Images, and folders with images [default: one generated street scene]
    #[arg(long, num_args = 1.., value_name = "INPUT", conflicts_with = "frame_size")]
    images: Vec<PathBuf>,
    /// Size of the generated scene
    #[arg(long, value_name = "WxH", default_value = "1024x512", value_parser = parse_size)]
    frame_size: (u32, u32),
    /// Frames to time
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    frames: u32,
    /// Frames before the clock starts
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    warm_up: u32,
    /// Only open the models and run one frame: builds TensorRT's engines ahead
    #[arg(long, conflicts_with_all = ["frames", "json"])]
    build_only: bool,
    /// Write the numbers as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    run: Run,
}

/// What `infer bench --json` writes; times in milliseconds.
#[derive(Debug, Serialize)]
struct BenchFile {
    cpu_threads: Option<u16>,
    frame: [u32; 2],
    models: Vec<Row>,
}

/// One model.
#[derive(Debug, Serialize)]
struct Row {
    file: PathBuf,
    name: String,
    precision: String,
    provider: String,
    input: [u32; 2],
    file_bytes: u64,
    open_ms: f64,
    first_frame_ms: f64,
    prepare: Distribution,
    run: Distribution,
    post: Distribution,
    draw: Distribution,
    total: Distribution,
    frames_per_second: f64,
    /// From the model's opening on; `None` where the system does not say.
    peak_memory_bytes: Option<u64>,
}

/// At most this many decoded frames are held.
const FRAMES_HELD: usize = 16;

/// Runs the command; the table goes to `print`.
///
/// # Errors
/// A wrong request, a model that cannot be run, a file that cannot be written, Ctrl-C.
pub fn bench(args: &BenchArgs, print: impl Fn(&str) -> Result<()>) -> Result<()> {
    check_json(args.json.as_deref())?;
    let frames = frames(args)?;
    let options = args.run.options(&args.models)?;
    let mut rows = Vec::new();
    let mut built = String::new();
    for path in &args.models {
        let opened = Opened::open(path, options.clone(), &frames[0])?;
        if args.build_only {
            let _ = writeln!(
                built,
                "{}: opened in {:.0} ms, first frame {:.0} ms",
                path.display(),
                opened.open_ms,
                opened.first_frame_ms
            );
        } else {
            rows.push(opened.row(args, &frames)?);
        }
    }
    if args.build_only {
        return print(&built);
    }
    let (w, h) = frames[0].dimensions();
    let file = BenchFile { cpu_threads: args.run.threads, frame: [w, h], models: rows };
    // Both in any case: neither is lost to a failure of the other.
    print(&table(&file)).and(args.json.as_deref().map_or(Ok(()), |path| write_json(path, &file)))
}

/// Frames to take in turn, decoded.
fn frames(args: &BenchArgs) -> Result<Vec<RgbImage>> {
    if args.images.is_empty() {
        let (width, height) = args.frame_size;
        let settings = StreetSettings { width, height, ..StreetSettings::default() };
        // Scenes have sizes of their own at the small end.
        return Ok(vec![preprocess::resize_image(
            &drive_frame(&settings, 0.0).image,
            width,
            height,
        )]);
    }
    let found = sources(&args.images)?;
    if found.len() > FRAMES_HELD {
        tell(format_args!(
            "bench: the first {FRAMES_HELD} of {} images are taken in turn",
            found.len()
        ));
    }
    let mut frames: Vec<RgbImage> = Vec::new();
    for source in found.iter().take(FRAMES_HELD) {
        let frame = decode::rgb(&source.path)?;
        let (w, h) = frames.first().unwrap_or(&frame).dimensions();
        if frame.dimensions() != (w, h) {
            return Err(Error::request(format!(
                "--images: {}: expected {w} x {h} as the first image, got {} x {}",
                source.path.display(),
                frame.width(),
                frame.height()
            ))
            .hint("times belong to one size: name images of one size only"));
        }
        frames.push(frame);
    }
    Ok(frames)
}

/// A model after its first frame.
struct Opened {
    model: Model,
    palette: Palette,
    /// Whether the peak of memory is counted from its opening on.
    own_peak: bool,
    open_ms: f64,
    first_frame_ms: f64,
}

impl Opened {
    fn open(path: &Path, options: Options, frame: &RgbImage) -> Result<Self> {
        let own_peak = forget_peak_memory();
        let start = Instant::now();
        let mut model = Model::open(path, options)?;
        let open_ms = ms_since(start);
        tell(model.provider_line());
        let palette = Palette::new(&model.card().classes);
        let start = Instant::now();
        FrameTimes::measure(&mut model, frame, &palette)?;
        Ok(Self { model, palette, own_peak, open_ms, first_frame_ms: ms_since(start) })
    }

    /// Times it.
    fn row(mut self, args: &BenchArgs, frames: &[RgbImage]) -> Result<Row> {
        let (times, seconds) = self.measure(args, frames)?;
        let of = |stage: fn(&FrameTimes) -> Duration| {
            Distribution::of(times.iter().map(stage))
                .ok_or_else(|| Error::work("bench: expected frames, got none"))
        };
        let Self { model, own_peak, open_ms, first_frame_ms, .. } = self;
        let (w, h) = model.input_size(frames[0].dimensions());
        let card = model.card();
        Ok(Row {
            file: model.path().to_owned(),
            name: card.name.clone(),
            precision: card.precision.clone(),
            provider: model.provider().to_string(),
            input: [w, h],
            file_bytes: std::fs::metadata(model.path()).map_or(0, |m| m.len()),
            open_ms,
            first_frame_ms,
            prepare: of(|t| t.prepare)?,
            run: of(|t| t.run)?,
            post: of(|t| t.post)?,
            draw: of(|t| t.draw)?,
            total: of(FrameTimes::total)?,
            frames_per_second: times.len() as f64 / seconds,
            peak_memory_bytes: peak_memory().filter(|_| own_peak || args.models.len() == 1),
        })
    }

    /// The stages of each frame, and the seconds that all took.
    fn measure(&mut self, args: &BenchArgs, frames: &[RgbImage]) -> Result<(Vec<FrameTimes>, f64)> {
        let mut measure_one = |i: usize| {
            FrameTimes::measure(&mut self.model, &frames[i % frames.len()], &self.palette)
        };
        for i in 0..args.warm_up as usize {
            interrupt::check(i, args.warm_up as usize)?;
            measure_one(i)?;
        }
        let count = args.frames as usize;
        let bar = progress(count);
        let mut times = Vec::with_capacity(count);
        let start = Instant::now();
        for i in 0..count {
            interrupt::check(i, count)?;
            times.push(measure_one(i)?);
            bar.inc(1);
        }
        let seconds = start.elapsed().as_secs_f64();
        bar.finish_and_clear();
        Ok((times, seconds))
    }
}

fn table(file: &BenchFile) -> String {
    let mut text = String::new();
    let [w, h] = file.frame;
    let cards: Vec<&str> = file.models.iter().map(|row| row.name.as_str()).collect();
    let files: Vec<PathBuf> = file.models.iter().map(|row| row.file.clone()).collect();
    for (row, title) in file.models.iter().zip(titles(&cards, &files)) {
        let [iw, ih] = row.input;
        let memory = row
            .peak_memory_bytes
            .map_or("unknown".into(), |b| format!("{:.0} MiB", b as f64 / f64::from(1 << 20)));
        let _ = writeln!(
            text,
            "{title} ({}, {}): frame {w} x {h}, input {iw} x {ih}, {:.1} frames/s, peak memory {memory}, opened in {:.0} ms, first frame {:.0} ms",
            row.precision, row.provider, row.frames_per_second, row.open_ms, row.first_frame_ms
        );
        let _ = writeln!(text, "  {:<8} {:>10} {:>10} {:>10}", "ms", "median", "p90", "p99");
        let stages = [
            ("prepare", &row.prepare),
            ("run", &row.run),
            ("labels", &row.post),
            ("draw", &row.draw),
            ("total", &row.total),
        ];
        for (name, d) in stages {
            let _ =
                writeln!(text, "  {name:<8} {:>10.2} {:>10.2} {:>10.2}", d.median, d.p90, d.p99);
        }
        let over = 100.0 * (row.total.median / row.run.median - 1.0);
        let _ = writeln!(
            text,
            "  {}; resize, labels and colours add {over:.1} % to ONNX Runtime's time",
            counted(row.total.samples, "frame")
        );
        let _ = match row.total.p99_bound {
            Some(ms) => writeln!(text, "  true p99 under {ms:.2} ms with 99 % confidence"),
            None => {
                writeln!(
                    text,
                    "  p99 of these frames only; a bound on the true p99 takes {P99_FRAMES} frames"
                )
            }
        };
    }
    text
}

fn ms_since(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}
