//! Running other programs: one line saying what runs, and an error that names it when it fails. Of cargo, too,
//! which alone knows where it puts what it builds: a configuration file or a variable may say so.

use crate::native;
use anyhow::{Context, Result, bail};
use std::borrow::BorrowMut;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a program with the terminal handed through; anything but success is an error.
pub fn run(command: impl BorrowMut<Command>) -> Result<()> {
    finish(command).map(drop)
}

/// As [`run`], but gives what the program writes to standard output.
pub fn read(mut command: impl BorrowMut<Command>) -> Result<Vec<u8>> {
    finish(command.borrow_mut().stdout(Stdio::piped()))
}

/// Gives what came through a pipe at standard output, if there is one.
fn finish(mut command: impl BorrowMut<Command>) -> Result<Vec<u8>> {
    let command = command.borrow_mut();
    let line = describe(command);
    eprintln!("$ {line}");
    let output = command.spawn().and_then(|child| child.wait_with_output());
    let output = output.with_context(|| format!("cannot run `{line}`"))?;
    if !output.status.success() {
        bail!("`{line}` ended with {}", output.status);
    }
    Ok(output.stdout)
}

/// A cargo command at the root of this clone.
pub fn cargo(args: &[&str]) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(native::repository()).args(args);
    command
}

/// Builds programs, and gives the folder that they are in.
pub fn build(options: &[&str]) -> Result<PathBuf> {
    let build = ["build", "--release", "--message-format=json-render-diagnostics"];
    let messages = read(cargo(&build).args(options))?;
    let folder = folder_of_programs(&String::from_utf8_lossy(&messages));
    folder.context("cargo build: expected a program in its messages, got none")
}

/// Of the first program in cargo's messages, a line of JSON each.
fn folder_of_programs(messages: &str) -> Option<PathBuf> {
    messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(Path::new(message["executable"].as_str()?).parent()?.to_owned())
    })
}

/// Cargo's folder for what it builds.
pub fn target() -> Result<PathBuf> {
    let metadata = read(cargo(&["metadata", "--no-deps", "--format-version=1"]))?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&metadata).context("cargo metadata")?;
    let folder = metadata["target_directory"].as_str();
    Ok(folder.context("cargo metadata: expected a target_directory, got none")?.into())
}

/// Whether a program can be started and answers with success, its output thrown away.
pub fn answers(program: &str, args: &[&str]) -> bool {
    Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn describe(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_where_cargo_says_that_they_are() {
        // In the form that "External tools" in the Cargo Book gives.
        let messages = r#"
{"reason":"compiler-artifact","target":{"kind":["lib"],"name":"infer"},"executable":null,"fresh":true}
{"reason":"build-script-executed","linked_libs":[]}
{"reason":"compiler-artifact","target":{"kind":["bin"],"name":"infer"},"executable":"/far/target/x86_64-unknown-linux-gnu/release/infer","fresh":true}
{"reason":"build-finished","success":true}
"#;
        let folder = folder_of_programs(messages).unwrap();
        assert_eq!(folder, Path::new("/far/target/x86_64-unknown-linux-gnu/release"));
        assert_eq!(folder_of_programs("{\"reason\":\"build-finished\"}\n"), None);
    }

    #[test]
    fn cargo_says_where_it_builds() {
        assert!(target().unwrap().is_absolute());
    }
}
