//! `cargo xtask test`: every check there is, in the order in which they are cheap.

use crate::native;
use crate::process::{self, cargo};
use crate::setup;
use anyhow::Result;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Args {
    /// Only formatting and lints
    #[arg(long)]
    lints: bool,
}

/// Packages that the tests compare with, in pip's requirements format.
const CHECKS: &str = include_str!("../checks.txt");

/// Names the folder of those packages to the tests.
const CHECKS_VARIABLE: &str = "RECALL_SEG_CHECKS_PYTHONPATH";

pub fn run(args: &Args) -> Result<()> {
    setup::ensure()?;
    process::run(cargo(&["fmt", "--all", "--check"]))?;
    // Lints share the build's profile, so that libtorch's wrapper is compiled once.
    process::run(cargo(&[
        "clippy",
        "--release",
        "--workspace",
        "--all-targets",
        "--",
        "-Dwarnings",
    ]))?;
    if args.lints {
        return Ok(());
    }
    let checks = checks()?;
    // The end-to-end tests run the programs themselves, and this builds them: both have tests of their own beside their
    // sources. A `cargo build` before it would compile everything twice, as the tests' dependencies ask for more features.
    let mut tests = cargo(&["test", "--release", "--workspace", "--no-fail-fast"]);
    tests.env(CHECKS_VARIABLE, checks);
    process::run(tests)
}

/// Fetches what the tests compare with, once.
fn checks() -> Result<PathBuf> {
    let place = native::folder(&format!("checks-{}", setup::python_version()?), CHECKS)?;
    let programs = ["cityscapesscripts", "onnx", "tensorboard"];
    let is_whole = |place: &Path| programs.iter().all(|name| place.join(name).is_dir());
    setup::fetch_once(&place, is_whole, |partial| {
        eprintln!("test: fetching the programs that the tests compare with");
        setup::pip_install(partial, CHECKS, &[])
    })?;
    Ok(place)
}
