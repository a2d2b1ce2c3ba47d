//! `cargo xtask demo`: the main job on generated streets, from nothing to pictures and a table.
//!
//! Both losses share seed, data and every setting but the loss. A demo that was interrupted goes on
//! where it was.

use crate::native;
use crate::process;
use crate::setup;
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Args {
    /// Seed of initialization, order of samples and dropout
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Iterations of each of the two trainings, in place of the recipe's; the results' names then end in them
    #[arg(long)]
    iterations: Option<u64>,
}

/// Images of the generated training and validation split.
const TRAIN_IMAGES: &str = "600";
const VAL_IMAGES: &str = "100";

/// The two losses: the name in recipes, and what the pictures call it.
const LOSSES: [(&str, &str); 2] = [("cross-entropy", "cross entropy"), ("recall", "recall loss")];

pub fn run(args: &Args) -> Result<()> {
    setup::ensure()?;
    let programs = process::build(&[])?;
    let root = native::repository();
    let data = root.join("demo/streets");
    let demo = Demo { args, root, data, programs };
    let begin = Instant::now();
    process::run(
        demo.program("train")
            .args(["synth", "--layout", "streets", "--count", TRAIN_IMAGES, "--val", VAL_IMAGES])
            .arg("--out")
            .arg(&demo.data),
    )?;
    let models =
        LOSSES.iter().map(|(loss, _)| demo.train_and_score(loss)).collect::<Result<Vec<_>>>()?;
    let pictures = demo.root.join("demo").join(demo.name("pictures"));
    process::run(
        demo.program("infer")
            .arg("compare")
            .arg("--models")
            .args(&models)
            .args(["--names", &LOSSES.map(|(_, title)| title).join(",")])
            .args(["--dataset", "streets", "--data-root"])
            .arg(&demo.data)
            .arg("--out")
            .arg(&pictures),
    )?;
    let minutes = begin.elapsed().as_secs_f64() / 60.0;
    eprintln!("\ndemo: done in {minutes:.1} minutes (set-up and build not counted); pictures:");
    list(&pictures)
}

/// What all of it needs.
struct Demo<'a> {
    args: &'a Args,
    /// The clone.
    root: PathBuf,
    /// The generated streets.
    data: PathBuf,
    /// The folder of `train` and `infer`, as built.
    programs: PathBuf,
}

impl Demo<'_> {
    /// One loss: trained, exported, evaluated. Gives the model's path.
    fn train_and_score(&self, loss: &str) -> Result<PathBuf> {
        let runs = self.root.join("demo/runs");
        let name = |loss: &str| self.name(&format!("streets-{loss}"));
        let run = runs.join(name(loss));
        let mut fit = self.program("train");
        fit.args(["fit", "--recipe"])
            .arg(self.root.join("recipes/streets-r18.toml"))
            .args(["--set", &format!("loss={loss}")])
            .args(["--set", &format!("train.seed={}", self.args.seed)])
            .args(["--resume", "--data-root"])
            .arg(&self.data)
            .arg("--out")
            .arg(&run);
        if let Some(iterations) = self.args.iterations {
            fit.args(["--set", &format!("train.iterations={iterations}")]);
        }
        // `fit` refuses to go on with a run of a former recipe, and its own hint, another --out, is of no use here.
        process::run(fit).map_err(|error| {
            let run = run.display();
            anyhow!("{error:#}\nhint: the same command goes on with it; remove {run} to begin anew")
        })?;
        let models = self.root.join("models");
        fs::create_dir_all(&models)?;
        let model = models.join(name(loss) + ".onnx");
        process::run(
            self.program("train")
                .args(["export", "--checkpoint"])
                .arg(run.join("last.safetensors"))
                .arg("--output")
                .arg(&model),
        )?;
        let scores = |loss: &str| runs.join(name(loss) + ".json");
        let mut eval = self.program("infer");
        eval.arg("eval").arg("--model").arg(&model).args(["--dataset", "streets", "--data-root"]);
        eval.arg(&self.data).arg("--json").arg(scores(loss));
        let (first, _) = LOSSES[0];
        if loss != first {
            eval.arg("--baseline").arg(scores(first));
        }
        process::run(eval)?;
        Ok(model)
    }

    /// One of the two programs.
    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(&self.root);
        command
    }

    /// What a result is called, so that those of other settings do not take its place.
    fn name(&self, what: &str) -> String {
        let iterations = self.args.iterations.map_or(String::new(), |n| format!("-{n}"));
        format!("{what}-seed{}{iterations}", self.args.seed)
    }
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
