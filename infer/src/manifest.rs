//! The list of models that may be opened: a TOML file of names and SHA-256, such as models/manifest.toml.
//! Not a signature: who can write the manifest decides. It is compared before a byte of a model is parsed,
//! with the bytes that are then run (`model_file` reads a file once).
//!
//! ```toml
//! [models]
//! "own.onnx" = "3e23e816..."
//! "tv.onnx" = "ca978112..."
//!
//! [cards]                     # of models from elsewhere, under the model's name
//! "tv.onnx" = "2e7d2c03..."
//! ```
//!
//! A card decides as much as the weights: what is done to the pixels, and what the classes are called. So a
//! card that is given for a listed model must be listed too. A list without `[cards]`, as older versions
//! wrote it, opens models that need none.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::error::{Context, Error, Result};
use shared::files::write_atomic;
use shared::output_path::make_parent;

use crate::model_file::ModelFile;

/// What stands above the entries that this program writes.
const HEAD: &str = "# Models that `infer --manifest` opens, by file name and SHA-256; cards by their model's name.\n# `infer info --model FILE [--card FILE] --pin MANIFEST` adds one, or renews its checksums.\n\n";

/// A checksum per model's file name.
type Sums = BTreeMap<String, String>;

/// File names and their checksums.
#[derive(Debug)]
pub struct Manifest {
    path: PathBuf,
    sums: File,
}

/// The file as it is written.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    models: Sums,
    #[serde(default, skip_serializing_if = "Sums::is_empty")]
    cards: Sums,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// A file that cannot be read, or is no manifest (exit code 2).
    pub fn read(path: &Path) -> Result<Self> {
        let what = || format!("manifest: {}", path.display());
        let hint = |e: Error| e.hint("`infer info --model FILE --pin MANIFEST` writes one");
        let text = std::fs::read_to_string(path).request(what).map_err(hint)?;
        let sums: File = toml::from_str(&text).request(what).map_err(hint)?;
        let is_sum =
            |s: &String| s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if let Some((name, sum)) =
            sums.models.iter().chain(&sums.cards).find(|(_, sum)| !is_sum(sum))
        {
            return Err(hint(Error::request(format!(
                "{}: {name}: expected 64 hexadecimal digits in lower case, got {sum:?}",
                what()
            ))));
        }
        Ok(Self { path: path.to_owned(), sums })
    }

    /// Refuses a model that is not listed under its name with its checksum.
    ///
    /// # Errors
    /// Another checksum, or none (exit code 2).
    pub fn check(&self, file: &ModelFile) -> Result<()> {
        self.compare("model", &self.sums.models, file, &file.sha256())
    }

    /// Refuses a card for a model from elsewhere, by its checksum, that is not listed under the model's name.
    ///
    /// # Errors
    /// Another checksum, or none (exit code 2).
    pub fn check_card(&self, file: &ModelFile, got: &str) -> Result<()> {
        self.compare("card", &self.sums.cards, file, got)
    }

    fn compare(&self, what: &str, sums: &Sums, file: &ModelFile, got: &str) -> Result<()> {
        let (name, list) = (file_name(file), self.path.display());
        let at = format!("{what}: {}", file.path.display());
        match sums.get(&name) {
            Some(expected) if expected == got => Ok(()),
            Some(expected) => Err(Error::request(format!(
                "{at}: expected SHA-256 {expected}, got {got}"
            ))
            .hint(format!("{list} pins it: copy the {what} again, or pin the new one on purpose"))),
            None => {
                let card = if what == "card" { "--card FILE " } else { "" };
                Err(Error::request(format!(
                    "{at}: expected {name:?} among the {what}s in {list}, got none"
                ))
                .hint(format!("`infer info --model FILE {card}--pin {list}` adds it")))
            }
        }
    }

    /// Adds a model to the manifest at `path`, which is made if it is not there, with the checksum of the card that
    /// was given for it; says what was written.
    ///
    /// # Errors
    /// A file there that is no manifest; one that cannot be written.
    pub fn pin(path: &Path, file: &ModelFile, card: Option<&str>) -> Result<String> {
        let mut sums = if path.exists() { Self::read(path)?.sums } else { File::default() };
        let (name, sum) = (file_name(file), file.sha256());
        let before = (
            sums.models.insert(name.clone(), sum.clone()),
            match card {
                Some(card) => sums.cards.insert(name.clone(), card.to_owned()),
                None => sums.cards.remove(&name),
            },
        );
        let text = toml::to_string(&sums).work(|| "manifest".into())?;
        make_parent(path)?;
        write_atomic(path, format!("{HEAD}{text}").as_bytes())?;
        let word = match (before.0.as_deref(), before.1.as_deref()) {
            (None, _) => "added",
            (Some(model), before) if model == sum && before == card => "unchanged",
            _ => "renewed",
        };
        let card = card.map(|card| format!(" with the card {card}")).unwrap_or_default();
        Ok(format!("{word}: {name} {sum}{card} in {}", path.display()))
    }
}

/// Manifests list names without folders, since models and manifest need not lie together on a vehicle.
fn file_name(file: &ModelFile) -> String {
    file.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(bytes: &[u8]) -> ModelFile {
        ModelFile { path: "some/m.onnx".into(), bytes: bytes.to_vec() }
    }

    #[test]
    fn what_was_pinned_is_let_through_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/manifest.toml");
        assert!(
            Manifest::pin(&path, &file(b"a"), None).unwrap().starts_with("added: m.onnx ca978112")
        );
        let other = ModelFile { path: "n.onnx".into(), bytes: b"a".to_vec() };
        let manifest = Manifest::read(&path).unwrap();
        manifest.check(&file(b"a")).unwrap();
        let error = manifest.check(&file(b"b")).unwrap_err().to_string();
        assert!(
            error.contains("expected SHA-256 ca978112") && error.contains("got 3e23e816"),
            "{error}"
        );
        let error = manifest.check(&other).unwrap_err().to_string();
        assert!(error.contains("expected \"n.onnx\" among the models in "), "{error}");

        assert!(Manifest::pin(&path, &other, None).unwrap().starts_with("added"));
        assert!(Manifest::pin(&path, &file(b"b"), None).unwrap().starts_with("renewed"));
        assert!(Manifest::pin(&path, &file(b"b"), None).unwrap().starts_with("unchanged"));
        let manifest = Manifest::read(&path).unwrap();
        manifest.check(&other).unwrap();
        manifest.check(&file(b"b")).unwrap();
        manifest.check(&file(b"a")).unwrap_err();
    }

    #[test]
    fn a_card_is_pinned_with_its_model_and_without_one_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.toml");
        let (model, sums) = (file(b"a"), ["1", "2"].map(|digit| digit.repeat(64)));
        let check = |card: &str| Manifest::read(&path).unwrap().check_card(&model, card);
        Manifest::pin(&path, &model, None).unwrap();
        let error = check(&sums[0]).unwrap_err();
        assert!(error.to_string().contains("expected \"m.onnx\" among the cards in "), "{error}");
        assert!(error.hint_text().is_some_and(|hint| hint.contains("--card FILE --pin")));
        for sum in &sums {
            let line = Manifest::pin(&path, &model, Some(sum)).unwrap();
            assert!(line.starts_with("renewed: m.onnx") && line.contains(sum), "{line}");
            check(sum).unwrap();
        }
        assert!(check(&sums[0]).unwrap_err().to_string().contains("expected SHA-256 2222"));
        assert!(Manifest::pin(&path, &model, Some(&sums[1])).unwrap().starts_with("unchanged"));
        Manifest::pin(&path, &model, None).unwrap();
        check(&sums[1]).unwrap_err();
    }

    #[test]
    fn a_manifest_with_anything_but_checksums_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.toml");
        for text in [
            "",
            "[models]\n\"m.onnx\" = \"abc\"",
            "[models]\n[more]\n",
            "[models]\n[cards]\n\"m.onnx\" = \"A\"",
            "no TOML",
        ] {
            std::fs::write(&path, text).unwrap();
            assert!(Manifest::read(&path).is_err(), "{text}");
        }
    }
}
