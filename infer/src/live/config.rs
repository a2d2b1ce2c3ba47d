//! `--config FILE.toml`: flags of `infer live` from a file, for vehicles, where nobody types.
//! Not a second parser and not a second list of flags: before clap sees the command line, what the file says
//! and the command line does not is added to it, as `--key=value`. Keys are the long names of the flags, so
//! every flag can stand in the file, and means there what it means when typed; paths are relative to the
//! working directory, too.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, Args, Command};
use shared::error::{Context, Error, Result};
use toml::Value;

use super::LiveArgs;
use shared::command_line::refusal;

/// The flag that names the file.
const CONFIG: &str = "config";

/// A command line in which what the file of `--config` says has been added; any other as it was.
///
/// What the command line gives wins, key by key. A flag without a value that the file sets cannot be taken
/// back on the command line.
///
/// # Errors
/// A file that cannot be read, an unknown key, a value that its flag does not take (exit code 2).
pub fn expand(mut argv: Vec<OsString>) -> Result<Vec<OsString>> {
    if argv.get(1).is_none_or(|command| command != "live") {
        return Ok(argv);
    }
    // What is wrong on the command line is for clap to say, when it reads the whole.
    let Ok(typed) = flags().try_get_matches_from(&argv[1..]) else { return Ok(argv) };
    let Some(path) = typed.get_one::<PathBuf>(CONFIG) else { return Ok(argv) };
    let mut added = Vec::new();
    for (key, value) in read(path)? {
        let at = format!("config: {}: {key}", path.display());
        let arg = find(&key).map_err(|e| e.within(&at))?;
        let words = words(&arg, &value).map_err(|e| e.within(&at))?;
        accepted(&words).map_err(|e| e.within(&at))?;
        if typed.value_source(arg.get_id().as_str()) != Some(ValueSource::CommandLine) {
            added.extend(words.into_iter().map(OsString::from));
        }
    }
    argv.splice(2..2, added);
    Ok(argv)
}

/// The flags of `infer live`, none of them required: any of them may be in the file.
fn flags() -> Command {
    LiveArgs::augment_args(Command::new("live")).mut_args(|arg| arg.required(false))
}

fn read(path: &Path) -> Result<toml::Table> {
    let what = || format!("config: {}", path.display());
    let hint = "a TOML file whose keys are the long names of flags, such as models = [\"a.onnx\"]";
    let text = std::fs::read_to_string(path).request(what).map_err(|e| e.hint(hint))?;
    toml::from_str(&text).request(what).map_err(|e| e.hint(hint))
}

/// The flag of this long name, or of another that `--help` lists for it.
fn find(key: &str) -> Result<Arg> {
    if key == CONFIG {
        return Err(Error::request("expected a flag other than itself")
            .hint("a config cannot name another one"));
    }
    let flags = flags();
    let named = flags.get_arguments().find(|arg| {
        let others = arg.get_visible_aliases().unwrap_or_default();
        arg.get_long() == Some(key) || others.contains(&key)
    });
    let named = named.cloned();
    named.ok_or_else(|| {
        let known: Vec<&str> = flags.get_arguments().filter_map(Arg::get_long).collect();
        let known: Vec<&str> = known.into_iter().filter(|&name| name != CONFIG).collect();
        Error::request("expected the long name of a flag of `infer live`, got another key")
            .hint(format!("keys are {}", known.join(", ")))
    })
}

/// The flag and its value as they would be typed; nothing for `false`.
fn words(arg: &Arg, value: &Value) -> Result<Vec<String>> {
    let flag = format!("--{}", arg.get_long().unwrap_or_default());
    match (arg.get_action(), value) {
        (ArgAction::SetTrue, Value::Boolean(true)) => Ok(vec![flag]),
        (ArgAction::SetTrue, Value::Boolean(false)) => Ok(Vec::new()),
        (ArgAction::SetTrue, other) => Err(wrong("true or false", other.type_str())),
        (ArgAction::Append, Value::Array(values)) if values.is_empty() => {
            Err(wrong("one value or more", "none"))
        }
        (ArgAction::Append, Value::Array(values)) => {
            values.iter().map(|value| Ok(format!("{flag}={}", scalar(value)?))).collect()
        }
        (_, value) => Ok(vec![format!("{flag}={}", scalar(value)?)]),
    }
}

/// A string or a number, as it would be typed.
fn scalar(value: &Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Integer(number) => Ok(number.to_string()),
        Value::Float(number) => Ok(number.to_string()),
        other => Err(wrong("a string or a number", other.type_str())),
    }
}

fn wrong(expected: &str, got: &str) -> Error {
    Error::request(format!("expected {expected}, got {got}"))
        .hint("a value is written as in `infer live --help`; several are an array: [\"a\", \"b\"]")
}

/// Refuses what clap would, here, where it is known that it stands in the file.
fn accepted(words: &[String]) -> Result<()> {
    let typed = std::iter::once("live").chain(words.iter().map(String::as_str));
    flags().try_get_matches_from(typed).map(drop).map_err(|e| refusal(&e, "infer live"))
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    /// What the command line becomes with this file; `typed` comes after `infer live --config FILE`.
    fn expanded(text: &str, typed: &[&str]) -> Result<Vec<String>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vehicle.toml");
        std::fs::write(&path, text).unwrap();
        let mut argv: Vec<OsString> = ["infer", "live", "--config"].map(OsString::from).to_vec();
        argv.push(path.into());
        argv.extend(typed.iter().map(OsString::from));
        let all = expand(argv)?;
        let words: Vec<String> = all.into_iter().map(|word| word.into_string().unwrap()).collect();
        let typed_from = words.iter().position(|word| word == "--config").unwrap();
        // What was added comes first, so that a `--` at the end of the typed ones does not swallow it.
        Ok([&words[2..typed_from], &words[typed_from + 2..]].concat())
    }

    fn check(text: &str, typed: &[&str], expected: &[&str]) {
        assert_eq!(expanded(text, typed).unwrap(), expected, "{text:?} {typed:?}");
    }

    fn refused(text: &str, expected: &str) {
        let error = expanded(text, &[]).unwrap_err();
        let line = error.to_string();
        assert!(line.starts_with("config: /") && line.contains(expected), "{line}");
        assert!(line.contains("vehicle.toml: ") && !line.contains('\n'), "{line}");
        assert!(error.hint_text().is_some(), "{line}");
        assert_eq!(error.blame(), shared::error::Blame::Request);
    }

    #[test]
    fn a_key_becomes_the_flag_it_would_be_on_the_command_line() {
        check("stale-ms = 150", &[], &["--stale-ms=150"]);
        check("opacity = 0.25\nfps = 1e2", &[], &["--fps=100", "--opacity=0.25"]);
        check("models = ['a.onnx', 'b.onnx']", &[], &["--models=a.onnx", "--models=b.onnx"]);
        check("models = 'a.onnx'", &[], &["--models=a.onnx"]);
        check("model = 'a.onnx'", &[], &["--models=a.onnx"]);
        check("model = 'a.onnx'", &["--model=b.onnx"], &["--model=b.onnx"]);
        check("headless = true\nrealtime = false", &[], &["--headless"]);
        check("source = '--odd name'", &[], &["--source=--odd name"]);
        check("", &["--headless"], &["--headless"]);
    }

    #[test]
    fn what_is_on_the_command_line_wins() {
        let file = "models = ['a.onnx', 'b.onnx']\nstale-ms = 150\nheadless = true";
        check(file, &["--models=c.onnx"], &["--headless", "--stale-ms=150", "--models=c.onnx"]);
        let all = ["--stale-ms", "9", "--models", "c", "d", "--headless"];
        check(file, &all, &all);
        // A value that looks like the flag is none.
        check("fps = 5", &["--source=--fps"], &["--fps=5", "--source=--fps"]);
        // Also a value that equals the default: it was typed.
        check("opacity = 0.1", &["--opacity", "0.5"], &["--opacity", "0.5"]);
    }

    #[test]
    fn every_flag_of_live_can_stand_in_the_file() {
        let flags = flags();
        let mut keys = 0;
        for arg in flags.get_arguments().filter(|arg| arg.get_long() != Some(CONFIG)) {
            let key = arg.get_long().expect("a flag of live has a long name");
            assert!(arg.get_short().is_none(), "{key}: a key is given by its long name alone");
            let candidates = ["true", "\"1\"", "\"64x64\"", "\"stdout\"", "\"m.onnx\""];
            let named = arg.get_possible_values();
            let named: Vec<String> = named.iter().map(|v| format!("{:?}", v.get_name())).collect();
            let fits = |value: &str| expanded(&format!("{key} = {value}"), &[]).ok();
            let values = candidates.into_iter().chain(named.iter().map(String::as_str));
            let words = values.filter_map(fits).next().expect(key);
            assert!(words[0].starts_with(&format!("--{key}")), "{words:?}");
            keys += 1;
        }
        // The shared flags of a session are among them.
        assert!(keys > 20 && find("provider").is_ok() && find("engine-cache").is_ok());
    }

    #[test]
    fn the_sample_for_vehicles_names_every_flag() {
        let sample = include_str!("../../../xtask/package/vehicle.toml");
        // What packing fills in.
        let sample =
            sample.replace("{{models}}", "['m.onnx']").replace("{{card}}", "card = 'm.toml'");
        // A `#` without a blank after it is a setting that could be made.
        let settings = sample.lines().map(|line| line.strip_prefix('#').unwrap_or(line));
        let mut keys: Vec<&str> = Vec::new();
        for setting in settings.filter(|line| !line.is_empty() && !line.starts_with(' ')) {
            expanded(setting, &[]).expect(setting);
            keys.extend(setting.split_once(" = ").map(|(key, _)| key));
        }
        let flags = flags();
        for key in flags.get_arguments().filter_map(Arg::get_long).filter(|key| *key != CONFIG) {
            assert!(keys.contains(&key), "{key} is missing in {keys:?}");
        }
    }

    #[test]
    fn the_whole_is_what_clap_would_have_made_of_the_flags() {
        let words = expanded("models = ['a', 'b']\nsource = 'streets'\nstale-ms = 150", &[]);
        let words = std::iter::once("live".to_owned()).chain(words.unwrap());
        let command = LiveArgs::augment_args(Command::new("live"));
        let args = LiveArgs::from_arg_matches(&command.try_get_matches_from(words).unwrap());
        let args = args.unwrap();
        assert_eq!((args.models.len(), args.stale_ms, args.source.len()), (2, 150, 1));
    }

    #[test]
    fn what_the_file_should_not_say_is_refused_with_file_and_key() {
        refused("stale_ms = 5", "stale_ms: expected the long name of a flag");
        refused("[run]\nprovider = 'cpu'", "run: expected the long name of a flag");
        refused("config = 'other.toml'", "config: expected a flag other than itself");
        refused("[stale-ms]\nms = 5", "stale-ms: expected a string or a number, got table");
        refused("fps = 2020-01-01", "fps: expected a string or a number, got datetime");
        refused("fps = [1, 2]", "fps: expected a string or a number, got array");
        refused("fps = true", "fps: expected a string or a number, got boolean");
        refused("headless = 'yes'", "headless: expected true or false, got string");
        refused("models = []", "models: expected one value or more, got none");
        refused("models = [['a']]", "models: expected a string or a number, got array");
        refused("stale-ms = 0", "stale-ms: invalid value '0' for '--stale-ms <MS>'");
        refused("opacity = nan", "opacity: invalid value 'NaN'");
        refused("view = 'overlai'", "view: invalid value 'overlai'");
        refused("models = ''", "models: a value is required");
        refused("models = \n", "vehicle.toml: ");
        refused("fps = 1\nfps = 2", "duplicate key");
    }

    #[test]
    fn other_commands_and_wrong_command_lines_are_left_to_clap() {
        let same = |words: &[&str]| {
            let argv: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert_eq!(expand(argv.clone()).unwrap(), argv);
        };
        same(&["infer"]);
        same(&["infer", "eval", "--config", "/no/such.toml"]);
        same(&["infer", "live", "--help"]);
        same(&["infer", "live", "--config"]);
        same(&["infer", "live", "--config", "/no/such.toml", "--bogus"]);
        same(&["infer", "live", "--config", "/no/such.toml", "--config", "/no/such.toml"]);
        let argv = ["infer", "live", "--config", "/no/such.toml"].map(OsString::from).to_vec();
        let error = expand(argv).unwrap_err();
        assert!(error.to_string().starts_with("config: /no/such.toml: No such file"), "{error}");
    }
}
