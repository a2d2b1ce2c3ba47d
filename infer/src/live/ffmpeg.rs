//! The ffmpeg program: finding it, and the command lines for reading video and for writing it.
//! Not linked: ffmpeg's libraries change with every release and their licence with the build; a program on
//! PATH is what every distribution has. What comes through the pipes is `capture::pipe`'s and `record`'s.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::io::Errno;
use shared::error::{Context, Error, Result};

/// The program, found and asked for its version.
#[derive(Debug, Clone)]
pub struct Ffmpeg {
    program: PathBuf,
    /// Whether decoding is started through [`GUARD`].
    guarded: bool,
    /// `-fps_mode` since 5.1, `-vsync` before.
    sync: &'static str,
}

/// Kills what it starts when we are gone, however that came about: an ffmpeg whose stream stands still would
/// not notice, and hold its camera. Of util-linux, which nearly every Linux has; done without where it is missing.
const GUARD: [&str; 3] = ["setpriv", "--pdeathsig", "KILL"];

/// What ffmpeg is to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
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

impl Input {
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
    fn arguments(&self) -> Vec<String> {
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

impl fmt::Display for Input {
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

impl Ffmpeg {
    /// The ffmpeg on PATH.
    ///
    /// # Errors
    /// None there, or one that does not run (exit code 2); `needed_for` says why it is wanted.
    pub fn find(needed_for: &str) -> Result<Self> {
        let hint = "install ffmpeg (Debian, Ubuntu: apt-get install ffmpeg) and have it on PATH";
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let program = std::env::split_paths(&folders)
            .map(|folder| folder.join("ffmpeg"))
            .find(|path| path.is_file())
            .ok_or_else(|| {
                let line = format!("{needed_for}: expected the program ffmpeg on PATH, got none");
                Error::request(line).hint(hint)
            })?;
        let mut found = Self { program, guarded: true, sync: "" };
        let output = match found.version() {
            Ok(output) if output.status.success() => output,
            _ => {
                found.guarded = false;
                found.version().map_err(|e| found.refusal(needed_for, &e).hint(hint))?
            }
        };
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr);
            let why = words.trim().lines().last().unwrap_or("it gave no reason");
            let status = output.status;
            let line =
                format!("{}: expected its version, got {status}: {why}", found.called(needed_for));
            return Err(Error::request(line).hint(hint));
        }
        found.sync = sync_option(&String::from_utf8_lossy(&output.stdout));
        Ok(found)
    }

    /// Asks for the version: the banner is on standard output.
    fn version(&self) -> std::io::Result<Output> {
        self.reader().arg("-version").stdin(Stdio::null()).output()
    }

    fn called(&self, needed_for: &str) -> String {
        format!("{needed_for}: {}", self.program.display())
    }

    /// A program that does not start: the machine may be short of something now, else it is the wrong program.
    fn refusal(&self, needed_for: &str, error: &std::io::Error) -> Error {
        let line = format!("{}: cannot start: {error}", self.called(needed_for));
        match Errno::from_io_error(error) {
            Some(Errno::AGAIN | Errno::NOMEM | Errno::MFILE | Errno::NFILE) => Error::work(line),
            _ => Error::request(line),
        }
    }

    /// A program in ffmpeg's place.
    #[cfg(test)]
    pub fn at(program: PathBuf) -> Self {
        Self { program, guarded: false, sync: "-fps_mode" }
    }

    /// Starts decoding: raw RGB on standard output, a line per frame on standard error.
    pub(super) fn decode(&self, input: &Input) -> Result<Child> {
        // Every frame as it comes: none doubled or left out to keep a rate, none brought to another's size.
        let mut command = configured(self.reader(), "repeat+level+info");
        command.args(input.arguments());
        command.args(["-an", "-sn", "-dn", "-vf", "showinfo=checksum=0", "-noautoscale"]);
        command.args([self.sync, "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo"]);
        // With more threads the encoder of raw frames keeps one back until the next comes, and without flushing
        // the buffer before the pipe keeps its tail.
        command.args(["-threads", "1", "-flush_packets", "1", "pipe:1"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.start(command)
    }

    /// Starts encoding from standard input to `path`, in the container `format`: raw RGB of this size and
    /// rate, or without a rate an IVF stream of PPM pictures, which brings its times along.
    ///
    /// The file can be played wherever it breaks off, but for its last second.
    pub(super) fn encode(
        &self,
        path: &Path,
        format: &str,
        (width, height): (u32, u32),
        fps: Option<f64>,
    ) -> Result<Child> {
        // Unguarded: when its standard input ends it ends too, and writes the end of the file first.
        let mut command = configured(Command::new(&self.program), "error");
        match fps {
            Some(fps) => {
                let (size, fps) = (format!("{width}x{height}"), fps.to_string());
                command.args(["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", &size]);
                command.args(["-framerate", &fps, "-i", "pipe:0"]);
            }
            None => {
                // Without waiting for more pictures to guess their rate.
                command.args(["-analyzeduration", "0", "-fpsprobesize", "0"]);
                command.args(["-f", "ivf", "-c:v", "ppm", "-i", "pipe:0"]);
                command.args([self.sync, "vfr", "-enc_time_base", "1:1000"]);
            }
        }
        // Pictures that refer to later ones would begin an .mp4 late.
        command.args(["-pix_fmt", "yuv420p", "-bf", "0"]);
        if format == "matroska" {
            command.args(["-cluster_time_limit", "1000"]); // in milliseconds
        } else {
            command.args(["-movflags", "+frag_keyframe+empty_moov+default_base_moof"]);
            command.args(["-frag_duration", "1000000"]); // in microseconds
        }
        // `file:` keeps a name with a colon from being taken for a protocol.
        let mut place = OsString::from("file:");
        place.push(path);
        command.args(["-flush_packets", "1", "-f", format, "-y"]).arg(place);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        self.start(command)
    }

    /// The program, which ends with the thread that starts it.
    fn reader(&self) -> Command {
        if !self.guarded {
            return Command::new(&self.program);
        }
        let [guard, arguments @ ..] = GUARD;
        let mut command = Command::new(guard);
        command.args(arguments).arg(&self.program);
        command
    }

    fn start(&self, mut command: Command) -> Result<Child> {
        command.spawn().work(|| format!("{}: cannot start", self.program.display()))
    }
}

fn configured(mut command: Command, log: &str) -> Command {
    command.args(["-hide_banner", "-nostdin", "-nostats", "-loglevel", log]);
    // A group of its own: Ctrl-C is for us, who then end it in order.
    command.process_group(0);
    command
}

/// The name of the option against doubled and left out frames, by `ffmpeg version 5.1.9-0+deb12u1 ...`.
fn sync_option(banner: &str) -> &'static str {
    let version = banner.split_whitespace().nth(2).unwrap_or_default();
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse::<u32>().ok());
    // Builds from git have a hash for a version, and are new.
    let major = numbers.next().flatten().unwrap_or(u32::MAX);
    let minor = numbers.next().flatten().unwrap_or(0);
    if (major, minor) < (5, 1) { "-vsync" } else { "-fps_mode" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_option_of_old_releases_is_used_with_old_releases_only() {
        for (banner, expected) in [
            ("ffmpeg version 4.4.2-0ubuntu0.22.04.1 Copyright", "-vsync"),
            ("ffmpeg version 5.0 Copyright", "-vsync"),
            ("ffmpeg version 5.1.9-0+deb12u1 Copyright", "-fps_mode"),
            ("ffmpeg version 8.0 Copyright", "-fps_mode"),
            ("ffmpeg version N-113348-g0a5813fc68 Copyright", "-fps_mode"),
        ] {
            assert_eq!(sync_option(banner), expected, "{banner}");
        }
    }

    #[test]
    fn a_password_in_a_url_stays_out_of_the_log() {
        let shown = |url: &str| Input::Stream(url.into()).to_string();
        assert_eq!(shown("rtsp://root:secret@10.0.0.7/axis"), "rtsp://***@10.0.0.7/axis");
        assert_eq!(shown("rtsp://user:p@ss@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("rtsp://user:p/s?s@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("rtsp://user@host/x"), "rtsp://***@host/x");
        assert_eq!(shown("http://host/a@b"), "http://host/a@b");
        assert_eq!(shown("http://host:8080/a"), "http://host:8080/a");
        let camera = Input::Stream("rtsp://me:secret@cam/1".into());
        let told = camera.without_url("rtsp://me:secret@cam/1: Host is down");
        assert_eq!(told, "Host is down");
        let told = camera.without_url("cannot open rtsp://me:secret@cam/1");
        assert_eq!(told, "cannot open rtsp://***@cam/1");
    }

    #[test]
    fn cameras_and_streams_are_read_without_delay_and_files_as_they_are() {
        let line = |input: Input| input.arguments().join(" ");
        let camera = Input::Camera {
            device: "/dev/video2".into(),
            size: Some((640, 480)),
            fps: Some("30".into()),
        };
        assert!(line(camera).ends_with(
            "-flags low_delay -thread_type slice -f v4l2 -video_size 640x480 -framerate 30 -i /dev/video2"
        ));
        assert!(line(Input::Stream("udp://1.2.3.4:5".into())).contains("-fflags nobuffer"));
        let file = Input::File { path: "a:b.mp4".into(), again: true, own_speed: true };
        assert_eq!(line(file), "-re -stream_loop -1 -i file:a:b.mp4");
    }
}
