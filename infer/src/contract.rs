//! What a model must keep: its graph is what its card says.
//! Not whether it computes what it should, which is `verify`'s. Two kinds of card are known: the one in the
//! metadata of models that `train export` wrote, and the one a user writes about a model from
//! elsewhere (`foreign`, whose output is one of several forms: `form`).

use std::path::Path;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType};
use shared::card::{Card, ColorOrder, ForeignCard, Layout};
use shared::error::{Error, Result};

use crate::outline::Outline;
use crate::provider::Placed;
use crate::session::pixels::Pixels;
use crate::session::{Size, Sizing, Want};
use crate::tail::CutOutputs;

pub(crate) use self::form::{Channel, Form, Meaning};
use self::tensor::Tensor;
pub(crate) use self::tensor::shape_line;

mod foreign;
mod form;
mod tensor;

/// Card and graph, brought together.
pub(crate) struct Contract {
    pub card: Card,
    /// Name of the graph's input.
    pub input: String,
    pub pixels: Pixels,
    pub sizing: Sizing,
    /// Images that the graph takes at once: 1 if it takes any number.
    pub batch: u32,
    pub ending: Ending,
    /// What logits mean; `None`: the first values tell.
    pub meaning: Option<Meaning>,
}

/// What a run of the graph ends with; names of its outputs.
pub(crate) enum Ending {
    /// Labels, logits or both, as the card says.
    Whole { labels: Option<String>, logits: Option<String> },
    /// Logits that are to be resized to input size, since the graph was cut there (`tail`).
    Cut(CutOutputs),
    /// The output of a model from elsewhere.
    Foreign { output: String, form: Form },
}

/// A card, and where it comes from, before the graph is asked.
pub(crate) enum CardSource {
    /// From the model's metadata.
    Embedded(Box<Card>),
    /// From its user.
    Given(Box<ForeignCard>),
}

impl CardSource {
    /// The card in the model's metadata, or the one in the file `given`.
    pub fn find(outline: &Outline, given: Option<&Path>) -> Result<Self> {
        match (&outline.card, given) {
            (Some(json), None) => Ok(Self::Embedded(Box::new(Card::from_json(json)?))),
            (None, Some(path)) => Ok(Self::Given(Box::new(ForeignCard::read(path)?))),
            (Some(_), Some(path)) => Err(Error::request(format!(
                "expected a model without a card of its own for --card {}, got one with it",
                path.display()
            ))
            .hint("leave --card out, or say which model it is for: --card MODEL=FILE")),
            (None, None) => Err(Error::request(format!(
                "expected a card under {:?} in its metadata, got none",
                Card::KEY
            ))
            .hint("its classes and its input are unknown: `infer info --model FILE --write-card FILE.toml` writes a card to fill in, for --card FILE.toml (models/README.md); `train export` writes models with a card")),
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
        let (channels, layout) = match self {
            Self::Given(card) => (card.input.color.channels() as i64, card.input.layout),
            Self::Embedded(_) => (ColorOrder::Rgb.channels() as i64, Layout::ChannelsLast),
        };
        match layout {
            Layout::ChannelsFirst => [1, channels, h, w],
            Layout::ChannelsLast => [1, h, w, channels],
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
            CardSource::Given(card) => Self::foreign(&card, name, outline, session)?,
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
            let names = outline.output_names();
            if !names.contains(&output.name) {
                return Err(no_output(&output.name, &names));
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
        let meaning = Some(Meaning::Logits);
        Ok(Self { card, input, pixels: Pixels::Bytes, sizing, batch: 1, ending, meaning })
    }

    /// Name of the graph's output that what is wanted comes from; `None` if the model does not give it.
    pub fn output(&self, want: Want) -> Option<&str> {
        self.card.output(want.name())?;
        match (&self.ending, want) {
            (Ending::Whole { labels, .. }, Want::Labels) => labels.as_deref(),
            (Ending::Whole { logits, .. }, Want::Logits) => logits.as_deref(),
            (Ending::Cut(cut), _) => Some(&cut.logits),
            (Ending::Foreign { output, .. }, _) => Some(output),
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
