//! What `infer live` records as pictures: all of it, nothing stale as fresh, nothing over something else, and
//! what a recording that fails means. Not video, which needs the ffmpeg program: `live_video.rs`.

mod common;

use std::path::Path;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::{ended_well, error_of, infer, live};

#[test]
fn a_folder_of_pictures_is_recorded_and_not_mixed_with_another() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pictures");
    let mut command = live("streets");
    command.args(["--size", "64x64", "--max-frames", "3", "--record"]).arg(&out);
    let text = ended_well(&mut command);
    assert!(text.contains("results 3 = written 3 + dropped by a slow encoder 0"), "{text}");
    for name in ["frame-000000.png", "frame-000002.png"] {
        let (width, height) = image::image_dimensions(out.join(name)).unwrap();
        assert!(width % 2 == 0 && height % 2 == 0);
    }
    // A service that is started again records beside what it has recorded.
    let text = ended_well(&mut command);
    assert!(text.contains("pictures-2: results 3 = written 3"), "{text}");
    let count = |name: &str| std::fs::read_dir(folder.path().join(name)).unwrap().count();
    assert_eq!((count("pictures"), count("pictures-2")), (3, 3));
}

/// Removes the folder of a recording as soon as there is something in it.
fn vandal(folder: &Path) -> JoinHandle<()> {
    let folder = folder.to_owned();
    std::thread::spawn(move || {
        let until = Instant::now() + Duration::from_secs(60);
        let used = || std::fs::read_dir(&folder).is_ok_and(|mut files| files.next().is_some());
        while !used() && Instant::now() < until {
            std::thread::sleep(Duration::from_millis(5));
        }
        while folder.exists() {
            let _ = std::fs::remove_dir_all(&folder); // a picture may come in between
        }
    })
}

#[test]
fn a_folder_that_takes_no_more_ends_the_run_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pictures");
    let mut command = live("streets");
    command.args(["--size", "64x64", "--realtime", "--fps", "50", "--record"]).arg(&out);
    let vandal = vandal(&out);
    let text = error_of(&mut command, 1);
    vandal.join().unwrap();
    assert!(text.contains("error: record: ") && text.contains("hint: what was recorded"), "{text}");
}

#[test]
fn labels_go_on_without_a_recording_that_fails_and_the_run_fails_at_its_end() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pictures");
    let place = format!("unix:{}", folder.path().join("labels").display());
    let mut command = live("streets");
    command.args(["--size", "64x64", "--realtime", "--fps", "50", "--max-frames", "150"]);
    command.args(["--sink", &place, "--record"]).arg(&out);
    let vandal = vandal(&out);
    let text = error_of(&mut command, 1);
    vandal.join().unwrap();
    assert_eq!(text.matches("; going on without a recording").count(), 1, "{text}");
    assert!(text.contains("captured 150 = shown ") && text.contains("error: record: "), "{text}");
}

#[test]
fn a_recording_says_that_its_last_picture_has_become_stale() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("pictures");
    let mut command = live("streets");
    // Two frames 2.5 s apart: the first is stale for the last of these seconds.
    command.args(["--size", "64x64", "--realtime", "--fps", "0.4", "--max-frames", "2"]);
    command.args(["--stale-ms", "1500", "--record"]).arg(&out);
    let text = ended_well(&mut command);
    assert!(text.contains("pictures: results 2 + repeated as stale 1 = written 3 + "), "{text}");
    let alarm = |name: &str| {
        let picture = image::open(out.join(name)).unwrap().into_rgb8();
        picture.pixels().filter(|pixel| pixel.0 == [200, 30, 40]).count()
    };
    // A frame of four pixels around 64 by 64 at least, and none around what is fresh.
    assert!(alarm("frame-000000-stale.png") > 900);
    assert!(alarm("frame-000000.png") < 100 && alarm("frame-000001.png") < 100);
}

#[test]
fn a_refused_run_leaves_no_folder_for_its_recording() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = infer();
    command.args(["live", "--headless", "--provider", "cpu", "--source", "streets"]);
    command.args(["--model", "/no/such.onnx", "--record"]).arg(folder.path().join("new/pictures"));
    let text = error_of(&mut command, 2);
    assert!(text.contains("/no/such.onnx") && !folder.path().join("new").exists(), "{text}");
}
