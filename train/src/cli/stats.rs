//! `train stats`: sizes, class shares and problems of a data set, before anyone trains on it.

use shared::dataset::{Descriptor, Index, stats};
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

#[allow(clippy::print_stdout)]
pub fn run(args: &Args) -> Result<()> {
    let descriptor = Descriptor::find(&args.dataset)?;
    let index = Index::open(&descriptor, &args.data_root, &args.split)?;
    let bar = train::monitor::progress::count("counting", index.samples.len() as u64);
    let stats = stats::stats(&index, &|done| bar.set_position(done))?;
    bar.finish_and_clear();
    println!("{stats:?}");
    match stats.problems.len() {
        0 => Ok(()),
        n => Err(Error::request(format!("{}: {n} problems found", args.data_root.display()))),
    }
}
