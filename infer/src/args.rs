//! Options that several commands share: where models run, and the data they are scored on.
//! Not a command. What is checked here is what clap cannot know.
//! The names are those of the command line: `--provider`, `--threads`, `--dataset`, `--data-root`, `--split`.

use std::path::PathBuf;

use clap::Args;
use shared::dataset::{Descriptor, Index};
use shared::error::Result;

use crate::provider::Choice;
use crate::session::Options;

/// Where and how models run; the same for every command.
#[derive(Debug, Clone, Args)]
pub struct Run {
    /// Where to run; one asked for by name is used or the command fails
    #[arg(long, value_enum, default_value_t)]
    pub provider: Choice,
    /// CPU threads [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub threads: Option<u16>,
}

impl Run {
    /// The options of a session; `threads` bounds the program's own threads too.
    pub fn options(&self) -> Options {
        let threads = self.threads.map(usize::from);
        if let Some(threads) = threads {
            // It fails when the pool exists already, with as many threads as the first call asked for.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(threads).build_global();
        }
        Options { provider: self.provider, threads }
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
    /// The index of the split.
    ///
    /// # Errors
    /// An unknown data set, a folder or split that is not there, incomplete pairs.
    pub fn open(&self) -> Result<Index> {
        Index::open(&Descriptor::find(&self.dataset)?, &self.data_root, &self.split)
    }
}
