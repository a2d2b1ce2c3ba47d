//! Where the native libraries live: a cache outside the clone, and `.native`, the link to it inside.
//!
//! The cache's folder is named after what it holds (CPU or CUDA, and a hash of the pinned list), so
//! that clones share it and a changed list is a new folder.

use anyhow::{Context, Result, bail};
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

/// Cargo's folder for what it builds.
pub fn target() -> PathBuf {
    let set = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    set.unwrap_or_else(|| repository().join("target"))
}

/// One of the programs, as built.
pub fn program(name: &str) -> PathBuf {
    target().join("release").join(name)
}

/// ONNX Runtime, as files.
pub struct Runtime {
    /// The library first, then its providers where they are for a GPU.
    pub libraries: Vec<PathBuf>,
    /// Whether there are any.
    pub cuda: bool,
}

/// The runtime library that `infer` would open here: `ORT_DYLIB_PATH`, or what `setup` fetched.
pub fn runtime_libraries() -> Result<Runtime> {
    let own = std::env::var_os("ORT_DYLIB_PATH").filter(|v| !v.is_empty()).map(PathBuf::from);
    let fetched = || {
        let files = named(&link().join("onnxruntime/capi"), "libonnxruntime.so");
        files.into_iter().next_back()
    };
    let hint = "hint: run `cargo xtask setup`, or set ORT_DYLIB_PATH to the file libonnxruntime.so";
    let Some(library) = own.or_else(fetched) else {
        bail!("ONNX Runtime: expected what `cargo xtask setup` fetches, got none\n{hint}");
    };
    // The file itself, whose name has the version, in place of links to it.
    let library = library
        .canonicalize()
        .with_context(|| format!("ONNX Runtime: {}: no such file; {hint}", library.display()))?;
    Runtime::of(library)
}

impl Runtime {
    /// The library, with the providers beside it.
    fn of(library: PathBuf) -> Result<Self> {
        let name = library.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with("libonnxruntime.so") {
            bail!(
                "ONNX Runtime: expected a file libonnxruntime.so*, which is found beside infer, got {name}"
            );
        }
        let providers =
            named(library.parent().unwrap_or(Path::new("")), "libonnxruntime_providers_");
        // Without the CUDA one the other, which they share, serves nobody.
        let cuda = providers.iter().any(|path| path.ends_with("libonnxruntime_providers_cuda.so"));
        let providers = providers.into_iter().filter(|_| cuda);
        Ok(Self { libraries: std::iter::once(library).chain(providers).collect(), cuda })
    }
}

/// Files in a folder whose names begin so, sorted; none where the folder is not there.
fn named(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let fits = |path: &PathBuf| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(prefix))
    };
    let mut found: Vec<PathBuf> = paths.filter(fits).collect();
    found.sort();
    found
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_packed_where_there_is_one_for_a_gpu() {
        let folder = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            std::fs::write(folder.path().join(name), "").unwrap();
            folder.path().join(name)
        };
        let library = make("libonnxruntime.so.1.31.1");
        let together = make("libonnxruntime_providers_shared.so");
        make("onnxruntime_pybind11_state.so");
        let runtime = Runtime::of(library.clone()).unwrap();
        assert_eq!((runtime.libraries, runtime.cuda), (vec![library.clone()], false));
        let cuda = make("libonnxruntime_providers_cuda.so");
        let runtime = Runtime::of(library.clone()).unwrap();
        assert_eq!((runtime.libraries, runtime.cuda), (vec![library, cuda, together], true));
        assert!(Runtime::of(make("onnx.so")).is_err(), "infer would not find it");
    }
}
