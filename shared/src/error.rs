//! The one error type of the project: a line for the user, perhaps a hint, and whose fault it was.
//! Not a tree of causes for programs to match on: a caller that must tell cases apart returns its own type.
//! The exit codes follow ripgrep and grep: 0 well, 1 the work failed, 2 the request was wrong.

use std::fmt::Display;
use std::io::Write;
use std::process::ExitCode;

/// Who has to change something for the command to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// What was asked for, or the files it names, are wrong. Exit code 2.
    Request,
    /// The work itself failed, or a gate was not met. Exit code 1.
    Work,
}

/// What a user sees: `what: where: expected X, got Y` on one line, and perhaps a hint.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{line}")]
pub struct Error {
    line: String,
    hint: Option<String>,
    blame: Blame,
}

/// A result whose error is the project's own.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// An error in what was asked for, exit code 2. Line breaks in `line` become blanks.
    pub fn request(line: impl Into<String>) -> Self {
        Self::new(line.into(), Blame::Request)
    }

    /// A failure of the work, exit code 1. Line breaks in `line` become blanks.
    pub fn work(line: impl Into<String>) -> Self {
        Self::new(line.into(), Blame::Work)
    }

    /// Adds what to do next; a later hint replaces an earlier one.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(one_line(hint.into()));
        self
    }

    /// Puts `what: ` before the line and keeps hint and blame.
    pub fn within(mut self, what: impl Display) -> Self {
        self.line = one_line(format!("{what}: {}", self.line));
        self
    }

    /// Who has to change something.
    pub fn blame(&self) -> Blame {
        self.blame
    }

    /// The hint, if there is one, without the word "hint".
    pub fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    fn new(line: String, blame: Blame) -> Self {
        Self { line: one_line(line), hint: None, blame }
    }
}

/// Turns any error that can be displayed into the project's, as `what: error`.
///
/// For an error that is the project's already, [`Error::within`] keeps its hint; this does not.
pub trait Context<T> {
    /// The request was wrong: exit code 2.
    fn request(self, what: impl FnOnce() -> String) -> Result<T>;
    /// The work failed: exit code 1.
    fn work(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Display> Context<T> for std::result::Result<T, E> {
    fn request(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| Error::request(format!("{}: {e}", what())))
    }

    fn work(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|e| Error::work(format!("{}: {e}", what())))
    }
}

/// Ends a program: prints `error: ...` and `hint: ...` on standard error, gives exit code 0, 1 or 2.
pub fn finish(result: Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    tell(format_args!("error: {error}"));
    if let Some(hint) = error.hint_text() {
        tell(format_args!("hint: {hint}"));
    }
    match error.blame {
        Blame::Work => ExitCode::from(1),
        Blame::Request => ExitCode::from(2),
    }
}

/// Writes a line to standard error. A log that is full, or that nobody reads any more, is no reason to end
/// the work: what cannot be written is lost, where `eprintln!` panics.
pub fn tell(line: impl Display) {
    let _ = std::io::stderr().lock().write_all(format!("{line}\n").as_bytes());
}

/// Foreign errors (TOML, for one) draw pictures over several lines; a log wants one.
fn one_line(text: String) -> String {
    if !text.contains(['\n', '\r']) {
        return text;
    }
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_even_when_its_cause_has_several() {
        let cause: std::result::Result<(), _> = Err("parse error\n  | x = \n  | ^\n");
        let error = cause.request(|| "recipe.toml".into()).unwrap_err();
        assert_eq!(error.to_string(), "recipe.toml: parse error | x = | ^");
        assert_eq!(error.blame(), Blame::Request);
    }

    #[test]
    fn within_keeps_the_hint_and_the_blame() {
        let error = Error::work("disk: full").hint("make room").within("saving");
        assert_eq!(error.to_string(), "saving: disk: full");
        assert_eq!(error.hint_text(), Some("make room"));
        assert_eq!(error.blame(), Blame::Work);
    }

    #[test]
    fn the_exit_code_says_whose_fault_it_was() {
        let code = |r| format!("{:?}", finish(r));
        assert_eq!(code(Ok(())), format!("{:?}", ExitCode::SUCCESS));
        assert_eq!(code(Err(Error::work("w"))), format!("{:?}", ExitCode::from(1)));
        assert_eq!(code(Err(Error::request("r"))), format!("{:?}", ExitCode::from(2)));
    }
}
