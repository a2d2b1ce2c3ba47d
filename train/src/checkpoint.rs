//! What is saved of a run: weights under torchvision's names, and what it takes to go on exactly.
//!
//! `last.safetensors` holds everything, `best.safetensors` the weights of the best validation
//! alone;
//! both are whole or not there at all. A line of metadata tells whose they are.

use crate::model::deeplab::{DeepLab, ModelSettings};
use crate::model::params::{Parameters, Precision};
use crate::model::weights::{self, LastLayers};
use crate::tensors;
use serde::{Deserialize, Serialize};
use shared::decode::Tone;
use shared::error::{Context, Error, Result};
use shared::labels::Class;
use std::collections::HashMap;
use std::path::Path;
use tch::{Device, Tensor};

/// Key of the metadata line.
const KEY: &str = "recall-seg";

/// Prefix of tensors that belong to the trainer rather than the network.
const TRAINER: &str = "trainer.";

/// What a checkpoint says of itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Version of this form.
    pub format: u32,
    /// The recipe's name.
    pub name: String,
    /// The data set's name.
    pub dataset: String,
    /// Its classes, in the order of the score maps.
    pub classes: Vec<Class>,
    /// Fingerprint of the training split: names, sizes and classes.
    pub fingerprint: String,
    /// Share of each class of the training set's valid pixels.
    pub class_share: Vec<f64>,
    /// The network.
    pub model: ModelSettings,
    /// `[width, height]` for evaluation; the images' own if absent.
    pub evaluation_size: Option<[u32; 2]>,
    /// How images came to 8 bits; absent: of 16 bits the upper 8.
    #[serde(default)]
    pub tone: Option<Tone>,
    /// The loss's name.
    pub loss: String,
    /// The resolved recipe, TOML.
    pub recipe: String,
    /// [`Recipe::numerics`](crate::recipe::Recipe::numerics) of the program that trains; the first
    /// where
    /// an older one did not say.
    #[serde(default = "first")]
    pub numerics: u32,
    /// Steps done.
    pub iterations: u64,
    /// The run's seed.
    pub seed: u64,
    /// In what the run computes, the recipe's `auto` resolved; absent in older checkpoints.
    #[serde(default)]
    pub precision: Option<Precision>,
    /// The last step that was validated.
    #[serde(default)]
    pub validated: u64,
    /// Best mean IoU on the validation split so far.
    pub best_mean_iou: Option<f64>,
}

fn first() -> u32 {
    crate::recipe::numerics::FIRST
}

impl About {
    /// The current version of the form.
    pub const FORMAT: u32 = 1;
}

/// A trained network: the weights, and what they are.
pub struct Trained {
    /// What is computed.
    pub network: DeepLab,
    /// With what.
    pub parameters: Parameters,
    /// Whose it is.
    pub about: About,
}

/// The trainer's half of a checkpoint: optimizer state, running recall, averaged weights, by name.
pub type TrainerState = Vec<(String, Tensor)>;

/// Writes weights and the trainer's state: enough to go on.
pub fn save(
    path: &Path,
    parameters: &Parameters,
    state: &TrainerState,
    about: &About,
) -> Result<()> {
    let mut all = weights::state_dict(parameters, about.iterations);
    for (name, tensor) in state {
        all.push((format!("{TRAINER}{name}"), tensor.shallow_clone()));
    }
    let text = serde_json::to_string(about).work(|| "checkpoint".into())?;
    let metadata = [("format", "pt".to_string()), (KEY, text)];
    let metadata: HashMap<_, _> = metadata.into_iter().map(|(k, v)| (k.to_string(), v)).collect();
    tensors::write(path, &all, metadata).map_err(|error| error.within("checkpoint"))
}

/// Reads a checkpoint made here: the network with its weights, and the trainer's state if it has
/// one.
///
/// # Errors
/// A file that is no checkpoint, or one of another version.
pub fn load(path: &Path, device: Device, precision: Precision) -> Result<(Trained, TrainerState)> {
    let within = |error: Error| error.within(format!("checkpoint: {}", path.display()));
    let mut file = tensors::read(path).map_err(|error| {
        error
            .within("checkpoint")
            .hint("a checkpoint is last.safetensors or best.safetensors of `train fit`")
    })?;
    let text = file.metadata.get(KEY).ok_or_else(|| {
        within(Error::request("expected a checkpoint of `train fit`, got weights alone"))
            .hint("weights of others start a run: `train fit --set start.weights=FILE`")
    })?;
    let about: About = serde_json::from_str(text).request(|| "metadata".into()).map_err(within)?;
    if about.format != About::FORMAT {
        let (expected, got) = (About::FORMAT, about.format);
        return Err(within(Error::request(format!("expected format {expected}, got {got}"))));
    }
    about.model.check().map_err(within)?;
    let names: Vec<String> =
        file.tensors.keys().filter(|n| n.starts_with(TRAINER)).cloned().collect();
    let mut state = TrainerState::new();
    for name in names {
        if let Some(tensor) = file.tensors.remove(&name) {
            state.push((name[TRAINER.len()..].to_string(), tensor.to_device(device)));
        }
    }
    let network = DeepLab::new(&about.model, about.classes.len() as i64);
    let mut parameters = Parameters::new(&network, device, precision);
    weights::assign(file.tensors, &mut parameters, LastLayers::FromFile).map_err(within)?;
    Ok((Trained { network, parameters, about }, state))
}
