//! `infer live` without a window: what it counts, writes and refuses, on generated streets and on images.
//! Not video, which needs the ffmpeg program: `live_video.rs`.

mod common;

use std::io::Read;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{
    best, card, data_set, ended_well, error_of, infer, live, model, network, number,
    onto_full_disk, with_card,
};
use infer::live::sink::Header;
use serde_json::json;
use sha2::{Digest, Sha256};

/// As [`live`] on streets, for tests that need the process.
fn drive(more: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_infer"))
        .args(["live", "--headless", "--provider", "cpu", "--source", "streets", "--fps", "50"])
        .arg("--models")
        .arg(model("both"))
        .args(more)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Captured = shown + dropped + in flight, added up here and not by the program.
fn check_books(text: &str) {
    let sum: u64 = ["= shown ", "+ dropped ", "in flight "].map(|n| number(text, n)).iter().sum();
    assert_eq!(number(text, "captured "), sum, "{text}");
}

/// The packets in the bytes of a sink.
fn packets(mut bytes: &[u8]) -> Vec<(Header, Vec<u8>)> {
    let mut packets = Vec::new();
    while !bytes.is_empty() {
        let header = Header::from_bytes(bytes[..Header::LENGTH].try_into().unwrap()).unwrap();
        let end = Header::LENGTH + header.labels_length() as usize;
        packets.push((header, bytes[Header::LENGTH..end].to_vec()));
        bytes = &bytes[end..];
    }
    packets
}

#[test]
fn every_street_is_shown_and_the_books_say_so() {
    let out = ended_well(live("streets:3").args(["--size", "64x64", "--max-frames", "12"]));
    let expected =
        "captured 12 = shown 12 + dropped 0 (0 before the model, 0 after) + in flight 0\n";
    assert!(out.starts_with(expected) && out.contains("median ms: capture "), "{out}");
}

#[test]
fn in_real_time_a_slow_model_drops_frames_and_its_results_are_stale() {
    let slow = ["--realtime", "--fps", "100", "--slow-down", "200", "--stale-ms", "1"];
    let out =
        ended_well(live("streets").args(["--size", "64x64", "--max-frames", "80"]).args(slow));
    check_books(&out);
    assert!(number(&out, "+ dropped ") > 10, "{out}");
    assert_eq!(number(&out, "stale when shown "), number(&out, "= shown "), "{out}");
}

#[test]
fn a_folder_is_played_to_its_end_and_what_cannot_be_read_makes_the_command_fail() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 4);
    let images = folder.path().join("images/val");
    let out = ended_well(&mut live(images.to_str().unwrap()));
    assert!(out.starts_with("captured 4 = shown 4 "), "{out}");
    std::fs::write(images.join("scene_2.png"), "no picture").unwrap();
    let text = error_of(&mut live(images.to_str().unwrap()), 1);
    assert!(text.contains("got 1 unreadable") && text.contains("scene_2.png"), "{text}");
    assert!(text.contains("captured 3 = shown 3 "), "{text}");
    // A list, with a comment, looped: the sizes of the images differ from frame to frame.
    let list = folder.path().join("list.txt");
    std::fs::write(&list, "# two\nimages/val/scene_0.png\nimages/val/scene_1.png\n").unwrap();
    let out = ended_well(live(list.to_str().unwrap()).args(["--loop", "--max-frames", "5"]));
    assert!(out.starts_with("captured 5 = shown 5 "), "{out}");
}

#[test]
fn the_sink_on_standard_output_has_the_labels_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    let path = folder.path().join("images/val/scene_0.png");
    let output = live(path.to_str().unwrap())
        .args(["--sink", "stdout", "--stale-ms", "60000"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let packets = packets(&output.stdout);
    let [(header, labels)] = packets.as_slice() else { panic!("{} packets", packets.len()) };
    let image = image::open(&path).unwrap().into_rgb8();
    let (w, h) = image.dimensions();
    let logits = network(image.as_raw(), w as usize, h as usize);
    let expected: Vec<u8> = (0..(w * h) as usize).map(|i| best(&logits, i) as u8).collect();
    assert_eq!(*labels, expected);
    let sum: [u8; 32] = Sha256::digest(std::fs::read(model("both")).unwrap()).into();
    assert_eq!((header.model_sha256, header.model), (sum, 0));
    assert_eq!((header.sequence, header.width, header.height, header.stale), (0, w, h, false));
    assert!(header.age_ns > 0 && header.age_ns < 60_000_000_000);
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("captured 1 = shown 1 ") && text.contains("sink: readers 1"), "{text}");
}

#[test]
fn standard_output_that_cannot_be_written_is_a_failure_and_a_reader_that_goes_is_none() {
    let run = |out: Stdio| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_infer"));
        command.args([
            "live",
            "--headless",
            "--provider",
            "cpu",
            "--source",
            "streets",
            "--models",
        ]);
        command.arg(model("both")).args(["--size", "64x64", "--sink", "stdout"]);
        command.stdout(out).stderr(Stdio::piped()).spawn().unwrap()
    };
    let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
    let output = run(full.into()).wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("error: sink: stdout: cannot write: No space left"), "{text}");
    assert!(text.contains("frames sent 0, dropped by slow readers "), "{text}");
    assert!(number(&text, "dropped by slow readers ") > 0, "{text}");
    let mut run = run(Stdio::piped());
    drop(run.stdout.take());
    assert_eq!(run.wait().unwrap().code(), Some(0));
}

#[test]
fn old_labels_are_flagged_and_never_called_fresh() {
    let mut command = live("streets");
    command.args(["--size", "64x64", "--max-frames", "9", "--sink", "stdout"]);
    command.args(["--slow-down", "300", "--stale-ms", "20"]);
    let packets = packets(&command.output().unwrap().stdout);
    assert!(packets.iter().any(|(header, _)| header.stale));
    for (header, _) in packets {
        assert_eq!(header.stale, header.age_ns > 20_000_000, "{header:?}");
    }
}

/// Waits for the socket of a run and connects to it.
fn connect(path: &Path) -> UnixStream {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        match UnixStream::connect(path) {
            Ok(stream) => return stream,
            Err(error) => assert!(Instant::now() < until, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_reader_that_does_not_read_slows_nobody_and_its_frames_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("labels");
    let place = format!("unix:{}", socket.display());
    let run = drive(&["--size", "512x256", "--max-frames", "40", "--sink", &place]);
    let (lazy, mut keen) = (connect(&socket), connect(&socket));
    let mut bytes = Vec::new();
    keen.read_to_end(&mut bytes).unwrap();
    let output = run.wait_with_output().unwrap();
    drop(lazy);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.starts_with("captured 40 = shown 40 "), "{text}");
    let got = packets(&bytes);
    assert!(got.is_sorted_by(|(a, _), (b, _)| a.sequence < b.sequence), "in order, each once");
    // At least two packets fit into no socket's buffer that was bounded to one.
    assert!(got.len() > 10 && number(&text, "dropped by slow readers ") > 10, "{text}");
    assert!(!socket.exists(), "the socket is gone with the run");
}

#[test]
fn two_models_send_two_packets_a_frame_and_must_have_the_same_classes() {
    let folder = tempfile::tempdir().unwrap();
    let run = |second: &Path| {
        let mut command = live("streets");
        command.arg(second).args(["--size", "64x64", "--max-frames", "1", "--sink", "stdout"]);
        command
    };
    let got = packets(&run(&model("labels")).output().unwrap().stdout);
    assert_eq!(
        got.iter().map(|(h, _)| (h.sequence, h.model)).collect::<Vec<_>>(),
        [(0, 0), (0, 1)]
    );
    assert_eq!(got[0].1, got[1].1, "the same weights");
    let mut other = card();
    other["classes"][4]["name"] = json!("mast");
    let path = folder.path().join("other.onnx");
    with_card(&path, &other);
    let text = error_of(&mut run(&path), 2);
    assert!(text.contains("class 4: expected \"pole\" as in "), "{text}");
    assert!(text.contains("error: --models: ") && text.contains("got \"mast\""), "{text}");
}

#[test]
fn the_rare_view_takes_a_card_with_a_rare_class_and_any_number_of_models() {
    let folder = tempfile::tempdir().unwrap();
    let run = |model: &Path| {
        let mut command = infer();
        command.args(["live", "--headless", "--provider", "cpu", "--source", "streets", "--size"]);
        command.args(["64x64", "--max-frames", "1", "--view", "rare", "--models"]).arg(model);
        command
    };
    assert!(ended_well(&mut run(&model("both"))).starts_with("captured 1 = shown 1 "));
    let mut common = card();
    common["class_share"] = json!([0.3, 0.4, 0.2, 0.04, 0.03, 0.03]);
    let path = folder.path().join("common.onnx");
    with_card(&path, &common);
    let text = error_of(&mut run(&path), 2);
    assert!(text.contains("--view: rare: expected a card with a rare class, got none"), "{text}");
}

#[test]
fn a_run_that_hangs_is_ended_at_its_deadline() {
    let start = Instant::now();
    let mut command = live("streets");
    command.args(["--size", "64x64", "--slow-down", "1000000", "--deadline", "0.3"]);
    let text = error_of(&mut command, 1);
    assert!(text.contains("frame 0: expected labels within 0.3 s, got none"), "{text}");
    check_books(&text);
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn a_signal_ends_a_drive_in_order() {
    let mut run = drive(&["--size", "64x64", "--sink", "stdout"]);
    let mut first = [0; Header::LENGTH];
    run.stdout.as_mut().unwrap().read_exact(&mut first).unwrap();
    assert!(
        Command::new("kill").args(["-TERM", &run.id().to_string()]).status().unwrap().success()
    );
    assert_eq!(run.wait_with_output().unwrap().status.code(), Some(0));
}

#[test]
fn a_log_that_cannot_be_written_ends_nothing() {
    let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
    let run = |source: &str| {
        Command::new(env!("CARGO_BIN_EXE_infer"))
            .args(["live", "--headless", "--provider", "cpu", "--max-frames", "3", "--models"])
            .arg(model("both"))
            .args(["--size", "64x64", "--source", source])
            .stdout(Stdio::null())
            .stderr(full())
            .status()
            .unwrap()
    };
    assert_eq!(run("streets").code(), Some(0));
    assert_eq!(run("streets:x").code(), Some(2), "an error that nobody hears keeps its exit code");
}

#[test]
fn a_report_that_standard_output_does_not_take_goes_to_standard_error() {
    let text = onto_full_disk(live("streets").args(["--max-frames", "3", "--size", "64x64"]));
    let (report, error) = text.split_once("error: standard output: ").expect(&text);
    assert!(report.contains("captured 3 = shown 3 ") && error.contains("hint: "), "{text}");
}

#[test]
fn what_contradicts_itself_or_is_not_there_is_refused_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    data_set(folder.path(), 1);
    let images = folder.path().join("images/val");
    let images = images.to_str().unwrap();
    let check = |source: &str, more: &[&str], expected: &str| {
        let text = error_of(live(source).args(more), 2);
        assert!(text.contains(expected) && text.contains("hint: "), "{source} {more:?}: {text}");
    };
    check("/no/such/video.mp4", &[], "expected a file or folder, got No such file");
    check("/dev/video97", &[], "source: /dev/video97: expected a camera, got No such file");
    check("camera:97", &["--loop"], "--loop: expected files as source, got a camera");
    check("/dev/fd", &[], "expected pictures that can be read, got none");
    let pipe = folder.path().join("pipe.png");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    check(pipe.to_str().unwrap(), &[], "pipe.png: expected a file, got a pipe");
    check("streets", &["--loop"], "--loop: expected files as source, got streets");
    check("streets", &["--size", "63x64"], "expected even sides");
    check("streets:x", &[], "expected streets:NUMBER");
    check("rtsp://host/x", &["--realtime"], "--realtime: expected files or streets");
    check(
        images,
        &["--size", "64x64"],
        "--size: expected streets or a camera as source, got images",
    );
    check("streets", &["--record", "film.avi"], "expected .mp4, .mkv or .mov, got .avi");
    check("streets", &["--record", "/proc/pictures"], "record: /proc: cannot write to the folder");
    check("streets", &["--names", "a,b"], "--names: expected 1 name, got 2");
    check("streets", &["--sink", "unix:/no/such/folder/socket"], "sink: /no/such/folder/socket");
    let file = folder.path().join("six.toml");
    check("streets", &["--sink", &format!("unix:{}", file.display())], "got a file");
    for flags in [["--sink", "tcp:1"], ["--fps", "0"], ["--stale-ms", "0"], ["--opacity", "2"]] {
        let text = error_of(live("streets").args(flags), 2);
        assert!(text.contains("invalid value"), "{text}");
    }
}

#[test]
fn a_window_whose_screenshots_could_not_be_saved_is_refused() {
    let mut command = infer();
    command.args([
        "live",
        "--provider",
        "cpu",
        "--source",
        "streets",
        "--screenshots",
        "/proc/new",
    ]);
    let text = error_of(command.arg("--models").arg(model("both")), 2);
    assert!(text.contains("--screenshots: /proc") && text.contains("hint: "), "{text}");
}

#[test]
fn without_a_display_the_error_says_what_needs_none() {
    let mut command = infer();
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY").env_remove("WAYLAND_SOCKET");
    command.args(["live", "--provider", "cpu", "--source", "streets", "--models"]);
    let text = error_of(command.arg(model("both")), 2);
    assert!(text.contains("expected a display") && text.contains("--headless"), "{text}");
}
