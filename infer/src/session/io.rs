//! What goes into a run and what comes out: pixels, and labels or logits in ONNX Runtime's own memory.
//! Not the model; the names and shapes are its contract's (`contract`).

use std::time::Duration;

use image::RgbImage;
use ort::session::SessionOutputs;
use ort::value::{DynValue, PrimitiveTensorElementType};
use shared::error::{Context, Error, Result};

use super::Size;
use crate::contract::shape_line;

/// One of the two things a model can give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Want {
    /// `labels` u8 `[batch, height, width]`.
    Labels,
    /// `logits` f32 `[batch, classes, h, w]`, in models from elsewhere perhaps smaller than the input.
    Logits,
}

impl Want {
    /// Name of the output in a card.
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

    /// Dimensions, `[batch, height, width, 3]`.
    pub(crate) fn shape(&self) -> [i64; 4] {
        [i64::from(self.batch), i64::from(self.height), i64::from(self.width), 3]
    }
}

/// What a run gave.
#[derive(Debug)]
pub struct Answer<'a> {
    pub(super) values: Values<'a>,
    /// Name in the graph.
    pub(super) name: String,
    /// Images, rows and columns that went in.
    pub(super) input: [i64; 3],
    /// Time spent behind the graph.
    pub(super) post: Duration,
}

/// Where the values are.
#[derive(Debug)]
pub(super) enum Values<'a> {
    /// In ONNX Runtime's memory.
    Runtime(SessionOutputs<'a>),
    /// Computed from coarse logits, or read from another type or layout; with their dimensions.
    Labels(Vec<u8>, [usize; 3]),
    /// Resized from coarse logits, or read from another type or layout; with their dimensions.
    Logits(Vec<f32>, [usize; 4]),
}

impl Answer<'_> {
    /// u8 `[batch, height, width]`.
    ///
    /// # Errors
    /// If logits were wanted, or the output is of another type.
    pub fn labels(&self) -> Result<&[u8]> {
        match &self.values {
            Values::Labels(labels, _) => Ok(labels),
            Values::Logits(..) => Err(self.other("labels", "logits")),
            Values::Runtime(outputs) => Ok(self.tensor(outputs, &self.name)?.1),
        }
    }

    /// f32 `[batch, classes, h, w]`.
    ///
    /// # Errors
    /// If labels were wanted, or the output is of another type.
    pub fn logits(&self) -> Result<&[f32]> {
        match &self.values {
            Values::Logits(logits, _) => Ok(logits),
            Values::Labels(..) => Err(self.other("logits", "labels")),
            Values::Runtime(outputs) => Ok(self.tensor(outputs, &self.name)?.1),
        }
    }

    /// Width and height of the labels: in models from elsewhere perhaps smaller than the input.
    pub(super) fn labels_size(&self) -> Size {
        let [_, h, w] = match self.values {
            Values::Labels(_, shape) => shape,
            _ => self.input.map(|side| side as usize),
        };
        (w as u32, h as u32)
    }

    /// Dimensions of the logits, `[batch, classes, h, w]`, checked: of the input's batch, and positive.
    ///
    /// # Errors
    /// If labels were wanted; another number of dimensions, of images or of classes.
    pub fn logits_shape(&self, classes: usize) -> Result<[usize; 4]> {
        let outputs = match &self.values {
            Values::Runtime(outputs) => outputs,
            Values::Logits(_, shape) => return Ok(*shape),
            Values::Labels(..) => return Err(self.other("logits", "labels")),
        };
        let (shape, _) = self.tensor::<f32>(outputs, &self.name)?;
        let [batch, ..] = self.input;
        expect(&self.name, &[Some(batch), Some(classes as i64), None, None], shape)?;
        Ok(std::array::from_fn(|i| shape[i] as usize))
    }

    /// The answer, if what was wanted has the dimensions that it must have.
    pub(super) fn checked(self, want: Want, classes: usize) -> Result<Self> {
        match (want, &self.values) {
            (Want::Labels, Values::Runtime(outputs)) => {
                let (shape, _) = self.tensor::<u8>(outputs, &self.name)?;
                expect(&self.name, &self.input.map(Some), shape)?;
            }
            _ => drop(self.logits_shape(classes)?),
        }
        Ok(self)
    }

    /// Refuses the output `sizes`, to which the graph would have resized its logits, unless they are the input's.
    pub(super) fn check_sizes(&self, sizes: &str, classes: usize) -> Result<()> {
        let Values::Runtime(outputs) = &self.values else { return Ok(()) };
        let (_, got) = self.tensor::<i64>(outputs, sizes)?;
        let [n, h, w] = self.input;
        expect("logits", &[n, classes as i64, h, w].map(Some), got)
    }

    /// The output that was asked for, as ONNX Runtime has it; `None` if it was read already.
    pub(super) fn raw(&self) -> Result<Option<&DynValue>> {
        match &self.values {
            Values::Runtime(outputs) => value_of(outputs, &self.name).map(Some),
            _ => Ok(None),
        }
    }

    fn other(&self, expected: &str, got: &str) -> Error {
        Error::work(format!("output {}: expected {expected}, got {got}", self.name))
    }

    fn tensor<'o, T: PrimitiveTensorElementType>(
        &self,
        outputs: &'o SessionOutputs<'_>,
        name: &str,
    ) -> Result<(&'o [i64], &'o [T])> {
        let value = value_of(outputs, name)?;
        let (shape, values) = value.try_extract_tensor::<T>().work(|| format!("output {name}"))?;
        Ok((shape, values))
    }
}

fn value_of<'o>(outputs: &'o SessionOutputs<'_>, name: &str) -> Result<&'o DynValue> {
    let none = || Error::work(format!("output {name}: expected one, got none"));
    outputs.get(name).ok_or_else(none)
}

/// Refuses an output of other dimensions; `None` stands for any above 0.
pub(super) fn expect(output: &str, expected: &[Option<i64>], got: &[i64]) -> Result<()> {
    let fits = |(expected, &got): (&Option<i64>, &i64)| expected.map_or(got > 0, |e| e == got);
    if expected.len() == got.len() && expected.iter().zip(got).all(fits) {
        return Ok(());
    }
    let expected = shape_line(expected);
    Err(Error::request(format!("output {output}: expected {expected}, got {got:?}")).hint(
        "card and graph contradict each other: change the card, or export the model as it says",
    ))
}
