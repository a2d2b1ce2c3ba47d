//! `cargo xtask`: set-up, demo, tests and the archive for a vehicle, each one command.
//!
//! It builds without any native library, because it is what fetches them.

mod demo;
mod native;
mod package;
mod process;
mod setup;
mod test;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Set-up, demo, tests and packaging of recall-seg")]
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
    /// Pack what goes on a vehicle: program, runtime library, models, systemd unit
    Package(package::Args),
}

fn main() -> ExitCode {
    let done = match Args::parse().command {
        Command::Setup(args) => setup::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Test(args) => test::run(&args),
        Command::Package(args) => package::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
