//! `infer compare`: models side by side, as in Fig. 3 of the paper, with errors per rare class and a table.
//! The scenes are the ones where the models differ most, which is said below the figure: a look at where
//! they differ, not a fair sample. The fair comparison is the table, over the whole split.

mod names;
mod pictures;
mod rare;

use std::path::PathBuf;

use clap::Args;
use shared::compare::{self, Interest, Picks};
use shared::dataset::Index;
use shared::decode;
use shared::error::{Error, Result, tell};
use shared::files::write_atomic;
use shared::metrics::{Confusion, Report};
use shared::output_path::{check_folder, make_folder};
use shared::render::{REGION_COLORS, Rect};

use self::names::in_files;
pub(crate) use self::names::titles;
use self::rare::{Rare, rare_classes};
use crate::args::{Data, Run, check_side_by_side};
use crate::output::write_png;
use crate::score;
use crate::session::Model;
use crate::tone;

/// What the user typed after `infer compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Exported models, one to four
    #[arg(long, visible_alias = "model", required = true, num_args = 1.., value_name = "FILE.onnx")]
    models: Vec<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// Folder for figure.png, errors-CLASS.png and rare-classes.md
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Rows of the figure: the split is cut into as many parts, at most one per image, and each gives the
    /// scene where the models differ most on rare classes
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=16))]
    count: u16,
    /// Column titles, in place of the names in the models [example: CE,Recall]
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME")]
    names: Vec<String>,
    /// Scenes to show, by name, in place of chosen ones
    #[arg(long, alias = "images", num_args = 1.., value_name = "NAME", conflicts_with = "count")]
    scenes: Vec<String>,
    /// Region to enlarge, in pixels of the image, in place of chosen ones; up to four times
    #[arg(long, value_name = "X,Y,W,H", value_parser = parse_region)]
    zoom: Vec<Rect>,
    /// Width of a picture in the figure, in pixels
    #[arg(long, default_value_t = 480, value_parser = clap::value_parser!(u32).range(120..=2048))]
    width: u32,
    #[command(flatten)]
    run: Run,
}

fn parse_region(text: &str) -> std::result::Result<Rect, String> {
    let number = |v: &str| v.trim().parse().map_err(|e| format!("{v:?}: {e}"));
    let values = text.split(',').map(number).collect::<std::result::Result<Vec<u32>, String>>()?;
    match values[..] {
        [x, y, width, height] if width > 0 && height > 0 => Ok(Rect::new(x, y, width, height)),
        _ => Err("expected x,y,width,height".into()),
    }
}

/// Runs the command; the table goes to `print`, and what was written.
///
/// # Errors
/// A wrong request, a file that cannot be read or written, Ctrl-C.
pub fn compare(args: &CompareArgs, print: impl Fn(&str) -> Result<()>) -> Result<()> {
    check_side_by_side(&args.models, &args.names)?;
    let mut index = args.data.open()?;
    let all: Vec<usize> = (0..index.samples.len()).collect();
    let given = find_scenes(&args.scenes, &index)?;
    check_zoom(&args.zoom, &index, if given.is_empty() { &all } else { &given })?;
    check_folder(&args.out).map_err(|e| e.within("--out"))?;
    let mut models = open(args, &index)?;
    tone::adopt(&mut index, &models)?;
    let cards: Vec<&str> = models.iter().map(|m| m.card().name.as_str()).collect();
    let names =
        if args.names.is_empty() { titles(&cards, &args.models) } else { args.names.clone() };

    let rare = rare_classes(&models, &index);
    let interest = Interest::new(&rare.classes, &rare.share, index.descriptor.num_classes());
    let mut picks = Picks::new(index.samples.len(), usize::from(args.count), &rare.classes);
    let scores = score::score(&mut models, &index, &all, |scene| {
        picks.see(scene, &interest);
        Ok(())
    })?;
    score::tell_resized(&models, &scores);
    let reports: Vec<Report> =
        scores.iter().map(|s| score::report(&s.confusion, &index.descriptor)).collect();
    // At once: this took the time, and a picture may fail.
    let table = rare::table(&names, &reports, &rare, &index);
    let printed = print(&format!("{table}\n"));
    make_folder(&args.out)?;
    write_atomic(&args.out.join("rare-classes.md"), table.as_bytes())?;

    let shown = if given.is_empty() { picks.scenes() } else { given };
    let mut rows = Vec::new();
    score::score(&mut models, &index, &shown, |scene| {
        let chosen =
            if args.zoom.is_empty() { interest.regions(scene, 2) } else { args.zoom.clone() };
        rows.push(compare::row(scene, &index, chosen));
        Ok(())
    })?;
    let note = note(args, &rare, models.len(), shown.len());
    let figure = compare::figure(&index, &names, rows, &rare.classes, note);
    write_png(&args.out.join("figure.png"), &figure.draw(args.width))?;
    let mut written = vec!["rare-classes.md".to_owned(), "figure.png".to_owned()];

    let class_names = in_files(&index.descriptor.classes);
    for &class in &rare.classes {
        let Some(place) = picks.scene_for(class) else {
            tell(format_args!(
                "{}: not in this split, so no picture of errors",
                index.descriptor.classes[class].name
            ));
            continue;
        };
        let mut figure = None;
        let split: Vec<&Confusion> = scores.iter().map(|s| &s.confusion).collect();
        score::score(&mut models, &index, &[place], |scene| {
            figure = Some(pictures::errors(scene, &index, &names, class, &interest, &split));
            Ok(())
        })?;
        if let Some(figure) = figure {
            let name = format!("errors-{}.png", class_names[class]);
            write_png(&args.out.join(&name), &figure.draw(args.width))?;
            written.push(name);
        }
    }
    // A table that could not be printed costs no picture.
    printed.and_then(|()| print(&format!("{}: {}\n", args.out.display(), written.join(", "))))
}

fn open(args: &CompareArgs, index: &Index) -> Result<Vec<Model>> {
    let options = args.run.options(&args.models)?;
    let open_one = |path: &PathBuf| score::open(path, options.clone(), &index.descriptor);
    args.models.iter().map(open_one).collect()
}

fn find_scenes(names: &[String], index: &Index) -> Result<Vec<usize>> {
    let find = |name: &String| {
        index.samples.iter().position(|s| &s.name == name).ok_or_else(|| {
            let first = index.samples.first().map_or("", |s| s.name.as_str());
            Error::request(format!(
                "--scenes: expected a name of the split {}, got {name:?}",
                index.split
            ))
            .hint(format!("names are like {first:?}"))
        })
    };
    names.iter().map(find).collect()
}

/// Refuses regions of which a scene that may be shown has nothing.
fn check_zoom(zoom: &[Rect], index: &Index, indices: &[usize]) -> Result<()> {
    let most = REGION_COLORS.len();
    if zoom.len() > most {
        let line = format!("--zoom: expected at most {most} regions, got {}", zoom.len());
        return Err(Error::request(line).hint("each has a colour of its own"));
    }
    if zoom.is_empty() {
        return Ok(()); // without a look at every image
    }
    for sample in indices.iter().map(|&i| &index.samples[i]) {
        let (width, height) = decode::size(&sample.image)?;
        if let Some(r) = zoom.iter().find(|r| r.x >= width || r.y >= height) {
            return Err(Error::request(format!(
                "--zoom: expected a region of {}, which is {width} x {height}, got {},{},{},{}",
                sample.name, r.x, r.y, r.width, r.height
            ))
            .hint("X,Y is the upper left corner; --scenes names the scenes to show"));
        }
    }
    Ok(())
}

/// What stands below the figure; `shown` scenes are in it.
fn note(args: &CompareArgs, rare: &Rare, models: usize, shown: usize) -> String {
    let differ = if models == 1 { "the model errs most" } else { "the models differ most" };
    let scenes = if args.scenes.is_empty() {
        format!(
            "Scenes: where {differ} on the {} classes, one from each of {shown} parts of the split.",
            rare.word
        )
    } else {
        "Scenes: given.".into()
    };
    let regions = if args.zoom.is_empty() { "Regions: likewise." } else { "Regions: given." };
    format!("{scenes} {regions} * {}.", rare.star)
}
