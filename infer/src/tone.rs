//! How images come to 8 bits before a model sees them (`shared::decode::Tone`): as its card says, in every command.
//! Not the rule itself. Models that run side by side see the same pixels, so they must agree on it.

use shared::dataset::Index;
use shared::decode::Tone;
use shared::error::{Error, Result, tell};

use crate::session::Model;

/// The rule of the models' cards.
///
/// # Errors
/// Models that differ in it (exit code 2).
pub fn common(models: &[Model]) -> Result<Option<Tone>> {
    let Some(first) = models.first() else { return Ok(None) };
    let tone = first.card().input.image;
    match models.iter().find(|model| model.card().input.image != tone) {
        None => Ok(tone),
        Some(other) => Err(Error::request(format!(
            "{}: expected images with {} as for {}, got {}",
            other.path().display(),
            named(tone),
            first.path().display(),
            named(other.card().input.image),
        ))
        .hint("models that run side by side see the same pixels: run each alone")),
    }
}

/// Lets a data set's images be read as the models were trained, and says so if its descriptor has another rule.
///
/// # Errors
/// As [`common`].
pub fn adopt(index: &mut Index, models: &[Model]) -> Result<()> {
    let tone = common(models)?;
    if tone != index.tone {
        tell(format_args!(
            "{}: its images are read with {}, as the model was trained, not with {}",
            index.descriptor.name,
            named(tone),
            named(index.tone)
        ));
        index.tone = tone;
    }
    Ok(())
}

fn named(tone: Option<Tone>) -> String {
    tone.map_or("the upper 8 of 16 bits".into(), |tone| format!("image = {tone}"))
}
