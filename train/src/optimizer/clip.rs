//! The gradient's norm, and clipping by it.
//! Not clipping by value, nor per tensor: the gradient is one vector.
//! As torch.nn.utils.clip_grad_norm_.

use tch::{Kind, Tensor};

/// The gradient's L2 norm, 0-d f64, and the gradient scaled down to `max_norm` where it is longer. The scaling happens in
/// place: the tensor returned is `grad`'s own memory. As torch.nn.utils.clip_grad_norm_, which divides by norm + 1e-6.
/// A gradient that is not finite gives a norm that is not finite. Nothing in here waits for the device.
///
/// # Shapes
/// `grad` `[len]` f32, contiguous.
pub fn clip_by_norm(grad: &Tensor, max_norm: Option<f64>) -> (Tensor, Tensor) {
    tch::no_grad(|| {
        let norm = norm(grad);
        let mut grad = grad.shallow_clone();
        if let Some(max_norm) = max_norm {
            let factor = (max_norm / (&norm + 1e-6)).clamp_max(1.0);
            let _ = grad.g_mul_(&factor.to_kind(Kind::Float));
        }
        (grad, norm)
    })
}

/// L2 norm, 0-d f64. Rows first: libtorch's sum of 16 million f32 squares is off by 6e-4, row by row by 1e-7.
fn norm(vector: &Tensor) -> Tensor {
    const ROW: i64 = 1024;
    let whole = vector.numel() as i64 / ROW * ROW;
    let squares = |part: Tensor, width: i64| {
        let norms = part.view([-1, width]).norm_scalaropt_dim(2.0, 1i64, false);
        norms.to_kind(Kind::Double).square().sum(Kind::Double)
    };
    let tail = vector.numel() as i64 - whole;
    let mut total = Tensor::zeros([] as [i64; 0], (Kind::Double, vector.device()));
    if whole > 0 {
        total += squares(vector.narrow(0, 0, whole), ROW);
    }
    if tail > 0 {
        total += squares(vector.narrow(0, whole, tail), tail);
    }
    total.sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::random::Stream;

    fn vector(seed: u64, len: i64) -> Tensor {
        let mut stream = Stream::new(seed, 0, 0);
        let values: Vec<f32> = (0..len).map(|_| stream.normal() as f32).collect();
        Tensor::from_slice(&values)
    }

    #[test]
    fn the_norm_is_exact_to_f32_and_shows_what_is_not_finite() {
        for len in [1, 1023, 1024, 5000, 1 << 22] {
            let v = vector(3, len);
            let want = v.to_kind(Kind::Double).norm().double_value(&[]);
            let (_, norm) = clip_by_norm(&v, None);
            assert!((norm.double_value(&[]) / want - 1.0).abs() < 1e-6);
        }
        for bad in [f64::NAN, f64::INFINITY] {
            let v = vector(4, 3000);
            let _ = v.get(2999).fill_(bad);
            assert!(!clip_by_norm(&v, Some(1.0)).1.double_value(&[]).is_finite());
        }
    }
}
