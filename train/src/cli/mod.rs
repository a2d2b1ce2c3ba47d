//! The commands of `train`: one file each.

mod export;
mod fit;
mod losses;
mod stats;
mod synth;

use clap::{Parser, Subcommand};
use shared::error::Result;
use std::io::Write;

/// The program.
#[derive(Parser)]
#[command(name = "train", version, about = "Trains DeepLabV3 with recall loss and exports ONNX")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train as a recipe says
    Fit(fit::Args),
    /// Write a checkpoint as an ONNX model (or as plain weights, for PyTorch) and verify it
    Export(export::Args),
    /// List the losses that a recipe can name: settings with their defaults, equation, source
    Losses,
    /// Write a data set of generated street scenes
    Synth(synth::Args),
    /// Count a data set: sizes, class shares, problems
    Stats(stats::Args),
}

/// A result on standard output. A reader that has gone away, such as `head`, is no failure.
fn print(text: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Fit(args) => fit::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Losses => {
            losses::run();
            Ok(())
        }
        Command::Synth(args) => synth::run(&args),
        Command::Stats(args) => stats::run(&args),
    }
}
