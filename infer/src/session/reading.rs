//! The output of a model from elsewhere, whatever its type and layout, as labels u8 or logits f32
//! `[1, classes, h, w]`. Not what becomes of them. Of a batch the first image is read: the others
//! are the same. Logits that are so already stay where they are, in ONNX Runtime's memory.

use half::f16;
use ort::value::{DynValue, PrimitiveTensorElementType, TensorElementType as Type};
use rayon::prelude::*;
use shared::card::Layout;
use shared::error::{Context, Error, Result};

use super::Size;
use super::io::{Answer, Values, expect};
use crate::contract::{Channel, Form};

/// The answer, read.
///
/// # Errors
/// An output of other dimensions than its form has; labels that are no class.
pub(super) fn read<'a>(
    answer: Answer<'a>,
    form: Form,
    batch: u32,
    classes: usize,
) -> Result<Answer<'a>> {
    let Some(value) = answer.raw()? else { return Ok(answer) };
    let output = Output { name: &answer.name, value, batch: i64::from(batch) };
    let values = match form {
        Form::Labels => Some(output.labels(classes)?),
        Form::Channel(channel) => Some(output.channel(channel)?),
        Form::Logits(layout) => output.logits(layout, classes)?,
    };
    Ok(match values {
        Some(values) => Answer { values, ..answer },
        None => answer,
    })
}

struct Output<'a> {
    name: &'a str,
    value: &'a DynValue,
    batch: i64,
}

impl Output<'_> {
    fn ty(&self) -> Type {
        self.value.dtype().tensor_type().unwrap_or(Type::Undefined)
    }

    fn tensor<T: PrimitiveTensorElementType>(&self) -> Result<(&[i64], &[T])> {
        let tensor = self.value.try_extract_tensor::<T>();
        tensor.map(|(shape, values)| (&shape[..], values)).work(|| format!("output {}", self.name))
    }

    /// Floats of the first `count` values.
    fn floats(&self, count: usize) -> Result<std::borrow::Cow<'_, [f32]>> {
        let short = || self.odd(&[None; 4], &[]);
        if self.ty() == Type::Float16 {
            let (_, values) = self.tensor::<f16>()?;
            let first = values.get(..count).ok_or_else(short)?;
            return Ok(first.par_iter().map(|v| v.to_f32()).collect::<Vec<_>>().into());
        }
        let (_, values) = self.tensor::<f32>()?;
        Ok(values.get(..count).ok_or_else(short)?.into())
    }

    fn shape(&self) -> Vec<i64> {
        self.value.dtype().tensor_shape().map(|s| s.to_vec()).unwrap_or_default()
    }

    fn odd(&self, expected: &[Option<i64>], got: &[i64]) -> Error {
        expect(self.name, expected, got).err().unwrap_or_else(|| {
            Error::work(format!("output {}: expected more values, got few", self.name))
        })
    }

    /// `None` if they are as they should be.
    fn logits<'v>(&self, layout: Layout, classes: usize) -> Result<Option<Values<'v>>> {
        let shape = self.shape();
        let (batch, classes) = (Some(self.batch), Some(classes as i64));
        let expected = match layout {
            Layout::ChannelsFirst => [batch, classes, None, None],
            Layout::ChannelsLast => [batch, None, None, classes],
        };
        expect(self.name, &expected, &shape).map_err(|e| {
            e.hint("where the classes stand is said in the card: output = { layout = \"NHWC\" }, or \"NCHW\"; `infer info --model FILE` shows the graph")
        })?;
        let sides: Vec<usize> = shape.iter().map(|&s| s as usize).collect();
        let [c, h, w] = match layout {
            Layout::ChannelsFirst => [sides[1], sides[2], sides[3]],
            Layout::ChannelsLast => [sides[3], sides[1], sides[2]],
        };
        if layout == Layout::ChannelsFirst && self.batch == 1 && self.ty() == Type::Float32 {
            return Ok(None);
        }
        let values = self.floats(c * h * w)?;
        let values = match layout {
            Layout::ChannelsFirst => values.into_owned(),
            Layout::ChannelsLast => planes(&values, c),
        };
        Ok(Some(Values::Logits(values, [1, c, h, w])))
    }

    /// Two classes' logits of a channel: what it is compared with, and itself.
    fn channel<'v>(&self, channel: Channel) -> Result<Values<'v>> {
        let (w, h) = self.plane()?;
        let (w, h) = (w as usize, h as usize);
        let values = self.floats(w * h)?;
        let mut logits = vec![channel.rival(); w * h];
        logits.extend_from_slice(&values);
        // A number that is none would be the first class; argmax of two such is an error.
        for i in 0..w * h {
            if logits[w * h + i].is_nan() {
                logits[i] = f32::NAN;
            }
        }
        Ok(Values::Logits(logits, [1, 2, h, w]))
    }

    fn labels<'v>(&self, classes: usize) -> Result<Values<'v>> {
        let (w, h) = self.plane()?;
        let count = w as usize * h as usize;
        let labels = match self.ty() {
            Type::Bool => self.classes::<bool>(count, classes),
            Type::Uint8 => self.classes::<u8>(count, classes),
            Type::Int8 => self.classes::<i8>(count, classes),
            Type::Uint16 => self.classes::<u16>(count, classes),
            Type::Int16 => self.classes::<i16>(count, classes),
            Type::Uint32 => self.classes::<u32>(count, classes),
            Type::Int32 => self.classes::<i32>(count, classes),
            Type::Uint64 => self.classes::<u64>(count, classes),
            Type::Int64 => self.classes::<i64>(count, classes),
            _ => whole(&self.floats(count)?, classes),
        }?;
        Ok(Values::Labels(labels, [1, h as usize, w as usize]))
    }

    fn classes<T>(&self, count: usize, classes: usize) -> Result<Vec<u8>>
    where
        T: PrimitiveTensorElementType + Copy + Send + Sync + std::fmt::Display,
        u8: TryFrom<T>,
    {
        let (_, values) = self.tensor::<T>()?;
        let first = values.get(..count).ok_or_else(|| self.odd(&[None; 3], &[]))?;
        first
            .par_iter()
            .map(|&v| u8::try_from(v).ok().filter(|l| usize::from(*l) < classes).ok_or(v))
            .collect::<std::result::Result<_, T>>()
            .map_err(|v| no_class(&v, classes))
    }

    /// Width and height of an output with one value per pixel.
    fn plane(&self) -> Result<Size> {
        let shape = self.shape();
        let (batch, sides) = match shape[..] {
            [h, w] => (self.batch, [h, w]),
            [n, h, w] | [n, 1, h, w] | [n, h, w, 1] => (n, [h, w]),
            _ => return Err(self.odd(&[Some(self.batch), Some(1), None, None], &shape)),
        };
        let sides = sides.map(|s| u32::try_from(s).ok().filter(|s| *s > 0));
        match sides {
            [Some(h), Some(w)] if batch == self.batch => Ok((w, h)),
            _ => Err(self.odd(&[Some(self.batch), None, None], &shape)),
        }
    }
}

/// Labels that come as floats.
fn whole(values: &[f32], classes: usize) -> Result<Vec<u8>> {
    let class = |&v: &f32| {
        let fits = v >= 0.0 && v < classes as f32 && v.fract() == 0.0;
        if fits { Ok(v as u8) } else { Err(no_class(&v, classes)) }
    };
    values.iter().map(class).collect()
}

fn no_class(got: &dyn std::fmt::Display, classes: usize) -> Error {
    Error::request(format!("expected labels below {classes}, got {got}"))
        .hint("the card names too few classes, or the output is something else than labels")
}

/// `[h, w, c]` to `[c, h, w]`.
fn planes(values: &[f32], classes: usize) -> Vec<f32> {
    let plane = values.len() / classes.max(1);
    let mut out = vec![0.0; values.len()];
    out.par_chunks_exact_mut(plane.max(1)).enumerate().for_each(|(class, out)| {
        let values = values[class..].iter().step_by(classes);
        out.iter_mut().zip(values).for_each(|(out, value)| *out = *value);
    });
    out
}
