//! The texts in the archive: the sample configuration, the systemd unit, the page for the installer.
//!
//! They lie in `xtask/package/`, readable as they are; `{{name}}` stands for what is known when packing.

use super::elf::Needs;
use crate::native::Runtime;
use anyhow::{Result, bail};

/// The texts, by their names in the archive.
const TEXTS: [(&str, &str); 3] = [
    ("README.md", include_str!("../../package/README.md")),
    ("recall-seg.service", include_str!("../../package/recall-seg.service")),
    ("vehicle.toml", include_str!("../../package/vehicle.toml")),
];

/// What the texts tell.
pub struct Facts<'a> {
    /// Models, as paths in the unpacked folder.
    pub models: &'a [String],
    /// Cards, as `infer --card` takes them there.
    pub cards: &'a [String],
    /// Every other file that is packed, by name.
    pub files: &'a [String],
    /// What the machine must have.
    pub needs: &'a Needs,
    /// ONNX Runtime.
    pub runtime: &'a Runtime,
}

/// The texts, filled in.
pub fn fill(facts: &Facts) -> Result<Vec<(&'static str, String)>> {
    let words = facts.words();
    let fill_one = |(name, text): (&'static str, &str)| {
        let fill = |text: String, (key, value): &(&str, String)| {
            text.replace(&format!("{{{{{key}}}}}"), value)
        };
        let text = words.iter().fold(text.to_owned(), fill);
        match text.find("{{") {
            Some(at) => {
                let placeholder = text[at..].split_inclusive("}}").next().unwrap_or_default();
                bail!("package: {name}: a placeholder nobody fills: {placeholder}")
            }
            None => Ok((name, text)),
        }
    };
    TEXTS.into_iter().map(fill_one).collect()
}

impl Facts<'_> {
    /// What stands for each placeholder.
    fn words(&self) -> Vec<(&'static str, String)> {
        let version = |family| self.needs.version(family).unwrap_or_else(|| "any".to_owned());
        let libraries: Vec<&str> = self.needs.libraries.iter().map(String::as_str).collect();
        let card = match self.cards {
            [] => "#card = \"models/card.toml\"".to_owned(),
            cards => format!("card = {}", array(cards)),
        };
        let runtime: Vec<&str> =
            self.files.iter().map(String::as_str).filter(|name| name.starts_with("lib")).collect();
        let providers = if self.runtime.cuda {
            "The CUDA and TensorRT providers are packed; the driver, CUDA 13 and cuDNN 9 are not, and must be \
             where the dynamic linker finds them (`ldconfig -p | grep -E 'cublas|cudnn'`). So must TensorRT, where it is used."
        } else {
            "Only the CPU provider is packed. For CUDA and TensorRT run `cargo xtask setup --cuda` before packing."
        };
        vec![
            ("version", env!("CARGO_PKG_VERSION").to_owned()),
            ("arch", std::env::consts::ARCH.to_owned()),
            ("models", array(self.models)),
            (
                "model-files",
                self.models.iter().map(|m| format!("`{m}`")).collect::<Vec<_>>().join(", "),
            ),
            ("first-model", self.models.first().cloned().unwrap_or_default()),
            ("card", card),
            ("glibc", version("GLIBC")),
            ("glibcxx", version("GLIBCXX")),
            ("libraries", libraries.join(", ")),
            ("runtime", runtime.join(", ")),
            ("providers", providers.to_owned()),
        ]
    }
}

/// A TOML array of strings.
fn array(values: &[String]) -> String {
    // JSON's escapes are TOML's.
    let values = values.iter().map(|value| serde_json::Value::from(value.as_str()).to_string());
    format!("[{}]", values.collect::<Vec<_>>().join(", "))
}
