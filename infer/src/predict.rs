//! `infer predict`: images to colour maps and overlays, with a legend. Not a score: it needs no truth.
//! An image that cannot be read is reported, counted and makes the command fail; the others are done.
//! Colours come from the model's card.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use image::RgbImage;
use shared::decode;
use shared::error::{Error, Result, tell};
use shared::output_path::{check_folder, make_folder};
use shared::render::{Palette, class_entries, legend, paste};

use crate::args::{Run, parse_share};
use crate::feed::{feed, loader_threads};
use crate::interrupt;
use crate::output::write_png;
use crate::score::{median_ms, progress};
use crate::session::Model;
use crate::source::{Source, sources};
use crate::table::counted;

/// What the user typed after `infer predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Exported model
    #[arg(long, value_name = "FILE.onnx")]
    model: PathBuf,
    /// Images, and folders with images
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder for NAME_color.png, NAME_overlay.png and legend.png
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Weight of the colours in the overlay, 0 to 1
    #[arg(long, default_value_t = 0.5, value_parser = parse_share)]
    opacity: f64,
    #[command(flatten)]
    run: Run,
}

/// Runs the command; what was written goes to `print`.
///
/// # Errors
/// A wrong request, images that could not be read, files that cannot be written, Ctrl-C.
pub fn predict(args: &PredictArgs, print: impl Fn(&str) -> Result<()>) -> Result<()> {
    let sources = sources(&args.inputs)?;
    spare_inputs(args, &sources)?;
    check_folder(&args.out).map_err(|e| e.within("--out"))?;
    let mut model = Model::open(&args.model, args.run.options(std::slice::from_ref(&args.model))?)?;
    tell(model.provider_line());
    let palette = Palette::new(&model.card().classes);
    let entries = class_entries(&model.card().classes);
    let sizing = model.sizing();

    let bar = progress(sources.len());
    let load = |i: usize| {
        let start = Instant::now();
        let image = decode::rgb(&sources[i].path)?;
        let input = sizing.prepare(&image);
        Ok::<_, Error>((image, input, start.elapsed()))
    };
    let mut times: [Vec<Duration>; 3] = Default::default();
    feed(sources.len(), loader_threads(), load, |i, loaded| {
        interrupt::check(i, sources.len())?;
        bar.inc(1);
        let (image, input, prepare) = match loaded {
            Ok(loaded) => loaded,
            Err(error) if sources.len() == 1 => return Err(error), // said once
            Err(error) => {
                bar.suspend(|| tell(format_args!("unreadable: {error}")));
                return Ok(());
            }
        };
        let result = model.segment(&input, image.dimensions())?;
        let [color_file, overlay_file] = pictures(&args.out, &sources[i].name);
        make_folder(&args.out)?; // not before there is something to write
        write_png(&color_file, &palette.paint(&result.labels))?;
        let overlay = palette.overlay(&image, &result.labels, args.opacity as f32);
        write_png(
            &overlay_file,
            &above(&overlay, &legend(&entries, image.width(), legend_size(&image))),
        )?;
        for (list, time) in times.iter_mut().zip([prepare, result.run, result.post]) {
            list.push(time);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let done = times[0].len();
    if done == 0 {
        let files = sources.len();
        let line = format!("predict: expected images that can be read, got none in {files} files");
        return Err(Error::request(line).hint("the lines above say what is wrong with each"));
    }
    write_png(&args.out.join(LEGEND), &legend(&entries, 640, 16.0))?;
    let [prepare, run, post] = times.map(|t| median_ms(&t));
    tell(format_args!(
        "median per image: decode and prepare {prepare:.1} ms, run {run:.1} ms, labels {post:.1} ms"
    ));
    let unread = sources.len() - done;
    if unread > 0 {
        return Err(Error::work(format!(
            "predict: expected {}, got {done}; their pictures are in {}",
            counted(sources.len(), "readable image"),
            args.out.display()
        ))
        .hint("the lines above name the unreadable ones"));
    }
    print(&format!(
        "{}: NAME_color.png, NAME_overlay.png, legend.png in {}\n",
        counted(done, "image"),
        args.out.display()
    ))
}

const LEGEND: &str = "legend.png";

/// The colour map and the overlay of the image of this name.
fn pictures(out: &Path, name: &str) -> [PathBuf; 2] {
    ["color", "overlay"].map(|kind| out.join(format!("{name}_{kind}.png")))
}

/// Refuses to write over an input, and into a folder of inputs, where the next run would find these pictures.
fn spare_inputs(args: &PredictArgs, sources: &[Source]) -> Result<()> {
    let places = sources.iter().flat_map(|source| pictures(&args.out, &source.name));
    let places = places.chain([args.out.clone(), args.out.join(LEGEND)]);
    // What is not there yet has no place, and overwrites nothing.
    let taken: BTreeSet<PathBuf> = places.filter_map(|place| place.canonicalize().ok()).collect();
    let is_taken = |input: &&PathBuf| input.canonicalize().is_ok_and(|real| taken.contains(&real));
    let mut inputs = args.inputs.iter().chain(sources.iter().map(|source| &source.path));
    inputs.find(is_taken).map_or(Ok(()), |input| {
        Err(Error::request(format!(
            "--out: {}: expected a folder in which no input is overwritten, got the input {}",
            args.out.display(),
            input.display()
        ))
        .hint("name a folder of its own"))
    })
}

/// Text that can be read on a picture of this size.
fn legend_size(image: &RgbImage) -> f32 {
    (image.width() as f32 / 64.0).clamp(12.0, 28.0)
}

/// The one picture above the other, on white.
fn above(top: &RgbImage, bottom: &RgbImage) -> RgbImage {
    let width = top.width().max(bottom.width());
    let mut both =
        RgbImage::from_pixel(width, top.height() + bottom.height(), image::Rgb([255; 3]));
    paste(&mut both, top, 0, 0);
    paste(&mut both, bottom, 0, top.height());
    both
}
