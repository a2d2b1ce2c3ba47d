//! One run of a graph: pixels into the form that it takes, and its output as labels or logits.
//! Not what comes of those (`segment`), nor of a run that fails (`trouble`).

use std::time::{Duration, Instant};

use half::f16;
use ort::value::{DynValueRef, TensorRef};
use shared::error::{Context, Error, Result};

use super::io::Values;
use super::pixels::{Normalization, Number, Pixels};
use super::{Answer, Input, Model, Want, reading, segment, trouble};
use crate::contract::Ending;
use crate::tail::CutOutputs;
use crate::upsample;

/// Pixels as graphs take them, kept so that the next run allocates nothing.
#[derive(Default)]
pub(super) struct Buffers {
    floats: Vec<f32>,
    halves: Vec<f16>,
    bytes: Vec<u8>,
    /// The same image as often as the graph takes images at once.
    repeated: Vec<u8>,
}

impl Buffers {
    /// The value that goes in; an image alone is repeated to the graph's batch.
    fn fill<'b>(
        &'b mut self,
        pixels: &Pixels,
        input: Input<'b>,
        batch: u32,
    ) -> Result<DynValueRef<'b>> {
        let Self { floats, halves, bytes, repeated } = self;
        let input = if batch > 1 && input.batch == 1 {
            *repeated = input.pixels.repeat(batch as usize);
            Input { pixels: repeated, batch, ..input }
        } else {
            input
        };
        let what = || "input".to_owned();
        Ok(match pixels {
            Pixels::Bytes => {
                TensorRef::from_array_view((input.shape(), input.pixels)).work(what)?.into_dyn()
            }
            Pixels::Rearranged(n) => {
                TensorRef::from_array_view(filled(n, input, bytes)?).work(what)?.into_dyn()
            }
            Pixels::Floats(n) => {
                TensorRef::from_array_view(filled(n, input, floats)?).work(what)?.into_dyn()
            }
            Pixels::Halves(n) => {
                TensorRef::from_array_view(filled(n, input, halves)?).work(what)?.into_dyn()
            }
        })
    }
}

/// Dimensions and values.
fn filled<'b, T: Number>(
    normalization: &Normalization,
    input: Input<'_>,
    out: &'b mut Vec<T>,
) -> Result<([i64; 4], &'b [T])> {
    // Reserved first: a vector that grows by itself ends the program where there is no memory.
    let more = (normalization.length(input.pixels.len())).saturating_sub(out.len());
    let size = (input.width, input.height);
    out.try_reserve_exact(more).map_err(|e| trouble::no_memory(size, &e))?;
    normalization.apply(input.pixels, input.batch, out);
    Ok((normalization.shape(input.batch, input.height, input.width), out))
}

impl Model {
    /// Runs the model and gives nothing but what is wanted.
    ///
    /// # Errors
    /// An output that the model does not have, or whose size is not the input's; a run that fails, for want of
    /// memory for example.
    pub fn run(&mut self, input: Input<'_>, want: Want) -> Result<Answer<'_>> {
        let at = self.path.display();
        let options = match want {
            Want::Labels => &self.labels_run,
            Want::Logits => &self.logits_run,
        };
        let (Some(options), Some(name)) = (options, self.contract.output(want)) else {
            return Err(Error::request(format!(
                "model: {at}: expected the output {}, got none",
                want.name()
            ))
            .hint("`train export --outputs both` gives labels and logits"));
        };
        let batch = self.contract.batch;
        let value = self.buffers.fill(&self.contract.pixels, input, batch)?;
        let failed = &mut self.failed;
        *failed = false;
        let outputs = self
            .session
            .run_with_options(ort::inputs![self.contract.input.as_str() => value], options)
            .map_err(|e| {
                let (error, is_memory) = trouble::of_run(&e, (input.width, input.height));
                *failed = !is_memory;
                error.within(format!("model: {at}"))
            })?;
        let [n, h, w, _] = input.shape();
        let answer = Answer {
            values: Values::Runtime(outputs),
            name: name.to_owned(),
            input: [n, h, w],
            post: Duration::ZERO,
        };
        let classes = self.contract.card.classes.len();
        match &self.contract.ending {
            Ending::Whole { .. } => answer.checked(want, classes),
            Ending::Cut(cut) => finish(answer, cut, classes, input, want),
            Ending::Foreign { form, .. } => {
                let start = Instant::now();
                let answer = reading::read(answer, *form, batch, classes);
                answer.map(|answer| Answer { post: start.elapsed(), ..answer })
            }
        }
        .map_err(|e| e.within(format!("model: {at}")))
    }
}

/// What the graph would have done behind its coarse logits: resizes them to input size, takes the argmax.
fn finish<'a>(
    answer: Answer<'a>,
    cut: &CutOutputs,
    classes: usize,
    input: Input<'_>,
    want: Want,
) -> Result<Answer<'a>> {
    let start = Instant::now();
    let [n, _, h, w] = answer.logits_shape(classes)?;
    answer.check_sizes(&cut.sizes, classes)?;
    let (from, to) = ((w as u32, h as u32), (input.width, input.height));
    let mut images = answer.logits()?.chunks_exact(classes * h * w);
    let values = match want {
        Want::Labels => Values::Labels(
            images
                .map(|image| upsample::upsample_argmax(image, classes, from, to))
                .collect::<std::result::Result<Vec<_>, _>>()
                .map_err(segment::not_a_number)?
                .concat(),
            [n, to.1 as usize, to.0 as usize],
        ),
        Want::Logits => {
            let shape = [n, classes, to.1 as usize, to.0 as usize];
            // Of one image, the common case, without a copy.
            let first = images.next().map(|i| upsample::upsample(i, classes, from, to));
            let mut logits = first.unwrap_or_default();
            images.for_each(|i| logits.extend(upsample::upsample(i, classes, from, to)));
            Values::Logits(logits, shape)
        }
    };
    let name = want.name().to_owned();
    Ok(Answer { values, name, input: answer.input, post: start.elapsed() })
}
