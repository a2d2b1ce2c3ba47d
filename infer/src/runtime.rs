//! The ONNX Runtime library: where it is found, and loading it once.
//! Not sessions, not providers. `ort` panics on a missing or too old library when it loads one itself, so
//! it never does: the library is found and checked here, before anything else of `ort` is touched.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use ort::environment::Environment;
use ort::logging::LogLevel;
use shared::error::{Error, Result, tell};

/// A loaded ONNX Runtime.
#[derive(Debug, Clone)]
pub struct Runtime {
    /// What sessions are made in.
    pub environment: Environment,
    /// The library file.
    pub library: PathBuf,
    /// Its version, such as "1.31".
    pub version: String,
}

/// The runtime of this process; the first call loads it.
///
/// The library is, in this order: the file that `ORT_DYLIB_PATH` names; `libonnxruntime.so*` beside the
/// executable (how it is packed for a vehicle); the one of the folder known at build time.
///
/// # Errors
/// With no library to be found, or one that cannot be loaded or is too old (a wrong request: exit code 2).
pub fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Result<Runtime>> = OnceLock::new();
    RUNTIME.get_or_init(load).as_ref().map_err(Clone::clone)
}

const HINT: &str =
    "run `cargo xtask setup`, or set ORT_DYLIB_PATH to the file libonnxruntime.so of 1.22 or newer";

fn load() -> Result<Runtime> {
    let library = find(
        env::var_os("ORT_DYLIB_PATH").filter(|v| !v.is_empty()).map(PathBuf::from),
        env::current_exe().ok().and_then(|exe| exe.parent().map(Path::to_path_buf)),
        option_env!("RECALL_SEG_NATIVE").map(Path::new),
    )?;
    preload_cuda(&library);
    let at = |what: &str| format!("ONNX Runtime: {}: {what}", library.display());
    let builder = ort::init_from(&library).map_err(|e| {
        Error::request(at(&format!("expected version 1.{} or newer, got {e}", ort::MINOR_VERSION)))
            .hint(HINT)
    })?;
    let environment = builder
        .with_name("recall-seg")
        .with_telemetry(false)
        .with_logger(Arc::new(log))
        .build()
        .map_err(|e| Error::work(at(&format!("cannot start: {e}"))))?;
    let version = version(&library);
    Ok(Runtime { environment, library, version })
}

/// The library among the three places; each is given so that a test can choose them.
fn find(named: Option<PathBuf>, beside: Option<PathBuf>, native: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        // Resolved, since `ort` looks for a relative path beside the executable.
        return path.canonicalize().map_err(|e| {
            Error::request(format!(
                "ORT_DYLIB_PATH: {}: expected the ONNX Runtime library, got {e}",
                path.display()
            ))
            .hint(HINT)
        });
    }
    let folders: Vec<PathBuf> =
        beside.into_iter().chain(native.map(|n| n.join("onnxruntime").join("capi"))).collect();
    folders.iter().find_map(|folder| library_in(folder)).ok_or_else(|| {
        let looked: Vec<String> = folders.iter().map(|f| f.display().to_string()).collect();
        Error::request(format!(
            "ONNX Runtime: expected libonnxruntime.so in {}, got none",
            looked.join(" or ")
        ))
        .hint(HINT)
    })
}

/// `libonnxruntime.so`, or the newest by name of `libonnxruntime.so.*`, in a folder.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let (prefix, suffix) =
        (format!("{}onnxruntime", env::consts::DLL_PREFIX), env::consts::DLL_SUFFIX);
    let is_library = |path: &PathBuf| {
        path.file_name().and_then(|n| n.to_str()).is_some_and(|name| {
            // Not the provider libraries, whose names begin alike.
            name.strip_prefix(&prefix)
                .is_some_and(|rest| rest.starts_with(suffix) || rest.starts_with('.'))
        })
    };
    let files = std::fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    files.filter(is_library).max()?.canonicalize().ok()
}

/// The version of a library: from its file name where that has one, else what it answers.
fn version(library: &Path) -> String {
    let name = library.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let numbers =
        name.split(".so.").nth(1).filter(|v| v.split('.').all(|p| p.parse::<u32>().is_ok()));
    let asked =
        || ort::util::probe(library).map_or("unknown".to_owned(), |minor| format!("1.{minor}"));
    numbers.map_or_else(asked, str::to_owned)
}

/// Loads NVIDIA's libraries that pip has put beside ONNX Runtime, so that its CUDA provider finds them.
///
/// Nothing is said where that fails: without a GPU they are absent, and when CUDA is asked for, its own
/// error names what is missing.
fn preload_cuda(library: &Path) {
    let nvidia = library.ancestors().nth(3).map(|packages| packages.join("nvidia"));
    let Some(folders) = nvidia.and_then(|n| std::fs::read_dir(n).ok()) else { return };
    let folders: Vec<PathBuf> = folders.filter_map(|f| Some(f.ok()?.path().join("lib"))).collect();
    for name in ort::ep::cuda::CUDA_DYLIBS.iter().chain(ort::ep::cuda::CUDNN_DYLIBS) {
        if let Some(path) = folders.iter().map(|f| f.join(name)).find(|p| p.exists()) {
            let _ = ort::util::preload_dylib(path);
        }
    }
}

static LAST_ERROR: Mutex<String> = Mutex::new(String::new());

/// ONNX Runtime's own messages: kept from the terminal, where they would bury our one line, unless
/// `ORT_LOG` asks for them; the last error is remembered, since it often says more than the status.
fn log(level: LogLevel, category: &str, _id: &str, _at: &str, message: &str) {
    if env::var_os("ORT_LOG").is_some() {
        tell(format_args!("onnxruntime: {level:?}: {category}: {message}"));
    }
    if level >= LogLevel::Error
        && let Ok(mut last) = LAST_ERROR.lock()
    {
        message.clone_into(&mut last);
    }
}

/// The last error that ONNX Runtime logged, and forgets it; empty without one.
pub(crate) fn take_last_error() -> String {
    LAST_ERROR.lock().map(|mut last| std::mem::take(&mut *last)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        folder
    }

    #[test]
    fn the_library_beside_the_executable_wins_over_the_one_known_at_build_time() {
        let beside = folder_with(&[
            "libonnxruntime.so.1.30.0",
            "libonnxruntime_providers_shared.so",
            "infer",
        ]);
        let native = tempfile::tempdir().unwrap();
        let capi = native.path().join("onnxruntime/capi");
        std::fs::create_dir_all(&capi).unwrap();
        std::fs::write(capi.join("libonnxruntime.so.1.31.1"), "").unwrap();

        let found = find(None, Some(beside.path().into()), Some(native.path())).unwrap();
        assert!(found.ends_with("libonnxruntime.so.1.30.0"), "{found:?}");
        let elsewhere = folder_with(&["libonnxruntime_providers_shared.so"]);
        let found = find(None, Some(elsewhere.path().into()), Some(native.path())).unwrap();
        assert!(found.ends_with("capi/libonnxruntime.so.1.31.1"), "{found:?}");
        assert_eq!(version(&found), "1.31.1");
    }

    #[test]
    fn without_a_library_the_error_says_where_it_was_looked_for_and_what_to_do() {
        let empty = tempfile::tempdir().unwrap();
        let error = find(None, Some(empty.path().into()), None).unwrap_err();
        assert!(error.to_string().contains(&empty.path().display().to_string()), "{error}");
        assert!(error.hint_text().unwrap().contains("cargo xtask setup"));
        let error = find(Some("/no/such/library.so".into()), None, None).unwrap_err();
        assert!(error.to_string().starts_with("ORT_DYLIB_PATH: /no/such/library.so"), "{error}");
    }
}
