//! Where the native libraries live: a cache outside the clone, and `.native`, the link to it inside.
//!
//! The cache's folder is named after what it holds (CPU or CUDA, and a hash of the pinned list), so
//! that clones share it and a changed list is a new folder.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// The packages that `setup` fetches, with their hashes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Flavor {
    /// libtorch without CUDA kernels, ONNX Runtime for CPUs.
    Cpu,
    /// libtorch with CUDA and what it needs, ONNX Runtime with CUDA and TensorRT providers.
    Cuda,
}

impl Flavor {
    /// The pinned list, in pip's requirements format.
    pub fn requirements(self) -> &'static str {
        match self {
            Self::Cpu => include_str!("../native-cpu.txt"),
            Self::Cuda => include_str!("../native-cuda.txt"),
        }
    }

    /// The name used in the cache.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
        }
    }
}

/// The root of this clone.
pub fn repository() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_path_buf()
}

/// The link inside the clone that `.cargo/config.toml` names.
pub fn link() -> PathBuf {
    repository().join(".native")
}

/// The folder that holds everything fetched: `RECALL_SEG_CACHE`, or the user's cache folder.
pub fn cache() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("RECALL_SEG_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("recall-seg")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache/recall-seg")))
        .context("no place for a cache: expected HOME or RECALL_SEG_CACHE to be set")
}

/// The cache's folder for one pinned list.
pub fn folder(kind: &str, list: &str) -> Result<PathBuf> {
    Ok(cache()?.join(format!("{kind}-{:016x}", fnv1a(list))))
}

/// FNV-1a, 64 bits: a name for a list, not a protection (pip checks the SHA-256 of each file).
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Whether an NVIDIA driver is loaded on this machine.
pub fn has_gpu() -> bool {
    Path::new("/proc/driver/nvidia/version").exists() || Path::new("/dev/nvidiactl").exists()
}
