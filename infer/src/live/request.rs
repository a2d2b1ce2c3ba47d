//! What the user typed, and what it means: everything about a run that can be refused before it starts.
//! Not the run. The raw form is [`LiveArgs`], the checked one [`Request`]; sources by name are `named`'s.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use shared::error::{Error, Result};
use shared::output_path::check_folder;

use super::capture::Source;
use super::clock::Limit;
use super::keys::View;
use super::named::{self, SourceOptions};
use super::record::RecordTarget;
use super::sink::SinkTarget;
use super::slot::Policy;
use crate::args::{Run, check_side_by_side, parse_in, parse_share, parse_size};
use crate::provider::Choice;
use crate::source::names;

/// What the user typed after `infer live`.
#[derive(Debug, Args)]
pub struct LiveArgs {
    /// Exported models, one to four, shown side by side
    #[arg(long, visible_alias = "model", required = true, num_args = 1.., value_name = "FILE.onnx")]
    pub models: Vec<PathBuf>,
    /// Flags from a TOML file, the required ones too; what is typed here wins
    ///
    /// Keys are the long names, as in stale-ms = 150. Several values are an array, a flag without a value is
    /// true. Paths in the file are relative to the working directory, as they are here.
    #[arg(long, value_name = "FILE.toml")]
    pub config: Option<PathBuf>,
    /// A folder, images, a .txt file that lists images, a video file, a URL, camera[:N] or /dev/videoN, or
    /// streets[:SEED], an endless generated drive
    ///
    /// Of files every frame is shown, as fast as the models allow. Of cameras and streams, and with --realtime,
    /// the latest frame wins and the others are dropped and counted. What a URL leads to is a file if it has a
    /// length, else a stream.
    #[arg(long, required = true, num_args = 1.., value_name = "SOURCE")]
    pub source: Vec<String>,
    /// Size of the streets [default: 512x256], or to ask a camera for
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    pub size: Option<(u32, u32)>,
    /// Frames per second: files and streets at most so many, a camera is asked for them; a recording of a video file
    /// keeps the file's own times unless this is given
    #[arg(long, value_name = "N", value_parser = parse_fps)]
    pub fps: Option<f64>,
    /// Start files over when they end
    #[arg(long = "loop")]
    pub again: bool,
    /// Play files and streets as if they were a camera: at their own speed, or --fps, and the latest wins
    #[arg(long)]
    pub realtime: bool,
    /// End after so many captured frames
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_frames: Option<u64>,
    /// A result older than this is stale: marked, and without colours
    ///
    /// The age of a frame counts from its arrival here: what the camera, the network and the decoder took
    /// before that is not in it. A file's frame arrives when the models are ready for it.
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    pub stale_ms: u32,
    /// End with an error when the models take longer than this for a frame [default: 30; with
    /// TensorRT, which builds its engine in the first, 1800]
    #[arg(long, value_name = "SECONDS", value_parser = parse_seconds)]
    pub deadline: Option<f64>,
    /// No window; everything else as with one
    #[arg(long)]
    pub headless: bool,
    /// Labels for other programs, with a header: unix:PATH or stdout
    ///
    /// The format is documented in infer/src/live/sink.rs; examples/read_sink.rs is a reader. A slow reader
    /// misses frames, which are counted, and slows nothing down.
    #[arg(long, value_name = "unix:PATH|stdout")]
    pub sink: Option<SinkTarget>,
    /// Record what is shown: .mp4, .mkv or .mov, or a folder for PNG files
    ///
    /// Nothing is overwritten: if drive.mkv is there already, drive-2.mkv is taken, then drive-3.mkv. A
    /// recording that breaks off, by a failure or a power cut, can be played up to there. One that fails ends
    /// the run, unless there is a --sink: then the labels go on, and the run fails at its end. In real time a
    /// picture that becomes stale is recorded once more, in a folder as frame-NUMBER-stale.png.
    #[arg(long, value_name = "FILE|DIR")]
    pub record: Option<PathBuf>,
    /// What to draw
    #[arg(long, value_enum, default_value_t = View::Overlay)]
    pub view: View,
    /// Weight of the colours in the overlay, 0 to 1
    #[arg(long, default_value_t = 0.5, value_parser = parse_share)]
    pub opacity: f64,
    /// Titles, in place of the models' file names [example: CE,Recall]
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME")]
    pub names: Vec<String>,
    /// Folder for the screenshots of the key S
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub screenshots: PathBuf,
    /// Rehearse an overload: let the models take so many times as long
    #[arg(long, value_name = "TIMES", default_value_t = 1.0, value_parser = parse_slow_down)]
    pub slow_down: f64,
    #[command(flatten)]
    pub(super) run: Run,
}

/// A run, checked.
#[derive(Debug)]
pub struct Request {
    /// Where frames come from.
    pub source: Source,
    /// What happens to frames that find the next stage busy.
    pub policy: Policy,
    /// From which age on results are stale.
    pub limit: Limit,
    /// How long one frame may take.
    pub deadline: Duration,
    /// What to record on.
    pub record: Option<RecordTarget>,
    /// Rate of a recording, where the source does not say.
    pub record_fps: Option<f64>,
    /// A title per model.
    pub titles: Vec<String>,
}

impl Request {
    /// Checks what was typed, against itself and against what is there.
    ///
    /// # Errors
    /// Everything that contradicts itself or is not there (exit code 2).
    pub fn check(args: &LiveArgs) -> Result<Self> {
        if args.sink == Some(SinkTarget::Stdout) && std::io::stdout().is_terminal() {
            return Err(Error::request("sink: stdout: expected a pipe or a file, got a terminal")
                .hint("pipe it into a reader, or use --sink unix:PATH"));
        }
        check_side_by_side(&args.models, &args.names)?;
        // The default is nobody's wish: where it cannot be written to, the key says so.
        if !args.headless && args.screenshots != Path::new(".") {
            check_folder(&args.screenshots).map_err(|e| e.within("--screenshots"))?;
        }
        let named = named::find(
            &args.source,
            SourceOptions {
                size: args.size,
                fps: args.fps,
                again: args.again,
                realtime: args.realtime,
            },
        )?;
        let engine = matches!(args.run.provider, Choice::Tensorrt);
        let seconds = args.deadline.unwrap_or(if engine { 1800.0 } else { 30.0 });
        Ok(Self {
            source: named.source,
            policy: named.policy,
            limit: Limit(Duration::from_millis(args.stale_ms.into())),
            deadline: Duration::from_secs_f64(seconds),
            record_fps: named.fps,
            titles: if args.names.is_empty() { names(&args.models) } else { args.names.clone() },
            record: args.record.as_deref().map(RecordTarget::check).transpose()?,
        })
    }
}

fn parse_fps(text: &str) -> std::result::Result<f64, String> {
    parse_in(text, 0.01..=1000.0)
}

fn parse_seconds(text: &str) -> std::result::Result<f64, String> {
    parse_in(text, 0.001..=1e6)
}

fn parse_slow_down(text: &str) -> std::result::Result<f64, String> {
    parse_in(text, 1.0..=1e6)
}
