//! `train results`: RESULTS.md from the cells of the suites in a folder.

use shared::error::{Context, Error, Result};
use shared::files::write_atomic;
use shared::output_path::{check_file, folder_of};
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

/// The folder as links on the page say it: relative to the page's own folder, which must hold it.
fn link(dir: &Path, out: &Path) -> Result<String> {
    let whole = |path: &Path| {
        let found = path.canonicalize().request(|| format!("results: {}", path.display()));
        found.map_err(|e| {
            e.hint("--dir is a folder of suites, each as `train suite` writes it; --out a page in a folder")
        })
    };
    let (dir, beside) = (whole(dir)?, whole(folder_of(out))?);
    match dir.strip_prefix(&beside) {
        Ok(inner) if inner.as_os_str().is_empty() => Ok(".".into()),
        Ok(inner) => Ok(inner.to_string_lossy().into_owned()),
        Err(_) => Err(Error::request(format!(
            "results: --out: expected a page whose folder holds {}, got one in {}",
            dir.display(),
            beside.display()
        ))
        .hint("its links to the figures are relative: put the page beside or above the suites")),
    }
}

pub fn run(args: &Args) -> Result<()> {
    check_file(&args.out).map_err(|e| e.within("results: --out"))?;
    let page = results::page(&args.dir, &link(&args.dir, &args.out)?)?;
    for (path, svg) in &page.figures {
        write_atomic(&args.dir.join(path), svg.as_bytes())?;
    }
    write_atomic(&args.out, page.text.as_bytes())?;
    super::print(&format!("{}: suites: {}", args.out.display(), page.figures.len()))
}
