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
use train::onnx::proto::Model;
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

/// Exports, has the probe replayed, and compares logits at every size: the root of the mean squared difference may be
/// `allowed` times that of the logits.
fn check(folder: &Path, trained: &Trained, arithmetic: Arithmetic<'_>, allowed: f64) {
    let path = folder.join("model.onnx");
    let card =
        export(trained, &ExportSettings { arithmetic, ..Default::default() }, &path).unwrap();
    assert_eq!(card.precision, arithmetic.name());
    let mut model = open(&path);
    let verdict = infer::verify::verify(&mut model).unwrap();
    assert!(verdict.verified, "{}", verdict.summary);
    let (mut difference, mut size) = (0f64, 0f64);
    for [height, width] in SIZES {
        let shape = [2, height, width];
        let image = probe_image(11, 2, height, width);
        let ours = probe::answer(&trained.network, &trained.parameters, arithmetic, &image, shape);
        let theirs = run(&mut model, 11, shape);
        for (a, b) in ours.logits.iter().zip(&theirs.logits) {
            difference += f64::from(a - b).powi(2);
            size += f64::from(*a).powi(2);
        }
    }
    let far = (difference / size).sqrt();
    eprintln!("{} {:?}: {far:.1e} of the logits apart", card.precision, card.quantization);
    assert!(far < allowed, "{}: {far} of the logits apart", card.precision);
    check_with_onnx(&[path]);
}

#[test]
fn half_precision_stays_near_the_trainer() {
    let folder = TempDir::new().unwrap();
    let trained = network(folder.path(), settings(Depth::Resnet18, 16), 21);
    check(folder.path(), &trained, Arithmetic::Fp16, 0.005);
}

#[test]
fn integers_round_as_the_trainer_says() {
    let default = Settings::default();
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
        check(folder.path(), &trained, Arithmetic::Int8(&quantization), 0.05);
    }
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
