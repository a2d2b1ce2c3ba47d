//! What ffmpeg says on standard error, line by line: frames and their sizes, the rate, problems.
//! Not waiting for lines, which is `pipe`'s. Tried with ffmpeg 5.1 and 9.0.
//!
//! Of frames only the filter itself is believed, whose lines begin with its name: a video's title may hold
//! anything, but stands indented in ffmpeg's account of the input. The filter counts its frames, from 0 each
//! time it is set up (at the start, and when the size changes): a line too many or too few would give every
//! frame after it the pixels of another, and is found by its number.

/// What one line means.
#[derive(Debug, Clone, PartialEq)]
pub enum Word {
    /// A frame of this width and height is decoded, and will be written.
    Frame((u32, u32)),
    /// Frames per second of the source.
    Rate(f64),
    /// Something went wrong, in ffmpeg's words.
    Problem(String),
    /// A frame out of turn: sizes and frames no longer belong together.
    Nonsense(String),
}

/// Follows the lines of one run of ffmpeg.
#[derive(Debug, Default)]
pub struct Ear {
    /// The number of the next frame.
    next: u64,
}

impl Ear {
    /// What a line means; most mean nothing.
    pub fn hear(&mut self, line: &str) -> Option<Word> {
        let filter = line.strip_prefix("[Parsed_showinfo_").and_then(|l| l.split_once("] [info] "));
        let Some((_, said)) = filter else {
            return problem(line).map(Word::Problem);
        };
        if let Some(config) = said.strip_prefix("config in ") {
            self.next = 0;
            return rate(config).map(Word::Rate);
        }
        let frame = said.strip_prefix("n:")?;
        let expected = self.next;
        self.next += 1;
        Some(match numbered_size(frame) {
            Some((number, size)) if number == expected => Word::Frame(size),
            _ => {
                let got: String = frame.trim().chars().take(60).collect();
                Word::Nonsense(format!("expected frame {expected} of ffmpeg's count, got {got:?}"))
            }
        })
    }
}

/// Number and size of a frame: `   7 pts:... s:320x160 i:P ...`.
fn numbered_size(frame: &str) -> Option<(u64, (u32, u32))> {
    let number = frame.split_whitespace().next()?.parse().ok()?;
    let (width, height) = frame.split_once(" s:")?.1.split_whitespace().next()?.split_once('x')?;
    Some((number, (width.parse().ok()?, height.parse().ok()?)))
}

/// The rate with which the filter starts: `time_base: 1/1200000, frame_rate: 10/1`.
fn rate(config: &str) -> Option<f64> {
    let (frames, seconds) = config.split_once("frame_rate: ")?.1.trim().split_once('/')?;
    let rate = frames.parse::<f64>().ok()? / seconds.parse::<f64>().ok()?;
    (rate.is_finite() && (0.01..=1000.0).contains(&rate)).then_some(rate)
}

/// The message of a line that ffmpeg calls an error, without who says it. Its guess at what was meant, which
/// follows a protocol it does not know, is none.
fn problem(line: &str) -> Option<String> {
    let text = ["[error] ", "[fatal] ", "[panic] "].iter().find_map(|l| line.split_once(l))?.1;
    (!text.starts_with("Did you mean file:")).then(|| text.trim().to_owned())
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

    fn config(rate: &str) -> String {
        format!(
            "[Parsed_showinfo_0 @ 0x5] [info] config in time_base: 1/90000, frame_rate: {rate}\n"
        )
    }

    #[test]
    fn a_frames_size_is_found_in_its_line_and_in_no_other() {
        let mut ear = Ear::default();
        assert_eq!(ear.hear(&frame(0, "320x160")), Some(Word::Frame((320, 160))));
        for other in [
            "[Parsed_showinfo_0 @ 0x55d0] [info] color_range:unknown color_space:unknown",
            "[Parsed_showinfo_0 @ 0x55d0] [info] config out time_base: 0/0, frame_rate: 0/0",
            "[info] Stream #0:0: Video: h264, yuv444p(progressive), 320x160, 10 fps",
            "[info]     title           : [Parsed_showinfo_0 @ 0x1] [info] n:   1 s:160x48 i:P",
        ] {
            assert_eq!(ear.hear(other), None, "{other}");
        }
        assert_eq!(ear.hear(&frame(1, "320x160")), Some(Word::Frame((320, 160))));
    }

    #[test]
    fn frames_are_counted_from_each_start_of_the_filter() {
        let mut ear = Ear::default();
        for number in [0, 1, 2] {
            assert_eq!(ear.hear(&frame(number, "8x6")), Some(Word::Frame((8, 6))));
        }
        assert_eq!(ear.hear(&config("10/1")), Some(Word::Rate(10.0)));
        assert_eq!(ear.hear(&frame(0, "4x2")), Some(Word::Frame((4, 2))));
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
}
