//! Which samples make up which batch: a new permutation each epoch, its incomplete last batch dropped.
//! Not state: a batch's number is enough to find its samples.
//! Fisher and Yates' shuffle, from a stream that belongs to (seed, epoch).

use super::{Purpose, stream};
use shared::error::{Error, Result};

/// The order of `samples` samples in batches of `batch`.
#[derive(Clone, Debug)]
pub struct Order {
    samples: usize,
    batch: usize,
    seed: u64,
}

/// Where a batch of a run lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchPosition {
    /// The epoch, from 0.
    pub epoch: u64,
    /// The batch within the epoch, from 0.
    pub batch: u64,
}

impl Order {
    /// An order of samples.
    ///
    /// # Errors
    /// A batch of 0, or larger than the data set.
    pub fn new(samples: usize, batch: usize, seed: u64) -> Result<Self> {
        if (1..=samples).contains(&batch) {
            return Ok(Self { samples, batch, seed });
        }
        let line = format!(
            "train.batch: expected 1 to {samples}, the images of the data set, got {batch}"
        );
        Err(Error::request(line).hint("lower the batch size, or give more images"))
    }

    /// Batches of an epoch.
    pub fn batches_per_epoch(&self) -> u64 {
        (self.samples / self.batch) as u64
    }

    /// Where a run's batch of this number, from 0, lies.
    pub fn position(&self, number: u64) -> BatchPosition {
        let per_epoch = self.batches_per_epoch();
        BatchPosition { epoch: number / per_epoch, batch: number % per_epoch }
    }

    /// All samples in the order of an epoch.
    pub fn epoch(&self, epoch: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.samples).collect();
        stream(Purpose::Order, self.seed, epoch, 0).shuffle(&mut order);
        order
    }

    /// The samples of the batch at a position, cut from its epoch's order.
    pub fn cut<'a>(&self, epoch: &'a [usize], position: BatchPosition) -> &'a [usize] {
        &epoch[position.batch as usize * self.batch..][..self.batch]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_shows_each_sample_at_most_once_and_drops_the_incomplete_batch() {
        let order = Order::new(10, 3, 7).expect("fits");
        assert_eq!(order.batches_per_epoch(), 3);
        let epoch = order.epoch(1);
        let mut shown: Vec<usize> =
            (3..6).flat_map(|number| order.cut(&epoch, order.position(number)).to_vec()).collect();
        shown.sort();
        shown.dedup();
        assert_eq!(shown.len(), 9);
    }

    #[test]
    fn every_epoch_and_every_seed_has_an_order_of_its_own() {
        let order = |seed, epoch| Order::new(50, 5, seed).expect("fits").epoch(epoch);
        assert_eq!(order(1, 2), order(1, 2));
        assert_ne!(order(1, 2), order(1, 3));
        assert_ne!(order(1, 2), order(2, 2));
    }

    #[test]
    fn a_batch_that_no_data_set_fills_is_an_error() {
        assert!(Order::new(10, 11, 0).is_err());
        assert!(Order::new(10, 0, 0).is_err());
        assert!(Order::new(0, 1, 0).is_err());
        assert!(Order::new(10, 10, 0).is_ok());
    }
}
