//! The ffmpeg program: finding it, and starting it to read an `input` or to write video.
//! Not linked: ffmpeg's libraries change with every release and their licence with the build; a program on
//! PATH is what every distribution has. What comes through the pipes is `capture::pipe`'s and `record`'s.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use rustix::io::Errno;
use shared::error::{Context, Error, Result};

use super::input::{Playing, VideoInput};

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
    pub(super) fn decode(&self, input: &VideoInput, playing: Playing) -> Result<Child> {
        // Every frame as it comes: none doubled or left out to keep a rate, none brought to another's size.
        let mut command = configured(self.reader(), "repeat+level+info");
        command.args(input.arguments(playing));
        command.args(["-an", "-sn", "-dn", "-vf", "showinfo=checksum=0", "-noautoscale"]);
        command.args([self.sync, "passthrough", "-pix_fmt", "rgb24", "-f", "rawvideo"]);
        // With more threads the encoder of raw frames keeps one back until the next comes, and without flushing
        // the buffer before the pipe keeps its tail.
        command.args(["-threads", "1", "-flush_packets", "1", "pipe:1"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.start(command)
    }

    /// Starts encoding a Matroska stream of raw pictures from standard input to `path`, in the container
    /// `format`, at the pictures' own times.
    ///
    /// The file can be played wherever it breaks off, but for its last second.
    pub(super) fn encode(&self, path: &Path, format: &str) -> Result<Child> {
        // Unguarded: when its standard input ends it ends too, and writes the end of the file first.
        let mut command = configured(Command::new(&self.program), "error");
        // Without waiting for more pictures to guess their rate.
        command.args(["-analyzeduration", "0", "-fpsprobesize", "0"]);
        command.args(["-f", "matroska", "-i", "pipe:0"]);
        // Ticks that the usual rates are whole numbers of.
        command.args([self.sync, "vfr", "-enc_time_base", "1:90000"]);
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
}
