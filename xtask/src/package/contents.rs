//! What is in the archive, put together in a folder: program, runtime library, models, and what explains them.
//!
//! Models are pinned by the packed program with the packed library, so that an archive whose parts do not fit
//! together is never written.

use super::{archive, elf, licenses, templates};
use crate::native::Runtime;
use crate::process;
use anyhow::{Context, Result};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What to pack.
pub struct Contents {
    /// The program, not stripped yet.
    pub program: PathBuf,
    /// ONNX Runtime.
    pub runtime: Runtime,
    /// Exported models.
    pub models: Vec<PathBuf>,
    /// Cards of models from elsewhere.
    pub cards: Vec<Card>,
}

/// A card, and the model that it is for; `None`: all that have none of their own.
pub struct Card {
    /// As it was given behind `--model`.
    pub model: Option<PathBuf>,
    /// The TOML file.
    pub file: PathBuf,
}

/// The models' folder, and the list of their checksums.
const MODELS: &str = "models";
pub const MANIFEST: &str = "models/manifest.toml";

impl Contents {
    /// Fills the folder `root`, which is made.
    pub fn put_into(&self, root: &Path) -> Result<()> {
        fs::create_dir_all(root.join(MODELS))?;
        strip(&self.program, &root.join("infer"))?;
        for library in &self.runtime.libraries {
            copy(library, &root.join(name(library)))?;
        }
        for path in self.models.iter().chain(self.cards.iter().map(|card| &card.file)) {
            copy(path, &root.join(packed(path)))?;
        }
        let models: Vec<String> = self.models.iter().map(|model| packed(model)).collect();
        let cards: Vec<String> = self.cards.iter().map(Card::packed).collect();
        for model in &self.models {
            self.pin(root, model)?;
        }
        licenses::write(&self.runtime, &root.join("licenses"))?;

        let needs = elf::needs(&elf_files(root)?)?;
        let texts = templates::fill(&templates::Facts {
            models: &models,
            cards: &cards,
            files: &archive::files(root)?.into_iter().map(|(name, _)| name).collect::<Vec<_>>(),
            needs: &needs,
            runtime: &self.runtime,
        })?;
        for (name, text) in texts {
            fs::write(root.join(name), text).with_context(|| name.to_owned())?;
        }
        archive::write_sums(root)
    }

    /// Adds a model to the manifest, which opens it: with no library but the one beside the program, and with
    /// the cards that can be meant for it, since `infer` refuses those of models that it is not to open.
    fn pin(&self, root: &Path, model: &Path) -> Result<()> {
        let mut info = Command::new(root.join("infer"));
        info.args(["info", "--provider", "cpu", "--pin", MANIFEST, "--model", &packed(model)]);
        let cards = self.cards.iter().filter(|card| card.model.as_ref().is_none_or(|m| m == model));
        info.args(cards.map(|card| format!("--card={}", card.packed())));
        info.current_dir(root).env_remove("ORT_DYLIB_PATH");
        process::run(info.stdout(io::stderr()))
    }
}

impl Card {
    /// As `infer --card` takes it in the unpacked folder.
    fn packed(&self) -> String {
        let model = self.model.as_ref().map(|model| packed(model) + "=");
        model.unwrap_or_default() + &packed(&self.file)
    }
}

/// Where a model or a card lies in the archive.
fn packed(path: &Path) -> String {
    format!("{MODELS}/{}", name(path))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The program without its symbols, which are most of it.
fn strip(program: &Path, to: &Path) -> Result<()> {
    process::run(Command::new("strip").arg("-o").arg(to).arg(program))?;
    Ok(fs::set_permissions(to, Permissions::from_mode(0o755))?)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    Ok(())
}

/// The program and the libraries.
fn elf_files(root: &Path) -> Result<Vec<PathBuf>> {
    let files = archive::files(root)?.into_iter();
    let is_elf = |name: &str| name == "infer" || name.starts_with("lib") && name.contains(".so");
    Ok(files.filter(|(name, _)| is_elf(name)).map(|(_, path)| path).collect())
}
