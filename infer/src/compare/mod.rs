//! `infer compare`: models side by side, as in Fig. 3 of the paper, with errors per rare class and a table.
//! The scenes are the ones where the models differ most, which is said below the figure: a look at where
//! they differ, not a fair sample. The fair comparison is the table, over the whole split.

mod pick;
mod pictures;

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use shared::dataset::Index;
use shared::error::{Error, Result};
use shared::files::write_atomic;
use shared::metrics::{Confusion, Report};
use shared::render::Rect;

use self::pick::{Interest, Picks};
use crate::eval::{Data, Run, make_folder};
use crate::predict::write_png;
use crate::score;
use crate::session::Model;
use crate::table::percent;

/// What the user typed after `infer compare`.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Exported models, one to four
    #[arg(long, required = true, num_args = 1..=4, value_name = "FILE.onnx")]
    models: Vec<PathBuf>,
    #[command(flatten)]
    data: Data,
    /// Folder for figure.png, errors-CLASS.png and rare-classes.md
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Rows of the figure: the split is cut into as many parts, each gives the scene where the models
    /// differ most on rare classes
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=16))]
    count: u16,
    /// Column titles, in place of the names in the models [example: CE,Recall]
    #[arg(long, value_delimiter = ',', value_name = "NAME,NAME")]
    names: Vec<String>,
    /// Scenes to show, by name, in place of chosen ones
    #[arg(long, num_args = 1.., value_name = "NAME", conflicts_with = "count")]
    images: Vec<String>,
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

/// The rare classes, and how it is known that they are.
struct Rare {
    classes: Vec<usize>,
    /// Share of each class, for weights.
    share: Vec<f64>,
    origin: &'static str,
}

/// Runs the command; returns what goes to standard output.
///
/// # Errors
/// A wrong request, a file that cannot be read or written, Ctrl-C.
pub fn compare(args: &CompareArgs) -> Result<String> {
    let index = args.data.open()?;
    let given = find_images(&args.images, &index)?;
    if args.zoom.len() > shared::render::REGION_COLORS.len() {
        return Err(Error::request(format!("--zoom: expected at most 4 regions, got {}", args.zoom.len())));
    }
    let mut models = open(args)?;
    let names = titles(&models, &args.names)?;
    for model in &models {
        score::check_classes(model.card(), &index.descriptor)?;
    }
    make_folder(&args.out)?;

    let mut rare = rare_from_cards(&models);
    if rare.is_none() {
        eprintln!("no class shares in the models: counting them in the split");
        rare = Some(rare_from_truth(&index)?);
    }
    let Some(rare) = rare else { return Err(Error::work("compare: expected rare classes")) };
    let interest = Interest::new(&rare.classes, &rare.share, index.descriptor.num_classes());
    let mut picks = Picks::new(index.samples.len(), usize::from(args.count), &rare.classes);
    let all: Vec<usize> = (0..index.samples.len()).collect();
    let scores = score::score(&mut models, &index, &all, |scene| {
        picks.see(scene, &interest);
        Ok(())
    })?;
    let reports: Vec<Report> = scores.iter().map(|s| score::report(&s.confusion, &index.descriptor)).collect();

    let shown = if given.is_empty() { picks.scenes() } else { given };
    let mut rows = Vec::new();
    score::score(&mut models, &index, &shown, |scene| {
        let chosen = if args.zoom.is_empty() { interest.regions(scene, 2) } else { args.zoom.clone() };
        rows.push(pictures::row(scene, &index, chosen));
        Ok(())
    })?;
    let note = note(args, &rare, models.len());
    let figure = pictures::figure(&index, &names, rows, note);
    write_png(&args.out.join("figure.png"), &figure.draw(args.width))?;
    let mut written = vec!["figure.png".to_owned()];

    for &class in &rare.classes {
        let Some(place) = picks.scene_for(class) else {
            eprintln!("{}: not in this split, so no picture of errors", index.descriptor.classes[class].name);
            continue;
        };
        let mut figure = None;
        let split: Vec<&Confusion> = scores.iter().map(|s| &s.confusion).collect();
        score::score(&mut models, &index, &[place], |scene| {
            figure = Some(pictures::errors(scene, &index, &names, class, &interest, &split));
            Ok(())
        })?;
        if let Some(figure) = figure {
            let name = format!("errors-{}.png", index.descriptor.classes[class].name.replace(' ', "-"));
            write_png(&args.out.join(&name), &figure.draw(args.width))?;
            written.push(name);
        }
    }
    let table = rare_table(&names, &reports, &rare, &index);
    write_atomic(&args.out.join("rare-classes.md"), table.as_bytes())?;
    written.push("rare-classes.md".to_owned());
    Ok(format!("{table}\n{}: {}\n", args.out.display(), written.join(", ")))
}

fn open(args: &CompareArgs) -> Result<Vec<Model>> {
    let mut models = Vec::new();
    for path in &args.models {
        let model = Model::open(path, args.run.options())?;
        eprintln!("{}", model.provider_line());
        models.push(model);
    }
    Ok(models)
}

/// A title per model: given, or the card's name, told apart by the file name where names are equal.
fn titles(models: &[Model], given: &[String]) -> Result<Vec<String>> {
    if !given.is_empty() {
        if given.len() != models.len() {
            return Err(Error::request(format!("--names: expected {} names, got {}", models.len(), given.len())));
        }
        return Ok(given.to_vec());
    }
    let stem = |m: &Model| m.path().file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let count = |name: &str| models.iter().filter(|m| m.card().name == name).count();
    Ok(models.iter().map(|m| if count(&m.card().name) > 1 { stem(m) } else { m.card().name.clone() }).collect())
}

fn find_images(names: &[String], index: &Index) -> Result<Vec<usize>> {
    let find = |name: &String| {
        index.samples.iter().position(|s| &s.name == name).ok_or_else(|| {
            let first = index.samples.first().map_or("", |s| s.name.as_str());
            Error::request(format!("--images: expected a name of the split {}, got {name:?}", index.split))
                .hint(format!("names are like {first:?}"))
        })
    };
    names.iter().map(find).collect()
}

fn rare_from_cards(models: &[Model]) -> Option<Rare> {
    let card = models.iter().map(Model::card).find(|c| !c.rare_classes().is_empty())?;
    Some(Rare { classes: card.rare_classes(), share: card.class_share.clone(), origin: "training set" })
}

fn rare_from_truth(index: &Index) -> Result<Rare> {
    let share = shared::dataset::stats::stats(index, &|_| ())?.shares();
    let is_rare = |s: f64| s > 0.0 && s < shared::card::RARE_SHARE;
    let mut classes: Vec<usize> = (0..share.len()).filter(|&c| is_rare(share[c])).collect();
    if classes.is_empty() {
        // Then the rarest that occur: there must be something to look at.
        classes = (0..share.len()).filter(|&c| share[c] > 0.0).collect();
        classes.sort_by(|&a, &b| share[a].total_cmp(&share[b]));
        classes.truncate(3);
        classes.sort_unstable();
    }
    Ok(Rare { classes, share, origin: "split" })
}

fn note(args: &CompareArgs, rare: &Rare, models: usize) -> String {
    let differ = if models == 1 { "the model errs most" } else { "the models differ most" };
    let scenes = if args.images.is_empty() {
        format!("Scenes: where {differ} on rare classes, one from each of {} parts of the split.", args.count)
    } else {
        "Scenes: given.".into()
    };
    let regions = if args.zoom.is_empty() { "Regions: likewise." } else { "Regions: given." };
    format!("{scenes} {regions} Rare: under 2 % of the {}'s pixels.", rare.origin)
}

/// Accuracy on the rare classes over the split, and the means, in Markdown.
fn rare_table(names: &[String], reports: &[Report], rare: &Rare, index: &Index) -> String {
    let mut rows: Vec<(String, Vec<Option<f64>>)> = Vec::new();
    let mut add = |name: String, value: &dyn Fn(&Report) -> Option<f64>| {
        rows.push((name, reports.iter().map(value).collect()));
    };
    for &class in &rare.classes {
        let name = &index.descriptor.classes[class].name;
        let share = percent(rare.share.get(class).copied(), 2);
        add(format!("{name} ({share} %)"), &|r| r.classes[class].accuracy);
    }
    let is_rare = |id: usize| rare.classes.contains(&id);
    add("mean of the rare".into(), &|r| r.mean_over(|c| is_rare(c.id), |c| c.accuracy));
    add("mean accuracy".into(), &|r| r.mean_accuracy);
    add("mean IoU".into(), &|r| r.mean_iou);
    add("pixel accuracy".into(), &|r| r.pixel_accuracy);
    let mut text = format!(
        "{} {}: accuracy on rare classes, %, over {} images (share of the {}'s pixels)\n\n| class |",
        index.descriptor.name,
        index.split,
        index.samples.len(),
        rare.origin
    );
    names.iter().for_each(|name| {
        let _ = write!(text, " {} |", name.replace('|', "/"));
    });
    let _ = write!(text, "\n|---|{}\n", "---:|".repeat(names.len()));
    for (name, values) in rows {
        let values: Vec<String> = values.into_iter().map(|v| percent(v, 1)).collect();
        let _ = writeln!(text, "| {name} | {} |", values.join(" | "));
    }
    text
}
