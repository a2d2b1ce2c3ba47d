//! `infer info`: what a model file is, and with `--verify` whether it computes what its trainer computed.
//! Not a score. The replay itself is `verify`'s.
//! Everything comes from the card and the graph; nothing is guessed.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use shared::card::Card;
use shared::error::{Error, Result};

use crate::args::Run;
use crate::model_file::ModelFile;
use crate::session::Model;
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
    #[command(flatten)]
    run: Run,
}

/// Runs the command: what goes to standard output, and then whether it went well.
///
/// # Errors
/// What is no model, or has no card (exit code 2); a model that is not verified (exit code 1).
pub fn info(args: &InfoArgs, print: impl Fn(&str)) -> Result<()> {
    let file = ModelFile::read(&args.model)?;
    let mut model = Model::load(&file, args.run.options())?;
    eprintln!("{}", model.provider_line());
    if !args.verify {
        print(&describe(&file, &model));
        return Ok(());
    }
    let verdict = verify(&mut model)?;
    let (at, provider) = (args.model.display(), model.provider());
    let word = if verdict.verified { "verified" } else { "not verified" };
    print(&format!("{word}: {at} on {provider}: {}\n", verdict.summary));
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
    line("image", image_line(card));
    let training = &card.training;
    line(
        "training",
        format!(
            "{} on {}, {} iterations, seed {}, version {}",
            training.loss, card.dataset, training.iterations, training.seed, training.version
        ),
    );
    let probe = &card.probe;
    line(
        "probe",
        format!(
            "{} x {} x {}, {} positions",
            probe.batch,
            probe.height,
            probe.width,
            probe.positions.len()
        ),
    );
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

fn image_line(card: &Card) -> String {
    let input = &card.input;
    let size = match input.width.zip(input.height) {
        Some((w, h)) => format!("resized to {w} x {h} ({})", input.resize),
        None => "at its own size".into(),
    };
    format!("{} {} {}, {size}", input.color, input.dtype, input.layout)
}
