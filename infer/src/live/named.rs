//! Sources by the names that users give them: what `--source` means, and whether it is there.
//! Not reading from it. What can be refused before a model is opened is refused here, with a hint.

use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use shared::decode::is_picture;
use shared::error::{Context, Error, Result};
use shared::streets::StreetSettings;

use super::capture::Source;
use super::ffmpeg::Ffmpeg;
use super::input::{Playing, VideoInput, refuse};
use super::slot::Policy;
use crate::source::sources;

/// What the user asks of a source, whatever it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct SourceOptions {
    /// `--size`.
    pub size: Option<(u32, u32)>,
    /// `--fps`.
    pub fps: Option<f64>,
    /// `--loop`.
    pub again: bool,
    /// `--realtime`.
    pub realtime: bool,
}

/// A source, and how it behaves.
#[derive(Debug)]
pub struct ResolvedSource {
    /// The source.
    pub source: Source,
    /// Whether the latest frame wins.
    pub policy: Policy,
    /// Frames per second, where that is known before the first.
    pub fps: Option<f64>,
}

/// Frames per second of a folder, or of the drive, where nothing else is said.
const DEFAULT_FPS: f64 = 20.0;

/// Finds out what the values of `--source` are.
///
/// # Errors
/// What is not there, may not be used, or contradicts the options (exit code 2).
pub fn find(values: &[String], options: SourceOptions) -> Result<ResolvedSource> {
    let [value] = values else {
        return several(values, options);
    };
    let path = Path::new(value);
    if let Some(seed) = numbered(value, "streets", 0) {
        return streets(seed?, options);
    }
    if let Some(number) = numbered(value, "camera", 0) {
        return camera(Path::new(&format!("/dev/video{}", number?)), options);
    }
    // Not all of /dev: recordings may lie in /dev/shm.
    if ["/dev/video", "/dev/v4l/"].iter().any(|place| value.starts_with(place)) {
        return camera(path, options);
    }
    if value.contains("://") {
        return url(value, options);
    }
    let there = std::fs::metadata(path).map_err(|e| {
        let hint = "a folder, images, a .txt list, a video file, a URL, camera or streets";
        Error::request(format!("source: {value}: expected a file or folder, got {e}")).hint(hint)
    })?;
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    if there.is_dir() || is_picture(path) {
        images(vec![path.to_owned()], options)
    } else if ending.as_deref() == Some("txt") {
        images(listed(path)?, options)
    } else {
        video(path, options)
    }
}

fn several(values: &[String], options: SourceOptions) -> Result<ResolvedSource> {
    let paths: Vec<PathBuf> = values.iter().map(PathBuf::from).collect();
    if let Some(other) = paths.iter().find(|path| !path.is_dir() && !is_picture(path)) {
        let name = other.display();
        let line =
            format!("source: {name}: expected an image or a folder among several, got neither");
        return Err(Error::request(line).hint("only images and folders can be several at a time"));
    }
    images(paths, options)
}

/// The number in `NAME` or `NAME:NUMBER`; `None` if it is another name.
fn numbered(value: &str, name: &str, default: u64) -> Option<Result<u64>> {
    let rest = value.strip_prefix(name)?;
    if rest.is_empty() {
        return Some(Ok(default));
    }
    let number = rest.strip_prefix(':')?;
    let wrong = |_| {
        Error::request(format!("source: {value}: expected {name}:NUMBER, got {number:?}"))
            .hint(format!("such as {name}:1; a file of that name is ./{value}"))
    };
    Some(number.parse().map_err(wrong))
}

fn playing(options: SourceOptions) -> Playing {
    let SourceOptions { again, realtime, fps, .. } = options;
    Playing { again, realtime, fps }
}

fn policy(options: SourceOptions) -> Policy {
    playing(options).policy()
}

fn images(inputs: Vec<PathBuf>, options: SourceOptions) -> Result<ResolvedSource> {
    refuse(options.size.is_some(), "--size", "streets or a camera", "images")?;
    let found = sources(&inputs).map_err(|e| e.within("source"))?;
    if let Some(other) = found.iter().find(|source| !source.path.is_file()) {
        let line =
            format!("source: {}: expected a file, got a pipe or a device", other.path.display());
        return Err(
            Error::request(line).hint("reading it could take for ever; copy it into a file")
        );
    }
    let fps = options.fps.or(options.realtime.then_some(DEFAULT_FPS));
    let paths: Vec<PathBuf> = found.into_iter().map(|s| s.path).collect();
    let source = Source::Images { paths, again: options.again, fps };
    Ok(ResolvedSource {
        source,
        policy: policy(options),
        fps: Some(options.fps.unwrap_or(DEFAULT_FPS)),
    })
}

/// The images that a text file names, one a line, relative to its own folder.
fn listed(list: &Path) -> Result<Vec<PathBuf>> {
    let text = std::fs::read_to_string(list).request(|| format!("source: {}", list.display()))?;
    let folder = list.parent().unwrap_or(Path::new(""));
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let paths: Vec<PathBuf> = lines.map(|line| folder.join(line)).collect();
    if paths.is_empty() {
        let line = format!("source: {}: expected a path a line, got none", list.display());
        return Err(Error::request(line).hint("lines that begin with # are left out"));
    }
    Ok(paths)
}

fn streets(seed: u64, options: SourceOptions) -> Result<ResolvedSource> {
    refuse(options.again, "--loop", "files", "streets, which have no end")?;
    let (width, height) = options.size.unwrap_or((512, 256));
    let settings = StreetSettings { width, height, seed };
    settings.check().map_err(|e| e.within("source: streets"))?;
    let drive_fps = options.fps.unwrap_or(DEFAULT_FPS);
    let paced = options.realtime || options.fps.is_some();
    let source = Source::Streets { settings, drive_fps, paced };
    Ok(ResolvedSource { source, policy: policy(options), fps: Some(drive_fps) })
}

fn with_ffmpeg(input: VideoInput, playing: Playing) -> Result<Source> {
    let ffmpeg = Ffmpeg::find(&format!("source: {input}"))?;
    Ok(Source::Video { input, ffmpeg, playing, patience: Box::default() })
}

fn video(path: &Path, options: SourceOptions) -> Result<ResolvedSource> {
    refuse(options.size.is_some(), "--size", "streets or a camera", "a video file")?;
    let source = with_ffmpeg(VideoInput::File(path.to_owned()), playing(options))?;
    Ok(ResolvedSource { source, policy: policy(options), fps: options.fps })
}

/// Protocols that set their own pace and cannot go back: what only files can do is refused before a model is
/// opened. A recording that is played by them still ends when it ends.
const ONLY_LIVE: [&str; 8] = ["rtsp", "rtsps", "rtp", "udp", "srt", "tcp", "rtmp", "rtmps"];

/// What has a URL is live until ffmpeg has opened it and says that it has an end.
fn url(url: &str, options: SourceOptions) -> Result<ResolvedSource> {
    refuse(options.size.is_some(), "--size", "streets or a camera", "a URL")?;
    if url.split_once("://").is_some_and(|(scheme, _)| ONLY_LIVE.contains(&scheme)) {
        playing(options).check_live("a stream")?;
    }
    let source = with_ffmpeg(VideoInput::Url(url.to_owned()), playing(options))?;
    Ok(ResolvedSource { source, policy: Policy::Latest, fps: options.fps })
}

fn camera(device: &Path, options: SourceOptions) -> Result<ResolvedSource> {
    Playing { fps: None, ..playing(options) }.check_live("a camera")?;
    check_camera(device)?;
    let fps = options.fps.map(|fps| fps.to_string());
    let input = VideoInput::Camera { device: device.to_owned(), size: options.size, fps };
    let source = with_ffmpeg(input, Playing::default())?;
    Ok(ResolvedSource { source, policy: Policy::Latest, fps: None })
}

fn check_camera(device: &Path) -> Result<()> {
    let name = device.display();
    let cannot = |e: std::io::Error| no_camera(device, e.kind(), &e.to_string());
    let kind = std::fs::metadata(device).map_err(cannot)?.file_type();
    if !kind.is_char_device() {
        let line = format!("source: {name}: expected a camera, got another kind of file");
        return Err(Error::request(line).hint("cameras are /dev/video0 and so on"));
    }
    std::fs::File::open(device).map(drop).map_err(cannot)
}

fn no_camera(device: &Path, kind: ErrorKind, why: &str) -> Error {
    let hint = match kind {
        ErrorKind::PermissionDenied => {
            "the group video may use cameras: `sudo usermod -aG video $USER`, then log in anew"
        }
        ErrorKind::NotFound => "`ls /dev/video*` shows the cameras there are",
        _ => "another program may be using it",
    };
    let line = format!("source: {}: expected a camera, got {why}", device.display());
    let error = match kind {
        ErrorKind::PermissionDenied | ErrorKind::NotFound => Error::request(line),
        _ => Error::work(line), // it may pass
    };
    error.hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_without_permission_says_which_group_has_it() {
        let error =
            no_camera(Path::new("/dev/video0"), ErrorKind::PermissionDenied, "Permission denied");
        assert!(error.hint_text().unwrap().contains("group video"));
        assert_eq!(error.blame(), shared::error::Blame::Request);
        let error = no_camera(Path::new("/dev/video0"), ErrorKind::ResourceBusy, "Device busy");
        assert_eq!(error.blame(), shared::error::Blame::Work, "the other program may end");
    }

    #[test]
    fn several_sources_are_images_that_lie_in_files() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |names: &[&str]| {
            let values: Vec<String> =
                names.iter().map(|name| folder.path().join(name).display().to_string()).collect();
            find(&values, SourceOptions::default()).unwrap_err().to_string()
        };
        for name in ["a.mp4", "b.mp4", "1.png"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        assert!(refusal(&["a.mp4", "b.mp4"]).contains("a.mp4: expected an image or a folder"));
        assert!(refusal(&["1.png", "streets"]).contains("streets: expected an image or a folder"));
        let pipe = folder.path().join("pipe.png");
        std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(refusal(&["pipe.png"]).contains("pipe.png: expected a file, got a pipe"));
    }

    #[test]
    fn names_may_have_a_number_and_longer_names_are_files() {
        assert_eq!(numbered("streets", "streets", 0).unwrap().unwrap(), 0);
        assert_eq!(numbered("streets:7", "streets", 0).unwrap().unwrap(), 7);
        assert!(numbered("streets:x", "streets", 0).unwrap().is_err());
        assert!(numbered("streets.mp4", "streets", 0).is_none());
    }
}
