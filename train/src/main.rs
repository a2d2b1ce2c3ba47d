//! The `train` program: its command line. Each command has a file of its own below `cli/`.

mod cli;

use clap::error::ErrorKind::{
    DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion,
};
use clap::{CommandFactory, Parser};
use shared::error::{Result, finish};
use shared::refusal::refusal;
use std::process::ExitCode;

fn main() -> ExitCode {
    finish(parse().and_then(cli::run))
}

/// Help and the version, asked for or in place of a command, are printed by clap, and end the program.
fn parse() -> Result<cli::Args> {
    cli::Args::try_parse().map_err(|error| match error.kind() {
        DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => {
            let typed = std::env::args_os().nth(1);
            let command = typed.and_then(|word| {
                Some(cli::Args::command().find_subcommand(word)?.get_name().to_string())
            });
            refusal(&error, &command.map_or("train".into(), |name| format!("train {name}")))
        }
    })
}
