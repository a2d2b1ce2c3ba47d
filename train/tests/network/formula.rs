//! Weights, images and labels as functions of names and places, and how tensors are sampled and summed up.
//! Not random in any use of the word but looks: two programs must compute the same.
//! Computed a second time in goldens/network.py, where each function stands explained.

use super::CLASSES;
use tch::{Kind, Tensor};

const SAMPLES: i64 = 256;
const PROJECTIONS: usize = 4;

fn fnv(text: &str) -> u32 {
    text.bytes().fold(2166136261, |value, byte| (value ^ u32::from(byte)).wrapping_mul(16777619))
}

fn mix(x: u32) -> u32 {
    let x = (x ^ (x >> 16)).wrapping_mul(0x85EB_CA6B);
    let x = (x ^ (x >> 13)).wrapping_mul(0xC2B2_AE35);
    x ^ (x >> 16)
}

fn bits(name: &str, count: i64) -> impl Iterator<Item = u32> {
    let start = fnv(name);
    (0..count as u32).map(move |i| mix(i.wrapping_mul(2654435769).wrapping_add(start)))
}

/// The tensor called `name`.
pub fn fill(name: &str, shape: &[i64]) -> Tensor {
    let (low, high) = match shape {
        [_, inputs, height, width] => {
            let bound = (3.0 / (inputs * height * width) as f64).sqrt();
            (-bound, bound)
        }
        _ if name.ends_with(".running_var") => (0.5, 1.5),
        _ if name.ends_with(".running_mean") => (-0.25, 0.25),
        _ if name.ends_with(".weight") && name.contains(".bn") => (0.2, 0.4),
        _ if name.ends_with(".weight") => (0.4, 0.8),
        _ => (0.2, 0.6),
    };
    let values: Vec<f32> = bits(name, shape.iter().product())
        .map(|b| {
            (low + (high - low) * (f64::from(b) / f64::from(1u32 << 16) / f64::from(1u32 << 16)))
                as f32
        })
        .collect();
    Tensor::from_slice(&values).view(shape)
}

/// u8 [batch, height, width, 3].
pub fn image(batch: i64, [height, width]: [i64; 2]) -> Tensor {
    let mut values = Vec::new();
    let (batch, height, width) = (batch as u32, height as u32, width as u32);
    for n in 0..batch {
        for (y, x) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
            for c in 0..3 {
                let coarse = mix(((n * 64 + y / 8) * 64 + x / 8) * 3 + c) >> 24;
                let fine = mix(((n * 256 + y) * 256 + x) * 3 + c + (1 << 31)) >> 24;
                values.push(((coarse * 3 + fine) / 4 * (n + 1) / batch) as u8);
            }
        }
    }
    Tensor::from_slice(&values).view([batch as i64, height as i64, width as i64, 3])
}

/// Labels i64 [batch, height, width].
pub fn target(batch: i64, [height, width]: [i64; 2]) -> Tensor {
    let mut values = Vec::new();
    for n in 0..batch as u32 {
        for (y, x) in (0..height as u32).flat_map(|y| (0..width as u32).map(move |x| (y, x))) {
            let hash = mix((n * 64 + y / 8) * 64 + x / 8 + (1 << 30));
            values.push(i64::from(hash % CLASSES as u32));
        }
    }
    Tensor::from_slice(&values).view([batch, height, width])
}

/// Logits at the sampled places.
pub fn samples(logits: &Tensor) -> Tensor {
    let count = logits.numel() as u32;
    let places: Vec<i64> = bits("sample", SAMPLES).map(|b| i64::from(b % count)).collect();
    logits.detach().contiguous().view([-1]).index_select(0, &Tensor::from_slice(&places))
}

/// Norm and projections of a tensor.
pub fn fingerprint(tensor: &Tensor) -> Vec<f64> {
    let flat = tensor.detach().to_kind(Kind::Double).contiguous().view([-1]);
    let bits: Vec<i64> = bits("signs", flat.numel() as i64).map(i64::from).collect();
    let bits = Tensor::from_slice(&bits);
    let mut row = vec![flat.norm().double_value(&[])];
    for k in 0..PROJECTIONS as i64 {
        let one = bits.bitwise_right_shift_tensor_scalar(k).bitwise_and_tensor(&Tensor::from(1i64));
        let signs = one.to_kind(Kind::Double) * -2.0 + 1.0;
        row.push(flat.dot(&signs).double_value(&[]));
    }
    row
}
