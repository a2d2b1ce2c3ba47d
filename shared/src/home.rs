//! `~` as the user's home folder, where no shell has expanded it: in `--flag=~/folder`,
//! `MODEL=~/card.toml`, recipes and configuration files. `~name` and a `~` inside a path stay.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// The words of a command line with `~` expanded at the start of a word and after its first `=`.
pub fn expand_words(words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let home = std::env::var_os("HOME");
    words.into_iter().map(|word| expand_word(word, home.as_deref())).collect()
}

/// A path from a file with `~` expanded at its start.
pub fn expand_path(path: &Path) -> PathBuf {
    expand_start(path.as_os_str().as_bytes(), std::env::var_os("HOME").as_deref())
        .map_or_else(|| path.into(), PathBuf::from)
}

fn expand_word(word: OsString, home: Option<&OsStr>) -> OsString {
    let bytes = word.as_bytes();
    if let Some(expanded) = expand_start(bytes, home) {
        return expanded;
    }
    let value_at = bytes.iter().position(|b| *b == b'=').map(|at| at + 1);
    let value = value_at.and_then(|at| Some((at, expand_start(&bytes[at..], home)?)));
    match value {
        Some((at, value)) => OsString::from_vec([&bytes[..at], value.as_bytes()].concat()),
        None => word,
    }
}

/// `~` and `~/...` expanded; `None` for all else, and where no home is known.
fn expand_start(text: &[u8], home: Option<&OsStr>) -> Option<OsString> {
    let rest = text.strip_prefix(b"~").filter(|rest| rest.is_empty() || rest[0] == b'/')?;
    let home = home.filter(|home| !home.is_empty())?.as_bytes();
    Some(OsString::from_vec([home, rest].concat()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tilde_is_the_home_where_a_shell_would_have_left_it() {
        for (typed, meant) in [
            ("~", "/home/u"),
            ("~/data", "/home/u/data"),
            ("--data-root=~/data", "--data-root=/home/u/data"),
            ("a.onnx=~/card.toml", "a.onnx=/home/u/card.toml"),
            ("data.root=~/data", "data.root=/home/u/data"),
            // Another user's home, an editor's backup file, a folder called `~`.
            ("~other/data", "~other/data"),
            ("file~", "file~"),
            ("./~/data", "./~/data"),
            ("a=b=~/c", "a=b=~/c"),
        ] {
            let word = expand_word(typed.into(), Some(OsStr::new("/home/u")));
            assert_eq!(word, meant, "{typed}");
            assert_eq!(expand_word(typed.into(), None), typed, "without a home");
        }
    }
}
