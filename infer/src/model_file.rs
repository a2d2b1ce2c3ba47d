//! A model file, read once: what is hashed is what is run.
//! Not parsed here: that begins with `outline`, after `manifest` has compared the checksum.

use std::path::{Path, PathBuf};

use shared::error::{Error, Result};

/// A model file in memory. What is hashed is what is run: the file is read once.
#[derive(Debug)]
pub struct ModelFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl ModelFile {
    /// Reads a file.
    ///
    /// # Errors
    /// A file that is not there or cannot be read (exit code 2).
    pub fn read(path: &Path) -> Result<Self> {
        if path.is_dir() {
            return Err(Error::request(format!(
                "model: {}: expected an ONNX file, got a folder",
                path.display()
            ))
            .hint("name the file in it; a TensorFlow SavedModel is converted first: python -m tf2onnx.convert --saved-model FOLDER --output model.onnx --opset 17"));
        }
        let bytes = std::fs::read(path).map_err(|e| {
            Error::request(format!("model: {}: expected an ONNX file, got {e}", path.display()))
                .hint("`train export` writes one")
        })?;
        if bytes.is_empty() {
            return Err(Error::request(format!(
                "model: {}: expected an ONNX file, got 0 bytes",
                path.display()
            ))
            .hint("export or copy it again"));
        }
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// SHA-256 of the content, in hexadecimal.
    pub fn sha256(&self) -> String {
        shared::digest::sha256(&self.bytes)
    }
}
