//! Which device and which precision a run computes with, decided once at its start.
//!
//! One binary serves machines with and without a GPU: it is linked against libtorch's CPU half, and
//! opens the CUDA half here if it is there, before anything asks about CUDA.

use crate::model::params::Precision;
use crate::recipe::PrecisionChoice;
use shared::error::{Error, Result};
use std::process::Command;
use tch::Device;

/// The device that a recipe or a command line names.
pub fn choose(name: &str) -> Result<Device> {
    let index = match name {
        "cpu" => return Ok(Device::Cpu),
        "auto" | "cuda" => 0,
        _ => name.strip_prefix("cuda:").and_then(|n| n.parse().ok()).ok_or_else(|| {
            Error::request(format!("device: expected auto, cpu, cuda or cuda:INDEX, got {name:?}"))
                .hint("auto is the first CUDA device or, where there is none, the processor")
        })?,
    };
    open_cuda();
    let found = if tch::Cuda::is_available() { tch::Cuda::device_count() } else { 0 };
    if index < found as usize {
        tch::Cuda::cudnn_set_benchmark(true);
        return Ok(Device::Cuda(index));
    }
    if name == "auto" {
        return Ok(Device::Cpu);
    }
    Err(Error::request(format!("device: {name}: expected a CUDA device, got {found} of them"))
        .hint("is the NVIDIA driver loaded, and did `cargo xtask setup --cuda` run? `cpu` always works"))
}

/// The precision to compute in on a device.
pub fn precision(choice: PrecisionChoice, device: Device) -> Precision {
    match choice {
        PrecisionChoice::F32 => Precision::F32,
        PrecisionChoice::Bf16 => Precision::Bf16,
        PrecisionChoice::Auto if has_bf16(device) => Precision::Bf16,
        PrecisionChoice::Auto => Precision::F32,
    }
}

/// Whether a device computes in a precision, rather than emulate it.
pub fn computes_in(precision: Precision, device: Device) -> bool {
    precision != Precision::Bf16 || has_bf16(device)
}

/// Processors with bf16 arithmetic; without it bf16 is emulated and crawls.
fn has_bf16(device: Device) -> bool {
    match device {
        #[cfg(target_arch = "x86_64")]
        Device::Cpu => std::arch::is_x86_feature_detected!("avx512bf16"),
        Device::Cuda(index) => compute_capability(index).is_some_and(|major| major >= 8),
        _ => false,
    }
}

/// Major compute capability of a GPU.
fn compute_capability(index: usize) -> Option<u32> {
    nvidia_smi("compute_cap", index)?.split('.').next()?.parse().ok()
}

/// What the GPU driver's own tool says of a device. It counts GPUs by their place on the bus, CUDA the fast ones first: where
/// those orders differ, `CUDA_DEVICE_ORDER=PCI_BUS_ID` makes them one.
fn nvidia_smi(query: &str, index: usize) -> Option<String> {
    let visible = std::env::var("CUDA_VISIBLE_DEVICES").ok();
    let ask = |id: String| {
        let output = Command::new("nvidia-smi")
            .arg(format!("--query-gpu={query}"))
            .args(["--format=csv,noheader", "--id", &id])
            .output()
            .ok()?;
        // What it says where it fails, it says in place of the answer.
        let answer = output.status.success().then_some(output.stdout)?;
        Some(String::from_utf8(answer).ok()?.trim().to_string())
    };
    smi_ids(index, visible.as_deref()).into_iter().find_map(ask)
}

/// What `nvidia-smi --id` may know CUDA's device `index` by: as `CUDA_VISIBLE_DEVICES` lists it, by index or UUID, then,
/// since only CUDA knows shortened UUIDs, by its own index.
fn smi_ids(index: usize, visible: Option<&str>) -> Vec<String> {
    let listed = visible.and_then(|list| list.split(',').nth(index)).map(str::trim);
    let listed = listed.filter(|id| !id.is_empty()).map(str::to_string);
    listed.into_iter().chain([index.to_string()]).collect()
}

/// Opens libtorch's CUDA half, found by the binary's own search path or `LD_LIBRARY_PATH`.
/// Without it, or without what it needs, libtorch simply reports no device.
#[cfg(target_os = "linux")]
fn open_cuda() {
    use std::sync::Once;
    static ONCE: Once = Once::new();
    // SAFETY: the name is a constant C string, and libtorch_cuda's initializers are what registers
    // CUDA with the libtorch that is loaded already. The handle is kept for the process's life.
    #[allow(unsafe_code)]
    ONCE.call_once(|| unsafe {
        libc::dlopen(c"libtorch_cuda.so".as_ptr(), libc::RTLD_NOW | libc::RTLD_GLOBAL);
    });
}

#[cfg(not(target_os = "linux"))]
fn open_cuda() {}

/// The processor's or the GPU's own name, where the system tells it.
pub fn hardware(device: Device) -> Option<String> {
    let name = match device {
        Device::Cuda(index) => nvidia_smi("name", index)?,
        _ => {
            let text = std::fs::read_to_string("/proc/cpuinfo").ok()?;
            let line = text.lines().find(|line| line.starts_with("model name"))?;
            line.split_once(':')?.1.to_string()
        }
    };
    Some(name.trim().to_string()).filter(|name| !name.is_empty())
}

/// `f32`, `bf16` or `f64`.
pub fn precision_name(precision: Precision) -> &'static str {
    match precision {
        Precision::F32 => "f32",
        Precision::Bf16 => "bf16",
        Precision::F64 => "f64",
    }
}

/// For people: `cpu (2 threads), bf16` or `cuda:0, f32`.
pub fn describe(device: Device, precision: Precision) -> String {
    let device = match device {
        Device::Cuda(index) => format!("cuda:{index}"),
        _ => format!("cpu ({} threads)", tch::get_num_threads()),
    };
    format!("{device}, {}", precision_name(precision))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gpu_is_asked_about_under_the_name_that_makes_it_visible() {
        for (index, visible, ids) in [
            (1, None, &["1"][..]),
            (0, Some("2,0"), &["2", "0"]),
            (1, Some("2, GPU-5ad1"), &["GPU-5ad1", "1"]),
            (0, Some(""), &["0"]),
            (1, Some("3"), &["1"]),
        ] {
            assert_eq!(smi_ids(index, visible), ids, "{index} of {visible:?}");
        }
    }
}
