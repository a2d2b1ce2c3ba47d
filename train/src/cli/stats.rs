//! `train stats`: sizes, class shares and problems of a data set, before anyone trains on it.

use shared::dataset::{Descriptor, Index, Stats, stats};
use shared::error::{Error, Result};
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Args {
    /// A built-in data set (cityscapes, synthia, camvid, streets) or the path of a descriptor
    #[arg(long)]
    dataset: String,
    /// Its folder
    #[arg(long)]
    data_root: PathBuf,
    /// The split to count
    #[arg(long, default_value = "train")]
    split: String,
}

pub fn run(args: &Args) -> Result<()> {
    let descriptor = Descriptor::find(&args.dataset)?;
    let index = Index::survey(&descriptor, &args.data_root, &args.split)?;
    let bar = train::monitor::progress::count("counting", index.samples.len() as u64);
    let stats = stats(&index, &|done| bar.set_position(done));
    bar.finish_and_clear();
    super::print(&table(&stats))?;
    if stats.problems.is_empty() {
        return Ok(());
    }
    let root = args.data_root.display();
    Err(Error::request(format!("{root}: expected a sound data set, got the problems listed above"))
        .hint("mend the files that are named there, or move both halves of such a pair away"))
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
    for (what, list) in [("notes", &stats.notes), ("problems", &stats.problems)] {
        if !list.is_empty() {
            lines.push(format!("\n{what}:"));
        }
        lines.extend(list.iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}
