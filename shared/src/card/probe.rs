//! The probe: an image that anyone can make again, and what the trainer computed on it.
//! Not the comparison itself: `infer info --verify` replays it on a runtime.
//! Only integers make the image, so that no platform's mathematics library has a say in it.

use serde::{Deserialize, Serialize};

use super::expect;
use crate::error::Result;
use crate::random::hash;

/// What the trainer computed on [`probe_image`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Probe {
    /// Seed of the image.
    pub seed: u64,
    /// Images in the batch.
    pub batch: u32,
    /// Height in pixels.
    pub height: u32,
    /// Width in pixels.
    pub width: u32,
    /// Where logits were sampled: (image, y, x).
    pub positions: Vec<[u32; 3]>,
    /// The logits there, C values a position.
    pub logits: Vec<Vec<f32>>,
    /// SHA-256 of the labels, u8 [batch, height, width], in hexadecimal.
    pub labels_sha256: String,
}

impl Probe {
    /// Whether there is nothing to replay.
    pub fn is_empty(&self) -> bool {
        self.batch == 0
    }

    /// Refuses a probe that contradicts itself, or that is too large to be replayed.
    pub(super) fn check(&self, classes: usize) -> Result<()> {
        let size = [self.batch, self.height, self.width];
        // An image that anyone can make must also be one that anyone can hold in memory.
        let pixels: u64 = size.iter().map(|&s| u64::from(s)).product();
        expect(
            (1..=1 << 26).contains(&pixels),
            "probe",
            "a batch of at most 64 MPixel",
            format!("{size:?}"),
        )?;
        let inside = |p: &[u32; 3]| p.iter().zip(size).all(|(p, s)| *p < s);
        if let Some(bad) = self.positions.iter().find(|p| !inside(p)) {
            expect(false, "probe.positions", format!("inside {size:?}"), format!("{bad:?}"))?;
        }
        let (p, l) = (self.positions.len(), self.logits.len());
        expect(p == l, "probe.logits", format!("{p}, one a position"), l)?;
        if let Some(bad) = self.logits.iter().find(|l| l.len() != classes) {
            expect(false, "probe.logits", format!("{classes} a position"), bad.len())?;
        }
        let finite = self.logits.iter().flatten().all(|v| v.is_finite());
        expect(finite, "probe.logits", "finite numbers", "others")?;
        let sum = &self.labels_sha256;
        let hex = sum.len() == 64 && sum.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        expect(hex, "probe.labels_sha256", "64 hexadecimal digits", sum)
    }
}

/// A u8 image [batch, height, width, 3], smooth with noise on it, the same on every machine.
///
/// A value depends on the seed and its position only (integers throughout, no function of the
/// platform's mathematics library), so a crop of a larger probe is the smaller probe.
pub fn probe_image(seed: u64, batch: u32, height: u32, width: u32) -> Vec<u8> {
    const CELL: u32 = 32; // pixels between the points of the smooth part
    let mut out = Vec::with_capacity(batch as usize * height as usize * width as usize * 3);
    for n in 0..batch {
        let image = hash(seed, u64::from(n), 0);
        let point = |y: u32, x: u32| hash(image, u64::from(y), u64::from(x) + 1);
        for y in 0..height {
            for x in 0..width {
                let (cy, cx, fy, fx) = (y / CELL, x / CELL, y % CELL, x % CELL);
                let corners = [
                    (point(cy, cx), (CELL - fy) * (CELL - fx)),
                    (point(cy, cx + 1), (CELL - fy) * fx),
                    (point(cy + 1, cx), fy * (CELL - fx)),
                    (point(cy + 1, cx + 1), fy * fx),
                ];
                let noise = hash(image, (1 << 40) + u64::from(y), u64::from(x));
                for channel in 0..3 {
                    let smooth: u32 =
                        corners.iter().map(|(h, w)| byte(*h, channel) * w).sum::<u32>()
                            / (CELL * CELL);
                    out.push((smooth * 7 / 8 + byte(noise, channel) / 8) as u8);
                }
            }
        }
    }
    out
}

fn byte(bits: u64, i: u32) -> u32 {
    (bits >> (8 * i)) as u32 & 255
}
