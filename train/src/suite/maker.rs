//! Who computed a result: version, commit, hardware, precision. Told with every figure; no part of a cell's key.

use crate::device;
use crate::model::params::Precision;
use serde::{Deserialize, Serialize};
use std::process::Command;
use std::time::UNIX_EPOCH;
use tch::Device;

/// Program and machine behind a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Maker {
    /// The program's version.
    pub version: String,
    /// The last commit before the program was built, if its repository is at hand; with a `+` if the sources
    /// differ from it.
    pub commit: Option<String>,
    /// `cpu` or `cuda`.
    pub device: String,
    /// The processor's or the GPU's own name, if it tells.
    pub hardware: Option<String>,
    /// Threads that computed, on a CPU.
    pub threads: Option<i64>,
    /// In what convolutions computed.
    pub precision: String,
}

impl Maker {
    /// Of who computes on a device in a precision. `commit` is [`commit`]'s, asked once at the program's start.
    pub fn of(computes_on: Device, precision: Precision, commit: Option<String>) -> Self {
        let cpu = computes_on == Device::Cpu;
        Self {
            version: env!("CARGO_PKG_VERSION").into(),
            commit,
            device: if cpu { "cpu" } else { "cuda" }.into(),
            hardware: device::hardware(computes_on),
            threads: cpu.then(|| i64::from(tch::get_num_threads())),
            precision: device::precision_name(precision).into(),
        }
    }

    /// For people: `AMD EPYC 7B13, 2 threads, bf16`.
    pub fn describe(&self) -> String {
        let hardware = self.hardware.clone().unwrap_or_else(|| self.device.clone());
        let threads = match self.threads {
            None => String::new(),
            Some(1) => ", 1 thread".into(),
            Some(n) => format!(", {n} threads"),
        };
        format!("{hardware}{threads}, {}", self.precision)
    }
}

/// The last commit before this program was built: the repository may have moved on since.
pub fn commit() -> Option<String> {
    let built = std::env::current_exe().ok()?.metadata().ok()?.modified().ok()?;
    let built = built.duration_since(UNIX_EPOCH).ok()?.as_secs();
    let commit = git(&["rev-list", "-1", &format!("--before={built}"), "HEAD"])?;
    let commit = commit.get(..12)?.to_string();
    let sources = ["shared", "train", "Cargo.toml", "Cargo.lock"];
    let mut compare = vec!["diff", "--name-only", &commit, "--"];
    compare.extend(sources);
    let same = git(&compare)?.is_empty();
    Some(if same { commit } else { commit + "+" })
}

/// What git says of the repository that the program was built in; nothing without git or repository.
fn git(args: &[&str]) -> Option<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let output = Command::new("git").args(["-C", root]).args(args).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_string())
}
