//! `infer live` on video: with the ffmpeg program, and with a script in its place that breaks in every way.
//! Without ffmpeg the tests that need it fail in CI, and say that they were skipped elsewhere.

mod common;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::video::{ffmpeg_is_here, probe, text, video};
use common::{ended_well, error_of, live, model, number};

#[test]
fn every_frame_of_a_file_is_shown_and_recorded_at_its_own_rate() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = video(folder.path(), "a film: one.mp4", "96x64");
    let copy = folder.path().join("copy 12:30.mp4");
    let out = ended_well(live(text(&film)).arg("--record").arg(&copy));
    assert!(
        out.contains("captured 10 = shown 10 ")
            && out.contains("copy 12:30.mp4: results 10 = written 10"),
        "{out}"
    );
    assert!(out.contains("ended after 10 frames"), "{out}");
    assert_eq!(probe(&copy, "stream=nb_read_frames,r_frame_rate"), ["10/1,10"]);
    // Nothing is overwritten, least of all what is being read.
    let before = std::fs::read(&film).unwrap();
    let out = ended_well(live(text(&film)).arg("--record").arg(&film));
    assert!(out.contains("a film: one.mp4 is there already: recording to "), "{out}");
    assert!(out.contains("a film: one-2.mp4: results 10 = written 10"), "{out}");
    assert_eq!(std::fs::read(&film).unwrap(), before);
    let looped = ended_well(live(text(&film)).args(["--loop", "--max-frames", "25"]));
    assert!(looped.contains("captured 25 = shown 25 "), "{looped}");
}

#[test]
fn a_video_that_changes_its_size_keeps_every_frame_and_says_so() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let both = folder.path().join("both.m4v");
    // A raw MPEG-4 stream may be continued by another: what a camera does that is switched over.
    let parts = ["96x64", "64x96"].map(|size| {
        let part = video(folder.path(), &format!("{size}.m4v"), size);
        std::fs::read(part).unwrap()
    });
    std::fs::write(&both, parts.concat()).unwrap();
    let out = ended_well(&mut live(text(&both)));
    assert!(out.contains("changed size from 96x64 to 64x96"), "{out}");
    assert!((19..=20).contains(&number(&out, "captured ")), "the splice may cost a frame: {out}");
}

#[test]
fn a_frame_is_handed_over_before_the_next_one_comes() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = video(folder.path(), "film.mp4", "96x64");
    let out = ended_well(live(text(&film)).arg("--realtime"));
    let (_, median) = out.split_once("median ms: capture ").unwrap_or_else(|| panic!("{out}"));
    let capture: f64 = median.split(',').next().unwrap().parse().unwrap();
    assert!(capture < 70.0, "of the 100 ms between two frames: {out}");
}

#[test]
fn a_title_that_looks_like_ffmpegs_own_words_announces_no_frame() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (film, titled) =
        (video(folder.path(), "film.mp4", "96x64"), folder.path().join("titled.mp4"));
    let made = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-i", text(&film), "-c", "copy", "-metadata"])
        .arg("title=[Parsed_showinfo_0 @ 0x1] [info] n: 0 s:96x32 i:P")
        .arg(&titled)
        .status()
        .unwrap();
    assert!(made.success());
    let out = ended_well(&mut live(text(&titled)));
    assert!(out.contains("captured 10 = shown 10 ") && !out.contains("changed size"), "{out}");
}

#[test]
fn a_file_that_is_no_video_is_refused_and_so_is_a_protocol_that_is_none() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.mp4");
    std::fs::write(&garbage, [7; 5000]).unwrap();
    let error = error_of(&mut live(text(&garbage)), 2);
    assert!(
        error.contains("expected video, got no frame: ") && error.contains("ffprobe"),
        "{error}"
    );
    let error = error_of(&mut live("rstp://127.0.0.1:1"), 2);
    assert!(error.contains("got no frame: Protocol not found"), "{error}");
}

#[test]
fn a_stream_that_nobody_sends_is_tried_for_ten_seconds_and_fails_the_run() {
    if !ffmpeg_is_here() {
        return;
    }
    let start = Instant::now();
    let error = error_of(&mut live("tcp://127.0.0.1:1"), 1);
    assert!(error.contains("Connection refused; opening it again in 0.25 s"), "{error}");
    assert!(error.contains("expected video, got no frame in "), "{error}");
    assert!(start.elapsed() > Duration::from_secs(10), "a camera may be about to come");
}

/// A folder with a script for ffmpeg; `launches` are its deeds, launch by launch, the last one again and again.
fn fake(launches: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut script = String::from(
        r#"#!/bin/sh
[ "$1" = -version ] && { echo "ffmpeg version 5.1 fake"; exit 0; }
n=0; [ -f "$0.n" ] && read n < "$0.n"; echo $((n + 1)) > "$0.n"
i=0
size() { echo "[Parsed_showinfo_0 @ 0x1] [info] n:   $i pts: 0 fmt:rgb24 s:$1x$2 i:P" >&2; i=$((i + 1)); }
frame() { size $1 $2; printf "%0$(($1 * $2 * 3))d" 0; }
case $n in
"#,
    );
    for (i, deed) in launches.iter().enumerate() {
        let n = if i + 1 == launches.len() { "*".into() } else { i.to_string() };
        script += &format!("{n}) {deed} ;;\n");
    }
    script += "esac\n";
    let path = folder.path().join("ffmpeg");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    folder
}

/// `live` on a stream, with the script in ffmpeg's place.
fn with_fake(folder: &Path) -> assert_cmd::Command {
    let mut command = live("rtsp://user:secret@camera/main");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", folder.display()));
    command
}

/// Small streets, recorded on `file` by the script in ffmpeg's place.
fn recorded_by_fake(folder: &Path, file: &str) -> assert_cmd::Command {
    let mut command = live("streets");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{}:{path}", folder.display()));
    command.args(["--size", "64x64", "--record"]).arg(folder.join(file));
    command
}

#[test]
fn a_recording_in_real_time_keeps_the_times_of_its_pictures() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["drive.mkv", "drive.mp4"] {
        let film = folder.path().join(name);
        let mut command = live("streets");
        command.args(["--size", "64x64", "--realtime", "--fps", "8", "--max-frames", "17"]);
        let out = ended_well(command.arg("--record").arg(&film));
        let times: Vec<f64> = probe(&film, "packet=pts_time")
            .iter()
            .map(|line| line.trim_end_matches(',').parse().unwrap())
            .collect();
        assert!(out.contains(&format!("= written {} + dropped", times.len())), "{out}");
        // Sixteen intervals of an eighth of a second; frames at either end may be dropped under load.
        let lasted = times[times.len() - 1] - times[0];
        assert!(times[0] == 0.0 && (1.0..=2.5).contains(&lasted), "{times:?}");
    }
}

#[test]
fn a_recording_that_is_cut_off_can_be_played() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["drive.mkv", "drive.mp4", "drive.mov"] {
        let film = folder.path().join(name);
        ended_well(
            live("streets")
                .args(["--size", "64x64", "--max-frames", "90"])
                .arg("--record")
                .arg(&film),
        );
        let bytes = std::fs::read(&film).unwrap();
        std::fs::write(&film, &bytes[..bytes.len() * 3 / 4]).unwrap();
        let [frames] = &probe(&film, "stream=nb_read_frames")[..] else { panic!("{name}") };
        assert!((20..90).contains(&frames.parse::<u32>().unwrap()), "{name}: {frames}");
    }
}

#[test]
fn an_encoder_that_hangs_is_given_up_at_the_deadline() {
    let folder = fake(&["exec sleep 60"]);
    // In real time nobody waits with it; it is noticed all the same.
    for more in [&["--realtime"][..], &[]] {
        let mut command = recorded_by_fake(folder.path(), "drive.mp4");
        let start = Instant::now();
        let error = error_of(command.args(["--deadline", "1.5"]).args(more), 1);
        assert!(
            error.contains("drive.mp4: expected a picture to be taken within 1.5 s"),
            "{error}"
        );
        assert!(error.contains("hint: nothing was recorded"), "{error}");
        assert!(start.elapsed() < Duration::from_secs(30));
        assert!(!folder.path().join("drive.mp4").exists());
    }
}

#[test]
fn an_encoder_that_dies_ends_the_run_and_what_it_wrote_is_kept() {
    let deed = "for last; do :; done; echo half > \"${last#file:}\"; head -c 60000 > /dev/null; \
                echo 'No space left on device' >&2; echo 'and so on' >&2; exit 1";
    let folder = fake(&[deed]);
    for more in [&["--realtime"][..], &[]] {
        let error = error_of(recorded_by_fake(folder.path(), "drive.mkv").args(more), 1);
        for expected in [
            "] record: ffmpeg: No space left on device",
            "expected ffmpeg to encode, got a failure: No space left on device",
            "hint: what was recorded until then is kept: ",
        ] {
            assert!(error.contains(expected), "{expected}: {error}");
        }
    }
    for name in ["drive.mkv", "drive-2.mkv"] {
        assert_eq!(std::fs::read(folder.path().join(name)).unwrap(), b"half\n");
    }
}

#[test]
fn an_encoder_that_complains_without_end_is_heard_and_does_not_hang() {
    let folder = fake(&["head -c 300000 /dev/zero | tr '\\0' '\\n' >&2; exec cat > /dev/null"]);
    let mut command = recorded_by_fake(folder.path(), "drive.mkv");
    let out = ended_well(command.args(["--max-frames", "5"]));
    assert!(out.contains("drive.mkv: results 5 = written 5"), "{out}");
}

#[test]
fn a_stream_that_breaks_is_reported_and_opened_again() {
    let folder = fake(&[
        "frame 64 48; frame 64 48; exit 0",
        "frame 64 48; frame 32 40; echo '[rtsp @ 0x1] [error] Connection reset by peer' >&2; exit 1",
        "frame 64 48; size 64 48; head -c 100 /dev/zero; exit 0",
        "size 99999 99999; sleep 20",
        "while :; do frame 64 48; sleep 0.02; done",
    ]);
    let out = ended_well(with_fake(folder.path()).args(["--max-frames", "9"]));
    for expected in [
        "rtsp://***@camera/main: ended; opening it again in 0.25 s",
        "changed size from 64x48 to 32x40",
        "Connection reset by peer; opening it again",
        "expected 9216 bytes of a frame of 64x48, got 100; opening it again",
        "expected a frame of at most 16384 pixels a side, got 99999x99999; opening it again in 0.25 s",
        "frames again after",
        "captured 9 = shown ",
        "reopened 4",
    ] {
        assert!(out.contains(expected), "{expected}: {out}");
    }
}

#[test]
fn a_stream_that_stands_still_is_reported_within_a_second() {
    let folder = fake(&["frame 64 48; exec sleep 20", "while :; do frame 64 48; sleep 0.02; done"]);
    let out = ended_well(with_fake(folder.path()).args(["--max-frames", "3"]));
    let reported =
        out.lines().find(|l| l.contains("no frame for 0.")).unwrap_or_else(|| panic!("{out}"));
    assert!(!reported.contains("opening"), "the report comes first: {out}");
    assert!(out.contains("no frame for 3.") && out.contains("reopened 1"), "{out}");
}

#[test]
fn of_a_stream_that_never_was_the_last_word_is_told_without_its_password() {
    let folder = fake(&["echo '[error] rtsp://user:secret@camera/main: Host is down' >&2; exit 1"]);
    let error = error_of(&mut with_fake(folder.path()), 1);
    assert!(error.contains(" s: Host is down") && !error.contains("secret"), "{error}");
}

#[test]
fn an_ffmpeg_that_does_not_run_is_refused_with_its_own_words() {
    let folder = tempfile::tempdir().unwrap();
    let words = "ffmpeg: error while loading shared libraries: libavdevice.so.59: cannot open";
    let script = format!("#!/bin/sh\necho '{words}' >&2\nexit 127\n");
    let path = folder.path().join("ffmpeg");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let error = error_of(&mut with_fake(folder.path()), 2);
    assert!(error.contains(words) && error.contains("exit status: 127"), "{error}");
}

/// Whether a process runs: a dead one that nobody has asked about does not.
fn runs(id: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    !state.is_empty() && !state.contains(") Z ")
}

#[test]
fn an_ffmpeg_whose_stream_stands_still_ends_with_a_run_that_is_killed() {
    let here = Command::new("setpriv").args(["--pdeathsig", "KILL", "true"]).output();
    if !here.is_ok_and(|output| output.status.success()) {
        assert!(std::env::var_os("CI").is_none(), "in CI setpriv (util-linux) must be there");
        eprintln!("skipped: the program setpriv is not on PATH");
        return;
    }
    let folder = fake(&["echo $$ > \"$0.pid.tmp\"; mv \"$0.pid.tmp\" \"$0.pid\"; exec sleep 60"]);
    let path = std::env::var("PATH").unwrap_or_default();
    let mut run = Command::new(env!("CARGO_BIN_EXE_infer"))
        .args(["live", "--headless", "--provider", "cpu", "--source", "rtsp://camera", "--models"])
        .arg(model("both"))
        .env("PATH", format!("{}:{path}", folder.path().display()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    let wait = |what: &dyn Fn() -> bool| {
        while !what() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(10));
        }
        what()
    };
    let note = folder.path().join("ffmpeg.pid");
    assert!(wait(&|| note.exists()));
    let id = std::fs::read_to_string(&note).unwrap();
    let id = id.trim();
    assert!(runs(id));
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(wait(&|| !runs(id)), "{id} still runs");
}

#[test]
fn without_ffmpeg_the_error_says_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("film.mp4"), "x").unwrap();
    for command in [
        live(text(&folder.path().join("film.mp4"))).env("PATH", folder.path()),
        live("streets").args(["--record", "film.mp4"]).env("PATH", folder.path()),
    ] {
        let error = error_of(command, 2);
        assert!(error.contains("expected the program ffmpeg on PATH, got none"), "{error}");
        assert!(error.contains("apt-get install ffmpeg"), "{error}");
    }
}
