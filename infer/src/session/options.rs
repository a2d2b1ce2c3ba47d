//! How a model is opened: where it runs, with what, and whom to trust about it.
//! Not the command line, which is `args`; a library user fills this in directly.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::ValueEnum;

use shared::error::Error;

use crate::provider::Choice;

/// How to open a model.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Where to run it.
    pub provider: Choice,
    /// Threads of the CPU for one run; `None` leaves it to ONNX Runtime, which takes one per core.
    pub threads: Option<usize>,
    /// Whether ONNX Runtime keeps freed memory for the next run.
    pub arena: Arena,
    /// Cards of models that have none in their metadata.
    pub cards: Vec<CardFor>,
    /// The list of models that may be opened; `None`: any.
    pub manifest: Option<PathBuf>,
    /// Folder for TensorRT's engines and timings; `None` builds anew each time.
    pub engine_cache: Option<PathBuf>,
    /// Width and height that images are resized to, in place of the card's.
    pub input_size: Option<(u32, u32)>,
    /// Whether TensorRT builds for one size.
    pub shapes: Shapes,
    /// Whether what follows the coarse logits may be done outside the graph.
    pub tail: Tail,
}

/// Where logits are resized and become labels, in models that `train export` wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tail {
    /// On the CPU outside the graph, which is faster.
    #[default]
    Cut,
    /// In the graph: the file is run as it is, and as other runtimes run it.
    Whole,
}

/// What TensorRT builds its engine for; other providers take every size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Shapes {
    /// One image of the size that images are resized to: fast, and another size is an error.
    #[default]
    Fixed,
    /// What comes, built anew for each: for a probe of its own size.
    Free,
}

/// ONNX Runtime's memory arena on the CPU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Arena {
    /// Freed memory is kept: runs after the first allocate nothing.
    #[default]
    On,
    /// Freed memory goes back: less of it is held between runs, and each run is somewhat slower.
    Off,
}

/// A card in a TOML file, and which model it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardFor {
    /// The model's path as it was given; `None`: every model that is opened.
    pub model: Option<PathBuf>,
    /// The card.
    pub file: PathBuf,
}

impl FromStr for CardFor {
    type Err = std::convert::Infallible;

    /// `FILE`, or `MODEL=FILE`; where names have a `=` of their own, what is there decides.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = || Self { model: None, file: text.into() };
        if Path::new(text).exists() {
            return Ok(all());
        }
        let splits = || text.match_indices('=').map(|(at, _)| (&text[..at], &text[at + 1..]));
        let there = splits().find(|(model, _)| Path::new(model).exists());
        Ok(there.or_else(|| splits().next()).map_or_else(all, |(model, file)| Self {
            model: Some(model.into()),
            file: file.into(),
        }))
    }
}

/// Refuses a card for a model that is not among those to open.
///
/// # Errors
/// A misspelt model (exit code 2).
pub(crate) fn check_cards(cards: &[CardFor], models: &[PathBuf]) -> shared::error::Result<()> {
    let odd = cards.iter().filter_map(|card| card.model.as_ref()).find(|m| !models.contains(m));
    match odd {
        None => Ok(()),
        Some(odd) => Err(Error::request(format!(
            "card: {}: expected one of the models, got another",
            odd.display()
        ))
        .hint("--card MODEL=FILE takes the model's path as it was given")),
    }
}

impl Options {
    /// The card that was given for a model: one that names it before one that names none.
    pub(crate) fn card_for(&self, model: &Path) -> Option<&Path> {
        let of = |named: Option<&Path>| self.cards.iter().find(|c| c.model.as_deref() == named);
        of(Some(model)).or_else(|| of(None)).map(|c| c.file.as_path())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_that_names_its_model_comes_first() {
        let cards = ["all.toml", "b.onnx=b.toml"].map(|c| c.parse().unwrap()).to_vec();
        let options = Options { cards, ..Options::default() };
        assert_eq!(options.card_for(Path::new("b.onnx")), Some(Path::new("b.toml")));
        assert_eq!(options.card_for(Path::new("a.onnx")), Some(Path::new("all.toml")));
        assert_eq!(Options::default().card_for(Path::new("a.onnx")), None);
    }
}
