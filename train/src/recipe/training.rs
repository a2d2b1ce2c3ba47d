//! A recipe's section `train`: how long, how fast, on what, and how often it is logged and saved.
//! Not the loop, which is `trainer`'s.

use serde::{Deserialize, Serialize};
use shared::error::{Error, Result};

/// The loop.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainSettings {
    /// Optimizer steps.
    pub iterations: u64,
    /// Images per forward pass; a step sees `batch * accumulate`.
    pub batch: usize,
    /// The learning rate that the schedule starts from.
    pub learning_rate: f64,
    /// What the heads' learning rate is multiplied with.
    #[serde(default = "same")]
    pub head_lr_factor: f64,
    /// Batches whose gradients are averaged before a step.
    #[serde(default = "one")]
    pub accumulate: usize,
    /// Largest norm of the gradient; larger ones are scaled down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// What stays of the running average of the weights in a step; 0: no average. With one, it is what is validated,
    /// saved and exported.
    #[serde(default, skip_serializing_if = "no_average")]
    pub average: f64,
    /// Whether normalizations keep their running statistics fixed (their weights still learn).
    #[serde(default)]
    pub freeze_norm: bool,
    /// What every random choice is a function of.
    #[serde(default)]
    pub seed: u64,
    /// In what convolutions compute.
    #[serde(default)]
    pub precision: PrecisionChoice,
    /// `auto`, `cpu`, `cuda` or `cuda:INDEX`.
    #[serde(default = "auto")]
    pub device: String,
    /// Threads that load and augment; absent: by the number of processors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workers: Option<usize>,
    /// At most so many steps between two lines of the log; one also comes before every checkpoint.
    #[serde(default = "log_every")]
    pub log_every: u64,
    /// Steps between two lines of what recall and focal loss would weigh the classes with (Fig. 4). 0: none.
    #[serde(default)]
    pub weights_every: u64,
    /// Steps between two validations; the last step is always validated. 0: only the last.
    #[serde(default)]
    pub validate_every: u64,
    /// Steps between two pictures of validation images beside what the network makes of them; the last step is always
    /// drawn. 0: none.
    #[serde(default, skip_serializing_if = "never")]
    pub pictures_every: u64,
    /// Images in each of them.
    #[serde(default = "pictures", skip_serializing_if = "is_pictures")]
    pub pictures: usize,
    /// Steps between two checkpoints; the last step always leaves one. 0: only the last.
    #[serde(default = "checkpoint_every")]
    pub checkpoint_every: u64,
}

fn one() -> usize {
    1
}

fn same() -> f64 {
    1.0
}

fn log_every() -> u64 {
    20
}

fn checkpoint_every() -> u64 {
    500
}

fn auto() -> String {
    "auto".into()
}

/// In what convolutions compute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PrecisionChoice {
    /// The faster of the two for a training step, measured (see `precision`).
    #[default]
    Auto,
    /// 32-bit floating point; on CUDA convolutions may use TF32, libtorch's default.
    F32,
    /// bfloat16.
    Bf16,
}

fn never(every: &u64) -> bool {
    *every == 0
}

fn pictures() -> usize {
    3
}

fn is_pictures(count: &usize) -> bool {
    *count == pictures()
}

fn no_average(decay: &f64) -> bool {
    *decay == 0.0
}

impl TrainSettings {
    /// What may differ from one sitting or machine to the next, at one value for all.
    pub(super) fn reset_machine_settings(&mut self) {
        self.device = auto();
        self.workers = None;
        self.log_every = log_every();
        self.weights_every = 0;
        self.validate_every = 0;
        self.pictures_every = 0;
        self.pictures = pictures();
        self.checkpoint_every = 0;
    }

    /// Refuses values that make no sense.
    ///
    /// # Errors
    /// The first such value, named.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |key: &str, expected: &str, got: String| {
            Err(Error::request(format!("train.{key}: expected {expected}, got {got}")))
        };
        if self.iterations == 0 {
            return wrong("iterations", "at least 1", "0".into());
        }
        if self.batch < 2 && !self.freeze_norm {
            // Batch normalization of the pooled 1 x 1 map needs more than one value per channel.
            return wrong("batch", "at least 2 (or freeze_norm = true)", self.batch.to_string());
        }
        if self.batch == 0 || self.accumulate == 0 || self.log_every == 0 {
            return wrong("batch, accumulate, log_every", "at least 1 each", "0".into());
        }
        for (key, rate) in
            [("learning_rate", self.learning_rate), ("head_lr_factor", self.head_lr_factor)]
        {
            // Updates are f32: a rate beyond its range would be infinite there.
            if !(rate > 0.0 && (rate as f32).is_finite()) {
                return wrong(key, "more than 0 and at most 3.4e38", rate.to_string());
            }
        }
        if self.batch > 4096 || self.accumulate > 1024 || self.workers.is_some_and(|n| n > 256) {
            let got = format!("{}, {}, {:?}", self.batch, self.accumulate, self.workers);
            return wrong("batch, accumulate, workers", "at most 4096, 1024, 256", got);
        }
        if self.clip_norm.is_some_and(|norm| norm.is_nan() || norm <= 0.0) {
            return wrong("clip_norm", "more than 0", format!("{:?}", self.clip_norm));
        }
        if !(0.0..1.0).contains(&self.average) {
            return wrong("average", "0 or more, below 1", self.average.to_string());
        }
        if !(1..=50).contains(&self.pictures) {
            return wrong("pictures", "1 to 50", self.pictures.to_string());
        }
        if self.workers == Some(0) {
            return wrong("workers", "at least 1", "0".into());
        }
        Ok(())
    }
}
