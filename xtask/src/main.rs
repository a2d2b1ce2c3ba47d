//! `cargo xtask`: set-up, demo, tests and the archive for a vehicle, each one command.
//!
//! It builds without any native library, because it is what fetches them.

mod demo;
mod native;
mod package;
mod process;
mod setup;
mod side_by_side;
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
    ///
    /// With CUDA where an NVIDIA driver is loaded. The cache is RECALL_SEG_CACHE, or recall-seg in the user's cache folder.
    /// A library of your own, named by LIBTORCH or ORT_DYLIB_PATH, is used instead.
    Setup(setup::Args),
    /// Set up, then train cross entropy and recall loss on generated streets, export, evaluate, compare
    ///
    /// Streets, runs, scores and pictures are left in demo/, models in models/. Interrupted, it goes on where it was.
    Demo(demo::Args),
    /// Set up, then run every check: formatting, lints, tests
    Test(test::Args),
    /// Pack what goes on a vehicle: program, runtime library, models, systemd unit
    Package(package::Args),
}

/// What was asked for is wrong, and not the work: exit code 2, as that of `train` and `infer`.
#[derive(Debug)]
struct Request(String);

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Request {}

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
            ExitCode::from(if error.is::<Request>() { 2 } else { 1 })
        }
    }
}
