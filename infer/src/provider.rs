//! Execution providers: which one is asked for, attaching it, and proof that it runs the work.
//! Not a list of wishes: a provider asked for by name is used, or refused with what was missing.
//! TensorRT builds an engine for one size, which takes minutes: said before, and kept in a folder on request.
//! Registering CUDA proves nothing, since ONNX Runtime quietly runs on the CPU what a provider does not
//! take. Its switch `session.disable_cpu_ep_fallback` forbids that, but also refuses every graph with
//! dynamic sizes, because ONNX Runtime puts their shape arithmetic on the CPU on purpose. So the switch is
//! tried first, and where it refuses a profiled run shows which nodes ran where. Of TensorRT the switch proves
//! nothing, since CUDA may run what it does not take, be it all: only the profiled run tells.

use std::fmt;
use std::path::Path;

use clap::ValueEnum;
use ort::ErrorCode;
use ort::ep::{self, ExecutionProvider as _, ExecutionProviderDispatch};
use ort::session::Session;
use ort::session::builder::{AutoDevicePolicy, SessionBuilder};
use shared::error::{Context, Error, Result, tell};
use shared::output_path::make_folder;

use crate::model_file::ModelFile;
use crate::placement::{judge, watch};
use crate::refused::{plain, refused};
use crate::runtime::{Runtime, runtime, take_last_error};
use crate::session::{Arena, Options, Shapes, Tail};
use crate::tail::{CutOutputs, cut};

/// Where the user wants the model to run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Choice {
    /// CUDA where it truly works, else the CPU.
    #[default]
    Auto,
    /// The CPU.
    Cpu,
    /// NVIDIA CUDA, or an error.
    Cuda,
    /// NVIDIA TensorRT (with CUDA for what it does not take), or an error.
    Tensorrt,
}

/// Where a model runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provider {
    /// The CPU.
    Cpu,
    /// NVIDIA CUDA.
    Cuda,
    /// NVIDIA TensorRT.
    Tensorrt,
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::Tensorrt => "tensorrt",
        })
    }
}

/// A session, where it runs, and how that is known.
pub(crate) struct Placed {
    pub session: Session,
    pub provider: Provider,
    /// For the user: what was found out about the placement.
    pub note: String,
    /// What the graph gives if it was cut behind the coarse logits.
    pub cut: Option<CutOutputs>,
}

/// Makes a session of a model's bytes on the provider asked for. `sizes` are the graph's free dimensions by name,
/// each with the size that TensorRT is to build for; `None` if some are not known.
///
/// # Errors
/// A model that ONNX Runtime refuses, a provider by name that the library does not have, that lacks a library itself,
/// or that does not run the model (exit code 2); a device that does not answer (1: it may come).
pub(crate) fn place(
    file: &ModelFile,
    options: &Options,
    sizes: Option<&[(String, i64)]>,
    tail: Tail,
) -> Result<Placed> {
    let runtime = runtime()?;
    let ask = Ask { runtime, file, options, sizes, tail };
    match options.provider {
        Choice::Cpu => ask.on_cpu(String::new()),
        Choice::Cuda => ask.on(Provider::Cuda),
        Choice::Tensorrt => ask.on(Provider::Tensorrt),
        Choice::Auto if !is_built_in(Provider::Cuda) => ask.on_cpu(String::new()),
        Choice::Auto => match ask.on(Provider::Cuda) {
            Ok(placed) => Ok(placed),
            Err(error) => ask.on_cpu(format!("not on cuda: {error}")),
        },
    }
}

/// Whether the library was compiled with this provider, which does not mean that it works here.
fn is_built_in(provider: Provider) -> bool {
    let available = match provider {
        Provider::Cpu => ep::CPU::is_available(),
        Provider::Cuda => ep::CUDA::is_available(),
        Provider::Tensorrt => ep::TensorRT::is_available(),
    };
    available.unwrap_or(false)
}

/// Whether the CPU may run nodes that the provider did not take.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fallback {
    Forbidden,
    Watched,
}

struct Ask<'a> {
    runtime: &'a Runtime,
    file: &'a ModelFile,
    options: &'a Options,
    sizes: Option<&'a [(String, i64)]>,
    tail: Tail,
}

impl Ask<'_> {
    fn on_cpu(&self, note: String) -> Result<Placed> {
        let arena = ep::CPU::default().with_arena_allocator(self.options.arena == Arena::On);
        let cut = if self.tail == Tail::Cut { cut(&self.file.bytes) } else { None };
        let bytes = cut.as_ref().map_or(&self.file.bytes, |c| &c.bytes);
        let session = self
            .builder()
            .and_then(|b| Ok(b.with_execution_providers([arena.build().error_on_failure()])?))
            .and_then(|mut b| b.commit_from_memory(bytes));
        let session = session.map_err(|e| refused(self.file, &e))?;
        Ok(Placed { session, provider: Provider::Cpu, note, cut: cut.map(|c| c.outputs) })
    }

    fn on(&self, provider: Provider) -> Result<Placed> {
        let asked = format!("provider {provider}");
        if !is_built_in(provider) {
            let library = self.runtime.library.display();
            return Err(Error::request(format!(
                "{asked}: expected an ONNX Runtime built with it, got {library} without"
            ))
            .hint("`cargo xtask setup --cuda` fetches one, or set ORT_DYLIB_PATH, or use --provider cpu"));
        }
        if provider == Provider::Tensorrt {
            self.prepare_engine()?;
        }
        if provider == Provider::Cuda
            && let Ok(session) = self.commit(provider, Fallback::Forbidden, None)
        {
            return Ok(Placed { session, provider, note: "every node".into(), cut: None });
        }
        take_last_error(); // of what the switch refused
        let folder = tempfile::tempdir().work(|| format!("{asked}: temporary folder"))?;
        let mut session = self
            .commit(provider, Fallback::Watched, Some(folder.path()))
            .map_err(|e| self.failed(&e, take_last_error()).within(&asked))?;
        let note = judge(provider, &watch(&mut session)?)?;
        Ok(Placed { session, provider, note, cut: None })
    }

    /// Before TensorRT builds: a size to build for, a folder to keep it in, and a word about the wait.
    fn prepare_engine(&self) -> Result<()> {
        let at = || format!("provider tensorrt: {}", self.file.path.display());
        if self.options.shapes == Shapes::Fixed && self.sizes.is_none() {
            return Err(Error::request(format!(
                "{}: expected a size to build for, got none",
                at()
            ))
            .hint("--input-size WIDTHxHEIGHT"));
        }
        let kept = match &self.options.engine_cache {
            Some(folder) => {
                make_folder(folder)?;
                format!("kept in {}", folder.display())
            }
            None => "not kept: --engine-cache DIR keeps it".to_owned(),
        };
        tell(format_args!(
            "{}: building an engine takes minutes unless it is there already ({kept})",
            at()
        ));
        Ok(())
    }

    fn builder(&self) -> ort::Result<SessionBuilder> {
        let mut builder = Session::builder(&self.runtime.environment)?
            // Nothing is chosen behind our back.
            .with_auto_device(AutoDevicePolicy::PreferCPU)?;
        if let Some(threads) = self.options.threads {
            builder = builder.with_intra_threads(threads)?;
        }
        Ok(builder)
    }

    fn commit(
        &self,
        provider: Provider,
        fallback: Fallback,
        profile: Option<&Path>,
    ) -> ort::Result<Session> {
        let mut providers: Vec<ExecutionProviderDispatch> = Vec::new();
        if provider == Provider::Tensorrt {
            let mut tensorrt = ep::TensorRT::default();
            if let Some(folder) = &self.options.engine_cache {
                let folder = folder.display();
                tensorrt = tensorrt
                    .with_engine_cache(true)
                    .with_engine_cache_path(&folder)
                    .with_timing_cache(true)
                    .with_timing_cache_path(&folder);
            }
            providers.push(tensorrt.build().error_on_failure());
        }
        // TF32 rounds the factors of f32 products to 11 bits: not what a model called fp32 promises.
        providers.push(ep::CUDA::default().with_tf32(false).build().error_on_failure());
        let mut builder = self.builder()?.with_execution_providers(providers)?;
        if provider == Provider::Tensorrt && self.options.shapes == Shapes::Fixed {
            for (name, size) in self.sizes.into_iter().flatten() {
                builder = builder.with_dimension_override(name, *size)?;
            }
        }
        if fallback == Fallback::Forbidden {
            builder = builder.with_disable_cpu_fallback()?;
        }
        if let Some(folder) = profile {
            builder = builder.with_profiling(folder.join("nodes"))?;
        }
        builder.commit_from_memory(&self.file.bytes)
    }

    /// Why a device runs nothing; what was logged, if anything, says more than the status.
    fn failed(&self, error: &ort::Error, logged: String) -> Error {
        use ErrorCode::{InvalidArgument, InvalidGraph, InvalidProtobuf, NotImplemented};
        if let InvalidArgument | InvalidGraph | InvalidProtobuf | NotImplemented = error.code() {
            return refused(self.file, error);
        }
        let reason = plain(&if logged.is_empty() { error.to_string() } else { logged });
        match missing_library(&reason) {
            Some(library) => Error::request(format!("expected {library}, got {reason}"))
                .hint("install it where `ldconfig -p` lists it, or use --provider cpu"),
            // Not the request's fault: a device may come a moment after this program's start.
            None => Error::work(format!("expected a working device, got {reason}"))
                .hint("check the driver with `nvidia-smi`, or use --provider cpu"),
        }
    }
}

/// The library that the dynamic linker did not find, if that was the reason.
fn missing_library(reason: &str) -> Option<&str> {
    reason.split_once(": cannot open shared object file")?.0.rsplit(' ').next()
}

#[cfg(test)]
mod tests {
    use shared::error::Blame;

    use super::*;

    #[test]
    fn what_a_restart_does_not_mend_is_the_requests_fault() {
        let (runtime, options) = (runtime().unwrap(), Options::default());
        let file = ModelFile { path: "m.onnx".into(), bytes: Vec::new() };
        let ask = Ask { runtime, file: &file, options: &options, sizes: None, tail: Tail::Cut };
        let failed = |code, logged: &str| {
            let error = ort::Error::new_with_code(code, "status");
            let error = ask.failed(&error, logged.to_owned());
            (error.blame(), error.to_string())
        };
        let (blame, line) = failed(
            ErrorCode::GenericFailure,
            "cannot load cuda.so with error: libcudnn.so.9: cannot open shared object file: gone",
        );
        assert_eq!(blame, Blame::Request);
        assert!(line.starts_with("expected libcudnn.so.9, got cannot load cuda.so"), "{line}");
        let (blame, line) = failed(ErrorCode::InvalidGraph, "");
        assert_eq!(blame, Blame::Request);
        assert!(line.starts_with("model: m.onnx: expected a model that ONNX"), "{line}");
        let (blame, line) = failed(ErrorCode::RuntimeException, "CUDA failure 100");
        assert_eq!(blame, Blame::Work);
        assert_eq!(line, "expected a working device, got CUDA failure 100");
    }

    #[test]
    fn a_provider_that_is_not_available_is_an_error_that_says_what_is_missing() {
        for (choice, provider) in
            [(Choice::Cuda, Provider::Cuda), (Choice::Tensorrt, Provider::Tensorrt)]
        {
            let bytes = include_bytes!("../tests/models/both.onnx").to_vec();
            let file = ModelFile { path: "m.onnx".into(), bytes };
            let options = Options { provider: choice, ..Options::default() };
            match place(&file, &options, Some(&[]), Tail::Cut) {
                Ok(placed) => assert_eq!(placed.provider, provider), // on a machine that has it
                Err(error) => assert!(
                    error.to_string().starts_with(&format!("provider {provider}: expected"))
                ),
            }
        }
    }
}
