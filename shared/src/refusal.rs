//! What clap refuses, in the words of all other errors: one line, a hint, exit code 2.
//! Not the parsing, and not help or the version, which are answers.

use std::fmt::Display;

use crate::error::Error;

/// clap's `error` without its usage; its tip, if it has one, is the hint, else `COMMAND --help` is.
pub fn refusal(error: &impl Display, command: &str) -> Error {
    let text = error.to_string();
    let mut parts = text.split("\n\n").map(str::trim);
    let line = parts.next().unwrap_or_default();
    let tip = parts.find_map(|part| part.strip_prefix("tip: "));
    let help = || format!("`{command} --help` says what each flag takes");
    Error::request(line.strip_prefix("error: ").unwrap_or(line))
        .hint(tip.map_or_else(help, str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_line_and_a_hint() {
        #[track_caller]
        fn check(said: &str, line: &str, hint: &str) {
            let error = refusal(&said, "infer eval");
            assert_eq!((error.to_string().as_str(), error.hint_text()), (line, Some(hint)));
            assert_eq!(error.blame(), crate::error::Blame::Request);
        }
        let usage = "Usage: infer eval --model <FILE>\n\nFor more information, try '--help'.\n";
        let help = "`infer eval --help` says what each flag takes";
        check(
            &format!(
                "error: the following required arguments were not provided:\n  --model <FILE>\n  --dataset <NAME>\n\n{usage}"
            ),
            "the following required arguments were not provided: --model <FILE> --dataset <NAME>",
            help,
        );
        check(
            &format!(
                "error: unexpected argument '--wid' found\n\n  tip: a similar argument exists: '--wide'\n\n{usage}"
            ),
            "unexpected argument '--wid' found",
            "a similar argument exists: '--wide'",
        );
    }
}
