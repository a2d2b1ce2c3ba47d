//! The commands of `train`: one file each.

mod browse;
mod describe;
mod export;
mod fit;
mod guard;
mod losses;
mod plot;
mod results;
mod stats;
mod suite;
mod synth;

use clap::{Parser, Subcommand};
use shared::error::Result;

/// The program.
#[derive(Parser)]
#[command(
    name = "train",
    version,
    about = "Trains DeepLabV3 and V3+ with recall loss and exports ONNX"
)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Train as a recipe says
    Fit(fit::Args),
    /// Train every loss with every seed, then write the paper's tables and figures
    Suite(suite::Args),
    /// Draw a run's curves or class weights
    Plot(plot::Args),
    /// Write RESULTS.md from the suites in a folder
    Results(results::Args),
    /// Write a checkpoint as an ONNX model (or as plain weights, for PyTorch) and verify it
    Export(export::Args),
    /// List the losses that a recipe can name: settings with their defaults, equation, source
    Losses,
    /// Write a data set of generated street scenes
    Synth(synth::Args),
    /// Write the descriptor of a folder of your own images and labels
    Describe(describe::Args),
    /// Draw images with their labels over them, to be looked at before training
    Browse(browse::Args),
    /// Count a data set: sizes, class shares, problems
    Stats(stats::Args),
}

/// A result on standard output, as lines.
fn print(text: &str) -> Result<()> {
    shared::command_line::print(&format!("{text}\n"))
}

/// Runs the command.
pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Fit(args) => fit::run(&args),
        Command::Suite(args) => suite::run(&args),
        Command::Plot(args) => plot::run(&args),
        Command::Results(args) => results::run(&args),
        Command::Export(args) => export::run(&args),
        Command::Losses => losses::run(),
        Command::Synth(args) => synth::run(&args),
        Command::Browse(args) => browse::run(&args),
        Command::Describe(args) => describe::run(&args),
        Command::Stats(args) => stats::run(&args),
    }
}
