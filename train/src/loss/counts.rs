//! Pixels counted per class on the device: how often a class occurs, and how often it is found.
//! Not the reported metrics, which `shared::metrics` computes on the host.
//! Source: the boolean definition of recall, Tian et al., arXiv 2106.14917, Table I.

use shared::labels::IGNORE;
use tch::{Kind, Tensor};

/// Per-class counts of one batch's valid pixels, each `[C]` i64.
pub struct Counts {
    /// Pixels of the class: TP + FN.
    pub truth: Tensor,
    /// Pixels of the class that another class has won: FN.
    pub missed: Tensor,
}

impl Counts {
    /// Counts by argmax (the first of equals wins). Neither bincount nor boolean indexing, which wait for the device;
    /// integers, since an f32 counter stops at 2^24.
    ///
    /// # Shapes
    /// `logits` `[N, C, H, W]`, `target` `[N, H, W]` i64.
    pub fn of(logits: &Tensor, target: &Tensor) -> Self {
        let (_, classes, _, w) = logits.size4().expect("logits are [N, C, H, W]");
        tch::no_grad(|| {
            // max with indices, since argmax alone takes a path that is twenty times slower on contiguous CPU memory.
            let (_, won) = logits.max_dim(1, false); // [N, H, W] i64
            // One bin per (class, found or missed), and a last one for the ignored pixels.
            let ignored = target.eq(i64::from(IGNORE));
            let bin = (target * 2 + won.ne_tensor(target)).masked_fill(&ignored, 2 * classes);
            // A row of bins for each image row, added up afterwards: rows do not contend for one counter.
            let bin = bin.view([-1, w]); // [N*H, W]
            let rows = bin.size()[0];
            let options = (Kind::Int64, logits.device());
            let one = Tensor::ones([1], options).expand([rows, w], false);
            let bins = Tensor::zeros([rows, 2 * classes + 1], options).scatter_add_(1, &bin, &one);
            let bins = bins.sum_dim_intlist(0, false, Kind::Int64); // [2C + 1]
            let pairs = bins.narrow(0, 0, 2 * classes).view([classes, 2]);
            let missed = pairs.select(1, 1);
            Self { truth: pairs.select(1, 0) + &missed, missed }
        })
    }

    /// The number of valid pixels, 0-d i64.
    pub fn valid(&self) -> Tensor {
        self.truth.sum(Kind::Int64)
    }

    /// Misses per class, FN / (FN + TP) = 1 - recall, `[C]` f64; 0 for a class that does not occur.
    pub fn miss_rate(&self) -> Tensor {
        self.missed.to_kind(Kind::Double) / self.truth.clamp_min(1)
    }
}
