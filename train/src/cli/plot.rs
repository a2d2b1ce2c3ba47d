//! `train plot`: figures from what runs have logged.

use clap::Subcommand;
use shared::error::{Error, Result};
use shared::output_path::{check_file, make_parent};
use shared::plot::{self, Chart};
use std::path::{Path, PathBuf};
use train::plots;

#[derive(clap::Args)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// The paper's Fig. 4: recall weight, focal weight and their ratio, per class, over iterations
    Weights {
        /// A run's folder; it was trained with train.weights_every
        run: PathBuf,
        /// FILE.svg or FILE.png [default: both, in RUN/plots]
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Training loss and validation metrics over iterations
    Curves {
        /// Runs' folders, in one figure
        #[arg(required = true, value_name = "RUN")]
        runs: Vec<PathBuf>,
        /// FILE.svg or FILE.png [default: both, in RUN/plots of the one run]
        #[arg(long)]
        out: Option<PathBuf>,
    },
}

/// The endings of a figure's file.
const KINDS: [&str; 2] = ["svg", "png"];

pub fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::Weights { run, out } => {
            let files = files(out.as_deref(), Some(run), "weights")?;
            write(&plots::weights(run)?, &files)
        }
        What::Curves { runs, out } => {
            let only = if let [run] = &runs[..] { Some(run.as_path()) } else { None };
            let files = files(out.as_deref(), only, "curves")?;
            write(&plots::curves(runs)?, &files)
        }
    }
}

/// Where a figure goes: the file asked for, or both kinds in the run's own folder. Refused before anything is drawn
/// if it could not be written there.
fn files(out: Option<&Path>, run: Option<&Path>, name: &str) -> Result<Vec<PathBuf>> {
    let hint = format!("--out {name}.svg, or {name}.png");
    let files: Vec<PathBuf> = match (out, run) {
        (Some(file), _) => vec![file.into()],
        (None, Some(run)) => {
            KINDS.map(|kind| run.join("plots").join(format!("{name}.{kind}"))).into()
        }
        (None, None) => {
            let line = "out: expected a file for the figure of several runs";
            return Err(Error::request(line).hint(hint));
        }
    };
    for file in &files {
        check_file(file).map_err(|e| e.within("out"))?;
        let kind = file.extension().and_then(|e| e.to_str()).unwrap_or_default();
        if !KINDS.contains(&kind) {
            let file = file.display();
            let line = format!("out: {file}: expected a name ending in .svg or .png");
            return Err(Error::request(line).hint(hint));
        }
    }
    Ok(files)
}

fn write(chart: &Chart, files: &[PathBuf]) -> Result<()> {
    for file in files {
        make_parent(file).map_err(|e| e.within("out"))?;
        plot::save(chart, file)?;
        super::print(&file.display().to_string())?;
    }
    Ok(())
}
