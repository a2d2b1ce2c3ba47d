//! The trainer against ONNX Runtime on exported models, and those models against the `onnx` package's checker.
//! Not a test of training: the networks are random, with normalizations far from the identity.
//! Both sides are given the same bytes; nothing in between but the exported file.

mod precisions;

use infer::provider::Choice;
use infer::session::{Input, Model, Options, Want};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use shared::card::probe_image;
use shared::labels::Class;
use shared::random::{Stream, hash};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;
use train::checkpoint::{About, Trained};
use train::model::head::HeadKind;
use train::model::params::{Entry, Precision};
use train::model::resnet::Depth;
use train::model::weights::{self, LastLayers};
use train::model::{DeepLab, ModelSettings, Parameters};
use train::onnx::{Arithmetic, ExportSettings, Outputs, export, probe, verify};

const CLASSES: usize = 7;

/// Height and width; the second divides by nothing.
const SIZES: [[u32; 2]; 3] = [[64, 96], [65, 97], [96, 48]];

const BATCHES: [u32; 2] = [1, 3];

/// A value that keeps activations near 1 and logits near 5, and normalizations away from doing nothing.
/// The last layer decides how large logits are and which class leads.
fn start(entry: &Entry, last: &str, stream: &mut Stream) -> f64 {
    let suffix = entry.name.rsplit('.').next().unwrap();
    match (&entry.shape[..], suffix) {
        ([_, inputs, height, width], _) => {
            let bound = (3.0 / (inputs * height * width) as f64).sqrt();
            stream.range(-bound, bound) * if entry.name.starts_with(last) { 30.0 } else { 1.0 }
        }
        (_, "running_var") => stream.range(0.5, 1.5),
        (_, "running_mean") => stream.range(-0.3, 0.3),
        (_, "weight") => stream.range(0.2, 0.8) * if stream.below(8) == 0 { -1.0 } else { 1.0 },
        _ => stream.range(-0.2, 0.6),
    }
}

type Tensors = Vec<(String, Vec<usize>, Vec<f32>)>;

/// Weights come in by a file, as anybody's would.
fn load(tensors: &Tensors, folder: &Path, parameters: &mut Parameters) {
    let bytes: Vec<Vec<u8>> =
        tensors.iter().map(|t| t.2.iter().flat_map(|v| v.to_le_bytes()).collect()).collect();
    let views = tensors.iter().zip(&bytes).map(|((name, shape, _), bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).unwrap())
    });
    let path = folder.join("weights.safetensors");
    std::fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    weights::load(&path, parameters, LastLayers::FromFile).unwrap();
}

/// A network that was never trained, but whose labels vary: the last bias takes each class's mean away.
fn network(folder: &Path, model: ModelSettings, seed: u64) -> Trained {
    let network = DeepLab::new(&model, CLASSES as i64);
    let device = train::device::choose("cpu").unwrap();
    let mut parameters = Parameters::new(&network, device, Precision::F32);
    let last = model.head.last_layer();
    let entries = parameters.entries.iter().chain(&parameters.buffer_entries);
    let mut tensors: Tensors = Vec::new();
    for (index, entry) in (0..).zip(entries) {
        let mut stream = Stream::new(seed, index, 0);
        let shape: Vec<usize> = entry.shape.iter().map(|&d| d as usize).collect();
        let values =
            (0..shape.iter().product()).map(|_: usize| start(entry, last, &mut stream) as f32);
        let values = values.collect();
        tensors.push((entry.name.clone(), shape, values));
    }
    load(&tensors, folder, &mut parameters);
    let answer = probe::answer(
        &network,
        &parameters,
        Arithmetic::Fp32,
        &probe_image(seed, 1, 64, 64),
        [1, 64, 64],
    );
    let bias = tensors.iter_mut().find(|t| t.0 == format!("{last}.bias")).unwrap();
    for (bias, plane) in bias.2.iter_mut().zip(answer.logits.chunks(64 * 64)) {
        *bias -= plane.iter().sum::<f32>() / plane.len() as f32;
    }
    load(&tensors, folder, &mut parameters);
    let class = |id: usize| {
        let id = id as u8;
        Class { name: format!("class {id}"), color: [id; 3], native_id: id }
    };
    let about = About {
        format: About::FORMAT,
        name: "random".into(),
        dataset: "none".into(),
        classes: (0..CLASSES).map(class).collect(),
        fingerprint: String::new(),
        class_share: vec![],
        model,
        tone: None,
        evaluation_size: Some([128, 96]),
        loss: "none".into(),
        recipe: String::new(),
        numerics: 1,
        iterations: 0,
        seed,
        precision: None,
        validated: 0,
        best_mean_iou: None,
    };
    Trained { network, parameters, about }
}

fn settings(backbone: Depth, output_stride: i64) -> ModelSettings {
    ModelSettings { backbone, output_stride, auxiliary: true, ..ModelSettings::default() }
}

fn open(path: &Path) -> Model {
    Model::open(path, Options { provider: Choice::Cpu, threads: Some(2), ..Options::default() })
        .unwrap()
}

/// Runs a model on a probe image.
fn run(model: &mut Model, seed: u64, [batch, height, width]: [u32; 3]) -> probe::Answer {
    let pixels = probe_image(seed, batch, height, width);
    let input = Input { pixels: &pixels, batch, height, width };
    let logits = match model.gives(Want::Logits) {
        true => model.run(input, Want::Logits).unwrap().logits().unwrap().to_vec(),
        false => vec![],
    };
    let labels = match model.gives(Want::Labels) {
        true => model.run(input, Want::Labels).unwrap().labels().unwrap().to_vec(),
        false => vec![],
    };
    probe::Answer { logits, labels }
}

fn furthest(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter()
        .zip(b)
        .map(|(a, b)| (a - b).abs())
        .fold(0.0, |m, d| if d > m || d.is_nan() { d } else { m })
}

/// Every size and batch of one network: 1e-4, and one pixel in ten thousand with another label.
fn check(model: ModelSettings) {
    let folder = TempDir::new().unwrap();
    let what = format!("{:?} {:?}-{}", model.backbone, model.head, model.output_stride);
    let seed = hash(model.backbone as u64, model.output_stride as u64, model.head as u64);
    let trained = network(folder.path(), model, seed);
    let path = folder.path().join("model.onnx");
    export(&trained, &ExportSettings::default(), &path).unwrap();
    let mut model = open(&path);
    let (mut far, mut largest, mut other, mut pixels) = (0f32, 0f32, 0, 0);
    for [height, width] in SIZES {
        for batch in BATCHES {
            let shape = [batch, height, width];
            let theirs = run(&mut model, seed, shape);
            let image = probe_image(seed, batch, height, width);
            let ours = probe::answer(
                &trained.network,
                &trained.parameters,
                Arithmetic::Fp32,
                &image,
                shape,
            );
            let distance = furthest(&ours.logits, &theirs.logits);
            assert!(distance < 1e-4, "{what} {shape:?}: {distance}");
            far = far.max(distance);
            largest = ours.logits.iter().fold(largest, |m, l| m.max(l.abs()));
            other += ours.labels.iter().zip(&theirs.labels).filter(|(a, b)| a != b).count();
            pixels += ours.labels.len();
            let seen = (0..CLASSES).filter(|&c| ours.labels.contains(&(c as u8))).count();
            assert!(seen > 1, "an answer that is the same everywhere proves little");
        }
    }
    eprintln!(
        "{what}: logits up to {largest:.1}, {far:.1e} apart, {other} of {pixels} labels differ"
    );
    assert!(other * 10_000 <= pixels, "{what}: {other} of {pixels} labels differ");
    check_with_onnx(&[path]);
}

#[test]
fn onnx_runtime_computes_what_the_trainer_does_resnet18() {
    check(settings(Depth::Resnet18, 8));
    check(settings(Depth::Resnet18, 16));
}

#[test]
fn onnx_runtime_computes_what_the_trainer_does_resnet50() {
    check(settings(Depth::Resnet50, 8));
    check(settings(Depth::Resnet50, 16));
}

#[test]
fn onnx_runtime_computes_what_the_trainer_does_deeplabv3plus() {
    let head = HeadKind::DeepLabV3Plus;
    check(ModelSettings { head, ..settings(Depth::Resnet18, 16) });
    check(ModelSettings { head, ..settings(Depth::Resnet50, 8) });
}

#[test]
fn each_choice_of_outputs_gives_the_same_answer() {
    let folder = TempDir::new().unwrap();
    let trained = network(folder.path(), settings(Depth::Resnet18, 16), 5);
    let shape = [2, 40, 56];
    let mut answers = HashMap::new();
    let mut paths = Vec::new();
    for outputs in [Outputs::Labels, Outputs::Logits, Outputs::Both] {
        let path = folder.path().join(format!("{outputs:?}.onnx"));
        let settings = ExportSettings { outputs, ..ExportSettings::default() };
        let card = export(&trained, &settings, &path).unwrap();
        let mut model = open(&path);
        assert_eq!(model.card(), &card);
        let answer = run(&mut model, 5, shape);
        answers.insert(format!("{outputs:?}"), answer);
        paths.push(path);
    }
    let both = &answers["Both"];
    assert_eq!(answers["Labels"].labels, both.labels);
    assert_eq!(answers["Logits"].logits, both.logits);
    assert!(answers["Labels"].logits.is_empty() && answers["Logits"].labels.is_empty());
    check_with_onnx(&paths);
}

#[test]
fn a_network_exported_twice_is_the_same_file() {
    let folder = TempDir::new().unwrap();
    let trained = network(folder.path(), settings(Depth::Resnet18, 8), 6);
    let file = |name: &str| {
        let path = folder.path().join(name);
        export(&trained, &ExportSettings::default(), &path).unwrap();
        std::fs::read(path).unwrap()
    };
    assert!(file("a.onnx") == file("b.onnx"));
}

#[test]
fn the_card_holds_a_probe_that_onnx_runtime_confirms() {
    let folder = TempDir::new().unwrap();
    let trained = network(folder.path(), settings(Depth::Resnet34, 16), 7);
    let path = folder.path().join("model.onnx");
    let card = export(&trained, &ExportSettings::default(), &path).unwrap();
    assert_eq!((card.input.width, card.input.height), (Some(128), Some(96)));
    let mut model = open(&path);
    assert_eq!(model.card(), &card);
    let verdict = infer::verify::verify(&mut model).unwrap();
    assert!(verdict.verified, "{}", verdict.summary);
    // And with a weight changed behind the card's back it does not.
    let mut bytes = std::fs::read(&path).unwrap();
    let at = place_of_constant(&bytes, "classifier.4.bias");
    bytes[at..at + 4].copy_from_slice(&100f32.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let verdict = infer::verify::verify(&mut open(&path)).unwrap();
    assert!(!verdict.verified, "{}", verdict.summary);
}

/// Where the values of a constant stand in a file: behind its name, a tag and a length.
fn place_of_constant(bytes: &[u8], name: &str) -> usize {
    let raw_data = [0x4a, (CLASSES * 4) as u8];
    let pattern = [name.as_bytes(), &raw_data].concat();
    let at = bytes.windows(pattern.len()).position(|w| w == pattern);
    at.expect("the constant is in the file") + pattern.len()
}

#[test]
fn the_program_beside_verifies_an_export() {
    let folder = TempDir::new().unwrap();
    let trained = network(folder.path(), settings(Depth::Resnet18, 16), 8);
    let path = folder.path().join("model.onnx");
    export(&trained, &ExportSettings::default(), &path).unwrap();
    let own = std::env::current_exe().unwrap();
    let program = own.parent().and_then(Path::parent).unwrap().join("infer");
    if !program.exists() && std::env::var_os("CI").is_none() {
        eprintln!("skipped: no {}, `cargo build --release` makes it", program.display());
        return;
    }
    let verification = verify::verify_with(&program, &path).unwrap();
    assert!(verification.summary.starts_with("verified: "), "{}", verification.summary);
    std::fs::write(&path, "no model").unwrap();
    let error = verify::verify_with(&program, &path).unwrap_err().to_string();
    assert!(error.contains("not verified"), "{error}");
}

#[test]
fn what_cannot_be_exported_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("model.onnx");
    let trained = network(folder.path(), settings(Depth::Resnet18, 16), 9);
    std::fs::write(folder.path().join("file"), "").unwrap();
    let unwritable = folder.path().join("file/model.onnx");
    let error = export(&trained, &ExportSettings::default(), &unwritable).unwrap_err().to_string();
    assert!(error.contains("file: cannot create the folder"), "{error}");
    assert!(!path.exists());
}

/// Runs the `onnx` package's checker on models; RECALL_SEG_CHECKS_PYTHONPATH names the folder it is installed in.
fn check_with_onnx(models: &[PathBuf]) {
    let Some(packages) = std::env::var_os("RECALL_SEG_CHECKS_PYTHONPATH") else {
        let why = "RECALL_SEG_CHECKS_PYTHONPATH is not set; `cargo xtask test` sets it";
        assert!(std::env::var_os("CI").is_none(), "the onnx checker must run: {why}");
        eprintln!("skipped: the onnx checker: {why}");
        return;
    };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/check_onnx.py");
    let python = Command::new("python3")
        .arg(script)
        .args(models)
        .env("PYTHONPATH", packages)
        .output()
        .unwrap();
    let said = [python.stdout, python.stderr].concat();
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&said));
}
