//! All parameters as views of one flat vector, and all running statistics as views of another.
//!
//! The optimizer, a finite check, a copy to bf16 and a checkpoint are then a few operations each. The
//! vector is cut into four ranges, (backbone | head) x (decayed | not), every parameter starting at a
//! multiple of 64 bytes. Convolution weights are stored `[O, kH, kW, I]`: permuted to torch's
//! `[O, I, kH, kW]` they are channels-last memory, which the fast kernels want.

use super::deeplab::DeepLab;
use super::inventory::Inventory;
use serde::{Deserialize, Serialize};
use shared::preprocess::{MEAN, STD};
use std::collections::HashMap;
use std::ops::Range;
use tch::{Device, Kind, Tensor};

/// 64 bytes in f32: where the next parameter may start.
const ALIGNMENT: i64 = 16;

/// One parameter and where it lies.
#[derive(Clone, Debug)]
pub struct Entry {
    /// torchvision's name: `backbone.conv1.weight`.
    pub name: String,
    /// Shape as torch sees it, `[O, I, kH, kW]` or `[C]`.
    pub shape: Vec<i64>,
    /// Place in the flat vector.
    pub range: Range<i64>,
}

/// A contiguous range of the flat vector whose parameters are treated alike.
#[derive(Clone, Debug)]
pub struct Section {
    /// Place in the flat vector.
    pub range: Range<i64>,
    /// Whether it belongs to a head (classifier, auxiliary classifier) rather than the backbone.
    pub head: bool,
    /// Whether weight decay applies: convolution weights, but neither biases nor normalizations.
    pub decayed: bool,
}

/// In which floating-point format convolutions are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits throughout.
    F32,
    /// Convolutions and activations in bfloat16; statistics, loss and updates stay in f32.
    Bf16,
    /// 64 bits throughout, parameters too: slow, to compare gradients without the noise of rounding.
    F64,
}

impl Precision {
    /// What parameters and running statistics are kept in.
    fn master(self) -> Kind {
        match self {
            Self::F32 | Self::Bf16 => Kind::Float,
            Self::F64 => Kind::Double,
        }
    }
}

/// Parameters and running statistics of a network, on one device.
pub struct Parameters {
    /// All parameters, `[P] f32`.
    pub flat: Tensor,
    /// All running means and variances, `[B] f32`.
    pub buffers: Tensor,
    /// What stands where in `flat`.
    pub entries: Vec<Entry>,
    /// What stands where in `buffers`: `NAME.running_mean`, `NAME.running_var`.
    pub buffer_entries: Vec<Entry>,
    /// The four ranges of `flat`.
    pub sections: Vec<Section>,
    /// In what convolutions compute.
    pub precision: Precision,
    /// Copy of the decayed ranges in bf16, `[D]`, where that is what convolutions compute in.
    compute: Option<Tensor>,
    /// Mean and standard deviation of the input, each `[1, 3, 1, 1] f32`.
    pub input_scale: [Tensor; 2],
    leaves: HashMap<String, Tensor>,
    statistics: HashMap<String, Tensor>,
}

impl Parameters {
    /// Zeroed parameters of a network; [`super::init`] or [`super::weights`] fills them.
    pub fn new(network: &DeepLab, device: Device, precision: Precision) -> Self {
        let inventory = Inventory::of(network);
        let (entries, sections) = lay_out(&inventory);
        let (buffer_entries, buffer_len) = lay_out_buffers(&inventory);
        let master = (precision.master(), device);
        let flat = Tensor::zeros([sections[3].range.end], master);
        let buffers = Tensor::zeros([buffer_len], master);
        let decayed = sections[1].range.end;
        let compute = (precision == Precision::Bf16)
            .then(|| Tensor::zeros([decayed], (Kind::BFloat16, device)));
        let leaves = entries
            .iter()
            .map(|entry| {
                let base = compute.as_ref().filter(|_| entry.range.end <= decayed);
                let leaf = view(base.unwrap_or(&flat), entry).detach().set_requires_grad(true);
                (entry.name.clone(), leaf)
            })
            .collect();
        let statistics = buffer_entries
            .iter()
            .map(|entry| (entry.name.clone(), view(&buffers, entry)))
            .collect();
        let channels = |values: [f32; 3]| {
            Tensor::from_slice(&values).view([1, 3, 1, 1]).to_device(device).to_kind(master.0)
        };
        Self {
            input_scale: [channels(MEAN), channels(STD)],
            flat,
            buffers,
            entries,
            buffer_entries,
            sections,
            precision,
            compute,
            leaves,
            statistics,
        }
    }

    /// The device that everything lives on.
    pub fn device(&self) -> Device {
        self.flat.device()
    }

    /// The tensor to compute with, by torchvision's name. Names come from the network itself.
    pub fn leaf(&self, name: &str) -> &Tensor {
        &self.leaves[name]
    }

    /// A running statistic, by torchvision's name, written to in place by training.
    pub fn statistic(&self, name: &str) -> &Tensor {
        &self.statistics[name]
    }

    /// Brings the copy that convolutions compute with up to date: after every change of `flat`.
    pub fn refresh(&mut self) {
        if let Some(compute) = &mut self.compute {
            tch::no_grad(|| compute.copy_(&self.flat.narrow(0, 0, compute.size()[0])));
        }
    }

    /// The gradient of a scalar with respect to `flat`, `[P] f32`; 0 in the padding.
    pub fn gradient(&self, loss: &Tensor) -> Tensor {
        let leaves: Vec<&Tensor> = self.entries.iter().map(|e| &self.leaves[&e.name]).collect();
        let gradients = Tensor::run_backward(&[loss], &leaves, false, false);
        tch::no_grad(|| match &self.compute {
            None => join(&self.entries, &gradients, 0..self.flat.size()[0]),
            Some(compute) => {
                let decayed = compute.size()[0];
                let count = self.entries.partition_point(|e| e.range.end <= decayed);
                let (low, high) = self.entries.split_at(count);
                let low = join(low, &gradients[..count], 0..decayed);
                let high = join(high, &gradients[count..], decayed..self.flat.size()[0]);
                Tensor::cat(&[low.to_kind(Kind::Float), high], 0)
            }
        })
    }

    /// A vector laid out as `flat` is, a gradient for one, parameter by parameter under torchvision's names: views.
    pub fn split(&self, flat: &Tensor) -> impl Iterator<Item = (String, Tensor)> {
        self.entries.iter().map(|e| (e.name.clone(), view(flat, e)))
    }

    /// Every parameter and running statistic as torch sees it, by torchvision's name: views, in f32.
    pub fn named(&self) -> Vec<(String, Tensor)> {
        let parameters = self.split(&self.flat);
        let buffers = self.buffer_entries.iter().map(|e| (e.name.clone(), view(&self.buffers, e)));
        parameters.chain(buffers).collect()
    }

    /// Number of parameters, padding and running statistics not counted.
    pub fn count(&self) -> i64 {
        self.entries.iter().map(|e| e.range.end - e.range.start).sum()
    }
}

/// A parameter's view of the vector it lives in.
fn view(base: &Tensor, entry: &Entry) -> Tensor {
    let flat = base.narrow(0, entry.range.start, entry.range.end - entry.range.start);
    match entry.shape[..] {
        [o, i, h, w] => flat.view([o, h, w, i]).permute([0, 3, 1, 2]),
        _ => flat,
    }
}

/// The gradients, flattened and concatenated in the flat vector's order and padding.
fn join(entries: &[Entry], gradients: &[Tensor], range: Range<i64>) -> Tensor {
    let mut pieces = Vec::with_capacity(2 * entries.len());
    let mut at = range.start;
    let kind = gradients[0].kind();
    let padding = Tensor::zeros([range.end - range.start], (kind, gradients[0].device()));
    let pad = |pieces: &mut Vec<Tensor>, from: i64, to: i64| {
        if to > from {
            pieces.push(padding.narrow(0, 0, to - from));
        }
    };
    for (entry, gradient) in entries.iter().zip(gradients) {
        pad(&mut pieces, at, entry.range.start);
        // Channels-last memory: this permutation is the order it already has.
        let rows = if entry.shape.len() == 4 {
            gradient.permute([0, 2, 3, 1])
        } else {
            gradient.shallow_clone()
        };
        pieces.push(rows.reshape([-1]).to_kind(kind));
        at = entry.range.end;
    }
    pad(&mut pieces, at, range.end);
    Tensor::cat(&pieces, 0)
}

/// Places of the parameters, and the four sections, each in the order of first use.
fn lay_out(inventory: &Inventory) -> (Vec<Entry>, Vec<Section>) {
    let mut items: Vec<(String, Vec<i64>)> = Vec::new();
    for conv in &inventory.convs {
        let shape = vec![conv.outputs, conv.inputs, conv.kernel, conv.kernel];
        items.push((format!("{}.weight", conv.name), shape));
        if conv.bias {
            items.push((format!("{}.bias", conv.name), vec![conv.outputs]));
        }
    }
    for norm in &inventory.norms {
        items.push((format!("{}.weight", norm.name), vec![norm.channels]));
        items.push((format!("{}.bias", norm.name), vec![norm.channels]));
    }
    let mut entries = Vec::with_capacity(items.len());
    let mut sections = Vec::with_capacity(4);
    let mut at = 0;
    for (decayed, head) in [(true, false), (true, true), (false, false), (false, true)] {
        let start = at;
        for (name, shape) in &items {
            if (shape.len() == 4) == decayed && name.starts_with("backbone.") != head {
                at = place(&mut entries, name.clone(), shape.clone(), at);
            }
        }
        sections.push(Section { range: start..at, head, decayed });
    }
    (entries, sections)
}

fn lay_out_buffers(inventory: &Inventory) -> (Vec<Entry>, i64) {
    let mut entries = Vec::with_capacity(2 * inventory.norms.len());
    let mut at = 0;
    for norm in &inventory.norms {
        for statistic in ["running_mean", "running_var"] {
            let name = format!("{}.{statistic}", norm.name);
            at = place(&mut entries, name, vec![norm.channels], at);
        }
    }
    (entries, at)
}

/// Appends an entry at an offset and returns where the next may start.
fn place(entries: &mut Vec<Entry>, name: String, shape: Vec<i64>, at: i64) -> i64 {
    let end = at + shape.iter().product::<i64>();
    entries.push(Entry { name, shape, range: at..end });
    (end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT
}
