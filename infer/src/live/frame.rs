//! What goes from stage to stage: a frame, and the frame with what the models saw in it.
//! Not how it got there. A frame is moved, never copied; a finished one is shared by display, sink and record.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use image::{GrayImage, RgbImage};

use super::board::Board;
use super::clock::Stamp;
use super::counts::Tally;
use super::stop::Stop;

/// A frame from the source.
#[derive(Debug)]
pub struct Frame {
    /// Its number among the captured ones, from 0.
    pub sequence: u64,
    /// u8 `[height, width, 3]`.
    pub image: RgbImage,
    /// When it arrived; its age counts from here.
    pub arrived: Stamp,
    /// Time that reading, decoding or drawing it took.
    pub capture: Duration,
    /// Of a video: its time since the first frame, which never stands still.
    pub time: Option<Duration>,
}

/// A frame and its labels.
#[derive(Debug)]
pub struct SegmentedFrame {
    /// The frame.
    pub frame: Frame,
    /// Train ids by model, u8 `[height, width]`, of the frame's size.
    pub labels: Vec<GrayImage>,
    /// Resizing to input size, all models.
    pub prepare: Duration,
    /// ONNX Runtime, all models.
    pub run: Duration,
    /// From its output to labels, all models.
    pub post: Duration,
}

/// What every thread of a run has a hand on.
#[derive(Debug)]
pub struct RunState {
    /// The books.
    pub tally: Tally,
    /// Where to say what happened.
    pub board: Board,
    /// The wish to end.
    pub stop: Stop,
    /// Whether a stage has failed: then a window does not stay open behind it.
    pub failed: AtomicBool,
    /// Frames per second of a video, once known.
    pub source_fps: OnceLock<f64>,
}

impl RunState {
    /// With empty books.
    pub fn new(board: Board) -> Arc<Self> {
        Arc::new(Self {
            tally: Tally::default(),
            board,
            stop: Stop::default(),
            failed: AtomicBool::new(false),
            source_fps: OnceLock::new(),
        })
    }
}
