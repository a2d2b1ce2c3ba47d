//! What a model must keep: it has a card, and its graph is what the card says.
//! Not whether it computes what it should, which is `verify`'s.
//! The card and its own checks are `shared::card`.

use std::path::Path;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType};
use shared::card::Card;
use shared::error::{Context, Error, Result};

use crate::session::Want;

/// The card in a model's metadata, checked.
pub(crate) fn read_card(session: &Session, path: &Path) -> Result<Card> {
    let what = || format!("model: {}", path.display());
    let json = session.metadata().work(what)?.custom(Card::KEY);
    let json = json.ok_or_else(|| {
        Error::request(format!("{}: expected a card under {:?} in its metadata, got none", what(), Card::KEY))
            .hint("the classes and the input of a model without a card are unknown: `train export` writes one")
    })?;
    Card::from_json(&json).map_err(|e| e.within(what()))
}

/// Refuses a graph that is not what its card says.
pub(crate) fn check_graph(card: &Card, session: &Session) -> Result<()> {
    let [input] = session.inputs() else {
        return Err(Error::request(format!(
            "graph: expected one input, got {}",
            session.inputs().len()
        )));
    };
    check_outlet(input, &card.input.name, TensorElementType::Uint8, &[None, None, None, Some(3)])?;
    let classes = Some(card.classes.len() as i64);
    for (want, ty, shape) in [
        (Want::Labels, TensorElementType::Uint8, &[None; 3][..]),
        (Want::Logits, TensorElementType::Float32, &[None, classes, None, None][..]),
    ] {
        if card.output(want.name()).is_none() {
            continue;
        }
        let outlet =
            session.outputs().iter().find(|o| o.name() == want.name()).ok_or_else(|| {
                let names: Vec<&str> = session.outputs().iter().map(Outlet::name).collect();
                Error::request(format!(
                    "graph: expected the output {} of its card, got {names:?}",
                    want.name()
                ))
                .hint("export the model again")
            })?;
        check_outlet(outlet, want.name(), ty, shape)?;
    }
    Ok(())
}

/// `shape`: the sizes that are fixed. A graph may leave any of them open.
fn check_outlet(
    outlet: &Outlet,
    name: &str,
    ty: TensorElementType,
    shape: &[Option<i64>],
) -> Result<()> {
    let dtype = outlet.dtype();
    let fits = |got: &[i64]| {
        got.len() == shape.len()
            && shape.iter().zip(got).all(|(s, g)| s.is_none_or(|s| *g < 0 || *g == s))
    };
    let well = outlet.name() == name
        && dtype.tensor_type() == Some(ty)
        && dtype.tensor_shape().is_some_and(|got| fits(got));
    if well {
        return Ok(());
    }
    let sizes: Vec<String> =
        shape.iter().map(|s| s.map_or("?".into(), |s| s.to_string())).collect();
    Err(Error::request(format!(
        "graph: expected {name} {ty} [{}], got {} {dtype}",
        sizes.join(", "),
        outlet.name()
    ))
    .hint("card and graph contradict each other: export the model again"))
}
