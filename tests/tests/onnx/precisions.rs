//! Half precision and integers: the exported graph against the trainer, and what ONNX Runtime makes of it.
//! Not a measure of accuracy, which needs a trained network: `infer eval` gives that.

use super::{CLASSES, SIZES, check_with_onnx, network, open, run, settings};
use ort::session::Session;
use prost::Message;
use shared::card::probe_image;
use shared::dataset::{Descriptor, Index};
use shared::streets::{self, Counts, Layout, StreetSettings};
use std::path::Path;
use tempfile::TempDir;
use train::checkpoint::Trained;
use train::model::ModelSettings;
use train::model::head::HeadKind;
use train::model::resnet::Depth;
use train::onnx::proto::{ElementType, Model};
use train::onnx::quantize::{Activations, Method, Quantization, Settings, calibrate};
use train::onnx::{Arithmetic, ExportSettings, export, probe};

/// Generated streets to calibrate on.
fn data(folder: &Path) -> Index {
    let size = StreetSettings { width: 128, height: 96, seed: 3 };
    let counts = Counts { train: 6, val: 1, test: 1 };
    let root = folder.join("streets");
    streets::write(Layout::Streets, &root, &size, counts, &|| ()).unwrap();
    Index::open(&Descriptor::find("streets").unwrap(), &root, "train").unwrap()
}

fn quantized(folder: &Path, trained: &Trained, settings: Settings) -> Quantization {
    calibrate(trained, &data(folder), Settings { images: 4, ..settings }).unwrap()
}

/// Exports, has the probe replayed, and compares logits at every size: the root of the mean squared difference may be a
/// share of that of the logits. Of half precision 0.005. Of integers what their rounding moved the trainer's own logits
/// by, times the root of 2: as far as two programs are whose roundings have nothing in common.
fn check(folder: &Path, trained: &Trained, arithmetic: Arithmetic<'_>) {
    let path = folder.join("model.onnx");
    let card =
        export(trained, &ExportSettings { arithmetic, ..Default::default() }, &path).unwrap();
    assert_eq!(card.precision, arithmetic.name());
    let mut model = open(&path);
    let verdict = infer::verify::verify(&mut model).unwrap();
    assert!(verdict.verified, "{}", verdict.summary);
    let (mut difference, mut rounding, mut size) = (0f64, 0f64, 0f64);
    for [height, width] in SIZES {
        let shape = [2, height, width];
        let image = probe_image(11, 2, height, width);
        let ours = probe::answer(&trained.network, &trained.parameters, arithmetic, &image, shape);
        let (network, parameters) = (&trained.network, &trained.parameters);
        let exact = probe::answer(network, parameters, Arithmetic::Fp32, &image, shape);
        let theirs = run(&mut model, 11, shape);
        for ((a, b), exact) in ours.logits.iter().zip(&theirs.logits).zip(&exact.logits) {
            difference += f64::from(a - b).powi(2);
            rounding += f64::from(a - exact).powi(2);
            size += f64::from(*a).powi(2);
        }
    }
    let far = (difference / size).sqrt();
    let allowed = match arithmetic {
        Arithmetic::Int8(_) => (2.0 * rounding / size).sqrt(),
        _ => 0.005,
    };
    let quantization = &card.quantization;
    eprintln!(
        "{} {quantization:?}: {far:.1e} of the logits apart, allowed {allowed:.1e}",
        card.precision
    );
    eprintln!("{}", verdict.summary);
    assert!(allowed < 0.3, "rounding alone takes {allowed} of the logits away");
    assert!(far < allowed, "{}: {far} of the logits apart", card.precision);
    check_with_onnx(&[path]);
}

#[test]
fn half_precision_stays_near_the_trainer() {
    let folder = TempDir::new().unwrap();
    let trained = network(folder.path(), settings(Depth::Resnet18, 16), 21);
    check(folder.path(), &trained, Arithmetic::Fp16);
}

/// The most bits of weights that this processor's 8-bit products leave exact: without VNNI two of u8 and s8 are added in
/// 16 bits, which saturates. That is no rounding: it takes a tenth of these logits away, twice what rounding does.
fn exact_weight_bits() -> u32 {
    #[cfg(target_arch = "x86_64")]
    let exact = is_x86_feature_detected!("avx512vnni") || is_x86_feature_detected!("avxvnni");
    #[cfg(not(target_arch = "x86_64"))]
    let exact = true;
    if exact { 8 } else { 7 }
}

#[test]
fn integers_round_as_the_trainer_says() {
    let default = Settings { weight_bits: exact_weight_bits(), ..Settings::default() };
    let entropy = Settings { method: Method::Entropy, ..default };
    let tensorrt = Settings { activations: Activations::S8, weight_bits: 7, ..default };
    for (head, settings_int8) in [
        (HeadKind::DeepLabV3, default),
        (HeadKind::DeepLabV3, tensorrt),
        (HeadKind::DeepLabV3Plus, entropy),
    ] {
        let folder = TempDir::new().unwrap();
        let model = ModelSettings { head, ..settings(Depth::Resnet18, 16) };
        let trained = network(folder.path(), model, 22);
        let quantization = quantized(folder.path(), &trained, settings_int8);
        check(folder.path(), &trained, Arithmetic::Int8(&quantization));
    }
}

#[test]
fn signed_activations_keep_to_what_tensorrt_reads() {
    // "Working with Quantized Types", NVIDIA's guide: DequantizeLinear of 8 bits and fewer, zero points of 0, a scale
    // for a whole activation or for each output channel of a weight, constants as scales, each map quantized where it
    // is read; and onnx-tensorrt's parser: no bias but in f32.
    let folder = TempDir::new().unwrap();
    let trained = network(folder.path(), settings(Depth::Resnet18, 16), 24);
    let tensorrt = Settings { activations: Activations::S8, weight_bits: 7, ..Settings::default() };
    let quantization = quantized(folder.path(), &trained, tensorrt);
    let path = folder.path().join("model.onnx");
    let arithmetic = Arithmetic::Int8(&quantization);
    export(&trained, &ExportSettings { arithmetic, ..Default::default() }, &path).unwrap();
    let graph = Model::decode(&std::fs::read(&path).unwrap()[..]).unwrap().graph.unwrap();
    let constant = |name: &str| graph.initializer.iter().find(|c| c.name.as_deref() == Some(name));
    let maker = |name: &str| graph.node.iter().find(|n| n.output.iter().any(|o| o == name));
    let is = |name: &str, kind: ElementType| constant(name).unwrap().data_type == Some(kind as i32);
    let [mut maps, mut weights] = [0, 0];
    for node in &graph.node {
        let operator = node.op_type.as_deref().unwrap();
        if ["QuantizeLinear", "DequantizeLinear"].contains(&operator) {
            assert!(is(&node.input[1], ElementType::Float), "{node:?}");
            if let Some(zero) = node.input.get(2) {
                let zero = constant(zero).unwrap();
                assert_eq!(zero.data_type, Some(ElementType::Int8 as i32), "{node:?}");
                assert!(zero.raw_data.as_ref().unwrap().iter().all(|byte| *byte == 0), "{node:?}");
            }
        }
        if operator == "DequantizeLinear" {
            let scale = &constant(&node.input[1]).unwrap().dims;
            match constant(&node.input[0]) {
                Some(weight) => {
                    weights += 1;
                    assert_eq!(weight.data_type, Some(ElementType::Int8 as i32), "{node:?}");
                    assert_eq!((weight.dims.len(), &scale[..]), (4, &weight.dims[..1]), "{node:?}");
                    let axis = node.attribute.iter().find(|a| a.name.as_deref() == Some("axis"));
                    assert_eq!(axis.unwrap().i, Some(0), "{node:?}");
                }
                None => {
                    maps += 1;
                    assert!(scale.is_empty(), "{node:?}");
                    let quantize = maker(&node.input[0]).unwrap();
                    assert_eq!(quantize.op_type.as_deref(), Some("QuantizeLinear"), "{node:?}");
                    assert_eq!(quantize.input[1..], node.input[1..], "a pair has one scale");
                }
            }
        }
        if operator == "Conv" {
            for input in &node.input[..2] {
                let pair = maker(input).unwrap().op_type.as_deref();
                assert_eq!(pair, Some("DequantizeLinear"), "{node:?}");
            }
            assert!(is(&node.input[2], ElementType::Float), "{node:?}");
        }
    }
    let convolutions = graph.node.iter().filter(|n| n.op_type.as_deref() == Some("Conv")).count();
    assert!(weights == convolutions && maps > 20, "{weights} weights, {maps} maps");
    // And it still computes what the trainer says, its convolutions as integers.
    assert!(infer::verify::verify(&mut open(&path)).unwrap().verified);
    let nodes = optimized(&path, folder.path());
    eprintln!(
        "{} of {convolutions} convolutions as integers",
        nodes.iter().filter(|n| *n == "QLinearConv").count()
    );
}

#[test]
fn onnx_runtime_runs_the_convolutions_as_integers() {
    for head in [HeadKind::DeepLabV3, HeadKind::DeepLabV3Plus] {
        let folder = TempDir::new().unwrap();
        let model = ModelSettings { head, ..settings(Depth::Resnet50, 8) };
        let trained = network(folder.path(), model, 23);
        let quantization = quantized(folder.path(), &trained, Settings::default());
        let arithmetic = Arithmetic::Int8(&quantization);
        let path = folder.path().join("model.onnx");
        export(&trained, &ExportSettings { arithmetic, ..Default::default() }, &path).unwrap();
        let nodes = optimized(&path, folder.path());
        let count = |operator: &str| nodes.iter().filter(|n| *n == operator).count();
        // All but the classifier, whose scores stay real numbers: CLASSES x 256 products a pixel, against 2304 x 256
        // of one 3 x 3 convolution of the pyramid alone, which has three.
        assert_eq!(count("Conv") + count("FusedConv"), 1, "{nodes:?}");
        const { assert!(CLASSES * 256 * 20 < 3 * 2304 * 256, "under 5 % of the work") };
        let convolutions = 53 + 7 + if head == HeadKind::DeepLabV3 { 0 } else { 2 };
        assert_eq!(count("QLinearConv"), convolutions, "{nodes:?}");
        assert_eq!(count("Add"), 0, "{nodes:?}");
    }
}

/// The operators of a graph as ONNX Runtime's optimizer leaves it.
fn optimized(path: &Path, folder: &Path) -> Vec<String> {
    let written = folder.join("optimized.onnx");
    let runtime = infer::runtime::runtime().unwrap();
    Session::builder(&runtime.environment)
        .unwrap()
        .with_optimized_model_path(&written)
        .unwrap()
        .commit_from_file(path)
        .unwrap();
    let model = Model::decode(&std::fs::read(written).unwrap()[..]).unwrap();
    model.graph.unwrap().node.into_iter().filter_map(|node| node.op_type).collect()
}
