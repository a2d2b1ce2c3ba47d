//! What the end-to-end tests share: where the programs and the data are, and how to run them.
//!
//! A test that needs something (CamVid, Python packages) fails without it where `CI` is set; elsewhere
//! it says that it was skipped, and why.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One of the two programs, as `cargo build --release` left it.
pub fn program(name: &str) -> Command {
    let test = std::env::current_exe().expect("a test has a path");
    let folder = test.parent().and_then(Path::parent).expect("a test lies in target/PROFILE/deps");
    let path = folder.join(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --release`", path.display());
    Command::new(path)
}

/// Runs a program to its end and expects success; the output is part of the message if there is none.
pub fn succeeds(command: &mut Command) -> Output {
    let output = command.output().expect("the program starts");
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// Writes a small set of generated streets and gives its folder.
pub fn streets(out: &Path, layout: &str, size: &str, train: u32, val: u32) -> PathBuf {
    let root = out.join(layout);
    let (train, val) = (train.to_string(), val.to_string());
    succeeds(
        program("train")
            .args(["synth", "--layout", layout, "--size", size, "--count", &train, "--val", &val])
            .arg("--out")
            .arg(&root),
    );
    root
}

/// A folder of Python packages to compare with, as `cargo xtask test` provides it.
pub fn python_packages(test: &str) -> Option<PathBuf> {
    required(test, "RECALL_SEG_CHECKS_PYTHONPATH", std::env::var_os("RECALL_SEG_CHECKS_PYTHONPATH"))
        .map(PathBuf::from)
}

/// The folder of CamVid.
pub fn camvid(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("CAMVID_ROOT").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/camvid");
    let found = named.or(Some(beside)).filter(|path| path.join("train").is_dir());
    required(test, "CamVid (CAMVID_ROOT, or ../shared/data/camvid)", found)
}

fn required<T>(test: &str, what: &str, found: Option<T>) -> Option<T> {
    if found.is_none() {
        assert!(std::env::var_os("CI").is_none(), "{test}: {what} is missing");
        eprintln!("skipped: {test}: {what} is missing");
    }
    found
}

/// A recipe so small that a step takes a fraction of a second, on streets of 64 x 64.
pub const TINY_RECIPE: &str = r#"
name = "tiny"
[data]
dataset = "streets"
[model]
backbone = "resnet18"
output_stride = 16
[loss]
name = "recall"
momentum = 0.5
[optimizer]
name = "adam"
[train]
iterations = 6
batch = 2
learning_rate = 1e-3
precision = "f32"
device = "cpu"
log_every = 1
checkpoint_every = 1
validate_every = 3
"#;
