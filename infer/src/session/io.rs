//! What goes into a run and what comes out: pixels, and labels or logits in ONNX Runtime's own memory.
//! Not the model; the names and shapes are its contract's (`contract`).

use std::time::Duration;

use image::RgbImage;
use ort::session::SessionOutputs;
use ort::value::PrimitiveTensorElementType;
use shared::error::{Context, Error, Result};

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
    /// Time spent behind the graph.
    pub(super) post: Duration,
}

/// Where the values are.
#[derive(Debug)]
pub(super) enum Values<'a> {
    /// In ONNX Runtime's memory.
    Runtime(SessionOutputs<'a>),
    /// Computed from coarse logits.
    Labels(Vec<u8>),
    /// Resized from coarse logits, with their dimensions.
    Logits(Vec<f32>, [usize; 4]),
}

impl Answer<'_> {
    /// u8 `[batch, height, width]`.
    ///
    /// # Errors
    /// If logits were wanted, or the output is of another type.
    pub fn labels(&self) -> Result<&[u8]> {
        match &self.values {
            Values::Labels(labels) => Ok(labels),
            Values::Logits(..) => Err(self.other("labels", "logits")),
            Values::Runtime(outputs) => Ok(self.tensor(outputs)?.1),
        }
    }

    /// f32 `[batch, classes, h, w]`.
    ///
    /// # Errors
    /// If labels were wanted, or the output is of another type.
    pub fn logits(&self) -> Result<&[f32]> {
        match &self.values {
            Values::Logits(logits, _) => Ok(logits),
            Values::Labels(_) => Err(self.other("logits", "labels")),
            Values::Runtime(outputs) => Ok(self.tensor(outputs)?.1),
        }
    }

    /// Dimensions of the logits, `[batch, classes, h, w]`, checked: positive, and as many as the values.
    ///
    /// # Errors
    /// If labels were wanted; another number of dimensions or of classes.
    pub fn logits_shape(&self, classes: usize) -> Result<[usize; 4]> {
        let outputs = match &self.values {
            Values::Runtime(outputs) => outputs,
            Values::Logits(_, shape) => return Ok(*shape),
            Values::Labels(_) => return Err(self.other("logits", "labels")),
        };
        let (shape, values) = self.tensor::<f32>(outputs)?;
        let sides: Vec<usize> = shape.iter().map(|&s| usize::try_from(s).unwrap_or(0)).collect();
        match sides[..] {
            [n, c, h, w] if c == classes && n * c * h * w == values.len() && !values.is_empty() => {
                Ok([n, c, h, w])
            }
            _ => Err(Error::request(format!(
                "output {}: expected [?, {classes}, ?, ?], got {shape:?}",
                self.name
            ))
            .hint("card and graph contradict each other: are these its classes?")),
        }
    }

    fn other(&self, expected: &str, got: &str) -> Error {
        Error::work(format!("output {}: expected {expected}, got {got}", self.name))
    }

    fn tensor<'o, T: PrimitiveTensorElementType>(
        &self,
        outputs: &'o SessionOutputs<'_>,
    ) -> Result<(&'o [i64], &'o [T])> {
        let name = &self.name;
        let value = outputs
            .get(name)
            .ok_or_else(|| Error::work(format!("output {name}: expected one, got none")))?;
        let (shape, values) = value.try_extract_tensor::<T>().work(|| format!("output {name}"))?;
        Ok((shape, values))
    }
}
