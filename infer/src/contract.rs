//! What a model must keep: its graph is what its card says.
//! Not whether it computes what it should, which is `verify`'s. Two kinds of card are known: the one in the
//! metadata of models that `train export` wrote, and the one a user writes about a model from elsewhere.

use std::path::Path;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType};
use shared::card::{Card, ForeignCard, Layout};
use shared::error::{Error, Result};

use crate::outline::Outline;
use crate::provider::Placed;
use crate::session::pixels::{Normalization, Pixels};
use crate::session::{Size, Sizing, Want};
use crate::tail::CutOutputs;

use self::tensor::Tensor;
pub(crate) use self::tensor::shape_line;

mod tensor;

/// Card and graph, brought together.
pub(crate) struct Contract {
    pub card: Card,
    /// Name of the graph's input.
    pub input: String,
    pub pixels: Pixels,
    pub sizing: Sizing,
    pub ending: Ending,
}

/// What a run of the graph ends with; names of its outputs.
pub(crate) enum Ending {
    /// Labels, logits or both, as the card says.
    Whole { labels: Option<String>, logits: Option<String> },
    /// Logits that are to be resized to input size, since the graph was cut there (`tail`).
    Cut(CutOutputs),
}

/// A card, and where it comes from, before the graph is asked.
pub(crate) enum CardSource {
    /// From the model's metadata.
    Embedded(Box<Card>),
    /// From its user.
    Given(ForeignCard),
}

impl CardSource {
    /// The card in the model's metadata, or the one in the file `given`.
    pub fn find(outline: &Outline, given: Option<&Path>) -> Result<Self> {
        match (&outline.card, given) {
            (Some(json), None) => Ok(Self::Embedded(Box::new(Card::from_json(json)?))),
            (None, Some(path)) => Ok(Self::Given(ForeignCard::read(path)?)),
            (Some(_), Some(path)) => Err(Error::request(format!(
                "expected a model without a card of its own for --card {}, got one with it",
                path.display()
            ))
            .hint("leave --card out, or say which model it is for: --card MODEL=FILE")),
            (None, None) => Err(Error::request(format!(
                "expected a card under {:?} in its metadata, got none",
                Card::KEY
            ))
            .hint("its classes and its input are unknown: for a model from elsewhere give --card FILE.toml (models/README.md); `train export` writes models with a card")),
        }
    }

    /// Checksum of the card if a user gave it; the model's own is in the model's.
    pub fn card_sum(&self) -> Option<&str> {
        match self {
            Self::Embedded(_) => None,
            Self::Given(card) => Some(&card.sha256),
        }
    }

    /// Width and height that images are resized to, as far as the card says.
    pub fn size(&self) -> Option<Size> {
        match self {
            Self::Embedded(card) => card.input.width.zip(card.input.height),
            Self::Given(card) => card.input.size.map(|[w, h]| (w, h)),
        }
    }

    /// The input's dimensions for one image of a size.
    pub fn dimensions(&self, (w, h): Size) -> [i64; 4] {
        let (w, h) = (i64::from(w), i64::from(h));
        match self {
            Self::Given(card) if card.input.layout == Layout::ChannelsFirst => [1, 3, h, w],
            _ => [1, h, w, 3],
        }
    }
}

impl Contract {
    /// Of a session and its card. `name` is for a card without one; `size` is the size that images
    /// are resized to if the user chose one.
    pub fn new(
        source: CardSource,
        name: &str,
        outline: &Outline,
        size: Option<Size>,
        placed: &Placed,
    ) -> Result<Self> {
        let session = &placed.session;
        let contract = match source {
            CardSource::Embedded(card) => Self::own(*card, outline, session, placed.cut.clone())
                .map_err(|e| {
                    e.hint("card and graph contradict each other: export the model again")
                })?,
            CardSource::Given(card) => Self::foreign(&card, name, outline.opset, session)?,
        };
        contract.resized_to(size)
    }

    /// With another size, which must be one that the graph takes.
    fn resized_to(mut self, size: Option<Size>) -> Result<Self> {
        let Some((w, h)) = size else { return Ok(self) };
        if let Some(fixed) = self.sizing.fixed.filter(|f| self.sizing.rigid && *f != (w, h)) {
            return Err(Error::request(format!(
                "--input-size: expected {}x{}, the only size the model takes, got {w}x{h}",
                fixed.0, fixed.1
            ))
            .hint("leave it out: images are resized to that size anyway"));
        }
        let next = self.sizing.round_up((w, h));
        if next != (w, h) {
            return Err(Error::request(format!(
                "--input-size: expected multiples of {} as on the card, got {w}x{h}",
                self.sizing.multiple
            ))
            .hint(format!("the next such size is {}x{}", next.0, next.1)));
        }
        self.sizing.fixed = Some((w, h));
        (self.card.input.width, self.card.input.height) = (Some(w), Some(h));
        Ok(self)
    }

    /// Of a model that `train export` wrote; `cut` if its graph was cut there.
    fn own(
        card: Card,
        outline: &Outline,
        session: &Session,
        cut: Option<CutOutputs>,
    ) -> Result<Self> {
        let rgb = [None, None, None, Some(3)];
        Tensor::new(&card.input.name, TensorElementType::Uint8, &rgb)
            .check(only_input(session)?)?;
        for output in &card.outputs {
            if !outline.outputs.contains(&output.name) {
                return Err(no_output(&output.name, &outline.outputs));
            }
        }
        let logits = [None, Some(card.classes.len() as i64), None, None];
        let check = |name: &str, ty, shape: &[Option<i64>]| {
            Tensor::new(name, ty, shape).check(output_called(session, name)?)?;
            Ok::<_, Error>(name.to_owned())
        };
        let ending = match cut {
            Some(cut) => {
                check(&cut.logits, TensorElementType::Float32, &logits)?;
                Ending::Cut(cut)
            }
            None => {
                let given = |want: Want| card.output(want.name()).map(|_| want.name());
                Ending::Whole {
                    labels: given(Want::Labels)
                        .map(|name| check(name, TensorElementType::Uint8, &[None; 3]))
                        .transpose()?,
                    logits: given(Want::Logits)
                        .map(|name| check(name, TensorElementType::Float32, &logits))
                        .transpose()?,
                }
            }
        };
        let sizing =
            Sizing { fixed: card.input.width.zip(card.input.height), rigid: false, multiple: 1 };
        let input = card.input.name.clone();
        Ok(Self { card, input, pixels: Pixels::Bytes, sizing, ending })
    }

    /// Of a model from elsewhere: one f32 image in, f32 logits out. `name` is for a card without one.
    fn foreign(card: &ForeignCard, name: &str, opset: u32, session: &Session) -> Result<Self> {
        const HINT: &str =
            "card and graph contradict each other: change the card, or export the model as it says";
        let hint = |e: Error| e.hint(HINT);
        let input = only_input(session).map_err(hint)?;
        let wanted = card.input.name.as_deref().unwrap_or(input.name());
        let size = card.input.size.map(|[w, h]| (Some(i64::from(w)), Some(i64::from(h))));
        let (w, h) = size.unwrap_or_default();
        let (channels, shape) = match card.input.layout {
            Layout::ChannelsFirst => (1, [Some(1), Some(3), h, w]),
            Layout::ChannelsLast => (3, [Some(1), h, w, Some(3)]),
        };
        let image = Tensor::new(wanted, TensorElementType::Float32, &shape);
        image.check(input).map_err(hint)?;
        // Left open it could be anything, such as the width of another layout.
        if input.dtype().tensor_shape().and_then(|s| s.get(channels).copied()) != Some(3) {
            return Err(hint(image.mismatch(input)));
        }
        let rigid = fixed_size(input, card)?;
        let fixed = card.input.size.map(|[w, h]| (w, h)).or(rigid);
        let output = match &card.output {
            Some(name) => output_called(session, name).map_err(hint)?,
            None => match session.outputs() {
                [output] => output,
                several => {
                    let names: Vec<&str> = several.iter().map(Outlet::name).collect();
                    return Err(Error::request(format!(
                        "graph: expected one output, got {names:?}"
                    ))
                    .hint("say in the card which of them has the logits: output = \"NAME\""));
                }
            },
        };
        let classes = Some(card.classes.len() as i64);
        Tensor::new(output.name(), TensorElementType::Float32, &[Some(1), classes, None, None])
            .check(output)
            .map_err(hint)?;
        Ok(Self {
            card: card.card(name, input.name(), fixed, opset),
            input: input.name().to_owned(),
            pixels: Pixels::Floats(Normalization::new(&card.input)),
            sizing: Sizing { fixed, rigid: rigid.is_some(), multiple: card.input.multiple },
            ending: Ending::Whole { labels: None, logits: Some(output.name().to_owned()) },
        })
    }

    /// Name of the graph's output that what is wanted comes from; `None` if the model does not give it.
    pub fn output(&self, want: Want) -> Option<&str> {
        self.card.output(want.name())?;
        match (&self.ending, want) {
            (Ending::Whole { labels, .. }, Want::Labels) => labels.as_deref(),
            (Ending::Whole { logits, .. }, Want::Logits) => logits.as_deref(),
            (Ending::Cut(cut), _) => Some(&cut.logits),
        }
    }
}

fn only_input(session: &Session) -> Result<&Outlet> {
    match session.inputs() {
        [input] => Ok(input),
        several => Err(Error::request(format!("graph: expected one input, got {}", several.len()))),
    }
}

fn output_called<'a>(session: &'a Session, name: &str) -> Result<&'a Outlet> {
    session.outputs().iter().find(|o| o.name() == name).ok_or_else(|| {
        let names: Vec<String> = session.outputs().iter().map(|o| o.name().to_owned()).collect();
        no_output(name, &names)
    })
}

fn no_output(name: &str, got: &[String]) -> Error {
    Error::request(format!("graph: expected the output {name} of its card, got {got:?}"))
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
