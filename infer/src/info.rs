//! `infer info`: what a model file is, and with `--verify` whether it computes what its trainer computed.
//! Not a score. The replay itself is `verify`'s. The graph is opened whole, as the file has it.
//! Everything comes from the card and the graph. Of a model without a card the graph is shown
//! (`bare`), and a card to fill in (`draft`).

mod bare;
mod draft;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use shared::card::Card;
use shared::error::{Error, Result, tell};
use shared::files::write_atomic;
use shared::output_path::{check_file, make_parent};

use crate::args::Run;
use crate::manifest::Manifest;
use crate::model_file::ModelFile;
use crate::outline::Outline;
use crate::provider::{self, Provider};
use crate::session::{Model, Options, Shapes, Tail};
use crate::table::percent;
use crate::verify::verify;

/// What the user typed after `infer info`.
#[derive(Debug, Args)]
pub struct InfoArgs {
    /// Exported model
    #[arg(long, value_name = "FILE.onnx")]
    model: PathBuf,
    /// Replay the card's probe: exit code 1 if the model does not compute what its trainer did
    #[arg(long)]
    verify: bool,
    /// Add the model's SHA-256, and its card's, to this manifest, which is made if it is not there
    #[arg(long, value_name = "MANIFEST", conflicts_with_all = ["verify", "manifest"])]
    pin: Option<PathBuf>,
    /// Write a card to fill in for a model without one; a file that is there already is not
    /// overwritten
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["verify", "pin", "card"])]
    write_card: Option<PathBuf>,
    #[command(flatten)]
    run: Run,
}

/// Runs the command; what it found goes to `print`, and the result is whether it is well.
///
/// # Errors
/// What is no model, or has no card (exit code 2); a model that is not verified (exit code 1).
pub fn info(args: &InfoArgs, print: impl Fn(&str) -> Result<()>) -> Result<()> {
    args.pin.as_deref().map_or(Ok(()), check_file).map_err(|e| e.within("--pin"))?;
    args.write_card.as_deref().map_or(Ok(()), check_new)?;
    let file = ModelFile::read(&args.model)?;
    let options = args.run.options(std::slice::from_ref(&args.model))?;
    let has_work = args.verify || args.pin.is_some() || options.card_for(&args.model).is_some();
    if !has_work || args.write_card.is_some() {
        if let Some(manifest) = &options.manifest {
            Manifest::read(manifest)?.check(&file)?;
        }
        let outline = Outline::read(&file)?;
        if outline.card.is_none() {
            return bare_model(args, &file, &outline, options, print);
        }
        if let Some(path) = &args.write_card {
            return Err(Error::request(format!(
                "--write-card: {}: expected a model without a card, got one with it",
                path.display()
            ))
            .hint("leave it out: the model's own card is used"));
        }
    }
    // A probe has a size of its own.
    let shapes = if args.verify { Shapes::Free } else { Shapes::Fixed };
    let options = Options { shapes, tail: Tail::Whole, ..options };
    let mut model = Model::load(&file, options.clone())?;
    tell(model.provider_line());
    if let Some(manifest) = &args.pin {
        // Only what could be opened is pinned.
        return print(&format!("{}\n", Manifest::pin(manifest, &file, model.card_sum())?));
    }
    if !args.verify {
        return print(&describe(&file, &model));
    }
    let mut verdict = verify(&mut model)?;
    let (at, provider) = (args.model.display(), model.provider());
    if verdict.verified && provider == Provider::Cpu {
        // The other commands run it without its tail there.
        let cut = verify(&mut Model::load(&file, Options { tail: Tail::Cut, ..options })?)?;
        verdict = if cut.verified { verdict } else { cut };
    }
    let word = if verdict.verified { "verified" } else { "not verified" };
    print(&format!("{word}: {at} on {provider}: {}\n", verdict.summary))?;
    if verdict.verified {
        return Ok(());
    }
    Err(Error::work(format!(
        "model: {at}: expected what its card says, got something else on {provider}"
    ))
    .hint(
        "export it again; if another provider verifies it, that device or its driver is at fault",
    ))
}

/// Refuses to write over a file.
fn check_new(path: &Path) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(Error::request(format!(
            "--write-card: {}: expected a file that is not there yet, got one that is",
            path.display()
        ))
        .hint("what was filled in there would be lost: name another file"));
    }
    check_file(path).map_err(|e| e.within("--write-card"))
}

/// A model without a card: what its graph says, and a card for it.
fn bare_model(
    args: &InfoArgs,
    file: &ModelFile,
    outline: &Outline,
    options: Options,
    print: impl Fn(&str) -> Result<()>,
) -> Result<()> {
    outline.refuse_external_data(file)?;
    let opened = provider::place(file, &options, None, Tail::Whole);
    if outline.inputs.is_empty() || outline.outputs.is_empty() {
        return opened.map(drop); // nothing to show
    }
    let runs = match &opened {
        Ok(placed) => format!("on {}", placed.provider),
        Err(error) => format!("no: {error}"),
    };
    let name = file.path.file_stem().unwrap_or_default().to_string_lossy();
    let card = draft::card(&name, outline);
    let facts = bare::describe(file, outline, &runs);
    match &args.write_card {
        None => print(&format!("{facts}\n{card}"))?,
        Some(path) => {
            make_parent(path)?;
            write_atomic(path, card.as_bytes())?;
            print(&format!("{facts}\ncard: {}\n", path.display()))?;
        }
    }
    // What was asked for is done: that it does not run is told as a failure, as of `--verify`.
    opened.map(drop).map_err(|e| {
        let hint = e.hint_text().unwrap_or_default().to_owned();
        Error::work(e.to_string()).hint(hint)
    })
}

fn describe(file: &ModelFile, model: &Model) -> String {
    let card = model.card();
    let (inputs, outputs) = model.signature();
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        let _ = writeln!(text, "{name:<10} {value}");
    };
    line("file", format!("{}, {} bytes", file.path.display(), file.bytes.len()));
    line("sha256", file.sha256());
    line("name", card.name.clone());
    line("precision", format!("{}, opset {}", card.precision, card.opset));
    inputs.into_iter().for_each(|input| line("input", input));
    outputs.into_iter().for_each(|output| line("output", output));
    model.reading_line().into_iter().for_each(|reading| line("reads", reading));
    line("image", image_line(card));
    line("training", training_line(card));
    line("probe", probe_line(card));
    line(
        "classes",
        format!("{} (id, name, colour, share of the training pixels)", card.classes.len()),
    );
    let rare = card.rare_classes();
    for (id, class) in card.classes.iter().enumerate() {
        let [r, g, b] = class.color;
        let share = percent(card.class_share.get(id).copied(), 3);
        let mark = if rare.contains(&id) { "  rare" } else { "" };
        line("", format!("{id:>3}  {:<16} #{r:02x}{g:02x}{b:02x}  {share:>7} %{mark}", class.name));
    }
    text
}

fn training_line(card: &Card) -> String {
    let training = &card.training;
    if card.probe.is_empty() {
        return format!("elsewhere, on {}", card.dataset);
    }
    format!(
        "{} on {}, {} iterations, seed {}, version {}",
        training.loss, card.dataset, training.iterations, training.seed, training.version
    )
}

fn probe_line(card: &Card) -> String {
    let probe = &card.probe;
    if probe.is_empty() {
        return "none".into();
    }
    let (n, h, w) = (probe.batch, probe.height, probe.width);
    format!("{n} x {h} x {w}, {} positions", probe.positions.len())
}

fn image_line(card: &Card) -> String {
    let input = &card.input;
    let size = match input.width.zip(input.height) {
        Some((w, h)) => format!("resized to {w} x {h} ({})", input.resize),
        None => "at its own size".into(),
    };
    let tone = input.image.map_or(String::new(), |tone| format!(", image = {tone}"));
    format!("{} {} {}, {size}{tone}", input.color, input.dtype, input.layout)
}
