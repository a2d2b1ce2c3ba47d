//! `train describe`: a descriptor for a folder of somebody's own images and labels, to be completed by hand.

use shared::describe::{Description, describe};
use shared::error::{Error, Result, tell};
use shared::{files, output_path};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Args {
    /// A folder of images and labels, as CVAT, Label Studio, Roboflow or labelme export them, or any other
    folder: PathBuf,
    /// The descriptor to write [default: standard output]
    #[arg(long)]
    output: Option<PathBuf>,
    /// The data set's name [default: the folder's]
    #[arg(long)]
    name: Option<String>,
}

pub fn run(args: &Args) -> Result<()> {
    if let Some(output) = &args.output {
        output_path::check_file(output)?;
        if output.is_file() {
            let line = format!("{}: expected a new file, got one that is there", output.display());
            return Err(Error::request(line).hint(
                "it may have been completed by hand: move it away, or name another --output",
            ));
        }
    }
    let name = args.name.clone().unwrap_or_else(|| name_of(&args.folder));
    let bar = train::monitor::progress::count("reading labels", 0);
    let described = describe(&args.folder, &name, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let described = described?;
    let Some(output) = &args.output else {
        // Standard output is the descriptor's.
        tell(summary(&described));
        return super::print(described.text.trim_end());
    };
    output_path::make_parent(output)?;
    files::write_atomic(output, described.text.as_bytes())?;
    super::print(&format!(
        "{}\n{}: written; fill in what its comments say, then:\n  train stats --dataset {} --data-root {}",
        summary(&described),
        output.display(),
        output.display(),
        args.folder.display(),
    ))
}

fn summary(described: &Description) -> String {
    let splits = described.splits.iter().map(|(split, n)| format!("{split} {n}"));
    let mut lines = vec![
        format!("recognized: {}", described.recognized),
        format!("pairs: {}", splits.collect::<Vec<_>>().join(", ")),
    ];
    lines.extend(described.problems.iter().map(|problem| format!("problem: {problem}")));
    lines.join("\n")
}

/// The folder's name, of its full path: it may be given as `.`.
fn name_of(folder: &Path) -> String {
    let full = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    full.file_name().map_or("own".into(), |name| name.to_string_lossy().into_owned())
}
