//! Decoded samples at hand: each is decoded (and resized) once, as long as they fit into a budget.
//! Nothing is ever thrown out: with a new order each epoch, a fixed set of samples gives as many hits as any other.
//! Labels and images are u8, as the decoders give them.

use image::{GrayImage, RgbImage};
use shared::dataset::Index;
use shared::error::Result;
use shared::preprocess::{resize_image, resize_labels};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// A sample before augmentation: image and train ids, of one size.
pub struct Decoded {
    /// RGB.
    pub image: RgbImage,
    /// Train ids, 255 for ignored.
    pub label: GrayImage,
}

/// Samples of an index, decoded on demand and kept within a budget.
pub struct Cache {
    index: Arc<Index>,
    resize: Option<[u32; 2]>,
    slots: Vec<OnceLock<Arc<Decoded>>>,
    /// Bytes that may still be taken.
    left: AtomicU64,
}

impl Cache {
    /// A cache that brings samples to `resize` (width, height) and keeps up to `megabytes` MiB of them.
    pub fn new(index: Arc<Index>, resize: Option<[u32; 2]>, megabytes: u64) -> Self {
        let slots = index.samples.iter().map(|_| OnceLock::new()).collect();
        Self { index, resize, slots, left: AtomicU64::new(megabytes.saturating_mul(1 << 20)) }
    }

    /// Sample `i`, from memory or from its files.
    ///
    /// # Errors
    /// Those of decoding; they name the file.
    pub fn get(&self, i: usize) -> Result<Arc<Decoded>> {
        if let Some(kept) = self.slots[i].get() {
            return Ok(kept.clone());
        }
        let (mut image, mut label) = self.index.load(i)?;
        if let Some([w, h]) = self.resize {
            (image, label) = (resize_image(&image, w, h), resize_labels(&label, w, h));
        }
        let decoded = Arc::new(Decoded { image, label });
        let bytes = (decoded.image.len() + decoded.label.len()) as u64;
        let take = |left: u64| left.checked_sub(bytes);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
            && self.slots[i].set(decoded.clone()).is_err()
        {
            // Another thread was faster: give the bytes back.
            self.left.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(decoded)
    }
}
