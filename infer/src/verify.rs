//! Replaying a card's probe: does this model, here, compute what the trainer computed?
//! Not a score. The probe image is a function of its seed (`shared::card::probe_image`), so that nothing
//! but numbers needs to be kept; the logits decide, and labels where no two classes are nearly equal.

use shared::card::{Card, Probe, probe_image};
use shared::digest::sha256;
use shared::error::{Error, Result};

use crate::session::{Input, Model, Want};
use crate::upsample;

/// What the replay found.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// Whether the model computes what its card says.
    pub verified: bool,
    /// What was compared, in one line.
    pub summary: String,
}

/// How far logits may be from the trainer's: a share of their root mean square, by the precision on the card.
///
/// f32 sums in another order differ by 1e-6 of it; the share leaves room for other kernels and devices. Half precision
/// keeps 11 bits: 7e-4 was seen. An int8 model is compared with the trainer rounding alike, and so apart only where a
/// value lies between two steps of a grid: 0.015 was seen of trained networks, 0.13 of random ones. A processor that
/// saturates is as far away as the logits are large.
fn tolerance(precision: &str, probe: &Probe) -> f32 {
    let share = match precision {
        "fp16" => 0.01,
        "int8" => 0.2,
        _ => 5e-4,
    };
    let squares: f64 = probe.logits.iter().flatten().map(|v| f64::from(*v).powi(2)).sum();
    let count = probe.logits.iter().map(Vec::len).sum::<usize>().max(1);
    (share * (squares / count as f64).sqrt()) as f32
}

/// Replays the probe of the model's card.
///
/// # Errors
/// A card without a probe (exit code 2), a run that fails. A difference is no error but a verdict.
pub fn verify(model: &mut Model) -> Result<Verdict> {
    let card = model.card().clone();
    let probe = &card.probe;
    if probe.is_empty() {
        return Err(Error::request(format!(
            "model: {}: expected a probe on its card, got none",
            model.path().display()
        ))
        .hint("only `train export` writes one: score a model from elsewhere with `infer eval`"));
    }
    let pixels = probe_image(probe.seed, probe.batch, probe.height, probe.width);
    let input =
        Input { pixels: &pixels, batch: probe.batch, height: probe.height, width: probe.width };
    let allowed = tolerance(&card.precision, probe);
    let logits =
        if model.gives(Want::Logits) { Some(replay_logits(model, input, &card)?) } else { None };
    let labels = match &logits {
        Some((_, labels)) if !model.gives(Want::Labels) => labels.clone(),
        _ => model.run(input, Want::Labels)?.labels()?.to_vec(),
    };
    let furthest = logits.map(|(furthest, _)| furthest);
    let (wrong, clear) = wrong_labels(probe, &labels, allowed);
    let same_sum = sha256(&labels) == probe.labels_sha256;
    Ok(judge(Findings {
        furthest,
        allowed,
        sampled: probe.positions.len(),
        wrong,
        clear,
        same_sum,
    }))
}

/// What was compared, in numbers.
struct Findings {
    /// Largest difference of a sampled logit; `None` if the model gives none.
    furthest: Option<f32>,
    allowed: f32,
    /// Sampled positions.
    sampled: usize,
    /// Sampled positions with another label, of those where the best class is clear.
    wrong: usize,
    clear: usize,
    /// Whether the labels are the trainer's to the last one.
    same_sum: bool,
}

fn judge(f: Findings) -> Verdict {
    // NaN must fail, so the comparison asks for what is well.
    let logits_agree = f.furthest.is_none_or(|d| d <= f.allowed);
    let labels_agree = f.wrong == 0;
    // Where all samples are near-ties, as of a network that has hardly been trained, the logits decide; without any of
    // them only equal labels prove anything.
    let judged = f.clear > 0 || f.same_sum || (f.furthest.is_some() && f.sampled > 0);
    let verified = logits_agree && labels_agree && judged;
    let logits = match f.furthest {
        Some(d) => format!(
            "logits at {} positions within {d:.1e} (allowed {:.0e}), ",
            f.sampled, f.allowed
        ),
        None => String::new(),
    };
    let (right, unclear) = (f.clear - f.wrong, f.sampled - f.clear);
    let ties = if unclear > 0 { format!(" ({unclear} near-ties left out)") } else { String::new() };
    let samples = format!("{right} of {} sampled labels equal{ties}", f.clear);
    let sum = match (f.same_sum, verified) {
        (true, _) => "all labels equal by checksum",
        (false, true) => {
            "some label elsewhere differs: near-ties between two classes, decided by rounding"
        }
        (false, false) => "the checksum of all labels differs",
    };
    Verdict { verified, summary: format!("{logits}{samples}, {sum}") }
}

/// Largest difference from the card's logits, and the labels that the logits give.
fn replay_logits(model: &mut Model, input: Input<'_>, card: &Card) -> Result<(f32, Vec<u8>)> {
    let probe = &card.probe;
    let classes = card.classes.len();
    let answer = model.run(input, Want::Logits)?;
    let [_, _, h, w] = answer.logits_shape(classes)?;
    if (h, w) != (probe.height as usize, probe.width as usize) {
        return Err(Error::work(format!(
            "probe: expected logits of {}x{}, got {w}x{h}",
            probe.width, probe.height
        )));
    }
    let (logits, plane) = (answer.logits()?, h * w);
    let mut furthest = 0.0_f32;
    for (&[n, y, x], values) in probe.positions.iter().zip(&probe.logits) {
        let at = n as usize * classes * plane + (y * probe.width + x) as usize;
        for (class, value) in values.iter().enumerate() {
            let difference = (logits[at + class * plane] - value).abs();
            // Not `max`, which would drop a NaN.
            furthest =
                if difference.is_nan() || difference > furthest { difference } else { furthest };
        }
    }
    let size = (probe.width, probe.height);
    let images = logits.chunks(classes * plane).map(|image| {
        upsample::argmax(image, classes, size)
            .map_err(|_| Error::work("probe: expected numbers as logits, got NaN"))
    });
    Ok((furthest, images.collect::<Result<Vec<_>>>()?.concat()))
}

/// Sampled positions with another label than the card's logits say, and how many could be judged: those
/// where the best two classes are further apart than both could move.
fn wrong_labels(probe: &Probe, labels: &[u8], allowed: f32) -> (usize, usize) {
    let mut counts = (0, 0);
    for (&[n, y, x], values) in probe.positions.iter().zip(&probe.logits) {
        let mut order: Vec<usize> = (0..values.len()).collect();
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]));
        let margin =
            order.get(1).map_or(f32::INFINITY, |&second| values[order[0]] - values[second]);
        if margin > 2.0 * allowed {
            let label = labels[((n * probe.height + y) * probe.width + x) as usize];
            counts.0 += usize::from(usize::from(label) != order[0]);
            counts.1 += 1;
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Findings {
        Findings {
            furthest: Some(1e-5),
            allowed: 1e-3,
            sampled: 9,
            wrong: 0,
            clear: 8,
            same_sum: true,
        }
    }

    #[test]
    fn near_ties_do_not_fail_a_model_and_are_named() {
        let verdict = judge(Findings { same_sum: false, ..findings() });
        assert!(verdict.verified && verdict.summary.contains("near-ties"), "{}", verdict.summary);
    }

    #[test]
    fn with_nothing_but_near_ties_the_logits_decide() {
        let ties = || Findings { clear: 0, same_sum: false, ..findings() };
        assert!(judge(ties()).verified);
        assert!(!judge(Findings { furthest: Some(2e-3), ..ties() }).verified);
        assert!(!judge(Findings { furthest: None, ..ties() }).verified);
    }

    #[test]
    fn a_logit_too_far_or_not_a_number_or_a_wrong_label_fails() {
        assert!(judge(findings()).verified);
        assert!(!judge(Findings { furthest: Some(2e-3), ..findings() }).verified);
        assert!(!judge(Findings { furthest: Some(f32::NAN), ..findings() }).verified);
        assert!(!judge(Findings { wrong: 1, ..findings() }).verified);
    }

    #[test]
    fn a_card_without_samples_is_verified_by_equal_labels_only() {
        let empty = || Findings { furthest: Some(0.0), sampled: 0, clear: 0, ..findings() };
        assert!(judge(empty()).verified);
        assert!(!judge(Findings { same_sum: false, ..empty() }).verified);
    }
}
