//! The network against torchvision's at equal weights: logits, gradients, running statistics, names.
//! Not a test of training. Goldens: ../goldens/network.py, computed by torchvision in f64; neither side reads weights from a
//! file, both compute them from names.

mod formula;
mod names;

use formula::{fill, fingerprint, image, samples, target};
use std::collections::BTreeMap;
use std::path::Path;
use tch::{Device, Kind, Reduction, Tensor};
use train::model::deeplab::{DeepLab, Heads, Scores};
use train::model::head::HeadKind;
use train::model::params::Precision;
use train::model::resnet::Depth;
use train::model::torch::{Mode, Torch};
use train::model::{ModelSettings, Parameters};
use train::tensors;

const CLASSES: i64 = 7;
const SIZES: [[i64; 2]; 3] = [[64, 96], [65, 97], [96, 50]]; // height, width
const STEP_SIZE: [i64; 2] = [33, 40];
const EVAL_BATCH: i64 = 2;
const TRAIN_BATCH: i64 = 3;

/// One of the networks that there are goldens of.
#[derive(Clone, Copy, Debug)]
struct Net {
    depth: Depth,
    output_stride: i64,
    head: HeadKind,
}

const fn v3(depth: Depth, output_stride: i64) -> Net {
    Net { depth, output_stride, head: HeadKind::DeepLabV3 }
}

const fn v3plus(depth: Depth, output_stride: i64) -> Net {
    Net { depth, output_stride, head: HeadKind::DeepLabV3Plus }
}

const ALL: [Net; 10] = [
    v3(Depth::Resnet18, 8),
    v3(Depth::Resnet18, 16),
    v3(Depth::Resnet34, 8),
    v3(Depth::Resnet34, 16),
    v3(Depth::Resnet50, 8),
    v3(Depth::Resnet50, 16),
    v3(Depth::Resnet101, 8),
    v3(Depth::Resnet101, 16),
    v3plus(Depth::Resnet18, 16),
    v3plus(Depth::Resnet50, 8),
];

impl Net {
    /// Depth and head, as the goldens name them.
    fn kind(self) -> String {
        let plus = if self.head == HeadKind::DeepLabV3Plus { "-plus" } else { "" };
        format!("{}{plus}", number(self.depth))
    }

    fn name(self) -> String {
        let plus = if self.head == HeadKind::DeepLabV3Plus { "-plus" } else { "" };
        format!("resnet{}-{}{plus}", number(self.depth), self.output_stride)
    }

    fn settings(self) -> ModelSettings {
        let Self { depth: backbone, output_stride, head } = self;
        ModelSettings {
            backbone,
            head,
            output_stride,
            auxiliary: true,
            dropout: 0.0,
            ..ModelSettings::default()
        }
    }
}

/// The goldens of one network, by what follows its name.
fn goldens(net: Net) -> BTreeMap<String, Tensor> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/network.safetensors");
    let prefix = format!("{}.", net.name());
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

fn network(net: Net, precision: Precision) -> (DeepLab, Parameters) {
    let network = DeepLab::new(&net.settings(), CLASSES);
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
fn logits_distance(net: Net, mode: Mode, precision: Precision) -> f64 {
    let goldens = goldens(net);
    let (label, batch) = match mode {
        Mode::Evaluate => ("eval", EVAL_BATCH),
        _ => ("train", TRAIN_BATCH),
    };
    let mut worst = 0f64;
    for size in SIZES {
        // Anew each time: a training pass changes the running statistics.
        let (network, parameters) = network(net, precision);
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
    eprintln!("{} {label} {precision:?}: {worst:.1e}", net.name());
    worst
}

fn distance(a: &Tensor, b: &Tensor) -> f64 {
    let far = a.to_kind(Kind::Double) - b.to_kind(Kind::Double);
    assert_eq!(i64::try_from(far.isfinite().logical_not().any()).unwrap(), 0, "not finite");
    far.abs().max().double_value(&[])
}

fn check_logits(net: Net) {
    for mode in [Mode::Evaluate, Mode::Train] {
        let far = logits_distance(net, mode, Precision::F32);
        assert!(far < 1e-4, "{net:?} {mode:?}: {far}");
    }
}

#[test]
fn logits_of_resnet18_are_torchvisions() {
    check_logits(v3(Depth::Resnet18, 8));
    check_logits(v3(Depth::Resnet18, 16));
}

#[test]
fn logits_of_resnet34_are_torchvisions() {
    check_logits(v3(Depth::Resnet34, 8));
    check_logits(v3(Depth::Resnet34, 16));
}

#[test]
fn logits_of_resnet50_are_torchvisions() {
    check_logits(v3(Depth::Resnet50, 8));
    check_logits(v3(Depth::Resnet50, 16));
}

#[test]
fn logits_of_resnet101_are_torchvisions() {
    check_logits(v3(Depth::Resnet101, 8));
    check_logits(v3(Depth::Resnet101, 16));
}

#[test]
fn logits_of_deeplabv3plus_are_those_of_its_pytorch_twin() {
    check_logits(v3plus(Depth::Resnet18, 16));
    check_logits(v3plus(Depth::Resnet50, 8));
}

/// In bf16 a logit may be this far away: 8 bits of mantissa, through up to a hundred layers.
const BF16_DISTANCE: f64 = 0.06;

#[test]
fn logits_in_bf16_stay_near_torchvisions() {
    for net in [v3(Depth::Resnet18, 8), v3(Depth::Resnet50, 16)] {
        let far = logits_distance(net, Mode::Evaluate, Precision::Bf16);
        assert!(far < BF16_DISTANCE, "{net:?}: {far}");
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

fn step(net: Net, precision: Precision) -> Step {
    let goldens = goldens(net);
    let golden = |key: &str| &goldens[&format!("step.{key}")];
    let (network, parameters) = network(net, precision);
    let image = image(TRAIN_BATCH, STEP_SIZE);
    let y = target(TRAIN_BATCH, STEP_SIZE);
    let Scores { main, auxiliary } =
        network.forward(&mut Torch::new(&parameters, Mode::Train), &image, Heads::All);
    let auxiliary = auxiliary.unwrap();
    let cross_entropy =
        |z: &Tensor| z.cross_entropy_loss::<Tensor>(&y, None, Reduction::Mean, -100, 0.0);
    let loss = cross_entropy(&main) + cross_entropy(&auxiliary) * 0.5;
    let gradient = parameters.gradient(&loss);
    let gradients: BTreeMap<String, Tensor> = parameters.split(&gradient).collect();
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
        "{} step {precision:?}: logits {:.1e}, loss {:.1e}, statistics {:.1e}, gradient {:.1e}, \
         from PyTorch's f32 gradient {:.1e}",
        net.name(),
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
    for net in [ALL[0], ALL[3], ALL[4], ALL[7], ALL[8]] {
        let step = step(net, Precision::F64);
        let what = net.name();
        // Rounding of the normalization's constants to f32 is the largest difference.
        assert!(step.logits < 1e-6, "{what}: logits {}", step.logits);
        assert!(step.loss < 1e-6, "{what}: loss {}", step.loss);
        assert!(step.gradient < 1e-5, "{what}: gradient {}", step.gradient);
        assert!(step.statistics < 1e-6, "{what}: statistics {}", step.statistics);
    }
}

/// What activations that cross ReLU's corner may take or give, in units of a gradient's norm.
const CROSSINGS: f64 = 0.1;

#[test]
fn a_training_step_in_f32_is_as_near_to_it_as_pytorchs_own() {
    for net in ALL {
        let step = step(net, Precision::F32);
        let what = net.name();
        assert!(step.logits < 1e-4, "{what}: logits {}", step.logits);
        assert!(step.loss < 1e-5, "{what}: loss {}", step.loss);
        assert!(step.statistics < 1e-4, "{what}: statistics {}", step.statistics);
        // Two f32 gradients agree to 1e-3 where both take the same kernels. Another processor's kernels, or another
        // number of threads, round differently: then activations cross ReLU's corner, see goldens/network.py's head.
        assert!(
            step.gradient_f32 < 1e-3 || step.gradient < CROSSINGS,
            "{what}: gradient {} from the exact one, {} from PyTorch's in f32",
            step.gradient,
            step.gradient_f32
        );
    }
}
