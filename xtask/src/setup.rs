//! `cargo xtask setup`: libtorch from the `torch` wheel, ONNX Runtime from its own, both pinned by hash.
//!
//! A `LIBTORCH` or `ORT_DYLIB_PATH` of the user's own is left alone. What is fetched is unpacked beside
//! its place and renamed, so that a set-up that was interrupted is simply run again.

use crate::native::{self, Flavor};
use crate::{Request, process};
use anyhow::{Context, Result, bail, ensure};
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

#[derive(clap::Args)]
pub struct Args {
    /// Fetch the CUDA libraries even where no GPU was found
    #[arg(long, conflicts_with = "cpu")]
    cuda: bool,
    /// Fetch the CPU libraries even where a GPU was found
    #[arg(long)]
    cpu: bool,
}

/// Python and ABI of the wheels asked for: fixed, so that the user's own Python version does not matter.
const WHEEL_TAGS: &[&str] = &[
    "--python-version=3.12",
    "--implementation=cp",
    "--platform=manylinux_2_28_x86_64",
    "--platform=manylinux_2_27_x86_64",
    "--platform=manylinux_2_25_x86_64",
    "--platform=manylinux_2_18_x86_64",
    "--platform=manylinux_2_17_x86_64",
    "--platform=manylinux_2_12_x86_64",
    "--platform=manylinux_2_5_x86_64",
    "--platform=manylinux2014_x86_64",
    "--platform=manylinux2010_x86_64",
    "--platform=manylinux1_x86_64",
];

/// Parts of the CPU wheels that nothing here opens: a gigabyte less on disk.
const UNUSED_ON_CPU: &[&str] = &[
    "torch/lib/libtorch_cuda.so",
    "torch/lib/libtorch_cuda_linalg.so",
    "torch/lib/libtorch_python.so",
    "torch/lib/libtorch_nvshmem.so",
    "torch/bin",
];

/// Set-up on the way to something else: the kind of libraries that was chosen before stays chosen.
pub fn ensure() -> Result<()> {
    let linked = fs::read_link(native::link()).ok();
    let chosen = |flavor: Flavor| Ok::<_, anyhow::Error>(linked == Some(flavor.place()?));
    run(&Args { cuda: chosen(Flavor::Cuda)?, cpu: chosen(Flavor::Cpu)? })
}

pub fn run(args: &Args) -> Result<()> {
    let libtorch = native::set("LIBTORCH").filter(|root| *root != native::link().join("libtorch"));
    let runtime = native::set("ORT_DYLIB_PATH");
    check_own(libtorch.as_deref(), runtime.as_deref())?;
    check_compiler()?;
    if libtorch.is_some() && runtime.is_some() {
        eprintln!("setup: LIBTORCH and ORT_DYLIB_PATH are set: nothing to fetch");
        return Ok(());
    }
    let cuda = args.cuda || (native::has_gpu() && !args.cpu);
    let flavor = if cuda { Flavor::Cuda } else { Flavor::Cpu };
    let place = flavor.place()?;
    fetch_once(&place, native::is_whole, |partial| {
        check_platform()?;
        eprintln!("setup: fetching libtorch 2.11.0 and ONNX Runtime 1.31.1 ({})", flavor.name());
        pip_install(partial, flavor.requirements(), WHEEL_TAGS)?;
        if flavor == Flavor::Cpu {
            for path in UNUSED_ON_CPU {
                remove(&partial.join(path))?;
            }
        }
        link_folder(partial)
    })?;
    point_link(&place)?;
    let left_alone = match (libtorch, runtime) {
        (Some(_), _) => ", your LIBTORCH is used instead of the one here",
        (_, Some(_)) => ", your ORT_DYLIB_PATH is used instead of the one here",
        _ => "",
    };
    eprintln!("setup: ready ({}){left_alone}", flavor.name());
    Ok(())
}

/// Fills `place` once: under a lock, in a folder beside it, renamed when it is whole. What is there and is
/// not whole any more makes room.
pub fn fetch_once(
    place: &Path,
    is_whole: impl Fn(&Path) -> bool,
    fill: impl FnOnce(&Path) -> Result<()>,
) -> Result<()> {
    if is_whole(place) {
        return Ok(());
    }
    let cache = place.parent().context("the cache has no parent folder")?;
    fs::create_dir_all(cache).with_context(|| format!("cannot create {}", cache.display()))?;
    let lock = File::create(cache.join("lock"))?;
    lock.lock().context("cannot lock the cache")?;
    if is_whole(place) {
        return Ok(());
    }
    let partial = place.with_extension("partial");
    remove(&partial)?;
    fs::create_dir_all(&partial)?;
    fill(&partial)?;
    ensure!(is_whole(&partial), "{}: fetched, and still not whole", partial.display());
    remove(place)?;
    fs::rename(&partial, place)
        .with_context(|| format!("cannot move {} into place", partial.display()))
}

/// Installs a list of packages into a folder with the user's own pip. Where entries have hashes, all
/// must, and pip checks them.
pub fn pip_install(target: &Path, requirements: &str, tags: &[&str]) -> Result<()> {
    let python = python()?;
    let list = target.with_extension("txt");
    fs::write(&list, requirements)?;
    process::run(
        Command::new(python)
            .args(["-m", "pip", "install", "--no-deps", "--only-binary=:all:"])
            .args(["--no-cache-dir", "--no-compile"])
            .args(["--disable-pip-version-check", "--root-user-action=ignore"])
            .args(tags)
            .arg("--target")
            .arg(target)
            .arg("-r")
            .arg(&list),
    )
    .context("pip could not fetch the packages: check the network, then run the command again")?;
    remove(&list)
}

/// The Python 3 on this machine that has pip.
pub fn python() -> Result<&'static str> {
    for python in ["python3", "python"] {
        if process::answers(python, &["-m", "pip", "--version"]) {
            return Ok(python);
        }
    }
    bail!(
        "Python 3 with pip was not found; it carries libtorch and ONNX Runtime here\n\
         hint: on Debian and Ubuntu `apt-get install python3-pip`, or set LIBTORCH and ORT_DYLIB_PATH"
    )
}

/// Major and minor version of that Python, `3.11`: compiled packages belong to one.
pub fn python_version() -> Result<String> {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    let output = Command::new(python()?).args(["-c", script]).output()?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_string();
    let minor = version.strip_prefix("3.").and_then(|minor| minor.parse::<u32>().ok());
    if minor.is_none_or(|minor| minor < 11) {
        bail!(
            "the tests compare with Python packages: expected Python 3.11 or newer, got {version}"
        );
    }
    Ok(version)
}

fn check_compiler() -> Result<()> {
    if process::answers("c++", &["--version"]) {
        return Ok(());
    }
    bail!(
        "no C++ compiler was found; the wrapper around libtorch is compiled with it\n\
         hint: on Debian and Ubuntu `apt-get install g++`"
    )
}

fn check_platform() -> Result<()> {
    if cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        return Ok(());
    }
    bail!(
        "set-up: expected Linux on x86-64, got {} on {}\n\
         hint: install libtorch 2.11 and ONNX Runtime yourself and set LIBTORCH and ORT_DYLIB_PATH",
        std::env::consts::OS,
        std::env::consts::ARCH
    )
}

/// Libraries of the user's own must be where their variables say.
fn check_own(libtorch: Option<&Path>, runtime: Option<&Path>) -> Result<()> {
    let refuse = |name: &str, path: &Path, expected: &str| {
        Err(Request(format!(
            "setup: {name}: {}: expected {expected}, got none\n\
             hint: correct it, or unset it to have the library fetched",
            path.display()
        )))
    };
    if let Some(root) = libtorch.filter(|root| !root.join("lib").is_dir()) {
        refuse("LIBTORCH", root, "libtorch's folder, with lib in it")?;
    }
    if let Some(file) = runtime.filter(|file| !file.is_file()) {
        refuse("ORT_DYLIB_PATH", file, "the file libonnxruntime.so")?;
    }
    Ok(())
}

/// The folder to link against: only what has no CUDA in it, so that one binary serves both kinds of
/// machine. The empty `libtorch` stands in for the real one, which would pull CUDA in; the linker drops it.
fn link_folder(root: &Path) -> Result<()> {
    let lib = root.join("libtorch/lib");
    fs::create_dir_all(&lib)?;
    symlink("../torch/include", root.join("libtorch/include"))?;
    for name in ["libtorch_cpu.so", "libc10.so"] {
        symlink(format!("../../torch/lib/{name}"), lib.join(name))?;
    }
    let empty = root.join("empty.c");
    fs::write(&empty, "")?;
    process::run(
        Command::new("c++").args(["-shared", "-o"]).arg(lib.join("libtorch.so")).arg(&empty),
    )?;
    remove(&empty)
}

/// Points `.native` at the cache, replacing what it pointed at before.
fn point_link(place: &Path) -> Result<()> {
    let link = native::link();
    if fs::read_link(&link).is_ok_and(|target| target == place) {
        return Ok(());
    }
    let fresh = link.with_extension("new");
    remove(&fresh)?;
    symlink(place, &fresh)?;
    fs::rename(&fresh, &link).with_context(|| format!("cannot replace {}", link.display()))
}

fn remove(path: &Path) -> Result<()> {
    let gone = match fs::symlink_metadata(path) {
        Err(_) => return Ok(()),
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
    };
    gone.with_context(|| format!("cannot remove {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_whole_any_more_is_fetched_again() {
        let cache = tempfile::tempdir().unwrap();
        let place = cache.path().join("native");
        let mut fetched = 0;
        let mut fetch = || {
            fetch_once(
                &place,
                |place| place.join("library").is_file(),
                |partial| {
                    fetched += 1;
                    Ok(fs::write(partial.join("library"), "")?)
                },
            )
            .unwrap();
            fetched
        };
        assert_eq!((fetch(), fetch()), (1, 1));
        fs::rename(place.join("library"), place.join("moved")).unwrap();
        assert_eq!((fetch(), fetch()), (2, 2));
        assert!(!place.join("moved").exists());
        fs::remove_dir_all(&place).unwrap();
        fs::write(&place, "a file").unwrap();
        assert_eq!(fetch(), 3);
    }
}
