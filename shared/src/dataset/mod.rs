//! Data sets: which images and labels belong together, and what the labels' values mean.
//! Not augmentation, not the order of training: those are the trainer's.
//! Layouts follow what the data sets' authors distribute.

mod descriptor;
mod file;
mod index;
mod mapping;
mod pattern;
mod split;
pub mod stats;

pub use descriptor::Descriptor;
pub use index::{Index, Sample};
pub use stats::{Stats, stats};
