//! `train export`: a checkpoint as an ONNX model that was verified, or as plain weights for PyTorch.

use shared::dataset::{Descriptor, Index};
use shared::error::{Error, Result, tell};
use shared::output_path::{check_file, make_parent};
use std::path::{Path, PathBuf};
use tch::Device;
use train::adjust::{Adjustment, Rule};
use train::checkpoint::{self, About, Trained};
use train::inspect::{self, Damaged};
use train::model::params::Precision as Compute;
use train::model::weights;
use train::onnx::quantize::{self, Activations, Method, Quantization};
use train::onnx::{self, Arithmetic, ExportSettings, Outputs};
use train::recipe::Recipe;

#[derive(clap::Args)]
pub struct Args {
    /// A checkpoint: best.safetensors or last.safetensors of `train fit`, final.safetensors of a suite
    #[arg(long)]
    checkpoint: PathBuf,
    /// FILE.onnx for a model, FILE.safetensors for the weights alone, under torchvision's names
    #[arg(long)]
    output: PathBuf,
    /// What the model computes in [default: fp32]
    #[arg(long, value_enum)]
    precision: Option<Precision>,
    /// What the model gives [default: both]
    #[arg(long, value_enum)]
    outputs: Option<Outputs>,
    /// Move the thresholds between classes: add log w to the last layer's bias, with w = 1 - recall on the training split (recall),
    /// share^-TAU (prior:TAU), or from a TOML file with a line CLASS = WEIGHT for each class
    #[arg(long, value_name = "recall|prior:TAU|FILE")]
    adjust: Option<Adjustment>,
    /// The data set's folder, if it is not where the recipe says; for --precision int8 and --adjust recall
    #[arg(long)]
    data_root: Option<PathBuf>,
    #[command(flatten)]
    int8: Int8,
}

/// What the model computes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Precision {
    /// 32 bits throughout
    #[default]
    Fp32,
    /// Half precision: for GPUs
    Fp16,
    /// 8-bit integers, calibrated on the training split
    Int8,
}

/// Only with --precision int8.
#[derive(clap::Args)]
#[command(next_help_heading = "With --precision int8")]
struct Int8 {
    /// How ranges follow from what is seen: minmax, percentile, percentile:99.9 or entropy [default: percentile:99.99]
    #[arg(long)]
    calibration: Option<Method>,
    /// Training images to look at [default: 64]
    #[arg(long)]
    calibration_images: Option<usize>,
    /// 8, or 7 for x86 processors without VNNI, where products of 8 bits saturate [default: 8]
    #[arg(long)]
    weight_bits: Option<u32>,
    /// u8, or s8 for TensorRT [default: u8]
    #[arg(long, value_enum)]
    activations: Option<Activations>,
}

impl Int8 {
    /// The first of these flags that was given.
    fn given(&self) -> Option<&'static str> {
        [
            ("--calibration", self.calibration.is_some()),
            ("--calibration-images", self.calibration_images.is_some()),
            ("--weight-bits", self.weight_bits.is_some()),
            ("--activations", self.activations.is_some()),
        ]
        .into_iter()
        .find_map(|(flag, given)| given.then_some(flag))
    }

    /// What is asked for, with the defaults of the rest.
    fn settings(&self) -> quantize::Settings {
        let default = quantize::Settings::default();
        quantize::Settings {
            method: self.calibration.unwrap_or(default.method),
            images: self.calibration_images.unwrap_or(default.images),
            weight_bits: self.weight_bits.unwrap_or(default.weight_bits),
            activations: self.activations.unwrap_or(default.activations),
        }
    }

    /// Calibrates on the split that the network was trained on.
    fn calibrate(&self, trained: &Trained, data_root: Option<&Path>) -> Result<Quantization> {
        let index = training_split(&trained.about, data_root, "calibration")?;
        quantize::calibrate(trained, &index, self.settings())
    }
}

/// The split that a network was trained on.
fn training_split(about: &About, data_root: Option<&Path>, what: &str) -> Result<Index> {
    let data = Recipe::parse(&about.recipe, &[])?.data;
    let root = data_root.map(Path::to_path_buf).or(data.root.clone()).ok_or_else(|| {
        Error::request(format!("{what}: expected the data set's folder, got none"))
            .hint("name it with --data-root")
    })?;
    if data_root.is_none() {
        tell(format_args!("{what}: with the images in {}", root.display()));
    }
    let descriptor = Descriptor::find(&data.dataset)?;
    let mut index = Index::open(&descriptor, &root, &data.train)?;
    if data.damaged == Damaged::Skip {
        index = inspect::split(index, &data)?.index; // what training left out
    }
    index.tone = about.tone; // as the network was trained, whatever the descriptor says by now
    Ok(index)
}

pub fn run(args: &Args) -> Result<()> {
    let weights_alone = check(args)?;
    // f32 on the CPU: the reference that every provider is later compared with.
    let (mut trained, _) = checkpoint::load(&args.checkpoint, Device::Cpu, Compute::F32)?;
    let data_root = args.data_root.as_deref();
    if let Some(adjustment) = &args.adjust {
        let about = trained.about.clone();
        let train = || training_split(&about, data_root, "adjust");
        adjustment.apply(&mut trained, train, &|| true)?;
    }
    let summary = if weights_alone {
        make_parent(&args.output).map_err(|e| e.within("output"))?;
        weights::save(&args.output, &trained.parameters, trained.about.iterations)?;
        let count = trained.parameters.named().len();
        format!("{}: {count} tensors under torchvision's names", args.output.display())
    } else {
        let precision = args.precision.unwrap_or_default();
        let quantization = match precision {
            Precision::Int8 => Some(args.int8.calibrate(&trained, data_root)?),
            _ => None,
        };
        let arithmetic = match (precision, &quantization) {
            (_, Some(quantization)) => Arithmetic::Int8(quantization),
            (Precision::Fp16, None) => Arithmetic::Fp16,
            _ => Arithmetic::Fp32,
        };
        let settings = ExportSettings { outputs: args.outputs.unwrap_or_default(), arithmetic };
        onnx::export(&trained, &settings, &args.output)?;
        onnx::verify(&args.output)?.summary
    };
    super::print(&summary)
}

/// Refuses, before any work, what cannot be written and flags that would do nothing. Says whether the weights alone
/// are asked for.
fn check(args: &Args) -> Result<bool> {
    let output = args.output.display();
    let extension = args.output.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !["onnx", "safetensors"].contains(&extension) {
        return Err(Error::request(format!(
            "output: {output}: expected a name ending in .onnx or .safetensors"
        ))
        .hint("--output model.onnx, or weights.safetensors for PyTorch"));
    }
    check_file(&args.output).map_err(|e| e.within("output"))?;
    let same = |a: &PathBuf, b: &PathBuf| Some(a.canonicalize().ok()? == b.canonicalize().ok()?);
    if same(&args.checkpoint, &args.output) == Some(true) {
        return Err(Error::request(format!(
            "output: {output}: expected another file than the checkpoint"
        ))
        .hint("a checkpoint is never written over"));
    }
    let weights_alone = extension == "safetensors";
    let of_models =
        [("--precision", args.precision.is_some()), ("--outputs", args.outputs.is_some())];
    let of_models = of_models.into_iter().find_map(|(flag, given)| given.then_some(flag));
    if let Some(flag) = of_models.filter(|_| weights_alone) {
        return Err(Error::request(format!("{flag}: expected it with an .onnx file alone"))
            .hint("weights for PyTorch are always what was trained, in f32"));
    }
    let int8 = args.precision == Some(Precision::Int8);
    if let Some(flag) = args.int8.given().filter(|_| !int8 || weights_alone) {
        return Err(Error::request(format!("{flag}: expected it with --precision int8 alone"))
            .hint("--precision int8 is what looks at images"));
    }
    let measures = args.adjust == Some(Adjustment::Rule(Rule::Recall));
    if args.data_root.is_some() && !measures && (!int8 || weights_alone) {
        let line = "--data-root: expected it with --precision int8 or --adjust recall alone";
        return Err(Error::request(line).hint("nothing else here looks at images"));
    }
    args.int8.settings().check()?;
    Ok(weights_alone)
}
