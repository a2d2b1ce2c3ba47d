//! `cargo xtask`: set-up, demo and tests, each one command.
//!
//! It builds without any native library, because it is what fetches them.

mod demo;
mod native;
mod process;
mod setup;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up, demo and tests of recall-seg")]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Fetch libtorch and ONNX Runtime into a cache and link them into this clone
    Setup(setup::Args),
    /// Set up, then train cross entropy and recall loss on generated streets, export, evaluate, compare
    Demo(demo::Args),
    /// Set up, then run every check: formatting, lints, tests
    Test(test::Args),
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Setup(args) => setup::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
