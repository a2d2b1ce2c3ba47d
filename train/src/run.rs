//! A run's folder, and what has to agree before anything is computed: recipe, data, network, checkpoint.
//!
//! The folder holds recipe.toml (resolved), metrics.jsonl, TensorBoard events, last.safetensors and
//! best.safetensors.

use crate::adjust;
use crate::checkpoint::{self, About, TrainerState};
use crate::data::{Loader, LoaderSettings};
use crate::device;
use crate::inspect;
use crate::loss::Frequencies;
use crate::model::deeplab::DeepLab;
use crate::model::init;
use crate::model::params::{Parameters, Precision};
use crate::model::weights::{self, LastLayers};
use crate::precision;
use crate::recipe::{PrecisionChoice, Recipe};
use crate::schedule::Schedule;
use shared::dataset::Index;
use shared::error::{Context, Error, Result, tell};
use shared::output_path::{check_folder, make_folder};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tch::Device;

/// The checkpoint that a run goes on from.
pub const LAST: &str = "last.safetensors";
/// The resolved recipe, every default written out.
pub const RECIPE: &str = "recipe.toml";
/// The weights of the best validation.
pub const BEST: &str = "best.safetensors";
/// The weights alone of a finished run, where a suite has put them in the place of the others.
pub const FINAL: &str = "final.safetensors";

/// Where a folder cannot be locked.
pub(crate) const LOCKABLE: &str =
    "choose an --out that allows writing, on a file system that has locks";

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
    /// How often each class occurs there.
    pub frequencies: Frequencies,
    /// The weights that recall loss holds, where it takes them from another run and this one begins.
    pub held_weights: Option<Vec<f64>>,
    /// Its batches, beginning with the first of the next step.
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
        let out = options.out.clone().unwrap_or_else(|| {
            let name = format!("{}-{}-seed{}", recipe.name, recipe.loss.name(), recipe.train.seed);
            Path::new("runs").join(name)
        });
        let recipe =
            match options.data_root.clone().or_else(|| remembered_root(&recipe, &out, options)) {
                Some(root) => recipe.with_root(&root)?,
                None => recipe,
            };
        let (train, val) = recipe.open_data()?;
        let device = device::choose(&recipe.train.device)?;
        check_folder(&out).map_err(|e| e.within("out"))?;
        // First of all where there is a run: what another process still writes must not be gone on from.
        let held = out.join(LAST).exists().then(|| lock(&out)).transpose()?;
        let last = previous(&out, options.resume)?;
        // Whatever would end the run in its middle ends it here: a file that cannot be decoded, a value, a size.
        let (train, val) = inspect::both(train, val, &recipe.data)?;
        let frequencies = Frequencies::of(&train.stats);
        let (train, val) = (Arc::new(train.index), val.index);
        let resumed = match last {
            Some(last) => Some(resume(&last, &recipe, &train, device, options.resume)?),
            None => None,
        };
        recipe.loss.check_classes(&train.descriptor.classes, &frequencies.pixels)?;
        let (network, parameters, about, state) = match resumed {
            Some(resumed) => resumed,
            None => start(&recipe, &train, &frequencies.pixels, device)?,
        };
        let batches = LoaderSettings {
            batch: recipe.train.batch,
            seed: recipe.train.seed,
            workers: recipe.train.workers.unwrap_or_else(default_workers),
            first_batch: about.iterations * recipe.train.accumulate as u64,
        };
        let from = recipe.loss.recall().and_then(|recall| recall.weights_from.as_deref());
        // A run that goes on has them in its checkpoint.
        let from = from.filter(|_| about.iterations == 0);
        let missed = |run: &Path| adjust::missed_by(run, &train, device, parameters.precision);
        let held_weights = from.map(missed).transpose()?;
        let loader = Loader::new(train.clone(), recipe.augment.clone(), batches)?;
        // Only now: a run that is refused leaves nothing behind.
        make_folder(&out).map_err(|e| e.within("out"))?;
        let lock = held.map_or_else(|| lock(&out), Ok)?;
        shared::files::remove_leftovers(&out);
        shared::files::write_atomic(&out.join(RECIPE), about.recipe.as_bytes())?;
        Ok(Self {
            out,
            recipe,
            device,
            precision: parameters.precision,
            train,
            frequencies,
            held_weights,
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

/// The data set's folder that a run was started with, where the one to resume is not told.
fn remembered_root(recipe: &Recipe, out: &Path, options: &FitOptions) -> Option<PathBuf> {
    if recipe.data.root.is_some() || options.resume == Resume::Never {
        return None;
    }
    Recipe::read(&out.join(RECIPE), &[]).ok()?.data.root
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
    let path = out.join(".lock");
    let free = shared::files::lock(&path)
        .request(|| format!("out: {}: cannot lock", path.display()))
        .map_err(|e| e.hint(LOCKABLE))?;
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

fn start(recipe: &Recipe, train: &Index, class_pixels: &[u64], device: Device) -> Result<Start> {
    let precision = precision::choose(recipe, train, device)?;
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
        class_share: inspect::shares(class_pixels),
        model: recipe.model.clone(),
        evaluation_size: recipe.evaluation.size,
        tone: train.tone,
        loss: recipe.loss.name(),
        recipe: recipe.to_toml()?,
        numerics: recipe.numerics(),
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
    asked: Resume,
) -> Result<Start> {
    let mut precision = device::precision(recipe.train.precision, device);
    let (mut trained, mut state) = checkpoint::load(path, device, precision)?;
    if let Some(begun) = trained.about.precision.filter(|begun| *begun != precision) {
        go_on_in(path, recipe.train.precision, begun, device, asked)?;
        precision = begun;
        (trained, state) = checkpoint::load(path, device, precision)?; // seldom enough to read it twice
    }
    let mut then = Recipe::parse(&trained.about.recipe, &[])?.essence();
    let now = recipe.essence();
    if matches!(recipe.schedule, Schedule::Constant { .. }) {
        then.train.iterations = now.train.iterations;
    }
    // What `auto` came to is what counts, not the word.
    if trained.about.precision.is_some() {
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
    recipe
        .check_numerics(trained.about.numerics)
        .map_err(|e| e.within(format!("resume: {}", path.display())))?;
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

/// Says that a run goes on in the precision it was `begun` in, though this machine would have begun it in another.
/// Refuses where another one is asked for, which would give other numbers, or this machine only emulates it.
fn go_on_in(
    path: &Path,
    choice: PrecisionChoice,
    begun: Precision,
    device: Device,
    asked: Resume,
) -> Result<()> {
    let [then, now] = [begun, device::precision(choice, device)].map(device::precision_name);
    let place = path.display();
    if choice == PrecisionChoice::Auto && device::computes_in(begun, device) {
        tell(format_args!("resume: {place}: continues in {then}, as it was started"));
        return Ok(());
    }
    let hint = match asked {
        // A suite's precision is its recipe's, and the run's folder its own.
        Resume::OrStart => {
            let out = path.parent().unwrap_or(path).display();
            format!("go on with it on a machine like the first, or remove {out}")
        }
        _ => format!(
            "go on with --set train.precision={then} or on a machine like the first, or start another run with another --out"
        ),
    };
    Err(Error::request(format!(
        "resume: {place}: expected the precision that the run was begun in, {then}, got {now}"
    ))
    .hint(hint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_goes_on_in_what_it_was_begun_in_unless_another_precision_is_asked_for() {
        let go_on = |choice, asked| {
            let last = Path::new("suite/runs/recall-seed0/last.safetensors");
            go_on_in(last, choice, Precision::F32, Device::Cpu, asked)
        };
        go_on(PrecisionChoice::Auto, Resume::OrStart).expect("every machine computes in f32");
        for (asked, hint) in [
            (Resume::GoOn, "--set train.precision=f32"),
            (Resume::OrStart, "remove suite/runs/recall-seed0"),
        ] {
            let error = go_on(PrecisionChoice::Bf16, asked).expect_err("another one");
            assert!(error.to_string().ends_with("begun in, f32, got bf16"), "{error}");
            assert!(error.hint_text().is_some_and(|said| said.contains(hint)), "{error:?}");
        }
    }
}
