//! `cargo xtask demo`: the main job on generated streets, from nothing to pictures and a table.
//!
//! Both losses share seed, data and every setting but the loss. A demo that was interrupted goes on
//! where it was.

use crate::native;
use crate::process::{self, cargo};
use crate::setup;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Args {
    /// Seed of initialization, order of samples and dropout
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Iterations of each of the two trainings, in place of the recipe's
    #[arg(long)]
    iterations: Option<u64>,
}

/// Images of the generated training and validation split.
const TRAIN_IMAGES: &str = "600";
const VAL_IMAGES: &str = "100";

/// The two losses: the name in recipes, and what the pictures call it.
const LOSSES: [(&str, &str); 2] = [("cross-entropy", "cross entropy"), ("recall", "recall loss")];

pub fn run(args: &Args) -> Result<()> {
    setup::run(&setup::Args::default())?;
    process::run(cargo(&["build", "--release"]))?;
    let begin = Instant::now();
    let root = native::repository();
    let data = root.join("demo/streets");
    process::run(
        program("train")
            .args(["synth", "--layout", "streets", "--count", TRAIN_IMAGES, "--val", VAL_IMAGES])
            .arg("--out")
            .arg(&data),
    )?;
    let mut models = Vec::new();
    for (loss, _) in LOSSES {
        models.push(train_and_score(args, &root, &data, loss)?);
    }
    let pictures = root.join(format!("demo/pictures-seed{}", args.seed));
    process::run(
        program("infer")
            .arg("compare")
            .arg("--models")
            .args(&models)
            .args(["--names", &LOSSES.map(|(_, title)| title).join(",")])
            .args(["--dataset", "streets", "--data-root"])
            .arg(&data)
            .arg("--out")
            .arg(&pictures),
    )?;
    let minutes = begin.elapsed().as_secs_f64() / 60.0;
    eprintln!("\ndemo: done in {minutes:.1} minutes (set-up and build not counted); pictures:");
    list(&pictures)
}

/// One loss: trained, exported, evaluated. Gives the model's path.
fn train_and_score(args: &Args, root: &Path, data: &Path, loss: &str) -> Result<PathBuf> {
    let name = format!("streets-{loss}-seed{}", args.seed);
    let run = root.join("demo/runs").join(&name);
    let mut fit = program("train");
    fit.args(["fit", "--recipe"])
        .arg(root.join("recipes/streets-r18.toml"))
        .args(["--set", &format!("loss={loss}"), "--set", &format!("train.seed={}", args.seed)])
        .args(["--resume", "--data-root"])
        .arg(data)
        .arg("--out")
        .arg(&run);
    if let Some(iterations) = args.iterations {
        fit.args(["--set", &format!("train.iterations={iterations}")]);
    }
    process::run(fit)?;
    fs::create_dir_all(root.join("models"))?;
    let model = root.join("models").join(format!("{name}.onnx"));
    process::run(
        program("train")
            .args(["export", "--checkpoint"])
            .arg(run.join("last.safetensors"))
            .arg("--output")
            .arg(&model),
    )?;
    let scores =
        |loss: &str| root.join("demo/runs").join(format!("streets-{loss}-seed{}.json", args.seed));
    let mut eval = program("infer");
    eval.arg("eval").arg("--model").arg(&model).args(["--dataset", "streets", "--data-root"]);
    eval.arg(data).arg("--json").arg(scores(loss));
    let (first, _) = LOSSES[0];
    if loss != first {
        eval.arg("--baseline").arg(scores(first));
    }
    process::run(eval)?;
    Ok(model)
}

/// One of the two programs, as built.
fn program(name: &str) -> Command {
    let mut command = Command::new(native::program(name));
    command.current_dir(native::repository());
    command
}

fn list(folder: &Path) -> Result<()> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut paths = entries.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    for path in paths {
        eprintln!("  {}", path.display());
    }
    Ok(())
}
