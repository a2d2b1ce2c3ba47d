//! Whether a model's logits are logits: of probabilities the softmax is not taken again.
//! Not the card's word, which `contract` has read; here the values decide where it says nothing,
//! and are held against it where it does.

use shared::error::{Error, Result, tell};

use crate::contract::Meaning;
use crate::session::Model;

/// How far from 1 the probabilities of a pixel may add up: room for eight bits and for halves.
const SUM_OFF: f32 = 0.05;

/// What the logits f32 `[classes, h, w]` mean; `known` is what card and graph say, or the values
/// before.
///
/// # Errors
/// Values that are no probabilities though they are said to be (exit code 2).
pub(super) fn of(logits: &[f32], classes: usize, known: Option<Meaning>) -> Result<Meaning> {
    let odd = |expected: &str| {
        let range = |pick: fn(f32, f32) -> f32| logits.iter().copied().fold(f32::NAN, pick);
        let (low, high) = (range(f32::min), range(f32::max));
        Err(Error::request(format!("expected {expected}, got values from {low} to {high}"))
            .hint("the card says that the model ends in it: output = { activation = \"none\" } if these are logits"))
    };
    match known {
        Some(Meaning::Softmax) if !add_up(logits, classes) => {
            odd("probabilities that add up to 1 (activation = \"softmax\")")
        }
        Some(Meaning::Sigmoid) if !logits.iter().all(is_share) => {
            odd("probabilities (activation = \"sigmoid\")")
        }
        Some(meaning) => Ok(meaning),
        None if add_up(logits, classes) => Ok(Meaning::Softmax),
        None => Ok(Meaning::Logits),
    }
}

fn is_share(value: &f32) -> bool {
    (-1e-3..=1.001).contains(value)
}

/// Whether all are in 0..1, and those of each pixel add up to 1.
fn add_up(logits: &[f32], classes: usize) -> bool {
    let plane = logits.len() / classes.max(1);
    plane > 0
        && logits.iter().all(is_share)
        && (0..plane).all(|i| {
            let sum: f32 = logits[i..].iter().step_by(plane).sum();
            (sum - 1.0).abs() <= SUM_OFF
        })
}

/// Remembers what the first look has shown, and says so where it is not the usual.
pub(super) fn settle(model: &mut Model, meaning: Meaning) {
    if model.meaning().is_some() {
        return;
    }
    if meaning == Meaning::Softmax {
        tell(format_args!(
            "{}: its values are probabilities (in 0..1, each pixel's add up to 1): averaged without another softmax; output = {{ activation = \"softmax\" }} in the card says so",
            model.path().display()
        ));
    }
    model.settle(meaning);
}

/// Above which probability a place is of the second of two classes, for a model of one channel.
pub(super) fn threshold(model: &Model) -> Option<f32> {
    match model.meaning() {
        Some(Meaning::Channel(channel)) => Some(channel.threshold),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_told_from_logits_by_their_values() {
        let meaning = |logits: &[f32], known| of(logits, 2, known);
        let probabilities = [0.25, 1.0, 0.75, 0.0]; // [2, 1, 2]
        assert_eq!(meaning(&probabilities, None).unwrap(), Meaning::Softmax);
        assert_eq!(meaning(&[0.25, 0.5, 0.5, 0.5], None).unwrap(), Meaning::Logits);
        assert_eq!(meaning(&[1.5, 1.0, -0.5, 0.0], None).unwrap(), Meaning::Logits);
        // What is said counts, unless it cannot be.
        let said = Some(Meaning::Logits);
        assert_eq!(meaning(&probabilities, said).unwrap(), Meaning::Logits);
        let error = meaning(&[3.0, 1.0, -0.5, 0.0], Some(Meaning::Softmax)).unwrap_err();
        assert!(error.to_string().ends_with("got values from -0.5 to 3"), "{error}");
        assert!(meaning(&[0.9, 0.2, 0.9, 0.1], Some(Meaning::Sigmoid)).is_ok());
        assert!(meaning(&[f32::NAN; 4], None).is_ok());
    }
}
