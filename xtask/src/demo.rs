//! `cargo xtask demo`: the main job on generated streets, from nothing to pictures and a table.
//!
//! Both losses share seed, data and every setting but the loss, and are trained at the same time. A demo
//! that was interrupted goes on where it was.

use crate::native;
use crate::process;
use crate::setup;
use crate::side_by_side::{self, Training};
use anyhow::{Context, Result, anyhow};
use std::fs;
use std::os::unix::fs::symlink;
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

/// Iterations between two pictures of what both networks make of the same validation images.
const PICTURES_EVERY: &str = "20";

/// What is going to happen.
const PLAN: &str = "\
demo: 1. set-up: libtorch and ONNX Runtime, about 260 MB to fetch the first time
      2. build: some minutes the first time, most of it the C++ wrapper around libtorch
      3. 700 street scenes are generated, and two networks trained on them at the same time:
         one with cross entropy, one with recall loss. First pictures after two or three minutes
      4. both are exported to ONNX, scored and compared";

pub fn run(args: &Args) -> Result<()> {
    eprintln!("{PLAN}");
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
    let pictures = demo.root.join("demo").join(demo.name("pictures"));
    demo.train(&pictures)?;
    let models = LOSSES.iter().map(|(loss, _)| demo.score(loss)).collect::<Result<Vec<_>>>()?;
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
    /// Trains with both losses at the same time. What they make of the same images on the way is shown in `pictures`.
    fn train(&self, pictures: &Path) -> Result<()> {
        fs::create_dir_all(pictures)?;
        for (loss, _) in LOSSES {
            let link = pictures.join(format!("training-{loss}"));
            let _ = fs::remove_file(&link);
            symlink(self.run_of(loss).join("pictures"), &link)
                .with_context(|| format!("cannot make {}", link.display()))?;
        }
        eprintln!(
            "demo: training; pictures every {PICTURES_EVERY} iterations in {}/training-*",
            pictures.display()
        );
        let training = |(loss, title): (&str, &str)| Training {
            name: title.into(),
            command: self.fit(loss),
            chosen: self.run_of(loss).join("recipe.toml"),
        };
        // `fit` refuses to go on with a run of a former recipe, and its own hint, another --out, is of no use here.
        side_by_side::run(LOSSES.map(training).into()).map_err(|error| {
            let runs = self.root.join("demo/runs");
            let runs = runs.display();
            anyhow!(
                "{error:#}\nhint: the same command goes on with it; remove {runs} to begin anew"
            )
        })
    }

    /// The training with one loss.
    fn fit(&self, loss: &str) -> Command {
        let mut fit = self.program("train");
        fit.args(["fit", "--recipe"])
            .arg(self.root.join("recipes/streets-r18.toml"))
            .args(["--set", &format!("loss={loss}")])
            .args(["--set", &format!("train.seed={}", self.args.seed)])
            .args(["--set", &format!("train.pictures_every={PICTURES_EVERY}")])
            .args(["--resume", "--data-root"])
            .arg(&self.data)
            .arg("--out")
            .arg(self.run_of(loss));
        if let Some(iterations) = self.args.iterations {
            fit.args(["--set", &format!("train.iterations={iterations}")]);
        }
        fit
    }

    /// The folder of one loss's run.
    fn run_of(&self, loss: &str) -> PathBuf {
        self.root.join("demo/runs").join(self.name(&format!("streets-{loss}")))
    }

    /// One loss: exported, evaluated. Gives the model's path.
    fn score(&self, loss: &str) -> Result<PathBuf> {
        let runs = self.root.join("demo/runs");
        let name = |loss: &str| self.name(&format!("streets-{loss}"));
        let models = self.root.join("models");
        fs::create_dir_all(&models)?;
        let model = models.join(name(loss) + ".onnx");
        process::run(
            self.program("train")
                .args(["export", "--checkpoint"])
                .arg(self.run_of(loss).join("last.safetensors"))
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
