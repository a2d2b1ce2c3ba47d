//! What ffmpeg is to read: files, streams, cameras, as words on its command line and in our messages.
//! Not the program, which is `ffmpeg`'s, and not the names that users give, which are `named`'s.

use std::fmt;
use std::path::PathBuf;

use shared::error::{Error, Result};

use super::slot::Policy;

/// What ffmpeg is to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoInput {
    /// A video file.
    File(PathBuf),
    /// Anything with a URL: a stream, or a file on another machine.
    Url(String),
    /// A camera, by V4L2.
    Camera {
        /// Its device file.
        device: PathBuf,
        /// Size to ask for.
        size: Option<(u32, u32)>,
        /// Frames per second to ask for.
        fps: Option<String>,
    },
}

/// What an input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nature {
    /// It has an end, and waits for us.
    File,
    /// It goes on without us: then the latest frame wins, and an end is a fault.
    Live,
}

/// How a file is played.
#[derive(Debug, Clone, Copy, Default)]
pub struct Playing {
    /// From the start again after its end.
    pub again: bool,
    /// As if it were a camera: at its own speed, or at `fps`, and the latest frame wins.
    pub realtime: bool,
    /// At most so many frames a second.
    pub fps: Option<f64>,
}

impl Playing {
    /// What happens to a file's frames that find the next stage busy.
    pub fn policy(self) -> Policy {
        if self.realtime { Policy::Latest } else { Policy::Every }
    }

    /// Whether nothing of it is asked of what is live.
    ///
    /// # Errors
    /// What only files can do (exit code 2); `got` is what it is.
    pub fn check_live(self, got: &str) -> Result<()> {
        refuse(self.again, "--loop", "files", got)?;
        refuse(
            self.realtime,
            "--realtime",
            "files or streets",
            &format!("{got}, which always is"),
        )?;
        refuse(self.fps.is_some(), "--fps", "anything but a stream", got)
    }
}

/// An option that a kind of source does not have.
///
/// # Errors
/// If it was given (exit code 2).
pub fn refuse(given: bool, flag: &str, expected: &str, got: &str) -> Result<()> {
    if !given {
        return Ok(());
    }
    Err(Error::request(format!("{flag}: expected {expected} as source, got {got}"))
        .hint(format!("leave out {flag}, or give another --source")))
}

impl VideoInput {
    /// What it is; of a URL only ffmpeg can say.
    pub fn nature(&self) -> Option<Nature> {
        match self {
            Self::File(_) => Some(Nature::File),
            Self::Url(_) => None,
            Self::Camera { .. } => Some(Nature::Live),
        }
    }

    /// What to look at when it gives no frame.
    pub fn hint(&self) -> String {
        if let Self::Camera { device, .. } = self {
            let device = device.display();
            return format!(
                "`v4l2-ctl --device {device} --list-formats-ext` lists its sizes and rates"
            );
        }
        format!("`ffprobe {self}` says what ffmpeg makes of it")
    }

    /// The same of a file that may be whole, but cannot be read from any place.
    pub fn hint_without_seeking(&self) -> String {
        match self {
            Self::Url(_) => {
                "the file is cut off, or has its index at its end and the server gives it from its \
                             start only: download it, and name the copy"
                    .into()
            }
            _ => self.hint(),
        }
    }

    /// Whether ffmpeg's last word on it says that its name is wrong, which waiting does not mend.
    pub fn is_misnamed(&self, problem: &str) -> bool {
        matches!(self, Self::Url(_)) && problem.contains("Protocol not found")
    }

    /// A message of ffmpeg's without the URL, which may hold a password and stands before the message anyway.
    pub(super) fn without_url(&self, message: &str) -> String {
        match self {
            Self::Url(url) => {
                let rest =
                    message.strip_prefix(url.as_str()).map(|rest| rest.trim_start_matches(": "));
                rest.unwrap_or(message).replace(url.as_str(), &self.to_string())
            }
            _ => message.to_owned(),
        }
    }

    /// Everything up to and with `-i`.
    pub(super) fn arguments(&self, playing: Playing) -> Vec<String> {
        let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
        // No reordering, and slices, not frames, in parallel: each thread with a frame of its own is a frame of delay.
        let low_delay = "-flags low_delay -thread_type slice";
        let again = if playing.again { words("-stream_loop -1") } else { Vec::new() };
        match self {
            Self::File(path) => {
                // `file:` keeps a name with a colon from being taken for a protocol.
                [again, vec!["-i".into(), format!("file:{}", path.display())]].concat()
            }
            Self::Url(url) => {
                let mut all = words(low_delay);
                // A fifth of a second from its first keyframe on tells what a stream is; every more of it is
                // time without a picture at each start.
                all.extend(words("-analyzeduration 200000"));
                if url.starts_with("rtsp") {
                    all.extend(words("-rtsp_transport tcp")); // lost packets are grey blocks
                }
                all.extend(again);
                all.extend(["-i".into(), url.clone()]);
                all
            }
            Self::Camera { device, size, fps } => {
                let mut all = words(low_delay);
                all.extend(words("-fflags nobuffer -f v4l2"));
                if let Some((width, height)) = size {
                    all.extend(["-video_size".into(), format!("{width}x{height}")]);
                }
                if let Some(fps) = fps {
                    all.extend(["-framerate".into(), fps.clone()]);
                }
                all.extend(["-i".into(), device.display().to_string()]);
                all
            }
        }
    }
}

impl fmt::Display for VideoInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(&without_password(url)),
            Self::Camera { device, .. } => write!(f, "{}", device.display()),
        }
    }
}

/// A URL as it may stand in a log: without what is before its last `@`, where that may be a password. One
/// with a `/` or an `@` of its own is none by the rules, but is typed, and then too little is said, not too much.
fn without_password(url: &str) -> String {
    let parts = url.split_once("://").and_then(|(s, rest)| Some((s, rest.rsplit_once('@')?)));
    match parts {
        // Without a colon there is no password, and behind a slash the `@` belongs to the path.
        Some((scheme, (user, host))) if user.contains(':') || !user.contains(['/', '?', '#']) => {
            format!("{scheme}://***@{host}")
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_a_url_stays_out_of_the_log() {
        let shown = |url: &str| VideoInput::Url(url.into()).to_string();
        assert_eq!(shown("rtsp://root:secret@10.0.0.7/axis"), "rtsp://***@10.0.0.7/axis");
        assert_eq!(shown("rtsp://user:p@ss@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("rtsp://user:p/s?s@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("rtsp://user@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("http://host/a@b"), "http://host/a@b");
        assert_eq!(shown("http://host:8080/a"), "http://host:8080/a");
        let camera = VideoInput::Url("rtsp://me:secret@cam/1".into());
        let told = camera.without_url("rtsp://me:secret@cam/1: Host is down");
        assert_eq!(told, "Host is down");
        let told = camera.without_url("cannot open rtsp://me:secret@cam/1");
        assert_eq!(told, "cannot open rtsp://***@cam/1");
    }

    #[test]
    fn cameras_and_streams_are_read_without_delay_and_files_as_they_are() {
        let line = |input: VideoInput, playing| input.arguments(playing).join(" ");
        let playing = Playing::default();
        let camera = VideoInput::Camera {
            device: "/dev/video2".into(),
            size: Some((640, 480)),
            fps: Some("30".into()),
        };
        assert!(line(camera, playing).ends_with(
            "-thread_type slice -fflags nobuffer -f v4l2 -video_size 640x480 -framerate 30 -i /dev/video2"
        ));
        let stream = line(VideoInput::Url("udp://1.2.3.4:5".into()), playing);
        // Without buffers for its analysis ffmpeg throws away what it has analyzed: the first keyframe.
        assert!(stream.contains("-flags low_delay") && !stream.contains("nobuffer"), "{stream}");
        let file = VideoInput::File("a:b.mp4".into());
        let again = Playing { again: true, ..playing };
        assert_eq!(line(file, again), "-stream_loop -1 -i file:a:b.mp4");
    }
}
