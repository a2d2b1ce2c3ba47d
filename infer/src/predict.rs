//! `infer predict`: images to label images, colour maps and overlays, with a legend. Not a score:
//! it needs no truth. An image that cannot be read, or that the model cannot be run on, is
//! reported, counted and makes the command fail; the others are done. Colours come from the model's
//! card.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use image::RgbImage;
use shared::decode;
use shared::error::{Error, Result, tell};
use shared::output_path::check_folder;

use self::writing::{Kinds, Writer};
use crate::args::Run;
use crate::average::{Averaging, Views};
use crate::feed::{feed, loader_threads};
use crate::interrupt;
use crate::score::{median_ms, progress};
use crate::session::{Model, RESIZED_LABELS, Resized, Segmented};
use crate::source::{Source, sources};
use crate::table::counted;

mod writing;

/// What the user typed after `infer predict`.
#[derive(Debug, Args)]
pub struct PredictArgs {
    /// Exported model
    #[arg(long, value_name = "FILE.onnx")]
    model: PathBuf,
    /// Images, and folders with images
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// Folder for NAME_color.png, NAME_overlay.png and legend.png, or what is asked for in their
    /// place
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    #[command(flatten)]
    kinds: Kinds,
    #[command(flatten)]
    views: Views,
    #[command(flatten)]
    run: Run,
}

/// An image, decoded, and as it goes into the model unless it is seen several times.
struct Loaded {
    image: RgbImage,
    input: Option<RgbImage>,
    prepare: Duration,
}

/// Runs the command; what was written goes to `print`.
///
/// # Errors
/// A wrong request, images that could not be read or run, files that cannot be written, Ctrl-C.
pub fn predict(args: &PredictArgs, print: impl Fn(&str) -> Result<()>) -> Result<()> {
    let sources = sources(&args.inputs)?;
    spare_inputs(args, &sources)?;
    check_folder(&args.out).map_err(|e| e.within("--out"))?;
    let mut model = Model::open(&args.model, args.run.options(std::slice::from_ref(&args.model))?)?;
    tell(model.provider_line());
    let averaging = args.views.averaging();
    averaging.as_ref().map_or(Ok(()), |averaging| averaging.check(&model))?;
    let writer = Writer::new(&args.kinds, &args.out, &model.card().classes);
    let (sizing, tone) = (model.sizing(), model.card().input.image);

    let bar = progress(sources.len());
    let load = |i: usize| {
        let start = Instant::now();
        let image = decode::toned(&sources[i].path, tone)?;
        let input = averaging.is_none().then(|| sizing.prepare(&image));
        Ok::<_, Error>(Loaded { image, input, prepare: start.elapsed() })
    };
    let mut times: [Vec<Duration>; 3] = Default::default();
    let mut resized = false;
    feed(sources.len(), loader_threads(), load, |i, loaded| {
        interrupt::check(i, sources.len())?;
        bar.inc(1);
        let segmented = match loaded {
            Ok(loaded) => segment(&mut model, averaging.as_ref(), &loaded)
                .map(|segmented| (loaded, segmented))
                .map_err(|e| ("failed", e.within(sources[i].path.display()))),
            Err(error) => Err(("unreadable", error)),
        };
        let (loaded, result) = match segmented {
            Ok(both) => both,
            Err((_, error)) if sources.len() == 1 => return Err(error), // said once
            Err((word, error)) => {
                bar.suspend(|| tell_image(word, &error));
                return Ok(());
            }
        };
        resized |= result.resized == Resized::Labels;
        writer.write(&sources[i].name, &loaded.image, &result.labels)?;
        for (list, time) in times.iter_mut().zip([loaded.prepare, result.run, result.post]) {
            list.push(time);
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    let done = times[0].len();
    if done == 0 {
        let files = sources.len();
        let line =
            format!("predict: expected images that can be read and run, got none in {files} files");
        return Err(Error::request(line).hint("the lines above say what is wrong with each"));
    }
    writer.finish()?;
    if resized {
        tell(format_args!("labels {}", RESIZED_LABELS.replace("the labels'", "the images'")));
    }
    let [prepare, run, post] = times.map(|t| median_ms(&t));
    tell(format_args!(
        "median per image: decode and prepare {prepare:.1} ms, run {run:.1} ms, labels {post:.1} ms"
    ));
    conclude(args, sources.len(), done, print)
}

/// Says what was written, and fails if that is not all.
fn conclude(
    args: &PredictArgs,
    images: usize,
    done: usize,
    print: impl Fn(&str) -> Result<()>,
) -> Result<()> {
    let out = args.out.display();
    if done < images {
        return Err(Error::work(format!(
            "predict: expected {}, got {done}; their pictures are in {out}",
            counted(images, "readable image"),
        ))
        .hint("the lines above name the others"));
    }
    print(&format!("{}: {} in {out}\n", counted(done, "image"), args.kinds.words()))
}

/// What is wrong with one image of several, and what to do.
fn tell_image(word: &str, error: &Error) {
    match error.hint_text() {
        Some(hint) if word == "failed" => tell(format_args!("{word}: {error} ({hint})")),
        _ => tell(format_args!("{word}: {error}")),
    }
}

fn segment(model: &mut Model, averaging: Option<&Averaging>, loaded: &Loaded) -> Result<Segmented> {
    let size = loaded.image.dimensions();
    match (averaging, &loaded.input) {
        (Some(averaging), _) => averaging.segment(model, &loaded.image, size),
        (None, Some(input)) => model.segment(input, size),
        (None, None) => model.segment(&model.prepare(&loaded.image), size),
    }
}

/// Refuses to write over an input, and into a folder of inputs, where the next run would find these pictures.
fn spare_inputs(args: &PredictArgs, sources: &[Source]) -> Result<()> {
    let names = sources.iter().map(|source| source.name.as_str());
    let places: Vec<PathBuf> = args.kinds.places(&args.out, names).collect();
    let mut met = BTreeSet::new();
    if let Some(twice) = places.iter().find(|place| !met.insert(*place)) {
        return Err(Error::request(format!(
            "--out: {}: expected one image for each file, got two that are written to it",
            twice.display()
        ))
        .hint("write label images and pictures in two runs, to two folders"));
    }
    let places = places.into_iter().chain([args.out.clone()]);
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
