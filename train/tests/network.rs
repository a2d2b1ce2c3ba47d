//! The network against torchvision's at equal weights: logits, gradients, running statistics, names.
//! Not a test of training. Goldens: goldens/network.py, computed by torchvision in f64; neither side reads weights from a
//! file, both compute them from names.

use safetensors::SafeTensors;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use tch::{Device, Kind, Reduction, Tensor};
use train::model::deeplab::{DeepLab, Heads, Scores};
use train::model::params::Precision;
use train::model::resnet::Depth;
use train::model::torch::{Mode, Torch};
use train::model::weights::{self, LastLayers};
use train::model::{ModelSettings, Parameters};
use train::tensors;

const CLASSES: i64 = 7;
const SIZES: [[i64; 2]; 3] = [[64, 96], [65, 97], [96, 50]]; // height, width
const STEP_SIZE: [i64; 2] = [33, 40];
const EVAL_BATCH: i64 = 2;
const TRAIN_BATCH: i64 = 3;
const SAMPLES: i64 = 256;
const PROJECTIONS: usize = 4;

const ALL: [(Depth, i64); 8] = [
    (Depth::Resnet18, 8),
    (Depth::Resnet18, 16),
    (Depth::Resnet34, 8),
    (Depth::Resnet34, 16),
    (Depth::Resnet50, 8),
    (Depth::Resnet50, 16),
    (Depth::Resnet101, 8),
    (Depth::Resnet101, 16),
];

/// The goldens of one network, by what follows its name.
fn goldens(depth: Depth, output_stride: i64) -> BTreeMap<String, Tensor> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/network.safetensors");
    let prefix = format!("resnet{}-{output_stride}.", number(depth));
    let all = tensors::read(&path).unwrap().tensors;
    all.into_iter().filter_map(|(k, v)| Some((k.strip_prefix(&prefix)?.to_string(), v))).collect()
}

fn number(depth: Depth) -> u32 {
    match depth {
        Depth::Resnet18 => 18,
        Depth::Resnet34 => 34,
        Depth::Resnet50 => 50,
        Depth::Resnet101 => 101,
    }
}

// What follows is computed a second time in goldens/network.py, and stands explained there.

fn fnv(text: &str) -> u32 {
    text.bytes().fold(2166136261, |value, byte| (value ^ u32::from(byte)).wrapping_mul(16777619))
}

fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

fn bits(name: &str, count: i64) -> impl Iterator<Item = u32> {
    let start = fnv(name);
    (0..count as u32).map(move |i| mix(i.wrapping_mul(2654435769).wrapping_add(start)))
}

fn fill(name: &str, shape: &[i64]) -> Tensor {
    let (low, high) = match shape {
        [_, inputs, height, width] => {
            let bound = (3.0 / (inputs * height * width) as f64).sqrt();
            (-bound, bound)
        }
        _ if name.ends_with(".running_var") => (0.5, 1.5),
        _ if name.ends_with(".running_mean") => (-0.25, 0.25),
        _ if name.ends_with(".weight") && name.contains(".bn") => (0.2, 0.4),
        _ if name.ends_with(".weight") => (0.4, 0.8),
        _ => (0.2, 0.6),
    };
    let values: Vec<f32> = bits(name, shape.iter().product())
        .map(|b| {
            (low + (high - low) * (f64::from(b) / f64::from(1u32 << 16) / f64::from(1u32 << 16)))
                as f32
        })
        .collect();
    Tensor::from_slice(&values).view(shape)
}

fn image(batch: i64, [height, width]: [i64; 2]) -> Tensor {
    let mut values = Vec::new();
    let (batch, height, width) = (batch as u32, height as u32, width as u32);
    for n in 0..batch {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            for c in 0..3 {
                let coarse = mix(((n * 64 + y / 8) * 64 + x / 8) * 3 + c) >> 24;
                let fine = mix(((n * 256 + y) * 256 + x) * 3 + c + (1 << 31)) >> 24;
                values.push(((coarse * 3 + fine) / 4 * (n + 1) / batch) as u8);
            }
        }
    }
    Tensor::from_slice(&values).view([batch as i64, height as i64, width as i64, 3])
}

fn target(batch: i64, [height, width]: [i64; 2]) -> Tensor {
    let mut values = Vec::new();
    for n in 0..batch as u32 {
        for (y, x) in (0..height as u32).flat_map(|y| (0..width as u32).map(move |x| (y, x))) {
            let hash = mix((n * 64 + y / 8) * 64 + x / 8 + (1 << 30));
            values.push(i64::from(hash % CLASSES as u32));
        }
    }
    Tensor::from_slice(&values).view([batch, height, width])
}

fn samples(logits: &Tensor) -> Tensor {
    let count = logits.numel() as u32;
    let places: Vec<i64> = bits("sample", SAMPLES).map(|b| i64::from(b % count)).collect();
    logits.detach().contiguous().view([-1]).index_select(0, &Tensor::from_slice(&places))
}

fn fingerprint(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.detach().to_kind(Kind::Double).contiguous().view([-1]);
    let bits: Vec<i64> = bits("signs", flat.numel() as i64).map(i64::from).collect();
    let bits = Tensor::from_slice(&bits);
    let mut row = vec![flat.norm().double_value(&[])];
    for k in 0..PROJECTIONS as i64 {
        let one = bits.bitwise_right_shift_tensor_scalar(k).bitwise_and_tensor(&Tensor::from(1i64));
        let signs = one.to_kind(Kind::Double) * -2.0 + 1.0;
        row.push(flat.dot(&signs).double_value(&[]));
    }
    row
}

// Until here.

fn settings(depth: Depth, output_stride: i64) -> ModelSettings {
    ModelSettings { backbone: depth, output_stride, auxiliary: true, dropout: 0.0 }
}

fn network(depth: Depth, output_stride: i64, precision: Precision) -> (DeepLab, Parameters) {
    let network = DeepLab::new(&settings(depth, output_stride), CLASSES);
    let mut parameters = Parameters::new(&network, Device::Cpu, precision);
    tch::no_grad(|| {
        for (name, mut tensor) in parameters.named() {
            tensor.copy_(&fill(&name, &tensor.size()));
        }
    });
    parameters.refresh();
    (network, parameters)
}

/// Every size, both heads: the largest distance from the goldens.
fn logits_distance(depth: Depth, output_stride: i64, mode: Mode, precision: Precision) -> f64 {
    let goldens = goldens(depth, output_stride);
    let (label, batch) = match mode {
        Mode::Evaluate => ("eval", EVAL_BATCH),
        _ => ("train", TRAIN_BATCH),
    };
    let mut worst = 0f64;
    for size in SIZES {
        // Anew each time: a training pass changes the running statistics.
        let (network, parameters) = network(depth, output_stride, precision);
        let scores = tch::no_grad(|| {
            network.forward(&mut Torch::new(&parameters, mode), &image(batch, size), Heads::All)
        });
        let [height, width] = size;
        for (head, logits) in [("main", scores.main), ("aux", scores.auxiliary.unwrap())] {
            assert_eq!(logits.size(), [batch, CLASSES, height, width]);
            let golden = &goldens[&format!("{height}x{width}.{label}.{head}")];
            worst = worst.max(distance(&samples(&logits), golden));
        }
    }
    eprintln!("resnet{}-{output_stride} {label} {precision:?}: {worst:.1e}", number(depth));
    worst
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let far = a.to_kind(Kind::Double) - b.to_kind(Kind::Double);
    assert_eq!(i64::try_from(far.isfinite().logical_not().any()).unwrap(), 0, "not finite");
    far.abs().max().double_value(&[])
}

fn check_logits(depth: Depth, output_stride: i64) {
    for mode in [Mode::Evaluate, Mode::Train] {
        let far = logits_distance(depth, output_stride, mode, Precision::F32);
        assert!(far < 1e-4, "{depth:?}-{output_stride} {mode:?}: {far}");
    }
}

#[test]
fn logits_of_resnet18_are_torchvisions() {
    check_logits(Depth::Resnet18, 8);
    check_logits(Depth::Resnet18, 16);
}

#[test]
fn logits_of_resnet34_are_torchvisions() {
    check_logits(Depth::Resnet34, 8);
    check_logits(Depth::Resnet34, 16);
}

#[test]
fn logits_of_resnet50_are_torchvisions() {
    check_logits(Depth::Resnet50, 8);
    check_logits(Depth::Resnet50, 16);
}

#[test]
fn logits_of_resnet101_are_torchvisions() {
    check_logits(Depth::Resnet101, 8);
    check_logits(Depth::Resnet101, 16);
}

/// In bf16 a logit may be this far away: 8 bits of mantissa, through up to a hundred layers.
const BF16_DISTANCE: f64 = 0.06;

#[test]
fn logits_in_bf16_stay_near_torchvisions() {
    for (depth, output_stride) in [(Depth::Resnet18, 8), (Depth::Resnet50, 16)] {
        let far = logits_distance(depth, output_stride, Mode::Evaluate, Precision::Bf16);
        assert!(far < BF16_DISTANCE, "{depth:?}-{output_stride}: {far}");
    }
}

/// One training step, and how far everything that comes out of it is from the goldens.
struct Step {
    logits: f64,
    loss: f64,
    /// The worst tensor, in units of its norm.
    gradient: f64,
    /// The same, from PyTorch's own f32 gradient.
    gradient_f32: f64,
    /// The worst tensor, in units of its norm.
    statistics: f64,
}

fn step(depth: Depth, output_stride: i64, precision: Precision) -> Step {
    let goldens = goldens(depth, output_stride);
    let golden = |key: &str| &goldens[&format!("step.{key}")];
    let (network, parameters) = network(depth, output_stride, precision);
    let image = image(TRAIN_BATCH, STEP_SIZE);
    let y = target(TRAIN_BATCH, STEP_SIZE);
    let Scores { main, auxiliary } =
        network.forward(&mut Torch::new(&parameters, Mode::Train), &image, Heads::All);
    let auxiliary = auxiliary.unwrap();
    let cross_entropy =
        |z: &Tensor| z.cross_entropy_loss::<Tensor>(&y, None, Reduction::Mean, -100, 0.0);
    let loss = cross_entropy(&main) + cross_entropy(&auxiliary) * 0.5;
    let gradient = parameters.gradient(&loss);
    let gradients = parameters.entries.iter().map(|entry| {
        let flat = gradient.narrow(0, entry.range.start, entry.range.end - entry.range.start);
        let gradient = match entry.shape[..] {
            [o, i, h, w] => flat.view([o, h, w, i]).permute([0, 3, 1, 2]),
            _ => flat,
        };
        (entry.name.clone(), gradient)
    });
    let gradients: BTreeMap<String, Tensor> = gradients.collect();
    let statistics = parameters.named().into_iter().filter(|(n, _)| n.contains(".running_"));
    let statistics: BTreeMap<String, Tensor> = statistics.collect();
    let result = Step {
        logits: distance(&samples(&main), golden("main"))
            .max(distance(&samples(&auxiliary), golden("aux"))),
        loss: distance(&loss.reshape([1]), golden("loss")),
        gradient: relative_distance(&gradients, golden("gradient")),
        gradient_f32: relative_distance(&gradients, golden("gradient_f32")),
        statistics: relative_distance(&statistics, golden("statistics")),
    };
    eprintln!(
        "resnet{}-{output_stride} step {precision:?}: logits {:.1e}, loss {:.1e}, statistics {:.1e}, gradient {:.1e}, \
         from PyTorch's f32 gradient {:.1e}",
        number(depth),
        result.logits,
        result.loss,
        result.statistics,
        result.gradient,
        result.gradient_f32,
    );
    result
}

/// The worst tensor: difference of fingerprints in units of the tensor's norm.
fn relative_distance(tensors: &BTreeMap<String, Tensor>, golden: &Tensor) -> f64 {
    let golden = Vec::<Vec<f64>>::try_from(golden).unwrap();
    assert_eq!(golden.len(), tensors.len());
    let mut worst = 0f64;
    for ((name, tensor), golden) in tensors.iter().zip(golden) {
        for (ours, golden_entry) in fingerprint(tensor).iter().zip(&golden) {
            let far = (ours - golden_entry).abs() / golden[0];
            assert!(far.is_finite(), "{name}: not finite");
            worst = worst.max(far);
        }
    }
    worst
}

#[test]
fn a_training_step_in_f64_is_torchvisions() {
    // Slow, so each depth and each stride twice.
    for (depth, output_stride) in [ALL[0], ALL[3], ALL[4], ALL[7]] {
        let step = step(depth, output_stride, Precision::F64);
        let what = format!("{depth:?}-{output_stride}");
        // Rounding of the normalization's constants to f32 is the largest difference.
        assert!(step.logits < 1e-6, "{what}: logits {}", step.logits);
        assert!(step.loss < 1e-6, "{what}: loss {}", step.loss);
        assert!(step.gradient < 1e-5, "{what}: gradient {}", step.gradient);
        assert!(step.statistics < 1e-6, "{what}: statistics {}", step.statistics);
    }
}

#[test]
fn a_training_step_in_f32_is_as_near_to_it_as_pytorchs_own() {
    for (depth, output_stride) in ALL {
        let step = step(depth, output_stride, Precision::F32);
        let what = format!("{depth:?}-{output_stride}");
        assert!(step.logits < 1e-4, "{what}: logits {}", step.logits);
        assert!(step.loss < 1e-5, "{what}: loss {}", step.loss);
        assert!(step.statistics < 1e-4, "{what}: statistics {}", step.statistics);
        // Two f32 gradients agree to 1e-3 where both take the same kernels. Another processor's kernels round
        // differently, and then both are some way from the exact one: see the end of goldens/network.py's head.
        let theirs = pytorchs_distance(depth, output_stride);
        assert!(
            step.gradient_f32 < 1e-3 || step.gradient < 1e-3 + 3.0 * theirs,
            "{what}: gradient {} from the exact one, PyTorch's f32 {theirs}",
            step.gradient
        );
    }
}

/// How far PyTorch's f32 gradient is from the exact one.
fn pytorchs_distance(depth: Depth, output_stride: i64) -> f64 {
    let goldens = goldens(depth, output_stride);
    let rows = |key: &str| Vec::<Vec<f64>>::try_from(&goldens[key]).unwrap();
    let mut worst = 0f64;
    for (theirs, exact) in rows("step.gradient_f32").iter().zip(rows("step.gradient")) {
        for (a, b) in theirs.iter().zip(&exact) {
            worst = worst.max((a - b).abs() / exact[0]);
        }
    }
    worst
}

/// Names and shapes of a `state_dict` of torchvision's.
fn their_names(depth: Depth) -> BTreeMap<String, Vec<i64>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/network.safetensors");
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let names = &header.metadata().as_ref().unwrap()["names"];
    let names: Value = serde_json::from_str(names).unwrap();
    serde_json::from_value(names[number(depth).to_string()].clone()).unwrap()
}

#[test]
fn names_and_shapes_are_those_of_torchvisions_state_dict() {
    for depth in [Depth::Resnet18, Depth::Resnet34, Depth::Resnet50, Depth::Resnet101] {
        let (_, parameters) = network(depth, 8, Precision::F32);
        let ours = weights::state_dict(&parameters, 0);
        let ours: BTreeMap<_, _> = ours.into_iter().map(|(name, t)| (name, t.size())).collect();
        assert_eq!(ours, their_names(depth), "{depth:?}");
    }
}

/// What torchvision would save for ResNet-18, every value 1.
fn their_file(folder: &Path, change: impl FnOnce(&mut BTreeMap<String, Tensor>)) -> PathBuf {
    let named = their_names(Depth::Resnet18).into_iter();
    let mut file: BTreeMap<String, Tensor> = named
        .map(|(name, shape)| {
            let tracked = name.ends_with("num_batches_tracked");
            let kind = if tracked { Kind::Int64 } else { Kind::Float };
            (name, Tensor::ones(shape, (kind, Device::Cpu)))
        })
        .collect();
    change(&mut file);
    let path = folder.join("weights.safetensors");
    tensors::write(&path, &file.into_iter().collect::<Vec<_>>(), Default::default()).unwrap();
    path
}

/// Loads such a file: the error's line, or how many parameters and statistics became 1.
fn load_changed(
    last: LastLayers,
    change: impl FnOnce(&mut BTreeMap<String, Tensor>),
) -> Result<usize, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = their_file(folder.path(), change);
    let (_, mut parameters) = network(Depth::Resnet18, 8, Precision::F32);
    weights::load(&path, &mut parameters, last).map_err(|e| e.to_string())?;
    let is_one = |t: &Tensor| t.eq(1.0).all().int64_value(&[]) == 1;
    Ok(parameters.named().iter().filter(|(_, t)| is_one(t)).count())
}

#[test]
fn a_whole_file_of_torchvisions_loads_and_comes_out_as_it_went_in() {
    let names = their_names(Depth::Resnet18);
    let all = names.keys().filter(|n| !n.ends_with("num_batches_tracked")).count();
    assert_eq!(load_changed(LastLayers::FromFile, |_| ()), Ok(all));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ours.safetensors");
    let (_, parameters) = network(Depth::Resnet18, 8, Precision::F32);
    weights::save(&path, &parameters, 7).unwrap();
    let file = tensors::read(&path).unwrap();
    assert_eq!(file.metadata["format"], "pt", "transformers and timm ask for it");
    for (name, tensor) in &file.tensors {
        if name.ends_with("num_batches_tracked") {
            assert_eq!((tensor.kind(), tensor.int64_value(&[])), (Kind::Int64, 7), "{name}");
        } else {
            assert_eq!(tensor, &fill(name, &tensor.size()), "{name}");
        }
    }
    assert_eq!(file.tensors.len(), names.len());
}

#[test]
fn an_imagenet_file_fills_the_backbone_and_nothing_else() {
    let names = their_names(Depth::Resnet18);
    let backbone =
        names.keys().filter(|n| n.starts_with("backbone.") && !n.ends_with("tracked")).count();
    let loaded = load_changed(LastLayers::FromFile, |file| {
        *file = std::mem::take(file)
            .into_iter()
            .filter_map(|(name, t)| Some((name.strip_prefix("backbone.")?.to_string(), t)))
            .collect();
        file.insert("fc.weight".into(), Tensor::ones([1000, 512], (Kind::Float, Device::Cpu)));
        file.insert("fc.bias".into(), Tensor::ones([1000], (Kind::Float, Device::Cpu)));
    });
    assert_eq!(loaded, Ok(backbone));
}

#[test]
fn names_that_do_not_fit_are_reported_each() {
    let error = load_changed(LastLayers::FromFile, |file| {
        file.remove("backbone.bn1.running_mean");
        file.insert("backbone.layer5.weight".into(), Tensor::ones([1], (Kind::Float, Device::Cpu)));
        file.insert("backbone.bn1.bias".into(), Tensor::ones([65], (Kind::Float, Device::Cpu)));
    })
    .unwrap_err();
    for part in [
        "weights.safetensors: 3 names do not fit",
        "backbone.bn1.running_mean is missing",
        "backbone.layer5.weight is not part of this network",
        "backbone.bn1.bias: expected [64], got [65]",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn other_classes_need_new_last_layers() {
    let twenty_one = |file: &mut BTreeMap<String, Tensor>| {
        for name in ["classifier.4", "aux_classifier.4"] {
            let options = (Kind::Float, Device::Cpu);
            let inputs = if name.starts_with("aux") { 64 } else { 256 };
            file.insert(format!("{name}.weight"), Tensor::ones([21, inputs, 1, 1], options));
            file.insert(format!("{name}.bias"), Tensor::ones([21], options));
        }
    };
    let error = load_changed(LastLayers::FromFile, twenty_one).unwrap_err();
    assert!(error.contains("classifier.4.bias: expected [7], got [21]"), "{error}");
    let names = their_names(Depth::Resnet18);
    let all = names.keys().filter(|n| !n.ends_with("num_batches_tracked")).count();
    assert_eq!(load_changed(LastLayers::New, twenty_one), Ok(all - 4));
}
