//! The generated street as a source: an endless drive, on any machine, without a file.
//! Not a test of speed: drawing a frame takes a core's time of its own (`shared::streets` says how much).

use std::time::{Duration, Instant};

use shared::streets::{StreetSettings, drive_frame};

use super::FrameSender;
use super::pace::Pace;
use crate::live::clock::Stamp;

/// Drives until nobody wants more. Frame `i` shows second `i / drive_fps` of the drive.
pub fn run(settings: &StreetSettings, drive_fps: f64, paced: bool, sender: &mut FrameSender) {
    let mut pace = Pace::new(paced.then_some(drive_fps));
    let mut wanted = sender.wanted();
    while wanted && !pace.wait(Duration::ZERO, &sender.shared.stop) {
        let start = Instant::now();
        let second = sender.delivered() as f64 / drive_fps;
        let image = drive_frame(settings, second as f32).image;
        wanted = sender.deliver(image, Stamp::now(), start.elapsed(), None);
    }
}
