//! Videos for tests, made and looked at by the ffmpeg and ffprobe programs. Not the program under test.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether ffmpeg is there.
pub fn ffmpeg_is_here() -> bool {
    let here = Command::new("ffmpeg").arg("-version").output().is_ok();
    if !here {
        assert!(
            std::env::var_os("CI").is_none(),
            "in CI ffmpeg must be there (.ci/run installs it)"
        );
        eprintln!("skipped: the program ffmpeg is not on PATH");
    }
    here
}

/// Makes a test video of ffmpeg's own, of one second at ten frames.
pub fn video(folder: &Path, name: &str, size: &str) -> PathBuf {
    let path = folder.join(name);
    let source = format!("testsrc=size={size}:rate=10:duration=1");
    let made = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-y", "-f", "lavfi", "-i", &source, "-c:v", "mpeg4"])
        .args(if name.ends_with(".m4v") { &["-f", "m4v"][..] } else { &[] })
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success());
    path
}

/// What ffprobe says about a video's stream, frame by frame or once.
pub fn probe(path: &Path, entries: &str) -> Vec<String> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", entries])
        .args(["-of", "csv=p=0"])
        .arg(format!("file:{}", path.display()))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(String::from).collect()
}

/// Makes a video by ffmpeg with these arguments.
pub fn make(arguments: &[&str], path: &Path) {
    let mut command = Command::new("ffmpeg");
    let made = command.args(["-loglevel", "error", "-y"]).args(arguments).arg(path).status();
    assert!(made.unwrap().success(), "{arguments:?}");
}

/// The times of a video's frames, in seconds, in the order of showing.
pub fn times(path: &Path) -> Vec<f64> {
    let lines = probe(path, "packet=pts_time");
    let mut times: Vec<f64> =
        lines.iter().map(|line| line.trim_end_matches(',').parse().unwrap()).collect();
    times.sort_by(f64::total_cmp);
    times
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
