//! Logit adjustment after training: log w_c on the bias of the last layer moves the thresholds
//! between the classes of a network that is done, as a weight w_c in the loss would have while it
//! learned. Not the loss of that name, which trains with the shift. It is the control for recall
//! loss, whose fixed point is the argmax of w_c P(c | x) with w_c = 1 - R_c: what such a moved
//! threshold gives, no training was needed for. Source: Menon et al., "Long-Tail Learning via Logit
//! Adjustment", arXiv 2007.07314, Sec. 4.2.

use crate::checkpoint::{self, Trained};
use crate::model::params::Precision;
use crate::monitor::progress;
use crate::run::{FINAL, LAST};
use crate::validate::validate;
use serde::{Deserialize, Serialize};
use shared::dataset::Index;
use shared::error::{Context, Error, Result};
use shared::labels::Class;
use shared::metrics::Confusion;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use tch::{Device, Tensor};

/// How often recall is measured before the bias counts as settled: each time it goes half the way.
const ROUNDS: usize = 3;

/// Where w_c comes from, apart from a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Rule {
    /// 1 - R_c on the training split, where the moved thresholds stand still.
    Recall,
    /// The class's share of the training set's pixels to the power of minus this number, as it was
    /// typed.
    Prior(String),
}

/// Where w_c comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum Adjustment {
    /// The training set.
    Rule(Rule),
    /// A TOML file with a line `CLASS = WEIGHT` for each class.
    File(PathBuf),
}

impl Rule {
    /// The log of w_c for each class, to be added to its logit; for recall the classes' recall is
    /// measured in rounds.
    ///
    /// # Errors
    /// A class without a pixel in the training set; a damaged file; `go_on` said no.
    pub fn shifts(
        &self,
        trained: &mut Trained,
        train: impl FnOnce() -> Result<Index>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<Vec<f64>> {
        let share = &trained.about.class_share;
        check_classes(&trained.about.classes, |class| share[class] > 0.0)?;
        match self {
            Self::Prior(tau) => {
                let tau: f64 = tau.parse().request(|| format!("adjust: prior:{tau}"))?;
                Ok(share.iter().map(|share| -tau * share.ln()).collect())
            }
            Self::Recall => settle(trained, &train()?, go_on),
        }
    }
}

impl Adjustment {
    /// Moves the bias of a network's last layer. `train` opens the split that it was trained on,
    /// where that is needed.
    ///
    /// # Errors
    /// As [`Rule::shifts`]; a file that does not have a weight for every class.
    pub fn apply(
        &self,
        trained: &mut Trained,
        train: impl FnOnce() -> Result<Index>,
        go_on: &dyn Fn() -> bool,
    ) -> Result<()> {
        let shifts = match self {
            Self::Rule(rule) => rule.shifts(trained, train, go_on)?,
            Self::File(path) => read(path, &trained.about.classes)?,
        };
        shift(trained, &shifts)?;
        trained.about.loss = format!("{}+{self}", trained.about.loss);
        Ok(())
    }
}

/// The bias that 1 - R_c leads to where it is measured with that bias.
fn settle(trained: &mut Trained, index: &Index, go_on: &dyn Fn() -> bool) -> Result<Vec<f64>> {
    let mut at = vec![0.0; trained.about.classes.len()];
    for _ in 0..ROUNDS {
        let images = index.samples.len() as u64;
        let bar = progress::count("measuring recall", images);
        let look = || {
            bar.inc(1);
            go_on()
        };
        let Trained { network, parameters, about } = &*trained;
        let confusion = validate(network, parameters, index, about.evaluation_size, &look);
        bar.finish_and_clear();
        let confusion = confusion?.ok_or_else(|| Error::work("adjust: stopped"))?;
        let missed = missed(&confusion, &about.classes)?;
        let steps = at.iter().zip(missed).map(|(at, missed)| (missed.ln() - at) / 2.0);
        let steps: Vec<f64> = steps.collect();
        at.iter_mut().zip(&steps).for_each(|(at, step)| *at += step);
        shift(trained, &steps)?;
    }
    // The network is as it came: who asked for the shifts applies them.
    shift(trained, &at.iter().map(|at| -at).collect::<Vec<_>>())?;
    Ok(at)
}

/// max(FN_c, 1) / N_c: a class without a miss keeps a weight, as with the floor of recall loss.
fn missed(confusion: &Confusion, classes: &[Class]) -> Result<Vec<f64>> {
    let all = 0..classes.len();
    let pixels = |truth: usize| all.clone().map(|c| confusion.count(truth, c)).sum::<u64>();
    check_classes(classes, |class| pixels(class) > 0)?;
    let missed = |class: usize| (pixels(class) - confusion.count(class, class)).max(1);
    Ok(all.clone().map(|class| missed(class) as f64 / pixels(class) as f64).collect())
}

/// 1 - recall of each class on a split, of the last network of a run (its folder, or weights of
/// it): what recall loss would weigh its classes with.
///
/// # Errors
/// No such network, other classes, a class without a pixel, a damaged file.
pub fn missed_by(
    run: &Path,
    train: &Index,
    device: Device,
    precision: Precision,
) -> Result<Vec<f64>> {
    let place = || format!("loss.weights_from: {}", run.display());
    let weights = [LAST, FINAL].map(|name| run.join(name)).into_iter().find(|path| path.exists());
    let weights = weights.unwrap_or_else(|| run.into());
    let (trained, _) =
        checkpoint::load(&weights, device, precision).map_err(|e| e.within(place()))?;
    let Trained { network, parameters, about } = &trained;
    if about.classes != train.descriptor.classes {
        let line = format!(
            "{}: expected a run on the classes of {}, got others",
            place(),
            train.descriptor.name
        );
        return Err(Error::request(line).hint("a run of the same data set"));
    }
    let bar = progress::count("measuring recall", train.samples.len() as u64);
    let look = || {
        bar.inc(1);
        true
    };
    let confusion = validate(network, parameters, train, about.evaluation_size, &look);
    bar.finish_and_clear();
    let confusion = confusion?.ok_or_else(|| Error::work(format!("{}: stopped", place())))?;
    missed(&confusion, &about.classes)
}

/// Adds to the bias of the last layer.
fn shift(trained: &mut Trained, by: &[f64]) -> Result<()> {
    let name = format!("{}.bias", trained.about.model.head.last_layer());
    let entry = trained.parameters.entries.iter().find(|entry| entry.name == name);
    let entry = entry.ok_or_else(|| Error::work(format!("adjust: no {name} in the network")))?;
    let (start, len) = (entry.range.start, entry.range.end - entry.range.start);
    let flat = &trained.parameters.flat;
    let by = Tensor::from_slice(by).to_kind(flat.kind()).to_device(flat.device());
    let _ = tch::no_grad(|| flat.narrow(0, start, len).g_add_(&by));
    trained.parameters.refresh();
    Ok(())
}

/// The log of the weights in a file.
fn read(path: &Path, classes: &[Class]) -> Result<Vec<f64>> {
    let what = || format!("adjust: {}", path.display());
    let hint = "a TOML file with a line CLASS = WEIGHT for each class; or --adjust recall, --adjust prior:0.3";
    let text = std::fs::read_to_string(path).request(what).map_err(|e| e.hint(hint))?;
    let mut table: toml::Table = text.parse().request(what).map_err(|e| e.hint(hint))?;
    let mut weight = |class: &Class| {
        let value = table.remove(&class.name);
        let number = value.as_ref().and_then(|v| v.as_float().or(v.as_integer().map(|n| n as f64)));
        match number {
            Some(weight) if weight > 0.0 && weight.is_finite() => Ok(weight.ln()),
            _ => {
                let got = value.map_or("nothing".into(), |value| value.to_string());
                let line =
                    format!("{}: {}: expected a weight above 0, got {got}", what(), class.name);
                Err(Error::request(line).hint(hint))
            }
        }
    };
    let logs = classes.iter().map(&mut weight).collect::<Result<Vec<f64>>>()?;
    match table.keys().next() {
        None => Ok(logs),
        Some(stranger) => {
            let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
            let line = format!("{}: expected a class, got {stranger}", what());
            Err(Error::request(line).hint(format!("the classes are {}", names.join(", "))))
        }
    }
}

fn check_classes(classes: &[Class], there: impl Fn(usize) -> bool) -> Result<()> {
    let empty = classes.iter().enumerate().filter(|(class, _)| !there(*class));
    let empty: Vec<&str> = empty.map(|(_, class)| class.name.as_str()).collect();
    if empty.is_empty() {
        return Ok(());
    }
    let empty = empty.join(", ");
    let line =
        format!("adjust: expected pixels of every class in the training set, got none of {empty}");
    Err(Error::request(line).hint("--adjust FILE takes a weight for each class"))
}

impl FromStr for Rule {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let prior = text.strip_prefix("prior:").and_then(|tau| tau.parse::<f64>().ok());
        match (text, prior) {
            ("recall", _) => Ok(Self::Recall),
            (_, Some(tau)) if (-10.0..=10.0).contains(&tau) => Ok(Self::Prior(tau.to_string())),
            _ => Err(Error::request(format!("adjust: expected recall or prior:TAU, got {text:?}"))
                .hint("TAU is what the log of the frequency is taken off with, such as 0.3")),
        }
    }
}

impl FromStr for Adjustment {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.parse() {
            Ok(rule) => Ok(Self::Rule(rule)),
            // A file that is there, or could be.
            Err(_) if text.ends_with(".toml") || Path::new(text).exists() => {
                Ok(Self::File(text.into()))
            }
            Err(error) => Err(error.hint("recall, prior:0.3, or a TOML file of weights")),
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recall => f.write_str("recall"),
            Self::Prior(tau) => write!(f, "prior:{tau}"),
        }
    }
}

impl fmt::Display for Adjustment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => rule.fmt(f),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl TryFrom<String> for Rule {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Rule> for String {
    fn from(rule: Rule) -> Self {
        rule.to_string()
    }
}
