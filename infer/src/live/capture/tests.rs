//! Faults of streams and files, a hundred of them in random order, made by a script in ffmpeg's place.
//! Not ffmpeg itself, which `tests/live_video.rs` runs. The limits are shorter than a user's, so that it takes
//! seconds; that a user's limits keep to a second is a matter of one comparison.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use shared::error::Blame;
use shared::random::Stream;

use super::*;
use crate::live::board::Board;
use crate::live::slot::Taken;

/// What the stream does, and what must be said about it.
const FAULTS: [(&str, &str); 7] = [
    ("exit 0", ": ended; opening"),
    ("exec sleep 20", ": no frame for"),
    ("echo '[h264 @ 0x1] [error] corrupt input' >&2; exit 1", ": corrupt input; opening"),
    ("size 8 6; printf 1234567; exit 0", ": expected 144 bytes of a frame of 8x6, got 7; opening"),
    (
        "size 70000 2; exec sleep 20",
        ": expected a frame of at most 16384 pixels a side, got 70000x2; opening",
    ),
    ("frame 4 2; frame 8 6; exit 0", ": changed size from 8x6 to 4x2"),
    (
        "echo '[Parsed_showinfo_0 @ 0x1] [info] n: 0 s:4x2 i:P' >&2; exec sleep 20",
        ": expected frame 2 of ffmpeg's count, got \"0 s:4x2 i:P\"; opening",
    ),
];

const SCRIPT: &str = r#"#!/bin/sh
i=0
size() { echo "[Parsed_showinfo_0 @ 0x1] [info] n:   $i pts: 0 fmt:rgb24 s:$1x$2 i:P" >&2; i=$((i + 1)); }
frame() { size $1 $2; printf "%0$(($1 * $2 * 3))d" 0; }
n=0; [ -f "$0.n" ] && read n < "$0.n"; echo $((n + 1)) > "$0.n"
frame 8 6
frame 8 6
date +%s%N >> "$0.times"
"#;

const PATIENCE: Patience = Patience {
    report: Duration::from_millis(150),
    stall: Duration::from_millis(500),
    open: Duration::from_secs(20),
    pause: Duration::from_millis(1),
    longest: Duration::from_millis(4),
    rare: (Duration::from_millis(300), Duration::from_secs(1)),
};

/// Writes a script that passes for ffmpeg.
fn program(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("ffmpeg");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

fn stream(program: PathBuf, patience: Patience) -> Source {
    let input = VideoInput::Url("rtsp://camera".into());
    Source::Video {
        input,
        ffmpeg: Ffmpeg::at(program),
        playing: Playing::default(),
        patience: Box::new(patience),
    }
}

/// Runs a source for so many frames, or to its failure.
fn run(source: &Source, max_frames: u64) -> (Result<()>, Arc<RunState>) {
    let shared = RunState::new(Board::new(ProgressBar::hidden()));
    let slot = Arc::new(Slot::new(Policy::Latest));
    let mut sender = FrameSender::new(slot, Arc::clone(&shared), Some(max_frames));
    (source.run(&mut sender), shared)
}

fn times_said(shared: &RunState, expected: &str) -> usize {
    shared.board.said.lock().unwrap().iter().filter(|(_, line)| line.contains(expected)).count()
}

#[test]
fn a_live_source_that_never_was_is_tried_for_a_while_and_fails_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let patience = Patience { open: Duration::from_secs(1), ..PATIENCE };
    let refused = program(folder.path(), "#!/bin/sh\necho '[error] Host is down' >&2; exit 1\n");
    for (program, why) in [(refused, "Host is down"), ("/no/such/ffmpeg".into(), "cannot start")] {
        let (result, shared) = run(&stream(program, patience), 1);
        let error = result.unwrap_err();
        assert_eq!(error.blame(), Blame::Work, "{error}");
        assert!(error.to_string().contains(why), "{error}");
        assert!(times_said(&shared, why) > 2, "tried again and again");
    }
    let silent = program(folder.path(), "#!/bin/sh\nexec sleep 20\n");
    let (result, shared) = run(&stream(silent, patience), 1);
    assert!(result.unwrap_err().to_string().contains("got no frame in 1."));
    assert_eq!(times_said(&shared, "no frame yet after 0."), 1);
    assert_eq!(shared.tally.faults.load(Relaxed), 0, "it may begin with its next keyframe");
}

#[test]
fn a_name_that_no_waiting_mends_is_a_wrong_request() {
    let folder = tempfile::tempdir().unwrap();
    let words = "#!/bin/sh\necho '[error] rtsp://camera: Protocol not found' >&2\n\
                 echo '[error] Did you mean file:rtsp://camera?' >&2; exit 1\n";
    let (result, shared) = run(&stream(program(folder.path(), words), PATIENCE), 1);
    assert_eq!(result.unwrap_err().blame(), Blame::Request);
    assert_eq!(times_said(&shared, "opening it again"), 0);
}

#[test]
fn a_program_that_cannot_be_started_for_a_while_is_a_fault_of_a_running_source() {
    let folder = tempfile::tempdir().unwrap();
    // Gone after the first frame, and back a moment later.
    let script = format!(
        "{SCRIPT}if [ $n = 0 ]; then\n\
         mv \"$0\" \"$0.away\"; (sleep 0.3; mv \"$0.away\" \"$0\") >/dev/null 2>&1 &\nfi\nexit 0\n"
    );
    let (result, shared) = run(&stream(program(folder.path(), &script), PATIENCE), 4);
    result.unwrap();
    assert!(times_said(&shared, "cannot start") > 2);
    assert_eq!(times_said(&shared, "frames again after"), 1);
}

#[test]
fn a_stream_that_calls_itself_slow_is_not_left_silent() {
    let folder = tempfile::tempdir().unwrap();
    let script = format!(
        "{}frame 8 6; exec sleep 20\n",
        SCRIPT.replace(
            "frame 8 6\nframe 8 6\n",
            "echo '[Parsed_showinfo_0 @ 0x1] [info] config in time_base: 1/10, frame_rate: 1/10' >&2\n"
        )
    );
    let (result, shared) = run(&stream(program(folder.path(), &script), PATIENCE), 2);
    result.unwrap();
    assert_eq!(times_said(&shared, "no frame for 0."), 1, "reported at the cap");
    assert_eq!(times_said(&shared, "no frame for 1."), 1, "given up at the cap");
}

#[test]
fn a_paced_files_frames_arrive_when_their_turn_has_come() {
    let folder = tempfile::tempdir().unwrap();
    let path = program(folder.path(), &format!("{SCRIPT}frame 8 6; frame 8 6\n"));
    let input = VideoInput::File("film.mp4".into());
    let playing = Playing { fps: Some(5.0), ..Playing::default() };
    let source =
        Source::Video { input, ffmpeg: Ffmpeg::at(path), playing, patience: Box::new(PATIENCE) };
    let slot = Arc::new(Slot::new(Policy::Latest));
    let shared = RunState::new(Board::new(ProgressBar::hidden()));
    let mut sender = FrameSender::new(Arc::clone(&slot), shared, None);
    let capture = std::thread::spawn(move || source.run(&mut sender));
    let mut ages = Vec::new();
    while let Taken::Item(frame) = slot.take(Duration::from_secs(20)) {
        ages.push(frame.arrived.age(Instant::now()));
    }
    capture.join().unwrap().unwrap();
    assert_eq!(ages.len(), 4);
    // Decoded two frames ahead, they would be some 200 ms old.
    assert!(ages.iter().all(|age| *age < Duration::from_millis(150)), "{ages:?}");
}

#[test]
fn a_looped_folder_ends_when_none_of_its_images_can_be_read_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let paths = ["1.png", "2.png"].map(|name| folder.path().join(name));
    paths.iter().for_each(|path| image::RgbImage::new(4, 2).save(path).unwrap());
    let source = Source::Images { paths: paths.to_vec(), again: true, fps: None };
    let shared = RunState::new(Board::new(ProgressBar::hidden()));
    let slot = Arc::new(Slot::new(Policy::Every));
    let mut sender = FrameSender::new(Arc::clone(&slot), Arc::clone(&shared), None);
    let capture = std::thread::spawn(move || source.run(&mut sender));
    let mut frames = 0;
    let take = || matches!(slot.take(Duration::from_secs(20)), Taken::Item(_));
    // A file that is away for some rounds only is named once.
    std::fs::rename(&paths[0], folder.path().join("away")).unwrap();
    while frames < 10 && take() {
        frames += 1;
    }
    std::fs::remove_file(&paths[1]).unwrap();
    while take() {}
    let error = capture.join().unwrap().unwrap_err();
    assert_eq!((frames, error.blame()), (10, Blame::Work), "{error}");
    assert!(error.to_string().contains("got none in 2 files any more, after "), "{error}");
    assert_eq!(times_said(&shared, "unreadable: "), 2);
    assert_eq!(shared.tally.unreadable.load(Relaxed), 2);
}

#[test]
fn a_hundred_faults_in_random_order_are_each_reported_and_recovered_from() {
    let mut order: Vec<usize> = (0..100).map(|i| i % FAULTS.len()).collect();
    Stream::new(7, 0, 0).shuffle(&mut order);
    let folder = tempfile::tempdir().unwrap();
    let mut script = String::from(SCRIPT);
    script += "case $n in\n";
    for (launch, &fault) in order.iter().enumerate() {
        script += &format!("{launch}) {} ;;\n", FAULTS[fault].0);
    }
    script += "*) while :; do frame 8 6; sleep 0.01; done ;;\nesac\n";
    let path = program(folder.path(), &script);
    let shared = RunState::new(Board::new(ProgressBar::hidden()));
    let slot = Arc::new(Slot::new(Policy::Latest));
    let mut sender = FrameSender::new(Arc::clone(&slot), Arc::clone(&shared), None);
    let source = stream(path.clone(), PATIENCE);
    let capture = std::thread::spawn(move || source.run(&mut sender));
    let until = Instant::now() + Duration::from_secs(240);
    let reopened = || shared.tally.reopened.load(Relaxed);
    while reopened() < 100 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(20));
    }
    shared.stop.ask();
    capture.join().unwrap().unwrap();
    assert_eq!(reopened(), 100, "each fault was recovered from");
    let said = shared.board.said.lock().unwrap();
    for (fault, (_, expected)) in FAULTS.iter().enumerate() {
        let times = order.iter().filter(|&&f| f == fault).count();
        let reports = said.iter().filter(|(_, line)| line.contains(expected)).count();
        // A stall is said twice: when it is noticed and when it is given up. A stream that comes back at its
        // old size has changed its size again.
        let least = if expected.contains("no frame") { 2 * times } else { times };
        assert!(reports >= least, "{expected}: {reports} reports of {times}");
    }
    check_delays(&order, &said, &path);
}

/// Every launch notes when its fault begins; the first word on it must follow within a second.
fn check_delays(order: &[usize], said: &[(Instant, String)], script: &std::path::Path) {
    let times = std::fs::read_to_string(format!("{}.times", script.display())).unwrap();
    let now = Stamp::now();
    for (&fault, time) in order.iter().zip(times.lines()) {
        let ago = Duration::from_nanos(now.unix_ns - time.parse::<u64>().unwrap());
        let began = now.at - ago;
        let word = FAULTS[fault].1;
        let first = said.iter().find(|(at, line)| *at >= began && line.contains(word));
        let delay = first.map(|(at, _)| *at - began);
        assert!(delay.is_some_and(|d| d < Duration::from_secs(1)), "{word}: {delay:?}");
    }
}
