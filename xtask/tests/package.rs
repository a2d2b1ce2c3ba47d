//! The archive for a vehicle: unpacked where there is nothing but the C library, it runs as it is.
//!
//! Such a place is an empty folder that becomes the root: the archive in /opt, the dynamic linker, and the
//! libraries that `ldd` names. Needs the right to change the root, as root or in a user namespace of one's own.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The programs, as `cargo build --release` left them.
fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_xtask")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: run `cargo build --release`", path.display());
    path
}

/// A model of a few kilobytes.
fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../infer/tests/models/both.onnx")
}

/// `cargo xtask package` of a built program, into `out`.
fn package(model: &Path, out: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("package").arg("--program").arg(program("infer"));
    command.arg("--model").arg(model).arg("--out").arg(out);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Runs a command that must succeed, and gives its standard output.
fn succeeds(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// Packs, checks what was printed, and gives the archive.
fn archive(out: &Path) -> PathBuf {
    let printed = succeeds(&mut package(&model(), out));
    let path = PathBuf::from(printed.strip_suffix('\n').unwrap());
    assert_eq!(path.parent(), Some(out), "one line, the path");
    path
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

/// The libraries that a program or library is linked with here, and the dynamic linker.
fn linked(file: &Path) -> Vec<PathBuf> {
    let text = succeeds(Command::new("ldd").arg(file).env("LC_ALL", "C"));
    assert!(!text.contains("not found"), "{text}");
    let path = |line: &str| {
        let path = line.split_once("=> ").map_or(line, |(_, path)| path).trim();
        path.starts_with('/').then(|| path.split(' ').next().unwrap().into())
    };
    text.lines().filter_map(path).collect()
}

/// An empty machine with the archive in /opt: where its root is.
fn machine(folder: &Path, archive: &Path) -> PathBuf {
    let root = folder.join("root");
    let opt = root.join("opt");
    fs::create_dir_all(&opt).unwrap();
    succeeds(Command::new("tar").arg("-C").arg(&opt).arg("-xzf").arg(archive));
    let home = opt.join("recall-seg");
    let packed = names(&home).into_iter().filter(|name| name.contains(".so"));
    for file in packed.chain(["infer".to_owned()]) {
        for library in linked(&home.join(file)) {
            let to = root.join(library.strip_prefix("/").unwrap());
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(&library, to).unwrap();
        }
    }
    // All of /proc that is asked for: by this link a program knows where it lies.
    fs::create_dir_all(root.join("proc/self")).unwrap();
    symlink("/opt/recall-seg/infer", root.join("proc/self/exe")).unwrap();
    root
}

/// `infer`, in the folder that it was unpacked in, with that root and without a single variable.
fn inside(root: &Path, rights: &[&str], arguments: &[&str]) -> Output {
    let mut command = Command::new("unshare");
    command.args(rights).arg("--root").arg(root).args(["--wd", "/opt/recall-seg"]);
    command.arg("/opt/recall-seg/infer").args(arguments).env_clear().output().unwrap()
}

/// The options of `unshare` with which this user may change the root; `None` if with none.
fn rights(root: &Path) -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&[], &["--user", "--map-root-user"]];
    ways.into_iter().find(|way| {
        let text = said(&inside(root, way, &["--version"]));
        // A program that cannot be started is no lack of rights.
        !text.starts_with("unshare: ") || text.contains("failed to execute")
    })
}

#[test]
fn the_archive_runs_where_there_is_nothing_but_the_c_library() {
    let folder = tempfile::tempdir().unwrap();
    let root = machine(folder.path(), &archive(&folder.path().join("out")));
    let Some(rights) = rights(&root) else {
        assert!(std::env::var_os("CI").is_none(), "the right to change the root is missing");
        eprintln!("skipped: neither root nor a user namespace may change the root here");
        return;
    };
    let run = inside(&root, rights, &["live", "--config", "vehicle.toml", "--max-frames", "20"]);
    let text = said(&run);
    assert_eq!(run.status.code(), Some(0), "{text}");
    assert!(text.contains("models/both.onnx: cpu on ONNX Runtime"), "{text}");
    let number = |before: &str| -> u64 {
        let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("{before}: {text}"));
        rest.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
    };
    let parts = number("= shown ") + number("+ dropped ") + number("in flight ");
    assert_eq!((number("captured "), parts), (20, 20), "{text}");
    assert!(number("= shown ") > 0, "{text}");

    // The manifest holds what it promises: another byte in the model, and it is not opened.
    let path = root.join("opt/recall-seg/models/both.onnx");
    let mut bytes = fs::read(&path).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&path, bytes).unwrap();
    let run = inside(&root, rights, &["live", "--config", "vehicle.toml"]);
    assert_eq!(run.status.code(), Some(2), "{}", said(&run));
    assert!(said(&run).contains("expected SHA-256"), "{}", said(&run));
}

#[test]
fn checksums_hold_and_the_same_inputs_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("a"), folder.path().join("b"));
    let path = archive(&first);
    assert_eq!(names(&first).len(), 2, "the archive and its checksum, nothing half-written");
    let check = |sums: &str, place: &Path| {
        succeeds(Command::new("sha256sum").args(["-c", sums]).current_dir(place).env("LC_ALL", "C"))
    };
    let name = path.file_name().unwrap().to_str().unwrap();
    assert_eq!(check(&format!("{name}.sha256"), &first), format!("{name}: OK\n"));

    succeeds(Command::new("tar").arg("-C").arg(&first).arg("-xzf").arg(&path));
    let home = first.join("recall-seg");
    let checked = check("SHA256SUMS", &home);
    let listed = |name: &str| checked.lines().any(|line| line == format!("{name}: OK"));
    for name in ["README.md", "infer", "models/both.onnx", "models/manifest.toml", "vehicle.toml"] {
        assert!(listed(name), "{name}: {checked}");
    }
    let files = succeeds(Command::new("find").args([".", "-type", "f"]).current_dir(&home));
    assert_eq!(checked.lines().count() + 1, files.lines().count(), "all but the list itself");
    let crates = fs::read_to_string(home.join("licenses/crates.txt")).unwrap();
    assert!(crates.contains("\nort 2.0.0") && !crates.contains("\ntch "), "what infer links");

    assert_eq!(fs::read(&path).unwrap(), fs::read(archive(&second)).unwrap());
}

#[test]
fn a_card_is_packed_for_the_one_of_two_models_that_needs_it() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = model().with_file_name("foreign.onnx");
    let card = folder.path().join("foreign.toml");
    // The classes of the other model, as models side by side must have.
    let classes = ["sky", "road", "building", "car", "pole", "person"].iter().enumerate();
    let classes = classes
        .map(|(i, name)| format!("{{ name = \"{name}\", color = [{i}, 0, 0], native = {i} }}"));
    let classes = classes.collect::<Vec<_>>().join(", ");
    let input = "[input]\nmean = [0.485, 0.456, 0.406]\nstd = [0.229, 0.224, 0.225]\n";
    fs::write(&card, format!("classes = [{classes}]\n{input}")).unwrap();
    let mut command = package(&elsewhere, folder.path());
    command.arg("--model").arg(model());
    let card = format!("{}={}", elsewhere.display(), card.display());
    let path = succeeds(command.arg("--card").arg(card));
    succeeds(Command::new("tar").args(["-xzf", path.trim_end(), "-C"]).arg(folder.path()));
    let home = folder.path().join("recall-seg");
    let sample = fs::read_to_string(home.join("vehicle.toml")).unwrap();
    let expected = "card = [\"models/foreign.onnx=models/foreign.toml\"]\n";
    assert!(sample.contains(expected), "{sample}");
    let manifest = fs::read_to_string(home.join("models/manifest.toml")).unwrap();
    assert!(
        manifest.contains("\"foreign.onnx\"") && manifest.contains("\"both.onnx\""),
        "{manifest}"
    );
    let arguments = ["live", "--config", "vehicle.toml", "--max-frames", "2"];
    let counts = succeeds(Command::new(home.join("infer")).args(arguments).current_dir(&home));
    assert!(counts.starts_with("captured 2 = shown "), "{counts}");
}

#[test]
fn what_cannot_be_packed_is_one_line_with_a_hint_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out");
    let refused = |code: i32, command: &mut Command, expected: &str| {
        let output = command.output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert!(text.contains(&format!("error: {expected}")), "{expected}: {text}");
        assert!(text.lines().any(|line| line.starts_with("hint: ")), "{text}");
        assert!(!out.exists() || names(&out).is_empty(), "{:?}", names(&out));
    };
    let none = Path::new("/no/such.onnx");
    refused(2, &mut package(none, &out), "package: /no/such.onnx: expected an exported model");
    let mut twice = package(&model(), &out);
    refused(2, twice.arg("--model").arg(model()), &format!("package: {}: exp", model().display()));
    let mut card = package(&model(), &out);
    refused(2, card.args(["--card", "other.onnx=card.toml"]), "package: --card other.onnx=");
    let mut runtime = package(&model(), &out);
    runtime.env("ORT_DYLIB_PATH", "/no/such.so");
    refused(2, &mut runtime, "ONNX Runtime: /no/such.so: expected the library, got No such file");
    let mut tools = package(&model(), &out);
    refused(1, tools.env("PATH", "/no/such"), "package: expected the program strip, got none");
    // What is no model is refused by the program that was to run it, in its own words.
    let broken = folder.path().join("broken.onnx");
    fs::write(&broken, "no model").unwrap();
    refused(1, &mut package(&broken, &out), "model: models/broken.onnx: expected an ONNX model");
}
