//! Options that several commands share: where models run, and the data they are scored on.
//! Not a command. What is checked here is what clap cannot know.
//! The names are those of the command line: `--provider`, `--threads`, `--dataset`, `--data-root`, `--split`.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;
use shared::dataset::{Descriptor, Index};
use shared::decode::MAX_SIDE;
use shared::error::{Error, Result, tell};

use crate::provider::Choice;
use crate::session::{Arena, CardFor, Options, Shapes, Tail, check_cards};
use crate::table::counted;

/// Where and how models run; the same for every command.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Where to run; one asked for by name is used or the command fails
    #[arg(long, value_enum, default_value_t)]
    pub provider: Choice,
    /// CPU threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
    /// Memory arena of ONNX Runtime on the CPU: off holds less memory between runs, and is slower
    #[arg(long, value_enum, default_value_t)]
    pub arena: Arena,
    /// Card of a model from elsewhere, TOML (models/README.md); MODEL=FILE for one of several models
    #[arg(long, value_name = "FILE|MODEL=FILE")]
    pub card: Vec<CardFor>,
    /// Open only models that this list has, with its SHA-256 [example: models/manifest.toml]
    #[arg(long, value_name = "FILE")]
    pub manifest: Option<PathBuf>,
    /// Keep TensorRT's engines and timings in this folder, so that only the first start builds them
    #[arg(long, value_name = "DIR")]
    pub engine_cache: Option<PathBuf>,
    /// Resize images to this size [default: the card's, or their own]; TensorRT needs one
    #[arg(long, value_name = "WxH", value_parser = parse_size)]
    pub input_size: Option<(u32, u32)>,
}

/// `WIDTHxHEIGHT`.
pub(crate) fn parse_size(text: &str) -> std::result::Result<(u32, u32), String> {
    let sides = text.split_once('x').map(|(w, h)| (w.parse(), h.parse()));
    match sides {
        Some((Ok(w), Ok(h))) if (1..=MAX_SIDE).contains(&w) && (1..=MAX_SIDE).contains(&h) => {
            Ok((w, h))
        }
        _ => Err(format!("expected WIDTHxHEIGHT, such as 1024x512, at most {MAX_SIDE} a side")),
    }
}

/// A number within bounds, which are let in.
pub(crate) fn parse_in(
    text: &str,
    range: std::ops::RangeInclusive<f64>,
) -> std::result::Result<f64, String> {
    let value: f64 = text.parse().map_err(|e| format!("{e}"))?;
    let (low, high) = (range.start(), range.end());
    if range.contains(&value) {
        Ok(value)
    } else {
        Err(format!("expected a number from {low} to {high}"))
    }
}

/// A share, 0 to 1.
pub(crate) fn parse_share(text: &str) -> std::result::Result<f64, String> {
    parse_in(text, 0.0..=1.0)
}

/// Models side by side, at most.
const MOST_MODELS: usize = 4;

/// Refuses more models than fit side by side, and titles of `--names` that are too few, too many or alike.
///
/// # Errors
/// Such models or titles (exit code 2).
pub(crate) fn check_side_by_side(models: &[PathBuf], names: &[String]) -> Result<()> {
    let models = models.len();
    if models > MOST_MODELS {
        let line = format!("--models: expected one to {MOST_MODELS}, got {models}");
        return Err(Error::request(line).hint("show the others in a second run"));
    }
    if !names.is_empty() && names.len() != models {
        let expected = counted(models, "name");
        let line = format!("--names: expected {expected}, got {}", names.len());
        return Err(Error::request(line).hint("one per model, with commas between them"));
    }
    let mut met = BTreeSet::new();
    match names.iter().find(|name| !met.insert(*name)) {
        None => Ok(()),
        Some(name) => {
            Err(Error::request(format!("--names: expected each name once, got {name:?} twice"))
                .hint("models are told apart by their names"))
        }
    }
}

impl Run {
    /// The options of sessions of these models; `threads` bounds the program's own threads too.
    ///
    /// # Errors
    /// A card for a model that is not among them (exit code 2).
    pub fn options(&self, models: &[PathBuf]) -> Result<Options> {
        check_cards(&self.card, models)?;
        let threads = self.threads.map(usize::from);
        if let Some(threads) = threads {
            // It fails when the pool exists already, with as many threads as the first call asked for.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        }
        Ok(Options {
            provider: self.provider,
            threads,
            arena: self.arena,
            cards: self.card.clone(),
            manifest: self.manifest.clone(),
            engine_cache: self.engine_cache.clone(),
            input_size: self.input_size,
            shapes: Shapes::Fixed,
            tail: Tail::Cut,
        })
    }
}

/// The data that models are scored on.
#[derive(Debug, Args)]
pub struct Data {
    /// Data set: cityscapes, synthia, camvid, streets, or the TOML file of your own
    #[arg(long, value_name = "NAME|FILE")]
    pub dataset: String,
    /// Folder that the data set was unpacked in
    #[arg(long, value_name = "DIR")]
    pub data_root: PathBuf,
    /// Split to score
    #[arg(long, default_value = "val")]
    pub split: String,
}

impl Data {
    /// The index of the split; what was left out of it is said.
    ///
    /// # Errors
    /// An unknown data set, a folder or split that is not there, incomplete pairs.
    pub fn open(&self) -> Result<Index> {
        let index = Index::open(&Descriptor::find(&self.dataset)?, &self.data_root, &self.split)?;
        for note in &index.notes {
            tell(format_args!("{} {}: {note}", index.descriptor.name, index.split));
        }
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn side_by_side_are_few_models_with_a_title_each() {
        let check = |models: usize, names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let checked = check_side_by_side(&vec![PathBuf::new(); models], &names);
            checked.map_err(|error| error.to_string())
        };
        for (models, names) in [(1, &[][..]), (4, &[]), (1, &["a"]), (2, &["CE", "Recall"])] {
            assert_eq!(check(models, names), Ok(()));
        }
        for (models, names, expected) in [
            (5, &[][..], "--models: expected one to 4, got 5"),
            (2, &["a"], "--names: expected 2 names, got 1"),
            (1, &["a", "b"], "--names: expected 1 name, got 2"),
            (2, &["CE", "CE"], "--names: expected each name once, got \"CE\" twice"),
        ] {
            assert_eq!(check(models, names), Err(expected.to_owned()));
        }
    }

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(parse_size("640x480"), Ok((640, 480)));
        for bad in ["640", "0x480", "640x480x3", "-1x5"] {
            assert!(parse_size(bad).is_err(), "{bad}");
        }
    }
}
