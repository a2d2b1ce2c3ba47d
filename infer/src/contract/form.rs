//! How the output of a model from elsewhere is laid out, and what its values mean.
//! Not the values: `session::reading` reads them. What a card leaves open, the graph decides, and
//! of softmax the values do.

use ort::value::{Outlet, TensorElementType};
use shared::card::{Activation, ForeignCard, ForeignOutput, Gives, Layout};
use shared::error::{Error, Result};

use super::tensor::shape_line;

/// How an output is laid out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Form {
    /// The class of each pixel: `[n, h, w]`, perhaps with a side of 1 for the channel, perhaps
    /// without `n`.
    Labels,
    /// A value per class and pixel.
    Logits(Layout),
    /// One value per pixel for two classes: laid out as labels are.
    Channel(Channel),
}

/// What one channel's values say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Channel {
    /// Whether they are probabilities already.
    pub squashed: bool,
    /// Above which probability a pixel is of the second class.
    pub threshold: f32,
}

/// What logits mean, for those who want probabilities.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Meaning {
    /// Softmax makes them probabilities.
    Logits,
    /// They are probabilities that add up to 1.
    Softmax,
    /// Each is a probability of its own.
    Sigmoid,
    /// Of two classes: a constant, and what a channel gave.
    Channel(Channel),
}

impl Channel {
    /// What the channel is compared with: the first class's "logit", so that argmax decides as the
    /// threshold does.
    pub fn rival(self) -> f32 {
        let t = self.threshold;
        if self.squashed { t } else { (t / (1.0 - t)).ln() }
    }
}

/// Types that labels come in.
const INTEGERS: [TensorElementType; 9] = [
    TensorElementType::Bool,
    TensorElementType::Uint8,
    TensorElementType::Int8,
    TensorElementType::Uint16,
    TensorElementType::Int16,
    TensorElementType::Uint32,
    TensorElementType::Int32,
    TensorElementType::Uint64,
    TensorElementType::Int64,
];

/// Types that logits come in.
const FLOATS: [TensorElementType; 2] = [TensorElementType::Float32, TensorElementType::Float16];

/// The form of an output, by the card and by its type and shape; `graph` is what the graph ends
/// with.
///
/// # Errors
/// A type or shape that is neither labels nor logits of the card's classes.
pub(super) fn form(output: &Outlet, card: &ForeignCard, graph: Option<Activation>) -> Result<Form> {
    let dtype = output.dtype();
    let (Some(ty), Some(shape)) = (dtype.tensor_type(), dtype.tensor_shape()) else {
        return Err(mismatch(output, card, "a tensor"));
    };
    let shape: Vec<i64> = shape.to_vec();
    let wanted = &card.output;
    let integers = INTEGERS.contains(&ty);
    if !integers && !FLOATS.contains(&ty) {
        return Err(mismatch(output, card, "logits f32 or f16, or labels of integers"));
    }
    if wanted.gives == Some(Gives::Logits) && integers {
        return Err(mismatch(output, card, "logits f32 or f16 as its card says"));
    }
    if wanted.gives == Some(Gives::Labels) || integers {
        return labels(output, card, wanted, &shape);
    }
    let classes = card.classes.len() as i64;
    let is_one = matches!(shape[..], [_, _, _] | [_, 1, _, _] | [_, _, _, 1]);
    if classes == 2 && is_plane(&shape) && (is_one || wanted.threshold.is_some()) {
        return channel(output, wanted, graph).map(Form::Channel);
    }
    match logits_layout(&shape, wanted.layout, classes) {
        Some(_) if wanted.threshold.is_some() => Err(Error::request(format!(
            "graph: expected one channel for the card's threshold, got {} {dtype}",
            output.name()
        ))
        .hint("leave threshold out of the card: of several channels the largest decides")),
        Some(layout) => Ok(Form::Logits(layout)),
        None => Err(mismatch(output, card, &format!("logits of {classes} classes"))),
    }
}

/// Where the classes stand in a shape, if they can stand anywhere in it.
fn logits_layout(shape: &[i64], wanted: Option<Layout>, classes: i64) -> Option<Layout> {
    let [_, first, _, last] = *shape else { return None };
    // Left open it is taken for classes only where PyTorch has them.
    let guess = if last == classes && first != classes {
        Layout::ChannelsLast
    } else {
        Layout::ChannelsFirst
    };
    let layout = wanted.unwrap_or(guess);
    let side = if layout == Layout::ChannelsFirst { first } else { last };
    (side < 0 || side == classes).then_some(layout)
}

fn labels(
    output: &Outlet,
    card: &ForeignCard,
    wanted: &ForeignOutput,
    shape: &[i64],
) -> Result<Form> {
    if !is_plane(shape) && shape.len() != 2 {
        return Err(mismatch(output, card, "labels [n, h, w], [n, 1, h, w] or [n, h, w, 1]"));
    }
    if wanted.activation.is_some() || wanted.threshold.is_some() || wanted.layout.is_some() {
        return Err(Error::request(format!(
            "graph: expected logits for the card's layout, activation or threshold, got labels: {} {}",
            output.name(),
            output.dtype()
        ))
        .hint("leave them out of the card: labels are taken as they are"));
    }
    Ok(Form::Labels)
}

/// Whether a shape has one value per pixel.
fn is_plane(shape: &[i64]) -> bool {
    match shape {
        [_, _, _] => true,
        [_, one, _, _] if *one == 1 || *one < 0 => true,
        [_, _, _, one] => *one == 1,
        _ => false,
    }
}

fn channel(output: &Outlet, wanted: &ForeignOutput, graph: Option<Activation>) -> Result<Channel> {
    let threshold = wanted.threshold.unwrap_or(0.5);
    match wanted.activation.or(graph) {
        Some(Activation::Sigmoid) => Ok(Channel { squashed: true, threshold }),
        Some(Activation::None) => Ok(Channel { squashed: false, threshold }),
        got => Err(Error::request(format!(
            "graph: expected the card to say what the one channel of {} {} is, got {}",
            output.name(),
            output.dtype(),
            got.map_or("nothing", Activation::name)
        ))
        .hint("output = { activation = \"sigmoid\" } if the model ends in a sigmoid, \"none\" if these are logits")),
    }
}

fn mismatch(output: &Outlet, card: &ForeignCard, expected: &str) -> Error {
    let shape = [None, Some(card.classes.len() as i64), None, None];
    Error::request(format!(
        "graph: expected {expected}, such as {} f32 {}, got {} {}",
        output.name(),
        shape_line(&shape),
        output.name(),
        output.dtype()
    ))
    .hint("card and graph contradict each other: `infer info --model FILE` shows the graph, and --write-card writes a card that fits it")
}
