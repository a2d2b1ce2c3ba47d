//! 8-bit integers in place of f32: the quantization parameters of each map and each weight.
//!
//! [`calibrate`](mod@calibrate) runs the network over images and observes every map that an operation reads
//! ([`simulate`]); [`observer`] turns what was seen into a range. Activations are quantized per tensor, weights per
//! channel (Krishnamoorthi 2018, "Quantizing deep convolutional networks for efficient inference", Sec. 2 and 3).

pub mod calibrate;
pub mod observer;
pub mod simulate;

use super::fold::Folded;
use shared::error::{Error, Result};

pub use calibrate::calibrate;
pub use observer::Method;

/// How activations are quantized.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Activations {
    /// u8 with a zero point: what x86 kernels are made for.
    #[default]
    U8,
    /// s8, symmetric: what TensorRT asks for; three times slower on x86 processors.
    S8,
}

/// How a network is to be quantized.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// How ranges follow from what was seen.
    pub method: Method,
    /// Images that are looked at.
    pub images: usize,
    /// 8, or 7 for x86 processors without VNNI: there the sum of two products of u8 and s8 saturates at 16 bits.
    pub weight_bits: u32,
    /// The form of activations.
    pub activations: Activations,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            method: Method::default(),
            images: 64,
            weight_bits: 8,
            activations: Activations::default(),
        }
    }
}

impl Settings {
    /// Refuses what makes no sense, naming it.
    ///
    /// # Errors
    /// No images; bits other than 7 and 8; a percentile outside 50 to 100.
    pub fn check(&self) -> Result<()> {
        if self.images == 0 {
            return Err(Error::request("calibration: expected one image or more, got 0")
                .hint("--calibration-images 64 is what it takes by default"));
        }
        if ![7, 8].contains(&self.weight_bits) {
            let got = self.weight_bits;
            return Err(Error::request(format!("weight bits: expected 7 or 8, got {got}"))
                .hint("8 is what it takes by default, 7 is for x86 processors without VNNI"));
        }
        self.method.check()
    }
}

/// Affine quantization: `real = scale * (q - zero_point)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantParams {
    /// The step between neighbouring real values.
    pub scale: f32,
    /// The q that stands for 0.
    pub zero_point: i32,
}

impl QuantParams {
    /// The parameters that cover a range and represent 0 exactly.
    pub fn covering([low, high]: [f32; 2], form: Activations) -> Self {
        let (low, high) = (low.min(0.0), high.max(0.0));
        // A map that is 0 everywhere: any scale will do.
        let scale = |width: f32, steps: f32| if width > 0.0 { width / steps } else { 1.0 };
        match form {
            Activations::U8 => {
                let scale = scale(high - low, 255.0);
                Self { scale, zero_point: (-low / scale).round() as i32 }
            }
            Activations::S8 => Self { scale: scale(high.max(-low), 127.0), zero_point: 0 },
        }
    }
}

/// A network's quantization parameters, for every map that an operation reads, by [`Point`].
#[derive(Clone, Debug)]
pub struct Quantization {
    /// What was asked for.
    pub settings: Settings,
    /// What the card says of it.
    pub record: shared::card::Quantization,
    params: Vec<Option<QuantParams>>,
}

/// A point of the network where values are produced, counted in the order in which operations run. Maps that only
/// move or interpolate values (max-pool, resize, dropout) share the point of what they read, and so its parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point(pub usize);

/// Hands out points, alike in every implementation of the operations.
#[derive(Debug, Default)]
pub struct Points(usize);

impl Points {
    /// The next one.
    pub fn take(&mut self) -> Point {
        self.0 += 1;
        Point(self.0 - 1)
    }
}

impl Quantization {
    /// The parameters of a map. Points come from the network that was calibrated.
    pub fn params(&self, point: Point) -> QuantParams {
        self.params[point.0].expect("every map that is read was observed")
    }
}

/// A convolution's constants, quantized.
#[derive(Clone, Debug, PartialEq)]
pub struct QuantizedConv {
    /// `[O, I, kH, kW]`, symmetric: the zero point is 0.
    pub weight: Vec<i8>,
    /// Scale of each output channel's weights, `[O]`.
    pub scale: Vec<f32>,
    /// `[O]`, in units of the input's scale times `scale`.
    pub bias: Vec<i32>,
}

/// Quantizes a convolution whose input has the scale `input`.
pub fn quantize_conv(folded: &Folded, input: f32, bits: u32) -> QuantizedConv {
    let highest = ((1 << (bits - 1)) - 1) as f32; // 127, or 63
    let per_output = folded.weight.len() / folded.bias.len();
    let mut conv = QuantizedConv { weight: vec![], scale: vec![], bias: vec![] };
    for (row, &bias) in folded.weight.chunks(per_output).zip(&folded.bias) {
        let largest = row.iter().fold(0f32, |m, w| m.max(w.abs()));
        // A large bias over tiny weights must fit i32 still; weights that are all 0 need some scale.
        let least = (bias.abs() / (input * 2f32.powi(30))).max(f32::MIN_POSITIVE);
        let scale = (largest / highest).max(least);
        let quantize = |w: &f32| (w / scale).round_ties_even().clamp(-highest, highest) as i8;
        conv.weight.extend(row.iter().map(quantize));
        conv.bias.push((f64::from(bias) / (f64::from(input) * f64::from(scale))).round() as i32);
        conv.scale.push(scale);
    }
    conv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_exact_and_the_range_is_covered() {
        for range in [[0.0, 6.0], [-2.1, 2.64], [0.5, 3.0], [-4.0, -1.0], [0.0, 0.0]] {
            for (form, lowest, highest) in [(Activations::U8, 0, 255), (Activations::S8, -127, 127)]
            {
                let QuantParams { scale, zero_point } = QuantParams::covering(range, form);
                let real = |q: i32| scale * (q - zero_point) as f32;
                assert!((lowest..=highest).contains(&zero_point));
                assert!(real(lowest) <= range[0] + 0.51 * scale, "{range:?} {form:?}");
                assert!(real(highest) >= range[1] - 0.51 * scale, "{range:?} {form:?}");
            }
        }
    }

    #[test]
    fn weights_come_back_within_half_a_step_of_their_channel() {
        let folded = Folded {
            weight: vec![0.5, -1.0, 0.25, 100.0, -30.0, 1.0, 0.0, 0.0, 0.0, 1e-30, 0.0, 0.0],
            bias: vec![0.3, -7.0, 2.0, 1e6],
        };
        let input = 0.01f32;
        for bits in [7, 8] {
            let c = quantize_conv(&folded, input, bits);
            for (i, (&w, &q)) in folded.weight.iter().zip(&c.weight).enumerate() {
                assert!(i32::from(q).abs() < 1 << (bits - 1));
                assert!((w - c.scale[i / 3] * f32::from(q)).abs() <= 0.5 * c.scale[i / 3] + 1e-6);
            }
            for ((b, q), s) in folded.bias.iter().zip(&c.bias).zip(&c.scale) {
                let exact = f64::from(*b) / (f64::from(input) * f64::from(*s));
                assert!((exact - f64::from(*q)).abs() <= 0.5, "{b}");
            }
        }
    }
}
