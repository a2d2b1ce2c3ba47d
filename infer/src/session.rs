//! An exported model, opened: its card, checked against the graph, and running it on frames.
//! Not decoding and not display; where it runs is `provider`'s, the library itself `runtime`'s.
//! The contract of input and outputs is the model card's (`shared::card`).

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use image::{GrayImage, RgbImage};
use ort::session::{HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionOutputs};
use ort::value::{Outlet, TensorRef};
use shared::card::Card;
use shared::error::{Context, Error, Result};
use shared::preprocess;

use crate::contract::{check_graph, read_card};
use crate::model_file::ModelFile;
use crate::provider::{self, Choice, Provider};
use crate::runtime::runtime;
use crate::upsample::{self, Size};

/// How to open a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Where to run it.
    pub provider: Choice,
    /// Threads of the CPU for one run; `None` leaves it to ONNX Runtime, which takes one per core.
    pub threads: Option<usize>,
}

/// One of the two things a model can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// `labels` u8 `[batch, height, width]`.
    Labels,
    /// `logits` f32 `[batch, classes, height, width]`.
    Logits,
}

impl Want {
    /// Name of the output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Labels => "labels",
            Self::Logits => "logits",
        }
    }
}

/// Pixels on their way into the model: u8 `[batch, height, width, 3]`, RGB.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The values.
    pub pixels: &'a [u8],
    /// Images.
    pub batch: u32,
    /// Rows.
    pub height: u32,
    /// Columns.
    pub width: u32,
}

impl<'a> Input<'a> {
    /// One image.
    pub fn image(image: &'a RgbImage) -> Self {
        Self { pixels: image.as_raw(), batch: 1, height: image.height(), width: image.width() }
    }

    pub(crate) fn tensor(&self) -> Result<TensorRef<'a, u8>> {
        let shape = [i64::from(self.batch), i64::from(self.height), i64::from(self.width), 3];
        TensorRef::from_array_view((shape, self.pixels)).work(|| "input".into())
    }
}

/// How logits or labels at input size became labels at the size that was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resized {
    /// The sizes were equal.
    Not,
    /// Logits, bilinearly, then argmax.
    Logits,
    /// Labels, by nearest, since the model gives no logits.
    Labels,
}

/// What a frame became.
#[derive(Debug, Clone)]
pub struct Segmented {
    /// Train ids.
    pub labels: GrayImage,
    /// How they came to their size.
    pub resized: Resized,
    /// Time in ONNX Runtime.
    pub run: Duration,
    /// Time from its output to the labels.
    pub post: Duration,
}

/// An opened model.
pub struct Model {
    session: Session,
    path: PathBuf,
    card: Card,
    provider: Provider,
    note: String,
    labels: Option<RunOptions<HasSelectedOutputs>>,
    logits: Option<RunOptions<HasSelectedOutputs>>,
}

impl Model {
    /// Opens the model of a file; see [`Model::load`].
    ///
    /// # Errors
    /// As [`ModelFile::read`] and [`Model::load`].
    pub fn open(path: &Path, options: Options) -> Result<Self> {
        Self::load(&ModelFile::read(path)?, options)
    }

    /// Opens a model that has been read.
    ///
    /// # Errors
    /// What is no ONNX model or has no card, a card that its graph contradicts, a provider that is not to
    /// be had (all exit code 2).
    pub fn load(file: &ModelFile, options: Options) -> Result<Self> {
        let placed = provider::place(&file.path, &file.bytes, options.provider, options.threads)?;
        let card = read_card(&placed.session, &file.path)?;
        check_graph(&card, &placed.session)
            .map_err(|e| e.within(format!("model: {}", file.path.display())))?;
        let select = |want: Want| {
            let selector = OutputSelector::no_default().with(want.name());
            let options = || Ok::<_, ort::Error>(RunOptions::new()?.with_outputs(selector));
            card.output(want.name()).map(|_| options().work(|| "run options".into())).transpose()
        };
        let (labels, logits) = (select(Want::Labels)?, select(Want::Logits)?);
        let provider::Placed { session, provider, note } = placed;
        Ok(Self { session, path: file.path.clone(), card, provider, note, labels, logits })
    }

    /// What the model says of itself.
    pub fn card(&self) -> &Card {
        &self.card
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
        let note = if self.note.is_empty() { String::new() } else { format!(" ({})", self.note) };
        format!("{}: {} on ONNX Runtime {version}{note}", self.path.display(), self.provider)
    }

    /// Whether the model gives this.
    pub fn gives(&self, want: Want) -> bool {
        self.options(want).is_some()
    }

    /// Inputs and outputs of the graph as ONNX Runtime shows them, for the user.
    pub fn signature(&self) -> (Vec<String>, Vec<String>) {
        let line = |o: &Outlet| format!("{} {}", o.name(), o.dtype());
        (
            self.session.inputs().iter().map(line).collect(),
            self.session.outputs().iter().map(line).collect(),
        )
    }

    /// The size at which an image goes into the model: the card's, or the image's own.
    pub fn input_size(&self, image: Size) -> Size {
        self.card.input.width.zip(self.card.input.height).unwrap_or(image)
    }

    /// Brings an image to input size.
    pub fn prepare(&self, image: &RgbImage) -> RgbImage {
        let (width, height) = self.input_size(image.dimensions());
        preprocess::resize_image(image, width, height)
    }

    /// Runs the model and computes nothing but what is wanted.
    ///
    /// # Errors
    /// An output that the model does not have; a run that fails, for want of memory for example.
    pub fn run(&mut self, input: Input<'_>, want: Want) -> Result<Answer<'_>> {
        let at = self.path.display();
        let options = match want {
            Want::Labels => &self.labels,
            Want::Logits => &self.logits,
        };
        let Some(options) = options else {
            return Err(Error::request(format!(
                "model: {at}: expected the output {}, got none",
                want.name()
            )));
        };
        let inputs = ort::inputs![self.card.input.name.as_str() => input.tensor()?];
        let outputs = self.session.run_with_options(inputs, options).map_err(|e| {
            Error::work(format!("model: {at}: run on {}x{}: {e}", input.width, input.height))
        })?;
        Ok(Answer { outputs, want })
    }

    /// Segments an image that is at input size already; the labels come at `size`.
    ///
    /// # Errors
    /// As [`Model::run`]; logits that are not numbers.
    pub fn segment(&mut self, image: &RgbImage, size: Size) -> Result<Segmented> {
        let same = image.dimensions() == size;
        let want = match (self.gives(Want::Labels), self.gives(Want::Logits)) {
            (true, logits) if same || !logits => Want::Labels,
            _ => Want::Logits,
        };
        let classes = self.card.classes.len();
        let path = self.path.clone();
        let start = Instant::now();
        let answer = self.run(Input::image(image), want)?;
        let run = start.elapsed();
        let start = Instant::now();
        let input = image.dimensions();
        let (labels, resized) = match want {
            Want::Labels => {
                let labels = gray(answer.labels()?.to_vec(), input)?;
                check_labels(&labels, classes, &path)?;
                if same {
                    (labels, Resized::Not)
                } else {
                    (preprocess::resize_labels(&labels, size.0, size.1), Resized::Labels)
                }
            }
            Want::Logits => {
                let logits = answer.logits()?;
                let expected = classes * input.0 as usize * input.1 as usize;
                if logits.len() != expected {
                    return Err(Error::work(format!(
                        "model: {}: expected {expected} logits, got {}",
                        path.display(),
                        logits.len()
                    )));
                }
                let labels =
                    upsample::upsample_argmax(logits, classes, input, size).map_err(|_| {
                        Error::work(format!(
                            "model: {}: expected numbers as logits, got NaN",
                            path.display()
                        ))
                        .hint(
                            "a half-precision model may overflow: export it with --precision fp32",
                        )
                    })?;
                (gray(labels, size)?, if same { Resized::Not } else { Resized::Logits })
            }
        };
        Ok(Segmented { labels, resized, run, post: start.elapsed() })
    }

    fn options(&self, want: Want) -> Option<&RunOptions<HasSelectedOutputs>> {
        match want {
            Want::Labels => self.labels.as_ref(),
            Want::Logits => self.logits.as_ref(),
        }
    }
}

/// What a run gave; the memory is ONNX Runtime's.
#[derive(Debug)]
pub struct Answer<'a> {
    outputs: SessionOutputs<'a>,
    want: Want,
}

impl Answer<'_> {
    /// u8 `[batch, height, width]`.
    ///
    /// # Errors
    /// If logits were wanted, or the output is of another type.
    pub fn labels(&self) -> Result<&[u8]> {
        self.values()
    }

    /// f32 `[batch, classes, height, width]`.
    ///
    /// # Errors
    /// If labels were wanted, or the output is of another type.
    pub fn logits(&self) -> Result<&[f32]> {
        self.values()
    }

    fn values<T: ort::value::PrimitiveTensorElementType>(&self) -> Result<&[T]> {
        let name = self.want.name();
        let value = self
            .outputs
            .get(name)
            .ok_or_else(|| Error::work(format!("output {name}: expected one, got none")))?;
        Ok(value.try_extract_tensor::<T>().work(|| format!("output {name}"))?.1)
    }
}

fn gray(labels: Vec<u8>, size: Size) -> Result<GrayImage> {
    let got = labels.len();
    GrayImage::from_raw(size.0, size.1, labels).ok_or_else(|| {
        Error::work(format!("labels: expected {}x{}, got {got} values", size.0, size.1))
    })
}

/// A label beyond the class table would be counted or coloured as something it is not.
fn check_labels(labels: &GrayImage, classes: usize, path: &Path) -> Result<()> {
    match labels.as_raw().iter().max() {
        Some(&highest) if usize::from(highest) >= classes => Err(Error::work(format!(
            "model: {}: expected labels below {classes}, got {highest}",
            path.display()
        ))),
        _ => Ok(()),
    }
}
