//! `train browse`: images with their labels over them, before anything is trained.

use shared::browse::Browse;
use shared::dataset::{Descriptor, Index};
use shared::error::{Error, Result, tell};
use shared::output_path;
use shared::png_file::write_rgb;
use std::path::PathBuf;

/// Problems that are spelled out.
const NAMED: usize = 5;

#[derive(clap::Args)]
pub struct Args {
    /// A built-in data set (cityscapes, synthia, camvid, streets) or the path of a descriptor
    #[arg(long)]
    dataset: String,
    /// Its folder
    #[arg(long)]
    data_root: PathBuf,
    /// The split to look at
    #[arg(long, default_value = "train")]
    split: String,
    /// Images to show; every class is in one of them, if there are enough
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=200))]
    count: u16,
    /// The folder to write: sheet.png, and a picture of each image
    #[arg(long)]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    output_path::check_folder(&args.out)?;
    let descriptor = Descriptor::find(&args.dataset)?;
    let index = Index::survey(&descriptor, &args.data_root, &args.split)?;
    let bar = train::monitor::progress::count("reading labels", index.samples.len() as u64);
    let browse = Browse::read(&index, &|done| bar.set_position(done));
    bar.finish_and_clear();
    browse.notes.iter().for_each(|note| tell(format_args!("note: {note}")));
    for problem in browse.problems.iter().take(NAMED) {
        tell(format_args!("problem: {problem}"));
    }
    if browse.problems.len() > NAMED {
        tell(format_args!("and {} more: `train stats` lists them", browse.problems.len() - NAMED));
    }
    let samples = browse.pick(args.count.into());
    if samples.is_empty() {
        let root = args.data_root.display();
        return Err(Error::request(format!(
            "{root}: {}: expected a label to look at, got none",
            args.split
        ))
        .hint("`train stats` says what is wrong with each"));
    }
    output_path::make_folder(&args.out)?;
    let bar = train::monitor::progress::count("drawing", samples.len() as u64);
    for (number, &sample) in samples.iter().enumerate() {
        // Names of samples may hold anything: a number keeps the files apart, and in order.
        let name: String = index.samples[sample].name.chars().map(fit_for_a_file).collect();
        let name: String = name.chars().take(100).collect();
        write_rgb(
            &args.out.join(format!("{:03}-{name}.png", number + 1)),
            &browse.single(sample)?,
        )?;
        bar.inc(1);
    }
    bar.finish_and_clear();
    let sheet = args.out.join("sheet.png");
    write_rgb(&sheet, &browse.sheet(&samples)?)?;
    super::print(&format!(
        "{}: {} of {} images of {} {}, one by one beside it: look at it before you train",
        sheet.display(),
        samples.len(),
        index.samples.len(),
        descriptor.name,
        index.split,
    ))
}

fn fit_for_a_file(c: char) -> char {
    if c.is_alphanumeric() || ['-', '_', '.'].contains(&c) { c } else { '_' }
}
