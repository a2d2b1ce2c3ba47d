//! Set-up where the libraries are the user's own: nothing is fetched, and what is not there is said.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn setup(libtorch: &Path, runtime: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("setup").env("LIBTORCH", libtorch).env("ORT_DYLIB_PATH", runtime);
    command.output().unwrap()
}

#[test]
fn own_libraries_are_left_alone_and_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let (libtorch, runtime) = (folder.path(), folder.path().join("libonnxruntime.so"));
    fs::create_dir(libtorch.join("lib")).unwrap();
    fs::write(&runtime, "").unwrap();
    let said = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();

    let output = setup(libtorch, &runtime);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("nothing to fetch"), "{}", said(&output));

    let none = Path::new("/no/such");
    for (output, variable) in
        [(setup(none, &runtime), "LIBTORCH"), (setup(libtorch, none), "ORT_DYLIB_PATH")]
    {
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        let expected = format!("error: setup: {variable}: /no/such: expected ");
        assert!(said(&output).starts_with(&expected), "{}", said(&output));
        assert!(said(&output).contains("\nhint: "), "{}", said(&output));
    }
}
