//! The implementation of [`Ops`] that computes nothing: it lists every parameter in the order of its first use.

use super::deeplab::{DeepLab, Heads};
use super::ops::{Conv, ConvNorm, Norm, Ops};

/// Every convolution and normalization of a network, in order of use.
pub struct Inventory {
    /// The convolutions.
    pub convs: Vec<Conv>,
    /// The normalizations.
    pub norms: Vec<Norm>,
}

impl Inventory {
    /// Lists a network, auxiliary head and all.
    pub fn of(network: &DeepLab) -> Self {
        let mut inventory = Self { convs: Vec::new(), norms: Vec::new() };
        network.forward(&mut inventory, &(), Heads::All);
        inventory
    }
}

impl Ops for Inventory {
    type Value = ();

    fn conv(&mut self, (): &(), conv: &Conv) {
        self.convs.push(conv.clone());
    }

    fn conv_norm(&mut self, (): &(), layer: &ConvNorm) {
        self.convs.push(layer.conv.clone());
        self.norms.push(layer.norm.clone());
    }

    fn normalize(&mut self, (): &()) {}
    fn relu(&mut self, (): ()) {}
    fn max_pool(&mut self, (): &()) {}
    fn add(&mut self, (): (), (): &()) {}
    fn concat(&mut self, _: &[()]) {}
    fn mean(&mut self, (): &()) {}
    fn resize_like(&mut self, (): &(), (): &()) {}
    fn dropout(&mut self, (): (), _: f64) {}
    fn scores(&mut self, (): ()) {}
}
