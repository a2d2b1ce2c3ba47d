//! `train results`: RESULTS.md from the cells of the suites in a folder.

use shared::error::Result;
use shared::files::write_atomic;
use std::path::{Path, PathBuf};
use train::suite::results;

#[derive(clap::Args)]
pub struct Args {
    /// The folder of suites, each with suite.json and cells/
    #[arg(long, default_value = "results")]
    dir: PathBuf,
    /// The page
    #[arg(long, default_value = "RESULTS.md")]
    out: PathBuf,
}

pub fn run(args: &Args) -> Result<()> {
    let beside = args.out.parent().unwrap_or(Path::new(""));
    let link = args.dir.strip_prefix(beside).unwrap_or(&args.dir);
    let page = results::page(&args.dir, &link.to_string_lossy())?;
    for (path, svg) in &page.figures {
        write_atomic(&args.dir.join(path), svg.as_bytes())?;
    }
    write_atomic(&args.out, page.text.as_bytes())?;
    super::print(&format!("{}: suites: {}", args.out.display(), page.figures.len()));
    Ok(())
}
