//! `train stats`: sizes, class shares and problems of a data set, before anyone trains on it.
//! Every image and label is decoded, unless `--quick` asks for the sizes of images alone.

use shared::dataset::stats::palettes_between;
use shared::dataset::{Descriptor, Images, Index, Palette, Stats, stats_with};
use shared::error::{Error, Result};
use std::path::{Path, PathBuf};
use train::recipe::Recipe;

/// Values that are listed: there can be no more classes.
const VALUES: usize = 256;

#[derive(clap::Args)]
pub struct Args {
    /// A built-in data set (cityscapes, synthia, camvid, streets) or the path of a descriptor
    #[arg(long, required_unless_present = "recipe", conflicts_with = "recipe")]
    dataset: Option<String>,
    /// Count what this recipe trains and scores on
    #[arg(long, value_name = "FILE")]
    recipe: Option<PathBuf>,
    /// Change one key of the recipe, e.g. --set data.val=test
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "recipe")]
    changes: Vec<String>,
    /// Its folder [default: the recipe's]
    #[arg(long, required_unless_present = "recipe")]
    data_root: Option<PathBuf>,
    /// Splits to count [default: train and val, or those there are; with --recipe, the recipe's]
    #[arg(long, value_delimiter = ',')]
    split: Vec<String>,
    /// Read only the sizes of images, which is faster and does not find all damage
    #[arg(long)]
    quick: bool,
}

pub fn run(args: &Args) -> Result<()> {
    let Request { descriptor, root, splits, uncounted } = request(args)?;
    let images = if args.quick { Images::Headers } else { Images::Decoded };
    // All of them are found before the first is counted.
    let open = |split: &String| Index::survey(&descriptor, &root, split);
    let indices = splits.iter().map(open).collect::<Result<Vec<Index>>>()?;
    let mut counted: Vec<Stats> = Vec::new();
    for index in &indices {
        let bar = train::monitor::progress::count("counting", index.samples.len() as u64);
        let stats = stats_with(index, images, &|done| bar.set_position(done));
        bar.finish_and_clear();
        super::print(&table(&stats))?;
        counted.push(stats);
    }
    let mut sound = counted.iter().all(|stats| stats.all_problems().is_empty());
    let palettes: Vec<(&str, &Palette)> =
        counted.iter().map(|stats| (stats.split.as_str(), &stats.palette)).collect();
    if let Some(error) = palettes_between(&palettes) {
        sound = false;
        let hint = error.hint_text().unwrap_or_default();
        super::print(&format!("\nproblems between the splits:\n  {error} ({hint})"))?;
    }
    if !uncounted.is_empty() {
        super::print(&format!("\nnot counted: {} (--split counts them)", uncounted.join(", ")))?;
    }
    if sound {
        return Ok(());
    }
    let root = root.display();
    Err(Error::request(format!("{root}: expected a sound data set, got the problems listed above"))
        .hint("mend the files that are named there, or move both halves of such a pair away"))
}

/// What is to be counted.
struct Request {
    descriptor: Descriptor,
    root: PathBuf,
    splits: Vec<String>,
    /// Splits that are there and not asked for.
    uncounted: Vec<String>,
}

fn request(args: &Args) -> Result<Request> {
    let recipe = match &args.recipe {
        Some(path) => Some(Recipe::read(path, &args.changes)?.data),
        None => None,
    };
    let name = args.dataset.as_ref().or(recipe.as_ref().map(|data| &data.dataset));
    let descriptor = Descriptor::find(name.map_or("", String::as_str))?;
    let root = args.data_root.clone().or(recipe.as_ref().and_then(|data| data.root.clone()));
    let root = root.ok_or_else(|| {
        Error::request(format!("data: expected a folder that holds {}", descriptor.name))
            .hint("--data-root FOLDER, or data.root in the recipe")
    })?;
    let (mut splits, mut uncounted) = (args.split.clone(), Vec::new());
    if let (true, Some(data)) = (splits.is_empty(), &recipe) {
        splits = vec![data.train.clone(), data.val.clone()];
        splits.dedup();
    }
    if splits.is_empty() {
        (splits, uncounted) = usual(&descriptor, &root);
    }
    Ok(Request { descriptor, root, splits, uncounted })
}

/// Train and val, as far as there are such; without them all splits there are. And the others.
fn usual(descriptor: &Descriptor, root: &Path) -> (Vec<String>, Vec<String>) {
    let all = Index::splits(descriptor, root);
    let (usual, others): (Vec<String>, Vec<String>) =
        all.into_iter().partition(|split| ["train", "val"].contains(&split.as_str()));
    match (usual.is_empty(), others.is_empty()) {
        (false, _) => (usual, others),
        (true, false) => (others, vec![]),
        (true, true) => (vec!["train".into()], vec![]), // whose error says what lies there instead
    }
}

/// The counts as lines of text.
fn table(stats: &Stats) -> String {
    let mut lines = vec![format!(
        "{} {}: {} pairs, {} counted",
        stats.dataset, stats.split, stats.images, stats.counted
    )];
    for size in &stats.sizes {
        lines.push(format!("  {} x {}: {} images", size.width, size.height, size.images));
    }
    let total = stats.valid + stats.ignored;
    let ignored = 100.0 * stats.ignored as f64 / total.max(1) as f64;
    lines.push(format!("  ignored: {ignored:.2} % of {total} pixels\n"));
    lines.push(format!(
        "{:>3}  {:<20} {:>10} {:>14} {:>7}",
        "id", "class", "share", "pixels", "images"
    ));
    for class in &stats.classes {
        let share = format!("{:.3} %", 100.0 * class.share);
        let (id, name) = (class.id, &class.name);
        lines.push(format!(
            "{id:>3}  {name:<20} {share:>10} {:>14} {:>7}",
            class.pixels, class.images
        ));
    }
    lines.extend(values(stats));
    for (what, list) in [("notes", &stats.notes), ("problems", &stats.all_problems())] {
        if !list.is_empty() {
            lines.push(format!("\n{what}:"));
        }
        lines.extend(list.iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// The values in label files, and what each means. Shifted by one they are of the right kind, but not in the right place.
fn values(stats: &Stats) -> Vec<String> {
    if stats.values.is_empty() {
        return Vec::new();
    }
    let width = stats.values.iter().map(|v| v.value.len()).max().unwrap_or(0).max("value".len());
    let mut lines = vec![
        String::new(),
        format!(
            "{:>width$}  {:<20} {:>10} {:>14} {:>7}",
            "value", "means", "share", "pixels", "labels"
        ),
    ];
    let total = stats.values.iter().map(|v| v.pixels).sum::<u64>().max(1) as f64;
    for value in stats.values.iter().take(VALUES) {
        let share = format!("{:.3} %", 100.0 * value.pixels as f64 / total);
        let meaning = value.meaning.as_deref().unwrap_or("(unknown)");
        lines.push(format!(
            "{:>width$}  {:<20} {share:>10} {:>14} {:>7}",
            value.value, meaning, value.pixels, value.images
        ));
    }
    if stats.values.len() > VALUES {
        lines.push(format!("  and {} more", stats.values.len() - VALUES));
    }
    lines
}
