//! A run's folder, and what has to agree before anything is computed: recipe, data, network, checkpoint.
//!
//! The folder holds recipe.toml (resolved), metrics.jsonl, TensorBoard events, last.safetensors and
//! best.safetensors.

use crate::checkpoint::{self, About, TrainerState};
use crate::data::{Loader, LoaderSettings};
use crate::device;
use crate::model::deeplab::DeepLab;
use crate::model::init;
use crate::model::params::{Parameters, Precision};
use crate::model::weights::{self, LastLayers};
use crate::recipe::Recipe;
use crate::schedule::Schedule;
use crate::shares;
use shared::dataset::Index;
use shared::error::{Error, Result};
use shared::output_path::make_folder;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tch::Device;

/// The checkpoint that a run goes on from.
pub const LAST: &str = "last.safetensors";
/// The weights of the best validation.
pub const BEST: &str = "best.safetensors";
/// The weights alone of a finished run, where a suite has put them in the place of the others.
pub const FINAL: &str = "final.safetensors";

/// What `train fit` was asked for besides the recipe.
#[derive(Clone, Debug, Default)]
pub struct FitOptions {
    /// The data set's folder, in place of the recipe's.
    pub data_root: Option<PathBuf>,
    /// The run's folder; by default below `runs/`, named after recipe, loss and seed.
    pub out: Option<PathBuf>,
    /// What to do with a run that is in the folder already.
    pub resume: Resume,
}

/// What to do with a run that is in the folder already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// Refuse it.
    #[default]
    Never,
    /// Go on from its last checkpoint; refuse one that has best weights but nothing to go on from.
    GoOn,
    /// Go on from its last checkpoint, or start again where it has none: for who asks for runs by their names alone.
    OrStart,
}

/// Everything that a run starts from.
pub struct Run {
    /// Its folder.
    pub out: PathBuf,
    /// The recipe.
    pub recipe: Recipe,
    /// Where it computes.
    pub device: Device,
    /// In what it computes.
    pub precision: Precision,
    /// The training split.
    pub train: Arc<Index>,
    /// Its pixels of each class, by train id.
    pub class_pixels: Vec<u64>,
    /// Its batches, from the next step's first.
    pub loader: Loader,
    /// The validation split.
    pub val: Index,
    /// The network.
    pub network: DeepLab,
    /// Its parameters, initialized, loaded or resumed.
    pub parameters: Parameters,
    /// What checkpoints will say.
    pub about: About,
    /// The trainer's state to go on from; empty at the start.
    pub state: TrainerState,
    /// Held as long as the run goes on, so that no second one writes to its folder.
    pub lock: File,
}

impl Run {
    /// Checks everything, creates the folder, and is ready to train.
    pub fn prepare(recipe: Recipe, options: &FitOptions) -> Result<Self> {
        let (train, val) = recipe.open_data(options.data_root.as_deref())?;
        let train = Arc::new(train);
        let device = device::choose(&recipe.train.device)?;
        let precision = device::precision(recipe.train.precision, device);
        let out = options.out.clone().unwrap_or_else(|| {
            let name = format!("{}-{}-seed{}", recipe.name, recipe.loss.name(), recipe.train.seed);
            Path::new("runs").join(name)
        });
        // First of all where there is a run: what another process still writes must not be gone on from.
        let held = out.join(LAST).exists().then(|| lock(&out)).transpose()?;
        let resumed = match previous(&out, options.resume)? {
            Some(last) => Some(resume(&last, &recipe, &train, device, precision)?),
            None => None,
        };
        let class_pixels = shares::pixels_of_classes(&train)?;
        recipe.loss.check_classes(&train.descriptor.classes, &class_pixels)?;
        let (network, parameters, about, state) = match resumed {
            Some(resumed) => resumed,
            None => start(&recipe, &train, &class_pixels, device, precision)?,
        };
        let batches = LoaderSettings {
            batch: recipe.train.batch,
            seed: recipe.train.seed,
            workers: recipe.train.workers.unwrap_or_else(default_workers),
            first_batch: about.iterations * recipe.train.accumulate as u64,
        };
        let loader = Loader::new(train.clone(), recipe.augment.clone(), batches)?;
        // Only now: a run that is refused leaves nothing behind.
        make_folder(&out)?;
        let lock = held.map_or_else(|| lock(&out), Ok)?;
        shared::files::remove_leftovers(&out);
        shared::files::write_atomic(&out.join("recipe.toml"), about.recipe.as_bytes())?;
        Ok(Self {
            out,
            recipe,
            device,
            precision,
            train,
            class_pixels,
            loader,
            val,
            network,
            parameters,
            about,
            state,
            lock,
        })
    }
}

/// The checkpoint to go on from; none where a run starts.
fn previous(out: &Path, resume: Resume) -> Result<Option<PathBuf>> {
    let there = |name: &str| out.join(name).exists();
    let refuse = |holds: &str, hint: &str| {
        Err(Error::request(format!("out: {}: holds {holds}", out.display())).hint(hint))
    };
    match resume {
        Resume::Never if there(FINAL) => {
            refuse("a finished run", "it belongs to a suite: choose another --out")
        }
        Resume::Never if there(LAST) || there(BEST) => {
            refuse("a run already", "--resume goes on with it, another --out leaves it alone")
        }
        Resume::GoOn if !there(LAST) && (there(BEST) || there(FINAL)) => refuse(
            "weights of a run, but no checkpoint to go on from",
            "choose another --out, or move its weights away; train.checkpoint_every saves on the way",
        ),
        _ => Ok(there(LAST).then(|| out.join(LAST))),
    }
}

/// Makes the folder this process's own until the run ends, however it ends.
fn lock(out: &Path) -> Result<File> {
    let free = shared::files::lock(&out.join(".lock")).map_err(|e| e.within("out"))?;
    free.ok_or_else(|| {
        Error::request(format!("out: {}: expected no other run there, got one", out.display()))
            .hint("wait for it, or choose another --out")
    })
}

/// Loader threads where the recipe names none: one for every two processors, four at most.
fn default_workers() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get() / 2).clamp(1, 4)
}

type Start = (DeepLab, Parameters, About, TrainerState);

fn start(
    recipe: &Recipe,
    train: &Index,
    class_pixels: &[u64],
    device: Device,
    precision: Precision,
) -> Result<Start> {
    let descriptor = &train.descriptor;
    let network = DeepLab::new(&recipe.model, descriptor.num_classes() as i64);
    let mut parameters = Parameters::new(&network, device, precision);
    init::initialize(&mut parameters, recipe.train.seed);
    if let Some(path) = &recipe.start.weights {
        let last = if recipe.start.new_head { LastLayers::New } else { LastLayers::FromFile };
        weights::load(path, &mut parameters, last)?;
    }
    let about = About {
        format: About::FORMAT,
        name: recipe.name.clone(),
        dataset: descriptor.name.clone(),
        classes: descriptor.classes.clone(),
        fingerprint: train.fingerprint(),
        class_share: shares::of(class_pixels),
        model: recipe.model.clone(),
        evaluation_size: recipe.evaluation.size,
        loss: recipe.loss.name().into(),
        recipe: recipe.to_toml()?,
        iterations: 0,
        seed: recipe.train.seed,
        precision: Some(precision),
        validated: 0,
        best_mean_iou: None,
    };
    Ok((network, parameters, about, TrainerState::new()))
}

/// Goes on from a checkpoint, if it belongs to this recipe.
fn resume(
    path: &Path,
    recipe: &Recipe,
    train: &Index,
    device: Device,
    precision: Precision,
) -> Result<Start> {
    let (trained, state) = checkpoint::load(path, device, precision)?;
    let mut then = Recipe::parse(&trained.about.recipe, &[])?.essence();
    let now = recipe.essence();
    if matches!(recipe.schedule, Schedule::Constant { .. }) {
        then.train.iterations = now.train.iterations;
    }
    // What `auto` came to is what counts, not the word.
    if let Some(begun) = trained.about.precision {
        same_precision(path, begun, precision)?;
        then.train.precision = now.train.precision;
    }
    if then != now {
        return Err(Error::request(format!(
            "resume: {}: expected the recipe that the run was started with, got another: {}",
            path.display(),
            then.differences(&now)?
        ))
        .hint("start another run with another --out"));
    }
    if trained.about.fingerprint != train.fingerprint() {
        return Err(Error::request(format!(
            "resume: {}: expected the training data that the run was started with, got other files",
            train.root.display()
        ))
        .hint("start another run with another --out"));
    }
    if trained.about.iterations > recipe.train.iterations {
        return Err(Error::request(format!(
            "resume: {}: expected at most {} iterations, got {} done",
            path.display(),
            recipe.train.iterations,
            trained.about.iterations
        ))
        .hint("raise train.iterations, or start another run with another --out"));
    }
    let about = About { recipe: recipe.to_toml()?, precision: Some(precision), ..trained.about };
    Ok((trained.network, trained.parameters, about, state))
}

/// Refuses to go on in another precision than a run was begun in: it would give other numbers, and say nothing.
fn same_precision(path: &Path, begun: Precision, now: Precision) -> Result<()> {
    if begun == now {
        return Ok(());
    }
    let [begun, now] = [begun, now].map(device::precision_name);
    Err(Error::request(format!(
        "resume: {}: expected the precision that the run was begun in, {begun}, got {now}",
        path.display()
    ))
    .hint(format!(
        "go on with --set train.precision={begun} or on a machine like the first, or start another run with another --out"
    )))
}
