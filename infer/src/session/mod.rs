//! An exported model, opened: its card, checked against the graph, and running it on frames.
//! Not decoding and not display; where it runs is `provider`'s, the library itself `runtime`'s, what it may
//! be is `contract`'s. One file an idea: `options`, `pixels` (into the graph), `io`, `reading` (out
//! of a graph from elsewhere), `run`, `segment`, `sizing`, `trouble` (runs that fail).

use std::path::{Path, PathBuf};

use image::RgbImage;
use ort::session::{HasSelectedOutputs, OutputSelector, RunOptions, Session};
use ort::value::Outlet;
use shared::card::Card;
use shared::error::{Context, Error, Result};

mod io;
mod options;
pub(crate) mod pixels;
mod reading;
mod run;
mod segment;
mod sizing;
mod trouble;

pub use io::{Answer, Input, Want};
pub(crate) use options::check_cards;
pub use options::{Arena, CardFor, Options, Shapes, Tail};
pub use segment::{RESIZED_LABELS, Resized, Segmented};
pub use sizing::{Size, Sizing};

use self::run::Buffers;
use crate::contract::{CardSource, Channel, Contract, Ending, Form, Meaning};
use crate::manifest::Manifest;
use crate::model_file::ModelFile;
use crate::outline::{Dimension, Outline};
use crate::provider::{self, Provider};
use crate::runtime::runtime;

/// An opened model.
pub struct Model {
    session: Session,
    path: PathBuf,
    contract: Contract,
    card_sum: Option<String>,
    provider: Provider,
    note: String,
    labels_run: Option<RunOptions<HasSelectedOutputs>>,
    logits_run: Option<RunOptions<HasSelectedOutputs>>,
    /// Pixels of the last run as the graph takes them, kept so that the next one allocates nothing.
    buffers: Buffers,
    /// Whether ONNX Runtime ended the last run with an error that is not about memory.
    failed: bool,
}

impl Model {
    /// Opens the model of a file; see [`Model::load`].
    ///
    /// # Errors
    /// As [`ModelFile::read`] and [`Model::load`].
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        Self::load(&ModelFile::read(path)?, options)
    }

    /// Opens a model that has been read. With a manifest its checksum is compared before it is parsed, and that
    /// of the card that was given for it before the model is run.
    ///
    /// # Errors
    /// A model or a card that the manifest does not list; what is no ONNX model or keeps weights in other files; no
    /// card in it and none given; a card that its graph contradicts; a provider that is not available (all
    /// exit code 2); a device that does not answer (1).
    pub fn load(file: &ModelFile, options: Options) -> Result<Self> {
        let manifest = options.manifest.as_deref().map(Manifest::read).transpose()?;
        if let Some(manifest) = &manifest {
            manifest.check(file)?;
        }
        let outline = Outline::read(file)?;
        outline.refuse_external_data(file)?;
        let within = |e: Error| e.within(format!("model: {}", file.path.display()));
        let source = CardSource::find(&outline, options.card_for(&file.path)).map_err(within)?;
        let card_sum = source.card_sum().map(str::to_owned);
        if let (Some(manifest), Some(sum)) = (&manifest, &card_sum) {
            manifest.check_card(file, sum)?;
        }
        let tail =
            if matches!(source, CardSource::Embedded(_)) { options.tail } else { Tail::Whole };
        let sizes = fixed_sizes(&source, &outline, &options);
        let placed = provider::place(file, &options, sizes.as_deref(), tail)?;
        let name = file.path.file_stem().unwrap_or_default().to_string_lossy();
        let contract =
            Contract::new(source, &name, &outline, options.input_size, &placed).map_err(within)?;
        let select = |want: Want| {
            let selector = contract.output(want).map(|name| {
                let selector = OutputSelector::no_default().with(name);
                match &contract.ending {
                    Ending::Whole { .. } | Ending::Foreign { .. } => selector,
                    Ending::Cut(cut) => selector.with(&cut.sizes),
                }
            });
            let options = |s| Ok::<_, ort::Error>(RunOptions::new()?.with_outputs(s));
            selector.map(|s| options(s).work(|| "run options".into())).transpose()
        };
        let (labels_run, logits_run) = (select(Want::Labels)?, select(Want::Logits)?);
        let provider::Placed { session, provider, note, .. } = placed;
        let path = file.path.clone();
        Ok(Self {
            session,
            path,
            contract,
            card_sum,
            provider,
            note,
            labels_run,
            logits_run,
            buffers: Buffers::default(),
            failed: false,
        })
    }

    /// What the model, or for a model from elsewhere its user, says of it.
    pub fn card(&self) -> &Card {
        &self.contract.card
    }

    /// SHA-256 of the card that was given for a model from elsewhere ([`shared::card::ForeignCard::sha256`]).
    pub fn card_sum(&self) -> Option<&str> {
        self.card_sum.as_deref()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where it runs.
    pub fn provider(&self) -> Provider {
        self.provider
    }

    /// One line for the user: where it really runs.
    pub fn provider_line(&self) -> String {
        let version = runtime().map_or("", |r| r.version.as_str());
        let batch = self.contract.batch;
        let filled = (batch > 1).then(|| format!("its batch of {batch} filled with one image"));
        let notes = [Some(self.note.clone()).filter(|n| !n.is_empty()), filled];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        let note =
            if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
        format!("{}: {} on ONNX Runtime {version}{note}", self.path.display(), self.provider)
    }

    /// Whether the model gives this.
    pub fn gives(&self, want: Want) -> bool {
        self.contract.output(want).is_some()
    }

    /// What its logits mean; `None` until values have shown it.
    pub(crate) fn meaning(&self) -> Option<Meaning> {
        self.contract.meaning
    }

    /// Remembers what its logits mean.
    pub(crate) fn settle(&mut self, meaning: Meaning) {
        self.contract.meaning = Some(meaning);
    }

    /// Inputs and outputs of the graph as ONNX Runtime shows them, for the user: with [`Tail::Whole`] the file's.
    pub fn signature(&self) -> (Vec<String>, Vec<String>) {
        let line = |o: &Outlet| format!("{} {}", o.name(), o.dtype());
        (
            self.session.inputs().iter().map(line).collect(),
            self.session.outputs().iter().map(line).collect(),
        )
    }

    /// For the user: what is read from the output of a model from elsewhere; `None` for other models.
    pub fn reading_line(&self) -> Option<String> {
        let Ending::Foreign { output, form } = &self.contract.ending else { return None };
        Some(match (form, self.contract.meaning) {
            (Form::Labels, _) => format!("labels from {output}"),
            (Form::Channel(Channel { squashed, threshold }), _) => {
                let of = if *squashed { "probability" } else { "logit's sigmoid" };
                format!("two classes from {output}: the second where its {of} is over {threshold}")
            }
            (Form::Logits(layout), meaning) => {
                let meaning = match meaning {
                    Some(Meaning::Softmax) => "after a softmax",
                    Some(Meaning::Sigmoid) => "after a sigmoid",
                    Some(_) => "before a softmax",
                    None => "before or after a softmax, as their values will tell",
                };
                format!("logits {} from {output}, {meaning}", layout.name())
            }
        })
    }

    /// The sizes at which images go into the model.
    pub fn sizing(&self) -> Sizing {
        self.contract.sizing
    }

    /// The size at which an image goes into the model.
    pub fn input_size(&self, image: Size) -> Size {
        self.sizing().of(image)
    }

    /// Brings an image to input size.
    pub fn prepare(&self, image: &RgbImage) -> RgbImage {
        self.sizing().prepare(image)
    }
}

/// The free sizes of the graph's input, by name, for one image of the size that images are resized to; `None`
/// if some are not known. For providers that build for one size.
fn fixed_sizes(
    source: &CardSource,
    outline: &Outline,
    options: &Options,
) -> Option<Vec<(String, i64)>> {
    let size = options.input_size.or(source.size());
    let mut sizes = Vec::new();
    for (place, dimension) in outline.input().iter().enumerate() {
        if let Dimension::Free(name) = dimension {
            let size = source.dimensions(size?).get(place).copied();
            sizes.push((Some(name.clone()).filter(|n| !n.is_empty())?, size?));
        }
    }
    Some(sizes)
}
