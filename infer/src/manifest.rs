//! The list of models that may be opened: a TOML file of names and SHA-256, such as models/manifest.toml.
//! Not a signature: who can write the manifest decides. It is compared before a byte of a model is parsed,
//! with the bytes that are then run (`model_file` reads a file once).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use shared::error::{Context, Error, Result};
use shared::files::write_atomic;

use crate::model_file::ModelFile;

/// What stands above the entries that this program writes.
const HEAD: &str = "# Models that `infer --manifest` opens, by file name and SHA-256.\n# `infer info --model FILE --pin MANIFEST` adds one, or renews its checksum.\n\n";

/// File names and their checksums.
#[derive(Debug)]
pub struct Manifest {
    path: PathBuf,
    sums: BTreeMap<String, String>,
}

/// The file as it is written: `[models]`, then `"name.onnx" = "sha256"`.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    models: BTreeMap<String, String>,
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// A file that cannot be read, or is no manifest (exit code 2).
    pub fn read(path: &Path) -> Result<Self> {
        let what = || format!("manifest: {}", path.display());
        let hint = "`infer info --model FILE --pin MANIFEST` writes one";
        let text = std::fs::read_to_string(path).request(what).map_err(|e| e.hint(hint))?;
        let file: File = toml::from_str(&text).request(what).map_err(|e| e.hint(hint))?;
        let is_sum =
            |s: &String| s.len() == 64 && s.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if let Some((name, sum)) = file.models.iter().find(|(_, sum)| !is_sum(sum)) {
            return Err(Error::request(format!(
                "{}: {name}: expected 64 hexadecimal digits in lower case, got {sum:?}",
                what()
            )));
        }
        Ok(Self { path: path.to_owned(), sums: file.models })
    }

    /// Refuses a file that is not listed under its name with its checksum.
    ///
    /// # Errors
    /// Another checksum, or none (exit code 2).
    pub fn check(&self, file: &ModelFile) -> Result<()> {
        let (name, got) = (file_name(file), file.sha256());
        let at = format!("model: {}", file.path.display());
        match self.sums.get(&name) {
            Some(expected) if *expected == got => Ok(()),
            Some(expected) => Err(Error::request(format!(
                "{at}: expected SHA-256 {expected}, got {got}"
            ))
            .hint(format!(
                "{} pins it: copy the model again, or pin the new one on purpose",
                self.path.display()
            ))),
            None => Err(Error::request(format!(
                "{at}: expected a model that {} lists, got {name:?}",
                self.path.display()
            ))
            .hint(format!("`infer info --model FILE --pin {}` adds it", self.path.display()))),
        }
    }

    /// Adds a model to the manifest at `path`, which is made if it is not there; says what was written.
    ///
    /// # Errors
    /// A file there that is no manifest; one that cannot be written.
    pub fn pin(path: &Path, file: &ModelFile) -> Result<String> {
        let mut sums = if path.exists() { Self::read(path)?.sums } else { BTreeMap::new() };
        let (name, sum) = (file_name(file), file.sha256());
        let before = sums.insert(name.clone(), sum.clone());
        let text = toml::to_string(&File { models: sums }).work(|| "manifest".into())?;
        write_atomic(path, format!("{HEAD}{text}").as_bytes())?;
        let word = match before {
            Some(before) if before == sum => "unchanged",
            Some(_) => "renewed",
            None => "added",
        };
        Ok(format!("{word}: {name} {sum} in {}", path.display()))
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
        let path = folder.path().join("manifest.toml");
        assert!(Manifest::pin(&path, &file(b"a")).unwrap().starts_with("added: m.onnx ca978112"));
        let other = ModelFile { path: "n.onnx".into(), bytes: b"a".to_vec() };
        let manifest = Manifest::read(&path).unwrap();
        manifest.check(&file(b"a")).unwrap();
        let error = manifest.check(&file(b"b")).unwrap_err().to_string();
        assert!(
            error.contains("expected SHA-256 ca978112") && error.contains("got 3e23e816"),
            "{error}"
        );
        assert!(manifest.check(&other).unwrap_err().to_string().contains("lists, got \"n.onnx\""));

        assert!(Manifest::pin(&path, &other).unwrap().starts_with("added"));
        assert!(Manifest::pin(&path, &file(b"b")).unwrap().starts_with("renewed"));
        let manifest = Manifest::read(&path).unwrap();
        manifest.check(&other).unwrap();
        manifest.check(&file(b"b")).unwrap();
        manifest.check(&file(b"a")).unwrap_err();
    }

    #[test]
    fn a_manifest_with_anything_but_checksums_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest.toml");
        for text in ["", "[models]\n\"m.onnx\" = \"abc\"", "[models]\n[more]\n", "no TOML"] {
            std::fs::write(&path, text).unwrap();
            assert!(Manifest::read(&path).is_err(), "{text}");
        }
    }
}
