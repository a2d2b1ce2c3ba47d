//! A cell that needs no training: a network of the suite with its thresholds moved.
//! Not how they are moved, which is `crate::adjust`'s.

use super::{CellOutcome, Job, Maker};
use crate::adjust::Adjustment;
use crate::checkpoint::{self, Trained};
use crate::device;
use crate::model::params::Precision;
use crate::monitor::progress;
use crate::run::{FINAL, LAST};
use crate::validate::validate;
use shared::dataset::Index;
use shared::error::{Error, Result};
use shared::output_path::make_folder;
use std::path::Path;
use std::time::Instant;

/// Scores the network in the folder `network` with its thresholds moved as the job says, and puts
/// its weights into the folder
/// `out`, as a trained cell's are. `commit` is for the maker; `go_on` is called after each image.
///
/// # Errors
/// A network that is not here; a damaged file; `go_on` said no.
pub fn adjusted(
    job: &Job,
    network: &Path,
    out: &Path,
    (train, val): (&Index, &Index),
    commit: Option<String>,
    go_on: &dyn Fn() -> bool,
) -> Result<CellOutcome> {
    let began = Instant::now();
    let Some(rule) = job.loss.adjusted() else {
        return Err(Error::work("suite: expected a rule that moves thresholds, got none"));
    };
    let weights =
        [FINAL, LAST].map(|name| network.join(name)).into_iter().find(|path| path.exists());
    let weights = weights.ok_or_else(|| {
        Error::work(format!("{}: the weights of the network are not here", network.display()))
            .hint("it was trained elsewhere: compute this cell there, or remove its cell to train it here")
    })?;
    let device = device::choose(&job.recipe.train.device)?;
    // In what it was trained and scored in, which `auto` may take for something else here.
    let (read, _) = checkpoint::load(&weights, device, Precision::F32)?;
    let chosen = || device::precision(job.recipe.train.precision, device);
    let precision = read.about.precision.unwrap_or_else(chosen);
    let (mut trained, _) = match precision {
        Precision::F32 => (read, vec![]),
        _ => checkpoint::load(&weights, device, precision)?,
    };
    Adjustment::Rule(rule.clone()).apply(&mut trained, || Ok(train.clone()), go_on)?;
    let bar = progress::count("scoring", val.samples.len() as u64);
    let look = || {
        bar.inc(1);
        go_on()
    };
    let Trained { network, parameters, about } = &trained;
    let confusion = validate(network, parameters, val, about.evaluation_size, &look);
    bar.finish_and_clear();
    let confusion = confusion?.ok_or_else(|| Error::work("stopped while scoring"))?;
    make_folder(out).map_err(|e| e.within("suite"))?;
    checkpoint::save(&out.join(FINAL), parameters, &vec![], about)?;
    Ok(CellOutcome {
        iterations: about.iterations,
        from: about.iterations,
        seconds: began.elapsed().as_secs_f64(),
        best_mean_iou: None,
        skipped: 0,
        report: confusion.report_without(&val.descriptor.unscored, &about.classes),
        maker: Maker::of(device, precision, commit),
    })
}
