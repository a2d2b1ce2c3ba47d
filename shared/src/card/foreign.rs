//! The card of a model from elsewhere: what a user writes in TOML about an ONNX file that says nothing of
//! itself, such as an export of torchvision, segmentation_models_pytorch or mmsegmentation.
//! Not checked against the graph, which is `infer`'s; here only against itself. models/README.md has examples.
//! The two halves of a graph have a file each: `input`, `output`.

use std::path::Path;

use serde::Deserialize;

use super::{Card, FORMAT, Input, Output, Probe, Training};
use crate::dataset::Descriptor;
use crate::digest::sha256;
use crate::error::{Context, Error, Result};
use crate::labels::{Class, MAX_CLASSES};
use crate::preprocess::RESIZE_FILTER;

mod input;
mod output;

pub use input::{ColorOrder, ForeignInput, Layout};
pub use output::{Activation, ForeignOutput, Gives};

const HINT: &str = "models/README.md shows such a card";

/// What a user says of a model: an image in, logits or labels out.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignCard {
    /// Name for tables and titles; none: the file's.
    pub name: Option<String>,
    /// Data set whose classes it knows.
    pub dataset: String,
    /// Its classes, in the order of its logits, at least two.
    pub classes: Vec<Class>,
    /// What goes in.
    pub input: ForeignInput,
    /// What comes out.
    pub output: ForeignOutput,
    /// SHA-256 of its text, followed by the classes as JSON if those stand in another file.
    pub sha256: String,
}

/// The file as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    dataset: Option<String>,
    classes: Option<Vec<Entry>>,
    input: ForeignInput,
    #[serde(default)]
    output: ForeignOutput,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    color: [u8; 3],
    native: Option<u8>,
}

impl ForeignCard {
    /// Reads and checks the card in a file.
    ///
    /// # Errors
    /// A file that cannot be read, an unknown key, a value out of range (exit code 2).
    pub fn read(path: &Path) -> Result<Self> {
        let what = || format!("card: {}", path.display());
        let text = std::fs::read_to_string(path).request(what).map_err(|e| e.hint(HINT))?;
        Self::from_toml(&text).map_err(|e| e.within(what()))
    }

    /// Reads and checks a card.
    ///
    /// # Errors
    /// As [`ForeignCard::read`], without the path.
    pub fn from_toml(text: &str) -> Result<Self> {
        let file: File =
            toml::from_str(text).map_err(|e| Error::request(e.to_string()).hint(HINT))?;
        let mut said = text.to_owned();
        let (classes, dataset) = match (file.classes, file.dataset) {
            (Some(classes), dataset) => (own_classes(classes), dataset.unwrap_or("unknown".into())),
            (None, Some(dataset)) => {
                let descriptor = Descriptor::find(&dataset)?;
                let place = dataset.split(':').next();
                if Descriptor::builtin_names().iter().all(|name| place != Some(name)) {
                    said +=
                        &serde_json::to_string(&descriptor.classes).work(|| "classes".into())?;
                }
                (descriptor.classes, descriptor.name)
            }
            (None, None) => {
                return Err(Error::request("classes: expected classes or a dataset, got neither")
                    .hint("dataset = \"camvid\", or classes = [{ name = \"road\", color = [128, 64, 128] }, ...]"));
            }
        };
        let File { name, input, output, .. } = file;
        let card = Self { name, dataset, classes, input, output, sha256: sha256(said) };
        card.check()?;
        Ok(card)
    }

    fn check(&self) -> Result<()> {
        let count = self.classes.len();
        if count == 1 {
            return refuse("classes", "two or more", "one".into()).map_err(|e| {
                e.hint("a pixel is one class or another: name the background too, first; a single output channel is then divided by its threshold (models/README.md)")
            });
        }
        if !(2..=MAX_CLASSES).contains(&count) {
            return refuse("classes", "2 to 255", count.to_string());
        }
        for (i, class) in self.classes.iter().enumerate() {
            if class.name.is_empty() || self.classes[..i].iter().any(|c| c.name == class.name) {
                return refuse("classes", "names, each once", format!("{:?}", class.name));
            }
        }
        self.input.check()?;
        self.output.check(count)
    }

    /// The card that commands read, once the graph has been asked for what only it knows: the input's name,
    /// and type, the size (width, height) if it is fixed, the output, the operator set. It has no
    /// probe.
    pub fn card(&self, name: &str, graph: Graph) -> Card {
        let raw = &self.input;
        let [mean, std] = raw.stated();
        Card {
            format: FORMAT,
            name: self.name.clone().unwrap_or_else(|| name.to_owned()),
            dataset: self.dataset.clone(),
            classes: self.classes.clone(),
            class_share: Vec::new(),
            input: Input {
                name: graph.input,
                layout: raw.layout.name().into(),
                dtype: graph.input_type,
                color: raw.color.name().into(),
                mean,
                std,
                resize: RESIZE_FILTER.into(),
                image: raw.image,
                width: graph.size.map(|s| s.0),
                height: graph.size.map(|s| s.1),
            },
            outputs: vec![graph.output],
            precision: graph.precision,
            quantization: None,
            opset: graph.opset,
            training: Training::default(),
            probe: Probe::default(),
        }
    }
}

/// What only the graph knows of a model from elsewhere.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Name of its input.
    pub input: String,
    /// Type of its input, such as "f32".
    pub input_type: String,
    /// Width and height of its input, if they are fixed.
    pub size: Option<(u32, u32)>,
    /// Its output, under the name of what it gives: "labels" or "logits".
    pub output: Output,
    /// "fp32", or "fp16" if halves go in or come out.
    pub precision: String,
    /// Version of ONNX's operator set.
    pub opset: u32,
}

fn refuse(field: &str, expected: &str, got: String) -> Result<()> {
    Err(Error::request(format!("{field}: expected {expected}, got {got}")).hint(HINT))
}

fn own_classes(entries: Vec<Entry>) -> Vec<Class> {
    let class = |(place, e): (usize, Entry)| Class {
        name: e.name,
        color: e.color,
        // At most 255 classes are let through, so the place is a byte.
        native_id: e.native.unwrap_or(place.min(255) as u8),
    };
    entries.into_iter().enumerate().map(class).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: &str = "[input]\nmean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n";

    fn graph() -> Graph {
        let output = Output { name: "logits".into(), dtype: "f32".into(), layout: "NCHW".into() };
        let (input_type, precision) = ("f32".into(), "fp32".into());
        Graph { input: "x".into(), input_type, size: Some((64, 32)), output, precision, opset: 17 }
    }

    #[test]
    fn a_data_set_or_a_table_gives_the_classes() {
        let text = format!("dataset = \"camvid\"\n{INPUT}");
        let card = ForeignCard::from_toml(&text).unwrap();
        assert_eq!((card.classes.len(), card.classes[2].name.as_str()), (11, "pole"));
        assert_eq!(card.sha256, sha256(text));
        let table = "classes = [{ name = \"road\", color = [1, 2, 3], native = 7 }, { name = \"sky\", color = [4, 5, 6] }]";
        let card = ForeignCard::from_toml(&format!("{table}\n{INPUT}")).unwrap();
        assert_eq!(card.classes.iter().map(|c| c.native_id).collect::<Vec<_>>(), [7, 1]);
    }

    #[test]
    fn what_commands_read_is_stated_as_rgb_in_0_to_1() {
        let text = "dataset = \"camvid\"\n[input]\ncolor = \"BGR\"\nwhite = 255\nmean = [51, 102, 204]\nstd = [25.5, 51, 51]\n";
        let card = ForeignCard::from_toml(text).unwrap().card("m", graph());
        assert_eq!(card.input.mean, [0.8, 0.4, 0.2]);
        assert_eq!(card.input.std, [0.2, 0.2, 0.1]);
        assert_eq!((card.input.width, card.input.height), (Some(64), Some(32)));
        assert_eq!((card.name.as_str(), card.input.name.as_str()), ("m", "x"));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| ForeignCard::from_toml(text).unwrap_err().to_string();
        assert!(error(INPUT).contains("expected classes or a dataset, got neither"));
        assert!(error(&format!("dataset = \"mars\"\n{INPUT}")).contains("mars"));
        assert!(
            error(&format!("dataset = \"camvid\"\n{INPUT}layuot = \"NCHW\"")).contains("layuot")
        );
        assert!(error(&format!("dataset = \"camvid\"\n{INPUT}layout = \"HWC\"")).contains("HWC"));
        let zero = INPUT.replace("0.224", "0.0");
        assert!(
            error(&format!("dataset = \"camvid\"\n{zero}"))
                .contains("input.std: expected numbers above 0")
        );
        let size = format!("dataset = \"camvid\"\n{INPUT}size = [480, 360]\nmultiple = 32");
        assert!(error(&size).contains("input.size: expected sides of 1 to"));
        let gray = format!("dataset = \"camvid\"\n{INPUT}color = \"gray\"");
        assert!(error(&gray).contains("input.mean: expected 1 finite numbers, one per channel"));
    }

    #[test]
    fn one_class_alone_is_refused_and_what_to_do_is_said() {
        let classes = "classes = [{ name = \"road\", color = [1, 2, 3] }]";
        let error = ForeignCard::from_toml(&format!("{classes}\n{INPUT}")).unwrap_err();
        assert_eq!(error.to_string(), "classes: expected two or more, got one");
        assert!(error.hint_text().unwrap().contains("name the background too"));
    }

    #[test]
    fn an_output_is_a_name_or_a_table_whose_keys_are_checked() {
        let read = |output: &str| {
            let text = format!("dataset = \"camvid\"\noutput = {output}\n{INPUT}");
            ForeignCard::from_toml(&text)
        };
        assert_eq!(read("\"out\"").unwrap().output.name.as_deref(), Some("out"));
        let table = "{ name = \"out\", layout = \"NHWC\", activation = \"softmax\" }";
        let output = read(table).unwrap().output;
        assert_eq!(
            (output.layout, output.activation),
            (Some(Layout::ChannelsLast), Some(Activation::Softmax))
        );
        for (output, expected) in [
            ("{ nmae = \"out\" }", "unknown field `nmae`"),
            ("{ activation = \"relu\" }", "unknown variant `relu`"),
            ("7", "the name of an output, or a table"),
            ("{ threshold = 1.5 }", "output.threshold: expected a number between 0 and 1, got 1.5"),
            ("{ threshold = 0.4 }", "output.threshold: expected two classes"),
            ("{ kind = \"labels\", layout = \"NHWC\" }", "output.layout: expected none"),
        ] {
            let error = read(output).unwrap_err().to_string();
            assert!(error.contains(expected), "{output}: {error}");
        }
    }
}
