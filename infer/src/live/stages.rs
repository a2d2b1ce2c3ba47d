//! How long each stage of a frame takes: medians over the last frames, for the head-up line and the end.
//! Not a benchmark, which has warm-up, percentiles and every sample (`infer bench`): memory stays flat here.

use std::collections::VecDeque;
use std::time::Duration;

/// The stages, in the order in which a frame meets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Decoding, drawing or reading the frame.
    Capture,
    /// To the models' input size.
    Prepare,
    /// In ONNX Runtime, all models.
    Run,
    /// From its output to labels, all models.
    Labels,
    /// Composing what is shown.
    Draw,
}

const STAGES: [(Stage, &str); 5] = [
    (Stage::Capture, "capture"),
    (Stage::Prepare, "prepare"),
    (Stage::Run, "run"),
    (Stage::Labels, "labels"),
    (Stage::Draw, "draw"),
];

/// Frames that a median goes over.
pub const KEPT: usize = 101;

/// The last times of each stage.
#[derive(Debug, Default)]
pub struct StageMedians([VecDeque<Duration>; STAGES.len()]);

impl StageMedians {
    /// Adds a time.
    pub fn add(&mut self, stage: Stage, time: Duration) {
        let times = &mut self.0[stage as usize];
        if times.len() == KEPT {
            times.pop_front();
        }
        times.push_back(time);
    }

    /// Median in milliseconds; `None` before the first time.
    pub fn median_ms(&self, stage: Stage) -> Option<f64> {
        let mut times: Vec<Duration> = self.0[stage as usize].iter().copied().collect();
        times.sort_unstable();
        times.get(times.len() / 2).map(|t| t.as_secs_f64() * 1e3)
    }

    /// "capture 1.0", ...: name and median of each stage that has one, in milliseconds.
    pub fn words(&self) -> Vec<String> {
        let word = |(stage, name): (Stage, &str)| {
            self.median_ms(stage).map(|ms| format!("{name} {ms:.1}"))
        };
        STAGES.into_iter().filter_map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_goes_over_the_last_frames_only() {
        let mut stages = StageMedians::default();
        assert_eq!(stages.words(), Vec::<String>::new());
        (0..500).for_each(|_| stages.add(Stage::Run, Duration::from_millis(900)));
        (0..KEPT as u64).for_each(|i| stages.add(Stage::Run, Duration::from_millis(i)));
        assert_eq!(stages.median_ms(Stage::Run), Some(50.0));
        assert_eq!(stages.words(), ["run 50.0"]);
    }
}
