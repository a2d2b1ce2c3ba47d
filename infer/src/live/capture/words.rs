//! What ffmpeg says on standard error, line by line: frames with their sizes and times, what the source is, problems.
//! Not waiting for lines, which is `pipe`'s. Tried with ffmpeg 5.1 and 9.0.
//!
//! Of frames only the filter itself is believed, whose lines begin with its name: a video's title may hold
//! anything, but stands indented in ffmpeg's account of the input. The filter counts its frames, from 0 each
//! time it is set up (at the start, and when the size changes): a line too many or too few would give every
//! frame after it the pixels of another, and is found by its number.

use std::time::Duration;

/// What one line means.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// A frame is decoded, and will be written.
    Frame(Announced),
    /// Frames per second of the source.
    Rate(f64),
    /// How long the source is; a stream does not know.
    Length(Option<Duration>),
    /// Something went wrong, in ffmpeg's words.
    Problem(String),
    /// A frame out of turn: sizes and frames no longer belong together.
    Nonsense(String),
}

/// A frame before its pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Announced {
    /// Width and height.
    pub size: (u32, u32),
    /// Its time in the source, in seconds, where it has one.
    pub seconds: Option<f64>,
}

/// Follows the lines of one run of ffmpeg.
#[derive(Debug, Default)]
pub struct Ear {
    /// The number of the next frame.
    next: u64,
    /// The unit of frames' times, in seconds.
    tick: Option<f64>,
    cut: Cut,
}

impl Ear {
    /// What a line means; most mean nothing.
    pub fn hear(&mut self, line: &str) -> Option<Word> {
        let filter = line.strip_prefix("[Parsed_showinfo_").and_then(|l| l.split_once("] [info] "));
        let Some((_, said)) = filter else {
            self.cut.hear(line);
            return length(line)
                .map(Word::Length)
                .or_else(|| problem(line).map(|text| Word::Problem(text.to_owned())));
        };
        if let Some(config) = said.strip_prefix("config in ") {
            self.next = 0;
            self.tick = fraction_behind(config, "time_base: ");
            return rate(config).map(Word::Rate);
        }
        let frame = said.strip_prefix("n:")?;
        let expected = self.next;
        self.next += 1;
        self.cut.frames_since += 1;
        Some(match numbered_size(frame) {
            Some((number, size)) if number == expected => {
                let seconds = ticks(frame).zip(self.tick).map(|(ticks, tick)| ticks as f64 * tick);
                Word::Frame(Announced { size, seconds })
            }
            _ => {
                let got: String = frame.trim().chars().take(60).collect();
                Word::Nonsense(format!("expected frame {expected} of ffmpeg's count, got {got:?}"))
            }
        })
    }

    /// At the end: what says that a file was cut off, if it was.
    pub fn cut_off(self) -> Option<String> {
        let Cut { words, torn, frames_since, transport } = self.cut;
        let at_the_end = torn && !transport && frames_since <= Cut::LATEST;
        words.or_else(|| at_the_end.then(|| "its last packet is not whole".into()))
    }
}

/// Signs that a file was cut off.
#[derive(Debug, Default)]
struct Cut {
    /// Words that mean nothing else.
    words: Option<String>,
    /// A packet was not whole. In the middle of a file it was damaged, at its end it was cut off.
    torn: bool,
    /// Frames since then.
    frames_since: u64,
    /// A transport stream calls packets so that come after lost ones, and may begin and end anywhere.
    transport: bool,
}

impl Cut {
    /// So many frames the decoder may still give after the last packet: its threads each hold one.
    const LATEST: u64 = 32;

    fn hear(&mut self, line: &str) {
        let damaged = line.contains("[warning] ")
            && (line.contains("corrupt input packet in stream") || line.contains("Packet corrupt"));
        if damaged {
            (self.torn, self.frames_since) = (true, 0);
            self.transport |= line.contains("mpegts @ ");
        }
        let sure = ["File ended prematurely", "partial file", "Stream ends prematurely"];
        let text = problem(line).filter(|text| sure.iter().any(|sure| text.contains(sure)));
        if let Some(text) = text.filter(|_| self.words.is_none()) {
            self.words = Some(text.to_owned());
        }
    }
}

/// Number and size of a frame: `   7 pts:... s:320x160 i:P ...`.
fn numbered_size(frame: &str) -> Option<(u64, (u32, u32))> {
    let number = frame.split_whitespace().next()?.parse().ok()?;
    let (width, height) = frame.split_once(" s:")?.1.split_whitespace().next()?.split_once('x')?;
    Some((number, (width.parse().ok()?, height.parse().ok()?)))
}

/// The time of a frame: ` pts:  18944 pts_time:1.48 `. The second is rounded to six digits.
fn ticks(frame: &str) -> Option<i64> {
    frame.split_once(" pts:")?.1.split_whitespace().next()?.parse().ok()
}

/// The rate with which the filter starts: `time_base: 1/1200000, frame_rate: 10/1`.
fn rate(config: &str) -> Option<f64> {
    fraction_behind(config, "frame_rate: ").filter(|rate| (0.01..=1000.0).contains(rate))
}

fn fraction_behind(config: &str, name: &str) -> Option<f64> {
    let fraction = config.split_once(name)?.1.split([',', ' ', '\n']).next()?;
    let (above, below) = fraction.split_once('/')?;
    let value = above.parse::<f64>().ok()? / below.parse::<f64>().ok()?;
    (value.is_finite() && value > 0.0).then_some(value)
}

/// The length in ffmpeg's account of the input: `  Duration: 00:01:02.50, start: ...`, or `N/A`. Titles and the
/// like stand deeper. None at all is what some streams say who do not know.
fn length(line: &str) -> Option<Option<Duration>> {
    let text = line.strip_prefix("[info]   Duration: ")?.split(',').next()?.trim();
    let mut parts = text.split(':').map(|part| part.parse::<f64>().ok());
    let (Some(Some(hours)), Some(Some(minutes)), Some(Some(seconds))) =
        (parts.next(), parts.next(), parts.next())
    else {
        return Some(None);
    };
    let length = Duration::try_from_secs_f64(hours * 3600.0 + minutes * 60.0 + seconds).ok();
    Some(length.filter(|length| !length.is_zero()))
}

/// The message of a line that ffmpeg calls an error, without who says it. Two are none: its guess at what was meant,
/// which follows a protocol it does not know, and a complaint about the times of the raw frames that it writes
/// for us, which have none.
fn problem(line: &str) -> Option<&str> {
    let text = ["[error] ", "[fatal] ", "[panic] "].iter().find_map(|l| line.split_once(l))?.1;
    let ours = text.starts_with("Did you mean file:")
        || text.contains("non monotonically increasing dts to muxer");
    (!ours).then(|| text.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(number: u64, size: &str) -> String {
        format!(
            "[Parsed_showinfo_0 @ 0x55d0] [info] n:{number:4} pts:1080000 pts_time:0.9     pos:     4623 \
             fmt:yuv444p sar:1/1 s:{size} i:P iskey:0 type:P \n"
        )
    }

    fn sized(width: u32, height: u32) -> Word {
        Word::Frame(Announced { size: (width, height), seconds: None })
    }

    fn timed(width: u32, height: u32, seconds: f64) -> Word {
        Word::Frame(Announced { size: (width, height), seconds: Some(seconds) })
    }

    fn config(rate: &str) -> String {
        format!(
            "[Parsed_showinfo_0 @ 0x5] [info] config in time_base: 1/90000, frame_rate: {rate}\n"
        )
    }

    #[test]
    fn a_frames_size_is_found_in_its_line_and_in_no_other() {
        let mut ear = Ear::default();
        assert_eq!(ear.hear(&frame(0, "320x160")), Some(sized(320, 160)));
        for other in [
            "[Parsed_showinfo_0 @ 0x55d0] [info] color_range:unknown color_space:unknown",
            "[Parsed_showinfo_0 @ 0x55d0] [info] config out time_base: 0/0, frame_rate: 0/0",
            "[info] Stream #0:0: Video: h264, yuv444p(progressive), 320x160, 10 fps",
            "[info]     title           : [Parsed_showinfo_0 @ 0x1] [info] n:   1 s:160x48 i:P",
        ] {
            assert_eq!(ear.hear(other), None, "{other}");
        }
        assert_eq!(ear.hear(&frame(1, "320x160")), Some(sized(320, 160)));
    }

    #[test]
    fn frames_are_counted_from_each_start_of_the_filter() {
        let mut ear = Ear::default();
        for number in [0, 1, 2] {
            assert_eq!(ear.hear(&frame(number, "8x6")), Some(sized(8, 6)));
        }
        assert_eq!(ear.hear(&config("10/1")), Some(Word::Rate(10.0)));
        assert_eq!(ear.hear(&frame(0, "4x2")), Some(timed(4, 2, 12.0)));
    }

    #[test]
    fn a_frame_out_of_turn_or_without_a_size_is_nonsense() {
        for line in [frame(0, "8x6"), frame(2, "8x6"), frame(1, "axb")] {
            let mut ear = Ear::default();
            ear.hear(&frame(0, "8x6"));
            let word = ear.hear(&line);
            assert!(
                matches!(&word, Some(Word::Nonsense(why)) if why.contains("expected frame 1")),
                "{line}: {word:?}"
            );
        }
    }

    #[test]
    fn a_rate_is_taken_where_there_is_one() {
        let mut ear = Ear::default();
        assert_eq!(ear.hear(&config("30000/1001")), Some(Word::Rate(30000.0 / 1001.0)));
        assert_eq!(ear.hear(&config("0/0")), None, "a stream that does not know");
        assert_eq!(ear.hear(&config("1/0")), None);
    }

    #[test]
    fn a_problem_is_what_ffmpeg_calls_one() {
        let mut ear = Ear::default();
        assert_eq!(
            ear.hear("[mov @ 0x1] [error] moov atom not found\n"),
            Some(Word::Problem("moov atom not found".into()))
        );
        assert_eq!(ear.hear("[swscaler @ 0x1] [warning] deprecated pixel format"), None);
    }

    #[test]
    fn what_is_said_of_our_own_raw_frames_is_no_problem() {
        let line = "[rawvideo @ 0x5] [error] Application provided invalid, non monotonically increasing dts \
                    to muxer in stream 0: 5 >= 5\n";
        assert_eq!(Ear::default().hear(line), None);
    }

    #[test]
    fn a_file_has_a_length_and_a_stream_has_none() {
        let heard = |line: &str| Ear::default().hear(line);
        let of = |ms| Some(Word::Length(Some(Duration::from_millis(ms))));
        let line = "[info]   Duration: 01:00:02.50, start: 1.480000, bitrate: 79 kb/s\n";
        assert_eq!(heard(line), of(3_602_500));
        assert_eq!(heard("[info]   Duration: N/A, bitrate: N/A\n"), Some(Word::Length(None)));
        let none = "[info]   Duration: 00:00:00.00, start: 0.000000, bitrate: N/A\n";
        assert_eq!(heard(none), Some(Word::Length(None)));
        assert_eq!(heard("[info]     title           : Duration: 00:00:02.00,\n"), None);
    }

    #[test]
    fn a_file_was_cut_off_where_that_is_said_or_its_last_packet_is_not_whole() {
        let cut_off = |lines: &[&str], frames: u64| {
            let mut ear = Ear::default();
            lines.iter().for_each(|line| drop(ear.hear(line)));
            (0..frames).for_each(|n| drop(ear.hear(&frame(n, "8x6"))));
            ear.cut_off()
        };
        let partial = "[mov,mp4 @ 0x5] [error] stream 0, offset 0x1878: partial file\n";
        assert_eq!(cut_off(&[partial], 100).unwrap(), "stream 0, offset 0x1878: partial file");
        let damaged = "[in#0/avi @ 0x5] [warning] corrupt input packet in stream 0\n";
        assert_eq!(cut_off(&[damaged], 4).unwrap(), "its last packet is not whole");
        assert_eq!(cut_off(&[damaged], 100), None, "damaged long before its end");
        let lost = "[mpegts @ 0x5] [warning] Packet corrupt (stream = 0, dts = 264600).\n";
        assert_eq!(cut_off(&[lost, damaged], 4), None);
        assert_eq!(cut_off(&[], 4), None);
    }
}
