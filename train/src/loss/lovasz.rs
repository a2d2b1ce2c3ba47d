//! Lovász-softmax: the IoU of each class, extended from sets to errors between 0 and 1, as a loss.
//! Over the batch as one image, and the mean over the classes that occur in it (the authors'
//! `per_image = False, classes = 'present'`); the published code of Tian et al., arXiv 2106.14917,
//! goes image by image (`per_image`). Source: Berman et al., "The Lovász-Softmax loss", arXiv
//! 1705.08790, Eq. 9 and 11, Alg. 1.
//!
//! What it costs: a sort of all pixels for every class of the data set, present or not (which ones
//! are, the host does not know). Class by class, so that keys, indices and ranks take some 60 bytes
//! a pixel once, not once a class; what stays for the gradient is one tensor of the logits' size
//! beside the softmax.

use super::counts;
use tch::{Kind, Tensor};

/// The sum of the images' losses, 0-d; an image without a valid pixel has 0.
pub(super) fn of_images(logits: &Tensor, target: &Tensor) -> Tensor {
    let image = |n| over_batch(&logits.narrow(0, n, 1), &target.narrow(0, n, 1));
    let sum = (0..logits.size()[0]).map(image).reduce(|sum, loss| sum + loss);
    sum.unwrap_or_else(|| logits.sum(logits.kind()) * 0.0)
}

/// The loss of the batch as one image, 0-d; 0 without a valid pixel.
pub(super) fn over_batch(logits: &Tensor, target: &Tensor) -> Tensor {
    let p = logits.softmax(1, None); // [N, C, H, W]
    let Slopes { slope, constant } = tch::no_grad(|| slopes(&p.detach(), target));
    (p * slope).sum(logits.kind()) + constant
}

/// The loss as a function of the probabilities, linear as long as the order of their errors stays:
/// sum(slope p) + constant.
struct Slopes {
    /// `[N, C, H, W]`.
    slope: Tensor,
    /// 0-d.
    constant: Tensor,
}

fn slopes(p: &Tensor, target: &Tensor) -> Slopes {
    let (classes, kind) = (p.size()[1], p.kind());
    let ignored = counts::ignored(target);
    let rank = Tensor::arange_start(1, ignored.numel() as i64 + 1, (Kind::Int64, p.device()));
    let slope = p.empty_like();
    let mut constant = Tensor::zeros([], (kind, p.device()));
    let mut present = Tensor::zeros([], (Kind::Int64, p.device()));
    for class in 0..classes {
        let truth = target.eq(class); // [N, H, W] bool
        let error = (truth.to_kind(kind) - p.select(1, class)).abs();
        let rise = rises(&error, &truth, &ignored, &rank);
        // An error is 1 - p at the class's own pixels, and p elsewhere.
        constant += rise.where_self(&truth, &rise.zeros_like()).sum(kind);
        slope.select(1, class).copy_(&(-&rise).where_self(&truth, &rise));
        present += truth.any();
    }
    let share = present.clamp_min(1).to_kind(kind).reciprocal();
    Slopes { slope: slope * &share, constant: constant * share }
}

/// What each pixel's error adds to the class's Jaccard loss: the loss's rise from the set of larger
/// errors to the set with this one. `[N, H, W]`; 0 for ignored pixels and for a class that does not
/// occur.
fn rises(error: &Tensor, truth: &Tensor, ignored: &Tensor, rank: &Tensor) -> Tensor {
    // Errors are 0 or more, so their bits, read as integers, are ordered as they are; integers are
    // sorted by radix, in a quarter of the time. The largest first, of equals the first, the
    // ignored last.
    let (integer, last) = match error.kind() {
        Kind::Double => (Kind::Int64, i64::MAX),
        _ => (Kind::Int, i64::from(i32::MAX)),
    };
    let key = (-error.view_dtype(integer)).masked_fill(ignored, last).flatten(0, -1);
    let (_, order) = key.sort_stable(true, 0, false);
    let hit = truth.flatten(0, -1).index_select(0, &order); // [M] bool
    let found = hit.cumsum(0, Kind::Int64);
    // Taking the r worst pixels from a class of n: the intersection keeps n - found, the union n +
    // r - found.
    let left = truth.sum(Kind::Int64) - found;
    let union = rank + &left;
    // The differences of 1 - left / union in closed form: those of the rounded quotients would lose
    // their digits in f32.
    let at_hit = union.to_kind(error.kind()).reciprocal();
    let elsewhere = left.to_kind(error.kind()) * &at_hit / (union - 1).clamp_min(1);
    let rise = at_hit.where_self(&hit, &elsewhere);
    let in_place = rise.zeros_like().scatter(0, &order, &rise).view_as(error);
    in_place.masked_fill(ignored, 0.0)
}
