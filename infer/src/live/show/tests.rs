//! What the display records, and of which time. Not how that looks (`view`), nor ffmpeg (`tests/live_video.rs`).

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use indicatif::ProgressBar;

use super::*;
use crate::live::board::Board;
use crate::live::clock::Stamp;
use crate::live::keys::View;
use crate::live::record::times;
use crate::live::stop::wait_until;
use crate::live::view::tests::{painter, seen};

const LONG: Duration = Duration::from_secs(60);
const FRESH: Limit = Limit(LONG);
const STALE: Limit = Limit(Duration::ZERO);

/// A display without a window, in real time, that records.
fn recording(target: RecordTarget) -> Display {
    let settings = Settings {
        painter: painter(),
        look: Look::new(View::Overlay, 0.5),
        policy: Policy::Latest.into(),
        limit: FRESH,
        deadline: LONG,
        record: Some(target),
        unrecorded: Unrecorded::Ends,
        record_fps: None,
        provider: "cpu".into(),
        screenshots: PathBuf::new(),
        stay: false,
    };
    let shared = RunState::new(Board::new(ProgressBar::hidden()));
    Display::new(settings, None, Arc::new(Slot::new(Policy::Latest)), Box::new(|| 0), shared)
}

/// Shows a result whose frame arrived then, and waits until the recorder has it.
fn show(display: &mut Display, arrived: Stamp) {
    let mut seen = seen(0, 1);
    seen.frame.arrived = arrived;
    display.settings.limit = FRESH;
    display.accept(Arc::new(seen)).unwrap();
    wait_for_recorder(display);
}

/// Lets the limit pass.
fn stand_still(display: &mut Display) {
    display.settings.limit = STALE;
    display.record_standstill().unwrap();
    wait_for_recorder(display);
}

/// In real time it would leave a picture out rather than wait.
fn wait_for_recorder(display: &Display) {
    let (recorder, _) = display.recorder.as_ref().unwrap();
    assert!(wait_until(Instant::now() + LONG, || recorder.hangs_for().is_zero()));
}

/// Ends the recording, and gives the line about it.
fn finish(display: Display) -> String {
    display.finish(Instant::now() + LONG).1.unwrap().unwrap()
}

#[test]
fn a_standstill_is_recorded_once_and_not_while_the_user_has_stopped_time() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pictures");
    let mut display = recording(RecordTarget::check(&out).unwrap());
    show(&mut display, Stamp::now());
    display.look.paused = true;
    stand_still(&mut display);
    assert!(!display.current.as_ref().unwrap().recorded_stale);
    display.look.paused = false;
    stand_still(&mut display);
    stand_still(&mut display);
    let line = finish(display);
    let expected = "results 1 + repeated as stale 1 = written 2 + dropped by a slow encoder 0";
    assert!(line.ends_with(expected), "{line}");
    assert!(out.join("frame-000000-stale.png").exists());
}

/// A program in ffmpeg's place that keeps what it is given as it is.
fn keeper(folder: &Path) -> PathBuf {
    let path = folder.join("ffmpeg");
    let script = "#!/bin/sh\nfor last; do :; done\nexec cat > \"${last#file:}\"\n";
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path
}

#[test]
fn a_stale_picture_lasts_until_the_next_is_shown_although_its_frame_arrived_before() {
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("drive.mkv");
    let mut display = recording(RecordTarget::encoded_by(keeper(folder.path()), film.clone()));
    let step = Duration::from_millis(30);
    show(&mut display, Stamp::now());
    std::thread::sleep(step);
    let arrived = Stamp::now();
    std::thread::sleep(step);
    stand_still(&mut display);
    std::thread::sleep(step);
    show(&mut display, arrived);
    finish(display);
    let [0, stale, next] = times(&std::fs::read(film).unwrap())[..] else { panic!() };
    assert!(stale >= 60_000 && next >= stale + 29_000, "{stale} {next}");
}
