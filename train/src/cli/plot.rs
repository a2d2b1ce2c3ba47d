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

pub fn run(args: &Args) -> Result<()> {
    match &args.what {
        What::Weights { run, out } => {
            let chart = plots::weights(run)?;
            write(&chart, &files(out.as_deref(), Some(run), "weights")?)
        }
        What::Curves { runs, out } => {
            let only = if let [run] = &runs[..] { Some(run.as_path()) } else { None };
            let files = files(out.as_deref(), only, "curves")?;
            write(&plots::curves(runs)?, &files)
        }
    }
}

/// Where a figure goes: the file asked for, or both kinds in the run's own folder.
fn files(out: Option<&Path>, run: Option<&Path>, name: &str) -> Result<Vec<PathBuf>> {
    match (out, run) {
        (Some(file), _) => Ok(vec![file.into()]),
        (None, Some(run)) => {
            Ok(["svg", "png"].map(|kind| run.join("plots").join(format!("{name}.{kind}"))).into())
        }
        (None, None) => Err(Error::request("out: expected a file for the figure of several runs")
            .hint(format!("--out {name}.svg, or {name}.png"))),
    }
}

fn write(chart: &Chart, files: &[PathBuf]) -> Result<()> {
    for file in files {
        check_file(file)?;
        make_parent(file)?;
        plot::save(chart, file)?;
        super::print(&file.display().to_string())?;
    }
    Ok(())
}
