//! `infer live` on files as people have them: of a variable rate, cut off, turned, no videos at all, among others.
//! Not streams and not files on servers (`live_urls.rs`). Times and durations are what ffprobe says.

mod common;

use std::path::Path;

use common::video::{ffmpeg_is_here, make, probe, text, times, video};
use common::{ended_well, error_of, live};

/// 20 frames in two seconds, and then 5 in five.
fn variable(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("variable.mp4");
    let source = "testsrc=size=96x64:rate=10:duration=7";
    let sparse = "select='lt(t,2)+not(mod(n,10))*gte(t,2)'";
    make(&["-f", "lavfi", "-i", source, "-vf", sparse, "-fps_mode", "vfr"], &path);
    path
}

/// That a recording's frames are of the same times as a film's, to half a frame at 1000 a second.
fn same_times(film: &Path, copy: &Path) {
    let (film, copy) = (times(film), times(copy));
    assert_eq!(film.len(), copy.len(), "{film:?} {copy:?}");
    let off = film.iter().zip(&copy).map(|(a, b)| ((a - film[0]) - (b - copy[0])).abs());
    assert!(off.fold(0.0, f64::max) <= 0.0006, "{film:?} {copy:?}");
}

#[test]
fn a_video_is_recorded_at_its_frames_own_times_whatever_its_rate() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = variable(folder.path());
    let ntsc = folder.path().join("ntsc.mp4");
    make(&["-f", "lavfi", "-i", "testsrc=size=96x64:rate=30000/1001:duration=1"], &ntsc);
    for ending in ["mkv", "mp4"] {
        for film in [&film, &ntsc] {
            let copy = film.with_extension(format!("copy.{ending}"));
            ended_well(live(text(film)).arg("--record").arg(&copy));
            same_times(film, &copy);
        }
        // From the first frame to the end of the last, which lasts as long as one usually does.
        let lasts = |name: &str| {
            let copy = folder.path().join(format!("{name}.copy.{ending}"));
            probe(&copy, "format=duration")[0].trim_end_matches(',').parse::<f64>().unwrap()
        };
        let (variable, ntsc) = (lasts("variable"), lasts("ntsc"));
        assert!((variable - 6.1).abs() < 0.01 && (ntsc - 1.001).abs() < 0.01, "{variable} {ntsc}");
    }
    assert_eq!(probe(&folder.path().join("ntsc.copy.mp4"), "stream=r_frame_rate"), ["30000/1001"]);
}

#[test]
fn in_real_time_a_variable_video_takes_its_own_time_and_is_recorded_so() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (film, copy) = (variable(folder.path()), folder.path().join("copy.mkv"));
    let out = ended_well(live(text(&film)).arg("--realtime").arg("--record").arg(&copy));
    assert!(out.contains("captured 25 = shown "), "{out}");
    // Frames a second apart are no standstill of a file.
    assert!(out.contains("source faults 0"), "{out}");
    let recorded = times(&copy);
    let lasted = recorded[recorded.len() - 1] - recorded[0];
    assert!((5.5..7.5).contains(&lasted), "of 6 s: {recorded:?}");
}

#[test]
fn at_a_rate_that_is_asked_for_and_in_a_loop_times_go_on_evenly() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = video(folder.path(), "film.mp4", "96x64");
    for (more, step) in [(&["--loop"][..], 0.1), (&["--loop", "--fps", "20"], 0.05)] {
        let copy = folder.path().join(format!("copy-{step}.mkv"));
        let mut command = live(text(&film));
        ended_well(command.args(more).args(["--max-frames", "25", "--record"]).arg(&copy));
        let times = times(&copy);
        let even = times.iter().enumerate().all(|(i, t)| (t - step * i as f64).abs() < 0.002);
        assert!(times.len() == 25 && even, "{times:?}");
    }
}

#[test]
fn a_file_that_is_cut_off_is_played_to_there_and_fails_the_run() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let source = "testsrc=size=96x64:rate=25:duration=4";
    for (name, more) in
        [("a.mp4", &["-movflags", "+faststart"][..]), ("a.mkv", &[]), ("a.avi", &[])]
    {
        let film = folder.path().join(name);
        let encoder = ["-f", "lavfi", "-i", source, "-c:v", "mpeg4", "-g", "25"];
        make(&[&encoder[..], more].concat(), &film);
        ended_well(&mut live(text(&film)));
        let bytes = std::fs::read(&film).unwrap();
        std::fs::write(&film, &bytes[..bytes.len() * 6 / 10]).unwrap();
        let out = error_of(&mut live(text(&film)), 1);
        assert!(out.contains(&format!("{name}: ended early, after ")), "{out}");
        assert!(out.contains("hint: the file is cut off"), "{out}");
        let captured = common::number(&out, "captured ");
        assert!((30..80).contains(&captured), "{name}: {out}");
    }
}

#[test]
fn what_ffmpeg_says_of_the_times_of_raw_frames_is_no_fault_of_the_source() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("bursts.mkv");
    // Every fifth frame comes 85 ms late, which at 10 frames a second is another's place.
    let late = "settb=1/1000,setpts='if(mod(N,5),PTS,PTS+85)'";
    let source = "testsrc=size=96x64:rate=10:duration=4";
    let encoder = ["-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-c:v", "mpeg4"];
    make(&[&["-f", "lavfi", "-i", source, "-vf", late][..], &encoder].concat(), &film);
    let copy = folder.path().join("copy.mkv");
    let out = ended_well(live(text(&film)).arg("--record").arg(&copy));
    assert!(!out.contains("dts") && out.contains("source faults 0"), "{out}");
    same_times(&film, &copy);
}

#[test]
fn a_turned_video_is_shown_upright_under_any_name() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let film = video(folder.path(), "film.mp4", "96x64");
    let turned = folder.path().join("turned.mp4");
    make(&["-i", text(&film), "-c", "copy", "-metadata:s:v", "rotate=90"], &turned);
    // What it is counts, not its ending, and a name may begin with a minus.
    let odd = folder.path().join("-a b: 100%.avi");
    std::fs::rename(turned, &odd).unwrap();
    let out = folder.path().join("pictures");
    let mut command = live("./-a b: 100%.avi");
    let said = ended_well(command.current_dir(folder.path()).arg("--record").arg(&out));
    assert!(said.contains("captured 10 = shown 10 ") && !said.contains("changed size"), "{said}");
    let upright = |folder: &Path| {
        let size = image::image_dimensions(folder.join("frame-000000.png")).unwrap();
        size.1 as i32 - size.0 as i32
    };
    let lying = folder.path().join("lying");
    ended_well(live(text(&film)).arg("--record").arg(&lying));
    // Legend and title are around both; of the picture itself 64 by 96 are 32 higher than wide.
    assert!(upright(&out) > upright(&lying), "{} {}", upright(&out), upright(&lying));
}

#[test]
fn files_without_a_picture_are_refused() {
    if !ffmpeg_is_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let sound = folder.path().join("sound.mp4");
    make(&["-f", "lavfi", "-i", "sine=duration=1"], &sound);
    let empty = folder.path().join("empty.mp4");
    std::fs::write(&empty, "").unwrap();
    for film in [sound, empty] {
        let error = error_of(&mut live(text(&film)), 2);
        assert!(error.contains("expected video, got no frame: "), "{error}");
    }
}

#[test]
fn of_a_folder_what_is_left_out_is_said_and_hidden_files_are_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("more")).unwrap();
    for name in ["1.png", "more/2.png"] {
        image::RgbImage::new(64, 64).save(folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("._1.png"), "not a picture").unwrap();
    let out = ended_well(&mut live(text(folder.path())));
    assert!(out.contains("captured 1 = shown 1 ") && out.contains("in sub-folders"), "{out}");
    assert!(!out.contains("unreadable"), "{out}");
}
