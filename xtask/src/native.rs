//! Where the native libraries live: a cache outside the clone, and `.native`, the link to it inside.
//!
//! The cache's folder is named after what it holds (CPU or CUDA, and a hash of the pinned list), so
//! that clones share it and a changed list is a new folder.

use crate::Request;
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

    /// Its folder in the cache.
    pub fn place(self) -> Result<PathBuf> {
        folder(&format!("native-{}", self.name()), self.requirements())
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

/// Whether what is linked and opened here lies in the cache's folder: somebody may have emptied it.
pub fn is_whole(place: &Path) -> bool {
    // Links into torch, but for the last: broken ones do not exist.
    let libtorch = ["include", "lib/libc10.so", "lib/libtorch_cpu.so", "lib/libtorch.so"];
    libtorch.iter().all(|path| place.join("libtorch").join(path).exists())
        && fetched_runtime(place).is_some()
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
    let Some(library) = set("ORT_DYLIB_PATH").or_else(|| fetched_runtime(&link())) else {
        bail!(Request(format!(
            "ONNX Runtime: expected what `cargo xtask setup` fetches, got none\n{RUNTIME_HINT}"
        )));
    };
    // The file itself, whose name has the version, in place of links to it.
    let library = library.canonicalize().map_err(|e| {
        let library = library.display();
        Request(format!("ONNX Runtime: {library}: expected the library, got {e}\n{RUNTIME_HINT}"))
    })?;
    Runtime::of(library)
}

const RUNTIME_HINT: &str =
    "hint: run `cargo xtask setup`, or set ORT_DYLIB_PATH to the file libonnxruntime.so";

/// The newest by name of what was fetched.
fn fetched_runtime(place: &Path) -> Option<PathBuf> {
    named(&place.join("onnxruntime/capi"), "libonnxruntime.so").pop()
}

impl Runtime {
    /// The library, with the providers beside it.
    fn of(library: PathBuf) -> Result<Self> {
        let name = library.file_name().unwrap_or_default().to_string_lossy();
        if !name.starts_with("libonnxruntime.so") {
            bail!(Request(format!(
                "ONNX Runtime: expected a file libonnxruntime.so*, which is found beside infer, got {name}\n{RUNTIME_HINT}"
            )));
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
    let cache = set("RECALL_SEG_CACHE")
        .or_else(|| set("XDG_CACHE_HOME").map(|dir| dir.join("recall-seg")))
        .or_else(|| set("HOME").map(|dir| dir.join(".cache/recall-seg")))
        .context("no place for a cache: expected HOME or RECALL_SEG_CACHE to be set")?;
    // What `.native` points to must not depend on where the command was run.
    std::path::absolute(&cache).with_context(|| cache.display().to_string())
}

/// The path in a variable; `None`, too, where it is empty.
pub fn set(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
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
