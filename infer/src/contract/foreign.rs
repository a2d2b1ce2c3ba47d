//! The contract of a model from elsewhere: what its user's card and its graph say together.
//! Not how the values are read, which is `session`'s.

use ort::session::Session;
use ort::value::{Outlet, TensorElementType as Type};
use shared::card::{ColorOrder, ForeignCard, Gives, Graph, Layout, Output};
use shared::error::{Error, Result};

use super::form::form;
use super::tensor::Tensor;
use super::{Contract, Ending, Form, Meaning, only_input, output_called};
use crate::outline::Outline;
use crate::session::pixels::{Normalization, Pixels};
use crate::session::{Size, Sizing, Want};

const HINT: &str = "card and graph contradict each other: change the card (`infer info --model FILE` shows the graph), or export the model as it says";

impl Contract {
    /// Of a model from elsewhere: one image in, logits or labels out. `name` is for a card without
    /// one.
    pub(super) fn foreign(
        card: &ForeignCard,
        name: &str,
        outline: &Outline,
        session: &Session,
    ) -> Result<Self> {
        let hint = |e: Error| e.hint(HINT);
        let input = only_input(session).map_err(hint)?;
        let (ty, batch) = check_input(input, card).map_err(hint)?;
        let pixels = pixels(input, card, ty)?;
        let rigid = fixed_size(input, card)?;
        let fixed = card.input.size.map(|[w, h]| (w, h)).or(rigid);
        let output = match &card.output.name {
            Some(name) => output_called(session, name).map_err(hint)?,
            None => only_output(session, card)?,
        };
        let form = form(output, card, outline.activation(output.name()))?;
        let half = |o: &Outlet| o.dtype().tensor_type() == Some(Type::Float16);
        let graph = Graph {
            input: input.name().to_owned(),
            input_type: ty.to_string(),
            size: fixed,
            output: stated(output, form),
            precision: if half(input) || half(output) { "fp16" } else { "fp32" }.into(),
            opset: outline.opset,
        };
        Ok(Self {
            card: card.card(name, graph),
            input: input.name().to_owned(),
            pixels,
            sizing: Sizing { fixed, rigid: rigid.is_some(), multiple: card.input.multiple },
            batch,
            ending: Ending::Foreign { output: output.name().to_owned(), form },
            meaning: meaning(form, card, outline.activation(output.name())),
        })
    }
}

/// The type of the input, and how many images it takes at once, if it is an image as the card says.
fn check_input(input: &Outlet, card: &ForeignCard) -> Result<(Type, u32)> {
    let wanted = card.input.name.as_deref().unwrap_or(input.name());
    let ty = match input.dtype().tensor_type() {
        Some(ty @ (Type::Float32 | Type::Float16 | Type::Uint8)) => ty,
        _ => Type::Float32,
    };
    let size = card.input.size.map(|[w, h]| (Some(i64::from(w)), Some(i64::from(h))));
    let (w, h) = size.unwrap_or_default();
    let depth = card.input.color.channels() as i64;
    let (channels, shape) = match card.input.layout {
        Layout::ChannelsFirst => (1, [None, Some(depth), h, w]),
        Layout::ChannelsLast => (3, [None, h, w, Some(depth)]),
    };
    let image = Tensor::new(wanted, ty, &shape);
    image.check(input)?;
    let got = input.dtype().tensor_shape().map(|s| s.to_vec()).unwrap_or_default();
    // Left open it could be anything, such as the width of another layout.
    if got.get(channels) != Some(&depth) {
        return Err(image.mismatch(input));
    }
    let batch = got.first().copied().filter(|n| *n > 0).map_or(Some(1), |n| u32::try_from(n).ok());
    batch.map(|batch| (ty, batch)).ok_or_else(|| image.mismatch(input))
}

fn pixels(input: &Outlet, card: &ForeignCard, ty: Type) -> Result<Pixels> {
    let is_said = card.input.normalizes();
    let at = || format!("graph: {} {}", input.name(), input.dtype());
    let normalization = || Normalization::new(&card.input);
    match ty {
        Type::Uint8 if is_said => Err(Error::request(format!(
            "{}: expected no mean and std for an input of bytes, got both",
            at()
        ))
        .hint("leave mean and std out of the card: the graph takes pixels as they are")),
        Type::Uint8 => Ok(match (card.input.layout, card.input.color) {
            (Layout::ChannelsLast, ColorOrder::Rgb) => Pixels::Bytes,
            _ => Pixels::Rearranged(normalization()),
        }),
        _ if !is_said => Err(Error::request(format!(
            "{}: expected mean and std for an input of numbers, got neither",
            at()
        ))
        .hint("[input] mean = [0.485, 0.456, 0.406], std = [0.229, 0.224, 0.225] are ImageNet's; of values in 0..1 without more: [0, 0, 0] and [1, 1, 1]")),
        Type::Float16 => Ok(Pixels::Halves(normalization())),
        _ => Ok(Pixels::Floats(normalization())),
    }
}

fn only_output<'a>(session: &'a Session, card: &ForeignCard) -> Result<&'a Outlet> {
    match session.outputs() {
        [output] => Ok(output),
        several => {
            let names: Vec<&str> = several.iter().map(Outlet::name).collect();
            let what = if card.output.gives == Some(Gives::Labels) { "labels" } else { "logits" };
            Err(Error::request(format!("graph: expected one output, got {names:?}"))
                .hint(format!("say in the card which of them has the {what}: output = \"NAME\"")))
        }
    }
}

/// The output as the commands' card has it.
fn stated(output: &Outlet, form: Form) -> Output {
    let ty = output.dtype().tensor_type().map_or(String::new(), |ty| ty.to_string());
    let (want, layout) = match form {
        Form::Labels => (Want::Labels, "NHW"),
        Form::Logits(layout) => (Want::Logits, layout.name()),
        Form::Channel(_) => (Want::Logits, "NHW"),
    };
    Output { name: want.name().into(), dtype: ty, layout: layout.into() }
}

/// What the logits mean, as far as card and graph tell.
fn meaning(
    form: Form,
    card: &ForeignCard,
    graph: Option<shared::card::Activation>,
) -> Option<Meaning> {
    use shared::card::Activation::{None as Nothing, Sigmoid, Softmax};
    match (form, card.output.activation, graph) {
        (Form::Channel(channel), ..) => Some(Meaning::Channel(channel)),
        (_, Some(Nothing), _) => Some(Meaning::Logits),
        (_, Some(Softmax), _) => Some(Meaning::Softmax),
        (_, Some(Sigmoid), _) | (_, None, Some(Sigmoid)) => Some(Meaning::Sigmoid),
        (_, None, _) => None,
    }
}

/// Width and height that the graph itself fixes; `None` if it leaves them free.
fn fixed_size(input: &Outlet, card: &ForeignCard) -> Result<Option<Size>> {
    let shape = input.dtype().tensor_shape().map(|s| s.to_vec()).unwrap_or_default();
    let at = match card.input.layout {
        Layout::ChannelsFirst => 2,
        Layout::ChannelsLast => 1,
    };
    let side = |i: usize| shape.get(i).and_then(|&s| u32::try_from(s).ok()).filter(|&s| s > 0);
    match (side(at), side(at + 1), card.input.size) {
        (Some(h), Some(w), _) => Ok(Some((w, h))),
        (None, None, _) => Ok(None),
        // One side is fixed; the card has been found to agree with it.
        (_, _, Some([w, h])) => Ok(Some((w, h))),
        _ => Err(Error::request(format!(
            "graph: {}: expected a fixed width and height or neither, got {}",
            input.name(),
            input.dtype()
        ))
        .hint("give the card the size that images are to be resized to: size = [WIDTH, HEIGHT]")),
    }
}
