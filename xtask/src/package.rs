//! `cargo xtask package`: what goes on a vehicle, as one archive that needs no Rust, Python or libtorch there.
//!
//! Everything is put together in a temporary folder, the models are pinned by the packed program itself with
//! the packed runtime library, and only a whole archive gets its name. The same inputs give the same bytes.

mod archive;
mod contents;
mod elf;
mod licenses;
mod templates;

use crate::{Request, native, process};
use anyhow::{Context, Result, bail};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Args {
    /// Exported model to pack, once or several times [default: models/streets-recall-seed0.onnx, the demo's]
    #[arg(long = "model", value_name = "FILE")]
    models: Vec<PathBuf>,
    /// Card of a model from elsewhere (models/README.md); MODEL=FILE for one of several models
    #[arg(long = "card", value_name = "FILE|MODEL=FILE")]
    cards: Vec<String>,
    /// Folder for the archive and its checksum [default: package in cargo's target folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// A program `infer` built elsewhere, such as where the vehicle's older glibc is, in place of building it
    #[arg(long, value_name = "FILE")]
    program: Option<PathBuf>,
}

/// The model that is packed where none is named.
const DEMO_MODEL: &str = "models/streets-recall-seed0.onnx";

/// The folder inside the archive; unpacked in /opt it is where the unit expects it.
const FOLDER: &str = "recall-seg";

pub fn run(args: &Args) -> Result<()> {
    check_machine()?;
    let (models, cards) = (models(args)?, cards(args)?);
    check_names(&models, &cards)?;
    let runtime = native::runtime_libraries()?;
    let program = match &args.program {
        Some(program) => file(program, "the program `infer`")?,
        None => build()?,
    };
    let stage = tempfile::tempdir().context("cannot make a temporary folder")?;
    let root = stage.path().join(FOLDER);
    let contents = contents::Contents { program, runtime, models, cards };
    contents.put_into(&root)?;

    let out = match &args.out {
        Some(out) => out.clone(),
        None => process::target()?.join("package"),
    };
    fs::create_dir_all(&out).with_context(|| format!("cannot create {}", out.display()))?;
    let path = out.join(name());
    archive::write(&root, &path)?;
    summary(&root, &path)
}

/// Name of the archive.
fn name() -> String {
    format!("recall-seg-{}-{}-linux.tar.gz", env!("CARGO_PKG_VERSION"), std::env::consts::ARCH)
}

/// What is packed runs on this kind of machine, and two programs that come with the linker are needed.
fn check_machine() -> Result<()> {
    if !cfg!(target_os = "linux") {
        bail!(
            "package: expected Linux, got {}\n\
             hint: run it where the vehicle's system and processor are, or in a container like that",
            std::env::consts::OS
        );
    }
    for program in ["strip", "readelf"] {
        if !process::answers(program, &["--version"]) {
            bail!(
                "package: expected the program {program}, got none on PATH\n\
                 hint: on Debian and Ubuntu `apt-get install binutils`"
            );
        }
    }
    Ok(())
}

/// The models, each there.
fn models(args: &Args) -> Result<Vec<PathBuf>> {
    if args.models.is_empty() {
        let demo = native::repository().join(DEMO_MODEL);
        if !demo.is_file() {
            bail!(Request(format!(
                "package: {}: expected the demo's model, got none\n\
                 hint: name your own with --model FILE, or run `cargo xtask demo`",
                demo.display()
            )));
        }
        return Ok(vec![demo]);
    }
    args.models.iter().map(|model| file(model, "an exported model")).collect()
}

/// The cards, each there, with the model that it is for.
fn cards(args: &Args) -> Result<Vec<contents::Card>> {
    let read = |text: &String| {
        let (model, path) = split_card(text);
        if let Some(model) = model.as_ref().filter(|model| !args.models.contains(model)) {
            bail!(Request(format!(
                "package: --card {}=...: expected a model of --model, got another\n\
                 hint: write it as it stands behind --model",
                model.display()
            )));
        }
        Ok(contents::Card { model, file: file(Path::new(path), "a card in TOML")? })
    };
    args.cards.iter().map(read).collect()
}

/// `FILE`, or `MODEL=FILE`; where names have a `=` of their own, what is there decides, as in `infer`.
fn split_card(text: &str) -> (Option<PathBuf>, &str) {
    if Path::new(text).exists() {
        return (None, text);
    }
    let splits = || text.match_indices('=').map(|(at, _)| (&text[..at], &text[at + 1..]));
    let there = splits().find(|(model, _)| Path::new(model).exists());
    there
        .or_else(|| splits().next())
        .map_or((None, text), |(model, file)| (Some(model.into()), file))
}

/// Models and cards come into one folder, where the manifest tells them apart by name.
fn check_names(models: &[PathBuf], cards: &[contents::Card]) -> Result<()> {
    let mut names = vec![Path::new(contents::MANIFEST).file_name()];
    for path in models.iter().chain(cards.iter().map(|card| &card.file)) {
        if names.contains(&path.file_name()) {
            bail!(Request(format!(
                "package: {}: expected models and cards of different names, got a second of this one\n\
                 hint: they lie in one folder, with manifest.toml; rename it",
                path.display()
            )));
        }
        names.push(path.file_name());
    }
    Ok(())
}

/// A file that must be there.
fn file(path: &Path, what: &str) -> Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    bail!(Request(format!(
        "package: {}: expected {what}, got no such file\n\
         hint: paths are relative to the folder in which the command is run",
        path.display()
    )))
}

/// Builds `infer` alone: it needs no libtorch.
fn build() -> Result<PathBuf> {
    Ok(process::build(&["--package", "infer"])?.join("infer"))
}

/// Sizes on standard error, and last, alone on standard output, the path.
fn summary(root: &Path, archive: &Path) -> Result<()> {
    for (name, path) in archive::files(root)? {
        eprintln!("{:>12}  {name}", size(&path)?);
    }
    eprintln!("{:>12}  packed, with a checksum beside it:", size(archive)?);
    writeln!(std::io::stdout(), "{}", archive.display()).context("standard output")
}

fn size(path: &Path) -> Result<String> {
    let bytes = fs::metadata(path).with_context(|| path.display().to_string())?.len();
    Ok(indicatif::HumanBytes(bytes).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_is_parted_from_its_model_where_names_have_an_equals_sign() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = |name: &str| path(name).display().to_string();
        for name in ["lr=1.onnx", "lr=1.toml"] {
            fs::write(path(name), "").unwrap();
        }
        let card = format!("{}={}", text("lr=1.onnx"), text("lr=1.toml"));
        assert_eq!(split_card(&card), (Some(path("lr=1.onnx")), text("lr=1.toml").as_str()));
        assert_eq!(split_card(&text("lr=1.toml")), (None, text("lr=1.toml").as_str()));
        assert_eq!(split_card("a.onnx=b=c.toml"), (Some("a.onnx".into()), "b=c.toml"));
        assert_eq!(split_card("c.toml"), (None, "c.toml"));
    }
}
