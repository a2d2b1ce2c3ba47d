//! The times of a video's frames, made to begin at 0 and never to stand still.
//! Not waiting for them, which is `pace`'s. A file's own times may begin anywhere, be missing, and start
//! over where it is a joint of two.

use std::time::Duration;

/// Places frames one after the other.
#[derive(Debug, Default)]
pub struct Timeline {
    /// The last frame: its time in the source, and here.
    last: Option<(Option<f64>, Duration)>,
    /// How far apart the last two were.
    step: Option<Duration>,
}

impl Timeline {
    /// How far apart frames are of which nothing is known.
    const USUAL: Duration = Duration::from_millis(40);

    /// The time of the next frame, which the source says is of this second; `fps` is what it says of its rate.
    /// One without a time, or before the last one, comes after that as frames did so far.
    pub fn place(&mut self, seconds: Option<f64>, fps: Option<f64>) -> Duration {
        let Some((before, at)) = self.last else {
            self.last = Some((seconds, Duration::ZERO));
            return Duration::ZERO;
        };
        let gap = before.zip(seconds).and_then(|(before, seconds)| {
            Duration::try_from_secs_f64(seconds - before).ok().filter(|gap| !gap.is_zero())
        });
        let said = || fps.map_or(Self::USUAL, |fps| Duration::from_secs_f64(1.0 / fps));
        let step = gap.unwrap_or_else(|| self.step.unwrap_or_else(said));
        self.step = Some(step);
        self.last = Some((seconds, at + step));
        at + step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placed(seconds: &[Option<f64>]) -> Vec<u128> {
        let mut times = Timeline::default();
        seconds.iter().map(|&s| times.place(s, Some(10.0)).as_millis()).collect()
    }

    #[test]
    fn frames_keep_their_distances_wherever_their_times_begin() {
        let times = [1.4, 1.5, 1.75, 61.75].map(Some);
        assert_eq!(placed(&times), [0, 100, 350, 60_350]);
    }

    #[test]
    fn a_frame_without_a_time_or_before_the_last_follows_as_the_others_did() {
        assert_eq!(placed(&[None, None]), [0, 100]);
        assert_eq!(placed(&[0.0, 0.5, 0.5, 0.0, 0.25].map(Some)), [0, 500, 1000, 1500, 1750]);
        assert_eq!(placed(&[Some(0.0), Some(0.25), None, Some(9.0)]), [0, 250, 500, 750]);
    }
}
