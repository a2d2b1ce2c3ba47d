//! Proof that an exported file computes what the trainer computed, by the program that will run it.
//! Not a second implementation: `infer info --verify` replays the probe in the card through ONNX Runtime, the whole
//! graph as the file has it.
//! The trainer itself never loads ONNX Runtime.

use shared::error::{Context, Error, Result};
use std::path::Path;
use std::process::Command;

/// A file that was replayed and found right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// What was compared, in one line, as `infer` says it.
    pub summary: String,
}

/// Has an exported file replayed by the `infer` program that stands beside this one.
///
/// # Errors
/// No such program; a file that does not compute what its card says. The file stays in both cases (exit code 1).
pub fn verify(path: &Path) -> Result<Verification> {
    let own = std::env::current_exe().work(|| not_verified(path, "where this program is"))?;
    verify_with(&own.with_file_name(format!("infer{}", std::env::consts::EXE_SUFFIX)), path)
}

/// The same with a program of one's own choice.
///
/// # Errors
/// As [`verify`].
pub fn verify_with(program: &Path, path: &Path) -> Result<Verification> {
    if !program.is_file() {
        let missing = format!("expected the program {}, got none", program.display());
        return Err(Error::work(not_verified(path, &missing))
            .hint("`cargo build --release` builds it; then: infer info --verify --model FILE"));
    }
    // The CPU is the reference: other providers may round convolutions to fewer bits by default.
    let output = Command::new(program)
        .args(["info", "--verify", "--provider", "cpu", "--model"])
        .arg(path)
        .output()
        .work(|| not_verified(path, &program.display().to_string()))?;
    let said = String::from_utf8_lossy(&output.stdout).trim().to_string();
    if output.status.success() {
        return Ok(Verification { summary: said });
    }
    let complaint = String::from_utf8_lossy(&output.stderr).to_string();
    let line = |prefix: &str| {
        complaint.lines().find_map(|line| line.strip_prefix(prefix).map(str::to_string))
    };
    let error = Error::work(match said.is_empty() {
        true => not_verified(path, &line("error: ").unwrap_or_else(|| output.status.to_string())),
        false => format!("export: {said}"),
    });
    Err(match line("hint: ") {
        Some(hint) => error.hint(hint),
        None => error,
    })
}

fn not_verified(path: &Path, why: &str) -> String {
    format!("export: {}: not verified: {why}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::error::Blame;
    use std::os::unix::fs::PermissionsExt;

    fn pretend(script: &str) -> Result<Verification> {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("infer");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        verify_with(&program, Path::new("model.onnx"))
    }

    #[test]
    fn the_verdict_is_passed_on() {
        let verification = pretend("echo verified: all well").unwrap();
        assert_eq!(verification.summary, "verified: all well");
        let error =
            pretend("echo not verified: 3 wrong; echo 'hint: try again' >&2; exit 1").unwrap_err();
        assert!(error.to_string().contains("export: not verified: 3 wrong"), "{error}");
        assert_eq!(error.hint_text(), Some("try again"));
        assert_eq!(error.blame(), Blame::Work);
    }

    #[test]
    fn a_program_that_is_missing_is_said_to_be() {
        let error = verify_with(Path::new("/nowhere/infer"), Path::new("model.onnx")).unwrap_err();
        assert!(
            error.to_string().contains("not verified: expected the program /nowhere/infer"),
            "{error}"
        );
        assert_eq!(error.blame(), Blame::Work);
    }
}
