//! The program `infer`: its command line, and what goes to standard output.
//! Not the work, which is in the library, one file per command.
//! Exit codes: 0 well, 1 the work failed, 2 the request was wrong.

#![warn(clippy::print_stderr)]

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use infer::bench::{BenchArgs, bench};
use infer::compare::{CompareArgs, compare};
use infer::eval::{EvalArgs, eval};
use infer::gate::{GateArgs, gate};
use infer::info::{InfoArgs, info};
use infer::interrupt;
use infer::live::{LiveArgs, config, live};
use infer::predict::{PredictArgs, predict};
use shared::command_line::{self, print};
use shared::error::{Result, finish};
use shared::home::expand_words;

/// Run exported segmentation models with ONNX Runtime
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Score a model on a data set: per-class table, JSON, labels for the official scripts
    Eval(EvalArgs),
    /// Turn images into colour maps and overlays
    Predict(PredictArgs),
    /// Show models side by side where they differ on rare classes, with a table
    Compare(CompareArgs),
    /// Watch models work on images, video, streams, cameras, or a generated drive
    Live(LiveArgs),
    /// Time models stage by stage, from decoded to coloured frame
    Bench(BenchArgs),
    /// Hold a model to limits on recall, IoU and latency: exit code 1 with the list of what failed
    Gate(GateArgs),
    /// Show what a model file is; with --verify, whether it computes what its trainer did
    Info(InfoArgs),
}

fn main() -> ExitCode {
    let argv = config::expand(expand_words(std::env::args_os()));
    finish(argv.and_then(command_line::parse).and_then(run))
}

fn run(cli: Cli) -> Result<()> {
    interrupt::catch()?;
    match cli.command {
        Command::Eval(args) => eval(&args, print),
        Command::Predict(args) => predict(&args, print),
        Command::Compare(args) => compare(&args, print),
        Command::Live(args) => live(&args, print),
        Command::Bench(args) => bench(&args, print),
        Command::Gate(args) => gate(&args, print),
        Command::Info(args) => info(&args, print),
    }
}
