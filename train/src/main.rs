//! The `train` program: its command line. Each command has a file of its own below `cli/`.

mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = cli::Args::parse();
    shared::error::finish(cli::run(args))
}
