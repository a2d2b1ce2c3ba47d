//! `train export`: a checkpoint as an ONNX model that was verified, or as plain weights for PyTorch.

use shared::error::{Error, Result};
use std::path::PathBuf;
use tch::Device;
use train::checkpoint;
use train::model::params::Precision as Compute;
use train::model::weights;
use train::onnx::{self, ExportSettings, Outputs, export::Precision};

#[derive(clap::Args)]
pub struct Args {
    /// A checkpoint of `train fit`: best.safetensors or last.safetensors
    #[arg(long)]
    checkpoint: PathBuf,
    /// FILE.onnx for a model, FILE.safetensors for the weights alone, under torchvision's names
    #[arg(long)]
    output: PathBuf,
    /// What the model computes in
    #[arg(long, value_enum, default_value_t)]
    precision: Precision,
    /// What the model gives
    #[arg(long, value_enum, default_value_t)]
    outputs: Outputs,
}

pub fn run(args: &Args) -> Result<()> {
    let extension = args.output.extension().and_then(|e| e.to_str()).unwrap_or_default();
    if !["onnx", "safetensors"].contains(&extension) {
        return Err(Error::request(format!(
            "output: {}: expected a name ending in .onnx or .safetensors",
            args.output.display()
        )));
    }
    let same = |a: &PathBuf, b: &PathBuf| Some(a.canonicalize().ok()? == b.canonicalize().ok()?);
    if same(&args.checkpoint, &args.output) == Some(true) {
        return Err(Error::request(format!(
            "output: {}: expected another file than the checkpoint",
            args.output.display()
        )));
    }
    // f32 on the CPU: the reference that every provider is later compared with.
    let (trained, _) = checkpoint::load(&args.checkpoint, Device::Cpu, Compute::F32)?;
    if let Some(folder) = args.output.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|e| Error::request(format!("output: {}: {e}", folder.display())))?;
    }
    let summary = if extension == "safetensors" {
        weights::save(&args.output, &trained.parameters, trained.about.iterations)?;
        let count = trained.parameters.named().len();
        format!("{}: {count} tensors under torchvision's names", args.output.display())
    } else {
        let settings = ExportSettings { outputs: args.outputs, precision: args.precision };
        onnx::export(&trained, &settings, &args.output)?;
        onnx::verify(&args.output)?.summary
    };
    super::print(&summary);
    Ok(())
}
