//! `infer live` as a service: flags from a file, and what the service manager hears, with the real program.
//! The manager is a Unix datagram socket here, as sd_notify(3) describes it. Not the archive that a vehicle
//! is given, which is `cargo xtask package`'s.

mod common;

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use common::{error_of, infer, live, model};

/// A drive on small streets, without a window.
fn drive(more: &[&str]) -> assert_cmd::Command {
    let mut command = live("streets");
    command.args(["--size", "64x64"]).args(more);
    command
}

/// What the manager hears of a run, and the run's exit code.
fn heard(command: &mut assert_cmd::Command) -> (Vec<String>, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let reader = socket.try_clone().unwrap();
    let messages = std::thread::spawn(move || {
        let mut messages = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let length = reader.recv(&mut buffer).unwrap();
            let text = String::from_utf8(buffer[..length].to_vec()).unwrap();
            match text.as_str() {
                "end of the test" => return messages,
                _ => messages.push(text),
            }
        }
    });
    let output = command.env("NOTIFY_SOCKET", &path).output().unwrap();
    UnixDatagram::unbound().unwrap().send_to(b"end of the test", &path).unwrap();
    (messages.join().unwrap(), output.status.code())
}

/// A config file, and `infer live` with it.
fn with_config(folder: &Path, text: &str) -> assert_cmd::Command {
    let path = folder.join("vehicle.toml");
    std::fs::write(&path, text).unwrap();
    let mut command = infer();
    command.args(["live", "--config"]).arg(path);
    command
}

#[test]
fn the_manager_hears_of_the_first_mask_of_every_frame_and_of_the_end() {
    let (messages, code) = heard(&mut drive(&["--max-frames", "5", "--fps", "20"]));
    assert_eq!(code, Some(0));
    let mut messages = messages.into_iter().filter(|m| !m.starts_with("STATUS=models are loaded"));
    let ready = messages.next().unwrap();
    assert!(ready.starts_with("READY=1\nSTATUS=segmenting on cpu, first mask "), "{ready}");
    assert!(ready.ends_with(" s after the start\nWATCHDOG=1"), "{ready}");
    let rest: Vec<String> = messages.collect();
    assert_eq!(rest, ["WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]);
}

#[test]
fn a_source_that_gives_no_frames_for_seconds_leaves_the_worker_alive() {
    let (messages, code) = heard(&mut drive(&["--realtime", "--fps", "0.4", "--max-frames", "2"]));
    assert_eq!(code, Some(0));
    // Between two frames 2.5 seconds apart are two idle ones, or one on a machine under load.
    let alive = messages.iter().filter(|m| *m == "WATCHDOG=1").count();
    assert!(alive >= 2, "{messages:?}");
    assert_eq!(messages.last().unwrap(), "STOPPING=1");
}

#[test]
fn of_a_worker_that_hangs_nothing_is_heard() {
    let slow = ["--slow-down", "1000000", "--deadline", "2.5"];
    let (messages, code) = heard(&mut drive(&slow));
    assert_eq!(code, Some(1));
    let early = |m: &&String| m.starts_with("STATUS=models are loaded");
    assert!(messages.iter().filter(early).count() <= 1, "{messages:?}");
    let rest: Vec<&String> = messages.iter().filter(|m| !early(m)).collect();
    assert_eq!(rest, ["STOPPING=1"]);
}

#[test]
fn a_manager_that_is_not_there_or_never_reads_does_not_touch_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let mut command = drive(&["--max-frames", "40"]);
    command.timeout(Duration::from_secs(60)).env("NOTIFY_SOCKET", &path);
    command.assert().success();
    // More frames than fit into the queue of a socket.
    let limit = std::fs::read_to_string("/proc/sys/net/unix/max_dgram_qlen").unwrap();
    let frames = (limit.trim().parse::<u64>().unwrap() + 20).to_string();
    let _unread = UnixDatagram::bind(&path).unwrap();
    let mut command = drive(&["--max-frames", &frames]);
    command.timeout(Duration::from_secs(60)).env("NOTIFY_SOCKET", &path);
    let out = String::from_utf8(command.assert().success().get_output().stdout.clone()).unwrap();
    assert!(out.starts_with(&format!("captured {frames} = shown {frames} ")), "{out}");
    let mut command = drive(&["--max-frames", "1"]);
    let output = command.env("NOTIFY_SOCKET", "/x".repeat(200)).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("NOTIFY_SOCKET: cannot be used"), "{text}");
}

#[test]
fn a_run_is_what_its_file_says_but_for_what_is_typed() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        "models = [{:?}]\nsource = \"streets:3\"\nsize = \"64x64\"\nprovider = \"cpu\"\n\
         headless = true\nrealtime = false\nmax-frames = 3\n",
        model("both")
    );
    let captured = |more: &[&str]| {
        let output = with_config(folder.path(), &text).args(more).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(captured(&[]).starts_with("captured 3 = shown 3 "));
    assert!(captured(&["--max-frames", "2"]).starts_with("captured 2 = shown 2 "));
    let wrong = text.replace("streets:3", "streets:x");
    let error = error_of(&mut with_config(folder.path(), &wrong), 2);
    assert!(error.contains("source: streets:x"), "{error}");
    captured(&["--source", "streets:4"]);
}

#[test]
fn what_a_file_should_not_say_is_one_line_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    for (text, expected) in [
        ("stale_ms = 5", "vehicle.toml: stale_ms: expected the long name of a flag"),
        ("stale-ms = -1", "vehicle.toml: stale-ms: invalid value '-1'"),
        ("headless = 1", "vehicle.toml: headless: expected true or false, got integer"),
        ("config = 'a.toml'", "vehicle.toml: config: expected a flag other than itself"),
        ("models = [", "vehicle.toml: "),
    ] {
        let error = error_of(&mut with_config(folder.path(), text), 2);
        assert!(error.contains(expected) && error.contains("hint: "), "{text}: {error}");
        assert_eq!(error.lines().count(), 2, "{error}");
    }
    let error = error_of(infer().args(["live", "--config", "/no/such.toml"]), 2);
    assert!(error.contains("config: /no/such.toml: No such file"), "{error}");
}

#[test]
fn more_than_four_models_are_refused_however_they_are_given() {
    let folder = tempfile::tempdir().unwrap();
    let five = ["--models", "a", "b", "c", "--models", "d", "e"];
    let error = error_of(infer().args(["live", "--source", "streets"]).args(five), 2);
    assert!(error.contains("--models: expected one to 4, got 5"), "{error}");
    let text = "models = ['a', 'b', 'c', 'd', 'e']\nsource = 'streets'";
    let error = error_of(&mut with_config(folder.path(), text), 2);
    assert!(error.contains("--models: expected one to 4, got 5"), "{error}");
}
