//! From an index of files to batches: sample order, augmentation, decoding in threads.
//! Not the device: batches are u8 in host memory, and normalization is part of the network.
//! Randomness is a function of (seed, epoch, sample), so that the number of threads changes nothing.

mod augment;
mod cache;
mod jitter;
mod loader;
mod order;
mod settings;

pub use augment::augment;
pub use cache::{Cache, Decoded};
pub use loader::{Batch, Loader, LoaderSettings};
pub use order::{BatchPosition, Order};
pub use settings::{DataSettings, Jitter};

/// What a random stream is for: one seed serves several purposes that must not share numbers.
#[derive(Clone, Copy)]
enum Purpose {
    Order = 1,
    Augmentation = 2,
}

/// The random stream of a purpose for (seed, epoch, index).
fn stream(purpose: Purpose, seed: u64, epoch: u64, index: u64) -> shared::random::Stream {
    shared::random::Stream::new(shared::random::hash(seed, purpose as u64, 0), epoch, index)
}
