//! The program `infer`: its command line, and what goes to standard output.
//! Not the work, which is in the library, one file per command.
//! Exit codes: 0 well, 1 the work failed, 2 the request was wrong.

#![warn(clippy::print_stderr)]

use std::ffi::OsString;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use clap::error::ErrorKind::{
    DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion,
};
use clap::{CommandFactory, Parser, Subcommand};
use infer::bench::{BenchArgs, bench};
use infer::compare::{CompareArgs, compare};
use infer::eval::{EvalArgs, eval};
use infer::gate::{GateArgs, gate};
use infer::info::{InfoArgs, info};
use infer::interrupt;
use infer::live::{LiveArgs, config, live};
use infer::predict::{PredictArgs, predict};
use shared::error::{Error, Result, finish};
use shared::refusal::refusal;

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
    let argv = config::expand(std::env::args_os().collect());
    finish(argv.and_then(|argv| run(parse(argv)?)))
}

/// Help and the version, asked for or in place of a command, are printed by clap, and end the program.
fn parse(argv: Vec<OsString>) -> Result<Cli> {
    let command = argv.get(1).and_then(|word| Cli::command().find_subcommand(word).cloned());
    Cli::try_parse_from(argv).map_err(|error| match error.kind() {
        DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => {
            let name = command.map_or("infer".into(), |c| format!("infer {}", c.get_name()));
            refusal(&error, &name)
        }
    })
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

/// A reader that has gone away, such as `head`, is no failure of ours; a full disk is one.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            let line = format!("standard output: expected to write {} bytes, got {e}", text.len());
            Err(Error::work(line).hint("what it is redirected to takes no more"))
        }
        _ => Ok(()),
    }
}
