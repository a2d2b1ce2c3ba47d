//! `train synth`: a data set of generated street scenes, in the layout of a real one.

use shared::error::{Error, Result};
use shared::streets::{self, Counts, Layout, StreetSettings};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// The layout on disk: streets, cityscapes, synthia or camvid
    #[arg(long, default_value = "streets")]
    layout: Layout,
    /// The folder to write; a set that is there already is left as it is
    #[arg(long)]
    out: PathBuf,
    /// Scenes of the training split
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    count: u64,
    /// Scenes of the validation split [default: a fifth of --count]
    #[arg(long, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    val: Option<u64>,
    /// Scenes of the test split
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u64).range(..=10_000_000))]
    test: u64,
    /// Width and height in pixels
    #[arg(long, default_value = "320x160", value_parser = size)]
    size: (u32, u32),
    /// Every choice in every scene follows from it
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

pub fn run(args: &Args) -> Result<()> {
    let (width, height) = args.size;
    let settings = StreetSettings { width, height, seed: args.seed };
    let val = args.val.unwrap_or(args.count.div_ceil(5));
    let counts = Counts { train: args.count, val, test: args.test };
    let bar = train::monitor::progress::count("drawing", counts.train + counts.val + counts.test);
    let summary = streets::write(args.layout, &args.out, &settings, counts, &|| bar.inc(1))?;
    bar.finish_and_clear();
    let done = if summary.already_there { "there already" } else { "written" };
    super::print(&format!(
        "{}: {} scenes of {width} x {height}, layout {}: {done}",
        args.out.display(),
        summary.scenes,
        args.layout.name(),
    ))
}

/// `320x160` as width and height.
fn size(text: &str) -> Result<(u32, u32)> {
    let parsed = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
    parsed.ok_or_else(|| Error::request(format!("expected WIDTHxHEIGHT, got {text:?}")))
}
