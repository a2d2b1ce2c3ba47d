//! What ffmpeg is to read: files, streams, cameras, as words on its command line and in our messages.
//! Not the program, which is `ffmpeg`'s, and not the names that users give, which are `named`'s.

use std::fmt;
use std::path::PathBuf;

/// What ffmpeg is to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VideoInput {
    /// A video file.
    File {
        /// The file.
        path: PathBuf,
        /// From the start again after its end.
        again: bool,
        /// At the speed it was taken with.
        own_speed: bool,
    },
    /// Anything with a URL.
    Stream(String),
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

impl VideoInput {
    /// Whether it goes on without us: then the latest frame wins, and an end is a fault.
    pub fn is_live(&self) -> bool {
        !matches!(self, Self::File { .. })
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

    /// Whether ffmpeg's last word on it says that its name is wrong, which waiting does not mend.
    pub fn is_misnamed(&self, problem: &str) -> bool {
        matches!(self, Self::Stream(_)) && problem.contains("Protocol not found")
    }

    /// A message of ffmpeg's without the URL, which may hold a password and stands before the message anyway.
    pub(super) fn without_url(&self, message: &str) -> String {
        match self {
            Self::Stream(url) => {
                let rest =
                    message.strip_prefix(url.as_str()).map(|rest| rest.trim_start_matches(": "));
                rest.unwrap_or(message).replace(url.as_str(), &self.to_string())
            }
            _ => message.to_owned(),
        }
    }

    /// Everything up to and with `-i`.
    pub(super) fn arguments(&self) -> Vec<String> {
        let words = |line: &str| line.split(' ').map(String::from).collect::<Vec<_>>();
        // No waiting to fill buffers, no reordering, slices and not frames in parallel (each thread with a
        // frame of its own is a frame of delay); half a second is enough to recognize a stream.
        let low_delay = "-fflags nobuffer -flags low_delay -thread_type slice";
        match self {
            Self::File { path, again, own_speed } => {
                let mut all = Vec::new();
                if *own_speed {
                    all.push("-re".into());
                }
                if *again {
                    all.extend(words("-stream_loop -1"));
                }
                // `file:` keeps a name with a colon from being taken for a protocol.
                all.extend(["-i".into(), format!("file:{}", path.display())]);
                all
            }
            Self::Stream(url) => {
                let mut all = words(low_delay);
                all.extend(words("-analyzeduration 500000 -probesize 500000"));
                if url.starts_with("rtsp") {
                    all.extend(words("-rtsp_transport tcp")); // lost packets are grey blocks
                }
                all.extend(["-i".into(), url.clone()]);
                all
            }
            Self::Camera { device, size, fps } => {
                let mut all = words(low_delay);
                all.extend(words("-f v4l2"));
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
            Self::File { path, .. } => write!(f, "{}", path.display()),
            Self::Stream(url) => f.write_str(&without_password(url)),
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
        let shown = |url: &str| VideoInput::Stream(url.into()).to_string();
        assert_eq!(shown("rtsp://root:secret@10.0.0.7/axis"), "rtsp://***@10.0.0.7/axis");
        assert_eq!(shown("rtsp://user:p@ss@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("rtsp://user:p/s?s@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("rtsp://user@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("http://host/a@b"), "http://host/a@b");
        assert_eq!(shown("http://host:8080/a"), "http://host:8080/a");
        let camera = VideoInput::Stream("rtsp://me:secret@cam/1".into());
        let told = camera.without_url("rtsp://me:secret@cam/1: Host is down");
        assert_eq!(told, "Host is down");
        let told = camera.without_url("cannot open rtsp://me:secret@cam/1");
        assert_eq!(told, "cannot open rtsp://***@cam/1");
    }

    #[test]
    fn cameras_and_streams_are_read_without_delay_and_files_as_they_are() {
        let line = |input: VideoInput| input.arguments().join(" ");
        let camera = VideoInput::Camera {
            device: "/dev/video2".into(),
            size: Some((640, 480)),
            fps: Some("30".into()),
        };
        assert!(line(camera).ends_with(
            "-flags low_delay -thread_type slice -f v4l2 -video_size 640x480 -framerate 30 -i /dev/video2"
        ));
        assert!(line(VideoInput::Stream("udp://1.2.3.4:5".into())).contains("-fflags nobuffer"));
        let file = VideoInput::File { path: "a:b.mp4".into(), again: true, own_speed: true };
        assert_eq!(line(file), "-re -stream_loop -1 -i file:a:b.mp4");
    }
}
