//! A hundred faults of a stream in random order, made by a script in ffmpeg's place.
//! Not ffmpeg itself, which `tests/live_video.rs` runs. The limits are shorter than a user's, so that it takes
//! seconds; that a user's limits keep to a second is a matter of one comparison.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use shared::random::Stream;

use super::*;
use crate::live::board::Board;
use crate::live::slot::Policy;

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
};

#[test]
fn a_users_patience_reports_within_a_second() {
    assert!(Patience::default().report + 2 * Duration::from_millis(50) < Duration::from_secs(1));
}

#[test]
fn a_slow_source_is_not_taken_for_a_stalled_one() {
    let usual = Patience::default();
    assert_eq!(usual.with(25.0).report, usual.report);
    assert_eq!(usual.with(25.0).stall, usual.stall);
    let slow = usual.with(0.25);
    assert_eq!((slow.report, slow.stall), (Duration::from_secs(10), Duration::from_secs(20)));
    assert_eq!(usual.with(0.0).stall, usual.stall, "a rate that is none changes nothing");
}

#[test]
fn a_hundred_faults_in_random_order_are_each_reported_and_recovered_from() {
    let mut order: Vec<usize> = (0..100).map(|i| i % FAULTS.len()).collect();
    Stream::new(7, 0, 0).shuffle(&mut order);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ffmpeg");
    let mut script = String::from(SCRIPT);
    script += "case $n in\n";
    for (launch, &fault) in order.iter().enumerate() {
        script += &format!("{launch}) {} ;;\n", FAULTS[fault].0);
    }
    script += "*) while :; do frame 8 6; sleep 0.01; done ;;\nesac\n";
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();

    let shared = Shared::new(Board::new(ProgressBar::hidden()));
    let slot = Arc::new(Slot::new(Policy::Latest));
    let mut feed = Feed::new(Arc::clone(&slot), Arc::clone(&shared), None);
    let source = Source::Video {
        input: Input::Stream("rtsp://camera".into()),
        ffmpeg: Ffmpeg::at(path.clone()),
        fps: None,
        patience: PATIENCE,
    };
    let capture = std::thread::spawn(move || source.run(&mut feed));
    let until = Instant::now() + Duration::from_secs(240);
    let reopened = || shared.tally.reopened.load(std::sync::atomic::Ordering::Relaxed);
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
