//! Adam and SGD over one flat vector of parameters. A step that is not `ok` changes nothing.
//! Not tch's own optimizers: those can neither be saved nor told on the device to leave a step out.
//! Sources: Kingma and Ba, arXiv 1412.6980; arithmetic and L2 decay as in torch.optim.Adam and torch.optim.SGD.

mod clip;
mod settings;

pub use clip::clip_by_norm;
pub use settings::{Adam, OptimizerSettings, Sgd};

use crate::model::params::Section;
use std::ops::Range;
use tch::{Device, Kind, Tensor};

/// A contiguous range of the flat vector that is treated alike. Ranges are in elements and do not overlap.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Elements of the vector.
    pub range: Range<i64>,
    /// Multiplies the learning rate.
    pub lr_factor: f64,
    /// Whether weight decay applies.
    pub decay: bool,
}

impl Group {
    /// The groups of a network's parameters; the learning rate of its heads is multiplied with `head_lr_factor`.
    pub fn of_sections(sections: &[Section], head_lr_factor: f64) -> Vec<Self> {
        let group = |section: &Section| Self {
            range: section.range.clone(),
            lr_factor: if section.head { head_lr_factor } else { 1.0 },
            decay: section.decayed,
        };
        sections.iter().map(group).collect()
    }
}

/// Elements that one pass works on. On a CPU the dozen operations of a step then find their operands in the cache: over
/// whole vectors of 16 million they take twice as long.
const CPU_CHUNK: i64 = 1 << 17;

/// The same on a GPU, which rather has few, large launches: it only bounds the scratch memory, to 128 MiB.
const GPU_CHUNK: i64 = 1 << 24;

/// An optimizer with its state: vectors as long as the parameters, and the number of steps that counted.
pub struct Optimizer {
    settings: OptimizerSettings,
    groups: Vec<Group>,
    chunk: i64,
    /// Whether `ok` is applied by `where` rather than looked at. On a CPU nothing runs behind the host, so looking is free.
    gated: bool,
    /// Steps that counted, 0-d f64 on the device.
    steps: Tensor,
    /// The vectors of the state under torch's names, each [len] f32.
    slots: Vec<(&'static str, Tensor)>,
    /// Room for two intermediate results, [2, chunk] f32.
    scratch: Tensor,
}

impl Optimizer {
    /// An optimizer for `len` parameters, its state zero. Parameters outside every group stay as they are.
    ///
    /// # Panics
    /// If a group reaches beyond `len`.
    pub fn new(settings: &OptimizerSettings, len: i64, groups: Vec<Group>, device: Device) -> Self {
        assert!(
            groups.iter().all(|g| 0 <= g.range.start && g.range.end <= len),
            "groups lie within the vector"
        );
        let longest = groups.iter().map(|g| g.range.end - g.range.start).max().unwrap_or(0);
        let chunk = longest.min(if device.is_cuda() { GPU_CHUNK } else { CPU_CHUNK });
        let names: &[&'static str] = match settings {
            OptimizerSettings::Adam(_) => &["exp_avg", "exp_avg_sq"],
            OptimizerSettings::Sgd(_) => &["momentum_buffer"],
        };
        let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, device));
        Self {
            settings: settings.clone(),
            groups,
            chunk,
            gated: device.is_cuda(),
            steps: Tensor::zeros([] as [i64; 0], (Kind::Double, device)),
            slots: names.iter().map(|&name| (name, zeros(&[len]))).collect(),
            scratch: zeros(&[2, chunk]),
        }
    }

    /// One step at the learning rate `lr`, in place. Where `ok` is false, parameters and state stay bit for bit as they
    /// are, whatever the gradient holds.
    ///
    /// # Shapes
    /// `params` and `grad` `[len]` f32 and contiguous, `ok` 0-d bool, all on the optimizer's device.
    pub fn step(&mut self, params: &Tensor, grad: &Tensor, lr: f64, ok: &Tensor) {
        if !self.gated && ok.int64_value(&[]) == 0 {
            return;
        }
        tch::no_grad(|| {
            let _ = self.steps.g_add_(&ok.to_kind(Kind::Double));
            for group in &self.groups {
                let update = Update::new(self, group, lr, ok);
                let mut start = group.range.start;
                while start < group.range.end {
                    let len = self.chunk.min(group.range.end - start);
                    let cut = |vector: &Tensor| vector.narrow(0, start, len);
                    let state: Vec<Tensor> = self.slots.iter().map(|(_, slot)| cut(slot)).collect();
                    let scratch = [0, 1].map(|row| self.scratch.get(row).narrow(0, 0, len));
                    update.apply(cut(params), cut(grad), state, scratch);
                    start += len;
                }
            }
        });
    }

    /// What a checkpoint has to keep: `step` (0-d f64) and the state's vectors (`[len]` f32). The tensors are the
    /// optimizer's own memory: copy them before the next step.
    pub fn state(&self) -> Vec<(String, Tensor)> {
        let slots = self.slots.iter().map(|(name, slot)| (name.to_string(), slot.shallow_clone()));
        std::iter::once(("step".to_string(), self.steps.shallow_clone())).chain(slots).collect()
    }
}

/// What is the same for every chunk of a group in one step.
struct Update<'a> {
    settings: &'a OptimizerSettings,
    weight_decay: Option<Tensor>,
    /// The learning rate, divided by the first bias correction if there is one, 0-d f32.
    rate: Tensor,
    /// Adam's square root of the second bias correction, 0-d f32.
    root: Tensor,
    /// Where and how `ok` is applied, if it is.
    gate: Option<(&'a Tensor, Tensor)>,
}

impl<'a> Update<'a> {
    fn new(optimizer: &'a Optimizer, group: &Group, lr: f64, ok: &'a Tensor) -> Self {
        let lr = lr * group.lr_factor;
        let (rate, root, decay) = match &optimizer.settings {
            OptimizerSettings::Adam(adam) => {
                // Corrections from the step count on the device, in f64. Without a step yet, 0 / 0 is gated away below.
                let correction =
                    |beta: f64| -> Tensor { 1.0 - Tensor::pow_scalar(beta, &optimizer.steps) };
                (lr / correction(adam.beta1), correction(adam.beta2).sqrt(), adam.weight_decay)
            }
            OptimizerSettings::Sgd(sgd) => (Tensor::from(lr), Tensor::from(1.0), sgd.weight_decay),
        };
        Self {
            settings: &optimizer.settings,
            weight_decay: (group.decay && decay > 0.0).then(|| Tensor::from(decay as f32)),
            rate: rate.to_kind(Kind::Float),
            root: root.to_kind(Kind::Float),
            gate: optimizer.gated.then(|| (ok, ok.logical_not())),
        }
    }

    /// One chunk, all vectors of one length: p, g and the state's; two for intermediate results.
    fn apply(&self, mut p: Tensor, g: Tensor, state: Vec<Tensor>, scratch: [Tensor; 2]) {
        let [mut s, mut t] = scratch;
        let g = match &self.weight_decay {
            Some(decay) => {
                let _ = p.mul_out(&s, decay);
                s.g_add_(&g)
            }
            None => g,
        };
        // From here on g may live in s; the step's direction is born in t.
        match (self.settings, &state[..]) {
            (OptimizerSettings::Adam(adam), [m, v]) => {
                self.replace(m, &t, |new| m.lerp_scalar_out(new, &g, 1.0 - adam.beta1));
                let square = g.mul_out(&t, &g);
                self.replace(v, &s, |new| v.lerp_scalar_out(new, &square, 1.0 - adam.beta2));
                // m / (sqrt(v) / root + eps)
                let _ = v.sqrt_out(&t).g_div_(&self.root).g_add_scalar_(adam.eps);
                let _ = m.div_out(&t, &t.shallow_clone());
                let _ = t.g_mul_(&self.rate);
            }
            (OptimizerSettings::Sgd(sgd), [m]) => {
                self.replace(m, &t, |new| m.mul_scalar_out(new, sgd.momentum).g_add_(&g));
                if sgd.nesterov {
                    let _ = m.mul_scalar_out(&t, sgd.momentum).g_add_(&g).g_mul_(&self.rate);
                } else {
                    let _ = m.mul_out(&t, &self.rate);
                }
            }
            _ => unreachable!("the state's vectors were made for these settings"),
        }
        if let Some((_, not_ok)) = &self.gate {
            let _ = t.masked_fill_(not_ok, 0.0);
        }
        let _ = p.g_sub_(&t);
    }

    /// Lets `make` write what follows on `old`: over it, or into `scratch`, which replaces it where the step is ok.
    fn replace(&self, old: &Tensor, scratch: &Tensor, make: impl FnOnce(&Tensor) -> Tensor) {
        match &self.gate {
            Some((ok, _)) => drop(make(scratch).where_self_out(old, ok, old)),
            None => drop(make(old)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors;

    /// Normal numbers; not torch's generator, which the tests' threads share.
    fn vector(seed: u64, len: i64) -> Tensor {
        let mut stream = shared::random::Stream::new(seed, 0, 0);
        let values: Vec<f32> = (0..len).map(|_| stream.normal() as f32).collect();
        Tensor::from_slice(&values)
    }

    fn settings() -> [OptimizerSettings; 2] {
        let adam = Adam { weight_decay: 0.1, ..Adam::default() };
        let sgd = Sgd { nesterov: true, weight_decay: 0.1, ..Sgd::default() };
        [OptimizerSettings::Adam(adam), OptimizerSettings::Sgd(sgd)]
    }

    fn group(range: Range<i64>) -> Group {
        Group { range, lr_factor: 1.0, decay: true }
    }

    fn bits(tensor: &Tensor) -> Vec<u32> {
        Vec::<f32>::try_from(tensor.to_kind(Kind::Float))
            .expect("1-d")
            .iter()
            .map(|x| x.to_bits())
            .collect()
    }

    fn all_bits(params: &Tensor, optimizer: &Optimizer) -> Vec<Vec<u32>> {
        let state = optimizer.state().into_iter().map(|(_, t)| bits(&t.view(-1)));
        std::iter::once(bits(params)).chain(state).collect()
    }

    /// Three steps, the second of them with a gradient of NaN and ok = false.
    fn run_with_a_bad_step(settings: &OptimizerSettings, gated: bool) -> Vec<Vec<u32>> {
        let params = vector(0, 1000);
        params.narrow(0, 0, 3).copy_(&Tensor::from_slice(&[-0.0f32, 0.0, 1e-40]));
        let mut optimizer = Optimizer::new(settings, 1000, vec![group(0..1000)], Device::Cpu);
        optimizer.gated = gated;
        let (yes, no) = (Tensor::from(true), Tensor::from(false));
        let bad = vector(9, 1000) * f64::NAN;
        let fresh = all_bits(&params, &optimizer);
        optimizer.step(&params, &bad, 0.1, &no);
        assert!(all_bits(&params, &optimizer) == fresh, "before the first step");
        optimizer.step(&params, &vector(1, 1000), 0.1, &yes);
        let before = all_bits(&params, &optimizer);
        optimizer.step(&params, &bad, 0.1, &no);
        assert!(all_bits(&params, &optimizer) == before, "between steps");
        optimizer.step(&params, &vector(2, 1000), 0.1, &yes);
        assert!(all_bits(&params, &optimizer) != before);
        all_bits(&params, &optimizer)
    }

    #[test]
    fn a_step_that_is_not_ok_changes_no_bit_and_both_ways_of_leaving_it_out_agree() {
        for settings in settings() {
            assert!(run_with_a_bad_step(&settings, true) == run_with_a_bad_step(&settings, false));
        }
    }

    #[test]
    fn cutting_the_vector_into_chunks_changes_no_bit() {
        for settings in settings() {
            let results = [CPU_CHUNK, 64].map(|chunk| {
                let params = vector(0, 1000);
                let groups = vec![
                    group(0..500),
                    Group { lr_factor: 10.0, decay: false, ..group(512..1000) },
                ];
                let mut optimizer = Optimizer::new(&settings, 1000, groups, Device::Cpu);
                optimizer.chunk = optimizer.chunk.min(chunk);
                optimizer.step(&params, &vector(1, 1000), 0.1, &Tensor::from(true));
                assert_eq!(
                    bits(&params)[500..512],
                    bits(&vector(0, 1000))[500..512],
                    "outside every group"
                );
                all_bits(&params, &optimizer)
            });
            assert_eq!(results[0], results[1]);
        }
    }

    #[test]
    fn a_state_that_was_saved_goes_on_as_if_it_never_stopped() {
        for settings in settings() {
            let make = || Optimizer::new(&settings, 100, vec![group(0..100)], Device::Cpu);
            let (params, ok) = (vector(0, 100), Tensor::from(true));
            let mut optimizer = make();
            optimizer.step(&params, &vector(1, 100), 0.1, &ok);
            let saved: Vec<_> =
                optimizer.state().iter().map(|(n, t)| (n.clone(), t.copy())).collect();
            let resumed_params = params.copy();
            optimizer.step(&params, &vector(2, 100), 0.1, &ok);
            let mut resumed = make();
            tensors::fill(resumed.state(), &saved).expect("own state");
            resumed.step(&resumed_params, &vector(2, 100), 0.1, &ok);
            assert_eq!(all_bits(&params, &optimizer), all_bits(&resumed_params, &resumed));
        }
    }

    #[test]
    fn another_optimizers_state_is_refused() {
        let [adam, sgd] =
            settings().map(|s| Optimizer::new(&s, 100, vec![group(0..100)], Device::Cpu));
        let small = Optimizer::new(&settings()[0], 10, vec![group(0..10)], Device::Cpu);
        assert!(tensors::fill(small.state(), &adam.state()).is_err());
        assert!(tensors::fill(small.state(), &sgd.state()).is_err());
        assert!(tensors::fill(small.state(), &small.state()[1..]).is_err());
    }
}
