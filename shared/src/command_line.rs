//! A program's command line and its standard output. clap parses; what it refuses is told in the
//! words of all other errors: one line, a hint, exit code 2.

use std::ffi::OsString;
use std::io::{ErrorKind, Write};

use clap::Parser;
use clap::error::ErrorKind::{
    DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion,
};

use crate::error::{Error, Result};
use crate::home::expand_words;

/// Parses a command line, the program's name first, with `~` expanded where the shell left it. Help
/// and the version, asked for or in place of a command, are printed and end the program.
///
/// # Errors
/// Returns an error for what clap refuses (exit code 2).
pub fn parse<A: Parser>(argv: Vec<OsString>) -> Result<A> {
    let argv = expand_words(argv);
    let command = A::command();
    let typed = argv.get(1).and_then(|word| command.find_subcommand(word));
    let name = [Some(&command), typed].into_iter().flatten().map(clap::Command::get_name);
    let name = name.collect::<Vec<_>>().join(" ");
    A::try_parse_from(argv).map_err(|error| match error.kind() {
        DisplayHelp | DisplayVersion | DisplayHelpOnMissingArgumentOrSubcommand => error.exit(),
        _ => refusal(&error, &name),
    })
}

/// clap's error without its usage; its tip, if it has one, is the hint, else `COMMAND --help` is.
pub fn refusal(error: &clap::Error, command: &str) -> Error {
    let text = error.to_string();
    let mut parts = text.split("\n\n").map(str::trim);
    let line = parts.next().unwrap_or_default();
    let tip = parts.find_map(|part| part.strip_prefix("tip: "));
    let help = || format!("`{command} --help` says what each flag takes");
    Error::request(line.strip_prefix("error: ").unwrap_or(line))
        .hint(tip.map_or_else(help, str::to_owned))
}

/// Writes a result to standard output. A reader that has gone away, such as `head`, is no failure of ours.
///
/// # Errors
/// Returns an error if standard output takes no more, such as on a full disk (exit code 1).
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            let line = format!("standard output: cannot write: {e}");
            Err(Error::work(line)
                .hint("the file or pipe that standard output goes to is full or closed"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Blame;

    #[derive(Debug, Parser)]
    #[command(name = "x")]
    enum Program {
        Dig {
            #[arg(long, requires = "wide")]
            deep: bool,
            #[arg(long)]
            wide: bool,
        },
    }

    fn parsed(typed: &[&str]) -> Result<Program> {
        parse(["/bin/x"].iter().chain(typed).map(OsString::from).collect())
    }

    #[test]
    fn a_refusal_is_a_line_and_a_hint() {
        #[track_caller]
        fn check(typed: &[&str], line: &str, hint: &str) {
            let error = parsed(typed).unwrap_err();
            assert_eq!((error.to_string().as_str(), error.hint_text()), (line, Some(hint)));
            assert_eq!(error.blame(), Blame::Request);
        }
        let help = "`x dig --help` says what each flag takes";
        let missing = "the following required arguments were not provided: --wide";
        check(&["dig", "--deep"], missing, help);
        check(&["dig", "more"], "unexpected argument 'more' found", help);
        let tip = "a similar argument exists: '--wide'";
        check(&["dig", "--wid"], "unexpected argument '--wid' found", tip);
        let help = "`x --help` says what each flag takes";
        check(&["fill"], "unrecognized subcommand 'fill'", help);
    }

    #[test]
    fn what_is_right_is_parsed() {
        let Program::Dig { deep, wide } = parsed(&["dig", "--deep", "--wide"]).unwrap();
        assert!(deep && wide);
    }
}
