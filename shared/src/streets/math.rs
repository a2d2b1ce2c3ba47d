//! The few pieces of arithmetic that the scenes need: vectors, colours, sine, noise, dice.
//! Not a general library: exactly what is used, from operations that round alike on every machine.
//! Source: own; the lattice noise is Perlin's "value noise" in its plainest form.

pub use std::f32::consts::{FRAC_PI_2, FRAC_PI_8, PI, TAU};

use crate::random::Stream;

/// A point or direction: x to the right, y up, z ahead, in metres.
pub type V3 = [f32; 3];

/// A colour, each channel 0..1 as displayed (sRGB values, not linear light).
pub type Rgb = [f32; 3];

pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

pub fn blend(a: Rgb, b: Rgb, t: f32) -> Rgb {
    [mix(a[0], b[0], t), mix(a[1], b[1], t), mix(a[2], b[2], t)]
}

pub fn scale(a: Rgb, k: f32) -> Rgb {
    [a[0] * k, a[1] * k, a[2] * k]
}

pub fn dot(a: V3, b: V3) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

pub fn sub(a: V3, b: V3) -> V3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

pub fn cross(a: V3, b: V3) -> V3 {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

pub fn unit(a: V3) -> V3 {
    scale(a, 1.0 / dot(a, a).sqrt().max(1e-9))
}

/// Rounds down. The plain method is a library call where the processor's own instruction is not assumed.
pub fn floor(x: f32) -> f32 {
    let whole = x as i32 as f32;
    if whole > x { whole - 1.0 } else { whole }
}

/// What is left of `x` above its floor, 0..1.
pub fn fraction(x: f32) -> f32 {
    x - floor(x)
}

/// 0 below `lo`, 1 above `hi`, smooth between.
pub fn step(lo: f32, hi: f32, x: f32) -> f32 {
    let t = ((x - lo) / (hi - lo)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Sine by a polynomial, because the system's own differs in the last bit from machine to machine.
pub fn sin(x: f32) -> f32 {
    let turns = x * (0.5 / PI);
    let t = turns - floor(turns + 0.5); // -0.5..0.5 of a turn
    let y = 8.0 * t - 16.0 * t * t.abs();
    y * (0.775 + 0.225 * y.abs())
}

pub fn cos(x: f32) -> f32 {
    sin(x + FRAC_PI_2)
}

/// What is left of light after an optical depth of `x`: close to exp(-x), from exact operations.
pub fn fade(x: f32) -> f32 {
    let a = 1.0 / (1.0 + x * (1.0 / 16.0));
    let b = a * a;
    let c = b * b;
    let d = c * c;
    d * d
}

/// Integer hash of a lattice point to 32 bits.
pub fn lattice(x: i32, y: i32, seed: u32) -> u32 {
    let mut h = (x as u32).wrapping_mul(0x8da6_b343)
        ^ (y as u32).wrapping_mul(0xd816_3841)
        ^ seed.wrapping_mul(0xcb1a_b31f);
    h = (h ^ (h >> 15)).wrapping_mul(0x2c1b_3c6d);
    h = (h ^ (h >> 12)).wrapping_mul(0x297a_2d39);
    h ^ (h >> 15)
}

/// A lattice point's own value, -1..1.
pub fn speck(x: i32, y: i32, seed: u32) -> f32 {
    (lattice(x, y, seed) >> 8) as f32 * (2.0 / 16_777_216.0) - 1.0
}

/// Smooth noise with features of size one, -1..1.
pub fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (fx, fy) = (floor(x), floor(y));
    let (ix, iy) = (fx as i32, fy as i32);
    let (tx, ty) = (x - fx, y - fy);
    let (tx, ty) = (tx * tx * (3.0 - 2.0 * tx), ty * ty * (3.0 - 2.0 * ty));
    let (jx, jy) = (ix.wrapping_add(1), iy.wrapping_add(1));
    mix(
        mix(speck(ix, iy, seed), speck(jx, iy, seed), tx),
        mix(speck(ix, jy, seed), speck(jx, jy, seed), tx),
        ty,
    )
}

/// Random choices for one thing in the world, a function of its seed.
pub struct Dice(Stream);

impl Dice {
    pub fn new(seed: u64, a: u64, b: u64) -> Self {
        Dice(Stream::new(seed, a, b))
    }

    /// Uniform in `lo..hi`.
    pub fn range(&mut self, lo: f32, hi: f32) -> f32 {
        mix(lo, hi, self.0.uniform() as f32)
    }

    pub fn chance(&mut self, p: f32) -> bool {
        self.range(0.0, 1.0) < p
    }

    /// Uniform below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.0.uniform() * n as f64) as usize).min(n.saturating_sub(1))
    }

    /// One of the choices, which must not be empty.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// A seed for something that belongs to this thing.
    pub fn seed(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// `base` with each channel moved by up to `by`, and brightness too.
    pub fn tint(&mut self, base: Rgb, by: f32) -> Rgb {
        let all = self.range(-by, by);
        base.map(|c| (c + all + self.range(-by, by) * 0.4).clamp(0.01, 0.98))
    }
}
