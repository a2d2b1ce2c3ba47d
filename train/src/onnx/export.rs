//! `train export`: a trained network becomes an ONNX file with its card.
//! Not the nodes (`emit`) and not the proof that the file works (`verify`).
//! Equal networks give equal bytes, on one machine.

use super::emit::{Arithmetic, Emit, Value};
use super::graph::{int, named, value};
use super::probe;
use super::proto::{ElementType, Graph, Length, Model, OperatorSet, Property, ValueInfo};
use crate::checkpoint::Trained;
use crate::model::Parameters;
use crate::model::deeplab::{DeepLab, Heads};
use crate::recipe::Recipe;
use prost::Message;
use shared::card::{Card, Input, Output, Training};
use shared::error::{Error, Result};
use shared::files::write_atomic;
use shared::output_path::make_parent;
use std::path::Path;
use tch::{Kind, Tensor};

/// Operator set of the graph: the oldest that has what is needed, so that old runtimes read it.
pub const OPSET: i64 = 17;

/// File format that came with [`OPSET`].
const IR_VERSION: i64 = 8;

/// What the graph gives, always at the size of the input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Outputs {
    /// `labels` u8 `[batch, height, width]`: the class with the highest score.
    Labels,
    /// `logits` f32 `[batch, classes, height, width]`: the scores.
    Logits,
    /// Both.
    #[default]
    Both,
}

/// The choices of an export.
#[derive(Clone, Copy, Debug, Default)]
pub struct ExportSettings<'a> {
    /// What the graph gives.
    pub outputs: Outputs,
    /// What it computes in.
    pub arithmetic: Arithmetic<'a>,
}

impl Outputs {
    fn labels(self) -> bool {
        self != Self::Logits
    }

    fn logits(self) -> bool {
        self != Self::Labels
    }
}

/// Writes `path` atomically, with the folder it lies in, and gives the card that went into it.
///
/// # Errors
/// Weights that are not finite, or too large for f16; a file that cannot be written.
pub fn export(trained: &Trained, settings: &ExportSettings<'_>, path: &Path) -> Result<Card> {
    check_finite(&trained.parameters)?;
    let graph = graph(&trained.network, &trained.parameters, settings);
    check_halves(&graph)?;
    let card = card(trained, settings);
    let model = Model {
        ir_version: Some(IR_VERSION),
        producer_name: Some("recall-seg".into()),
        producer_version: Some(env!("CARGO_PKG_VERSION").into()),
        graph: Some(graph),
        opset_import: vec![OperatorSet { domain: Some(String::new()), version: Some(OPSET) }],
        metadata_props: vec![Property {
            key: Some(Card::KEY.into()),
            value: Some(card.to_json()?),
        }],
    };
    // Only now: a network that is refused leaves no folder behind.
    make_parent(path)
        .and_then(|()| write_atomic(path, &model.encode_to_vec()))
        .map_err(|e| e.within("export"))?;
    Ok(card)
}

/// The complete graph, from bytes to labels.
fn graph(network: &DeepLab, parameters: &Parameters, settings: &ExportSettings<'_>) -> Graph {
    let outputs = settings.outputs;
    let mut emit = Emit::new(parameters, settings.arithmetic);
    let image = Value::image("image".into());
    let scores = network.forward(&mut emit, &image, Heads::Main).main.name;
    let mut graph = emit.graph;
    // By this name `infer` knows the end of the graph, whatever the graph gives.
    let logits = graph.rename(&scores, "logits");
    let open = |names: &[&str]| names.iter().map(|name| named(name)).collect::<Vec<Length>>();
    let mut results: Vec<ValueInfo> = Vec::new();
    if outputs.labels() {
        let first = vec![int("axis", 1), int("keepdims", 0), int("select_last_index", 0)];
        let winner = graph.node("ArgMax", "labels.winner", &[&logits], first); // [N, H, W] i64
        let byte = vec![int("to", ElementType::Uint8 as i64)];
        graph.node("Cast", "labels", &[&winner], byte);
        results.push(value("labels", ElementType::Uint8, open(&["batch", "height", "width"])));
    }
    if outputs.logits() {
        let mut shape = open(&["batch", "height", "width"]);
        shape.insert(1, Length::Fixed(network.classes));
        results.push(value("logits", ElementType::Float, shape));
    }
    let mut shape = open(&["batch", "height", "width"]);
    shape.push(Length::Fixed(3));
    graph.finish("recall-seg", vec![value("image", ElementType::Uint8, shape)], results)
}

/// What the model will say of itself.
fn card(trained: &Trained, settings: &ExportSettings<'_>) -> Card {
    let about = &trained.about;
    let output = |name: &str, dtype: &str, layout: &str| Output {
        name: name.into(),
        dtype: dtype.into(),
        layout: layout.into(),
    };
    let mut outputs = Vec::new();
    if settings.outputs.labels() {
        outputs.push(output("labels", "u8", "NHW"));
    }
    if settings.outputs.logits() {
        outputs.push(output("logits", "f32", "NCHW"));
    }
    let input = Input { image: about.tone, ..Input::new(about.evaluation_size) };
    Card {
        format: input.format(),
        name: about.name.clone(),
        dataset: about.dataset.clone(),
        classes: about.classes.clone(),
        class_share: about.class_share.clone(),
        input,
        outputs,
        precision: settings.arithmetic.name().into(),
        quantization: match settings.arithmetic {
            Arithmetic::Int8(quantization) => Some(quantization.record.clone()),
            _ => None,
        },
        opset: OPSET as u32,
        training: Training {
            loss: about.loss.clone(),
            recipe: without_root(&about.recipe),
            iterations: about.iterations,
            seed: about.seed,
            version: env!("CARGO_PKG_VERSION").into(),
        },
        probe: probe::compute(&trained.network, &trained.parameters, settings.arithmetic),
    }
}

/// The recipe without the folder in which one machine keeps the data: a model travels.
fn without_root(recipe: &str) -> String {
    let stripped = Recipe::parse(recipe, &[]).and_then(|mut recipe| {
        recipe.data.root = None;
        recipe.to_toml()
    });
    stripped.unwrap_or_else(|_| recipe.into())
}

/// Refuses weights that no sum comes out of, naming the first.
fn check_finite(parameters: &Parameters) -> Result<()> {
    let well = |t: &Tensor| t.isfinite().all().to_kind(Kind::Int64).int64_value(&[]) == 1;
    if well(&parameters.flat) && well(&parameters.buffers) {
        return Ok(());
    }
    let named = parameters.named();
    let name = named.iter().find(|(_, tensor)| !well(tensor)).map_or("a weight", |(name, _)| name);
    Err(Error::request(format!("export: {name}: expected finite numbers, got others"))
        .hint("the checkpoint is damaged, or of a run that diverged: export an earlier one"))
}

/// Refuses constants that half precision cannot hold: beyond 65504 it knows only infinity.
fn check_halves(graph: &Graph) -> Result<()> {
    let infinite = |tensor: &&super::proto::Tensor| {
        let bytes = tensor.raw_data.as_deref().unwrap_or_default();
        tensor.data_type == Some(ElementType::Float16 as i32)
            && bytes.chunks_exact(2).any(|b| !half::f16::from_le_bytes([b[0], b[1]]).is_finite())
    };
    match graph.initializer.iter().find(infinite) {
        None => Ok(()),
        Some(tensor) => {
            let name = tensor.name.as_deref().unwrap_or_default();
            Err(Error::request(format!(
                "export: {name}: expected numbers up to 65504 with its normalization folded in, got larger ones"
            ))
            .hint("fp16 cannot hold them: take fp32 or int8"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::Builder;
    use super::*;

    #[test]
    fn a_constant_too_large_for_half_precision_is_refused_by_name() {
        let graph = |largest: f32| {
            let mut builder = Builder::default();
            builder.floats("single", &[1], &[1e30]);
            builder.halves("fine", &[1], &[1.0]);
            builder.halves("large", &[2], &[0.5, largest]);
            builder.finish("g", vec![], vec![])
        };
        assert!(check_halves(&graph(65504.0)).is_ok());
        let error = check_halves(&graph(1e5)).unwrap_err().to_string();
        assert!(error.starts_with("export: large: "), "{error}");
    }
}
