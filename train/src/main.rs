//! The `train` program: its command line. Each command has a file of its own below `cli/`.

mod cli;

use shared::command_line;
use shared::error::finish;
use std::process::ExitCode;

fn main() -> ExitCode {
    finish(command_line::parse(std::env::args_os().collect()).and_then(cli::run))
}
