//! The models of a run: opened, hashed, and with one class table. Not how they run, which is `session`'s.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};
use shared::error::{Error, Result, tell};

use super::LiveArgs;
use crate::model_file::ModelFile;
use crate::score::first_difference;
use crate::session::Model;

/// Models, opened, with the SHA-256 of their files.
pub struct Opened {
    /// In the order of the command line.
    pub models: Vec<Model>,
    /// One per model.
    pub hashes: Vec<[u8; 32]>,
}

/// Opens the models of `--models`, and says where each runs.
///
/// # Errors
/// A model that cannot be opened, or whose classes are not those of the first.
pub fn open(args: &LiveArgs) -> Result<Opened> {
    let options = args.run.options(&args.models)?;
    let mut opened = Opened { models: Vec::new(), hashes: Vec::new() };
    for path in &args.models {
        let file = ModelFile::read(path)?;
        let model = Model::load(&file, options.clone())?;
        tell(model.provider_line());
        if let Some(first) = opened.models.first() {
            same_classes(first, &model)?;
        }
        opened.hashes.push(Sha256::digest(&file.bytes).into());
        opened.models.push(model);
    }
    Ok(opened)
}

/// One legend, and one meaning of a label, for all panels.
fn same_classes(first: &Model, other: &Model) -> Result<()> {
    let whose = first.path().display().to_string();
    match first_difference(&first.card().classes, &whose, &other.card().classes) {
        None => Ok(()),
        Some(difference) => {
            let line = format!("--models: {}: {difference}", other.path().display());
            Err(Error::request(line).hint("models shown side by side must have the same classes"))
        }
    }
}

/// Where the models run, each place once.
pub fn providers(models: &[Model]) -> String {
    let places: BTreeSet<String> =
        models.iter().map(|model| model.provider().to_string()).collect();
    places.into_iter().collect::<Vec<_>>().join(", ")
}
