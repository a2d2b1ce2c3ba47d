//! The optimizers and the clipping against torch.optim, step by step.
//! Not a test of what they share (state, bad steps): that stands beside the code. Golden: goldens/optimizer.py.

use std::collections::BTreeMap;
use tch::{Device, Kind, Tensor};
use train::optimizer::{Adam, Group, Optimizer, OptimizerSettings, Sgd, clip_by_norm};

const DECAY: f64 = 1e-2;

fn golden() -> BTreeMap<String, Tensor> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/goldens/optimizer.safetensors");
    Tensor::read_safetensors(path).unwrap_or_else(|e| panic!("{path}: {e}")).into_iter().collect()
}

fn assert_near(got: &Tensor, want: &Tensor, what: &str) {
    let far = (got.to_kind(Kind::Double) - want.to_kind(Kind::Double)).abs();
    let worst = (far / want.to_kind(Kind::Double).abs().clamp_min(1.0)).max().double_value(&[]);
    assert!(worst <= 1e-6, "{what}: expected at most 1e-6 apart, got {worst}");
}

#[test]
fn steps_agree_with_torch_optim() {
    let golden = golden();
    let sgd = |momentum, nesterov| {
        OptimizerSettings::Sgd(Sgd { momentum, nesterov, weight_decay: DECAY })
    };
    let adam = Adam { weight_decay: DECAY, ..Adam::default() };
    let other = Adam { beta1: 0.8, beta2: 0.95, eps: 1e-3, weight_decay: DECAY };
    for (name, settings) in [
        ("adam", OptimizerSettings::Adam(adam)),
        ("adam-other", OptimizerSettings::Adam(other)),
        ("sgd", sgd(0.9, false)),
        ("sgd-plain", sgd(0.0, false)),
        ("sgd-nesterov", sgd(0.9, true)),
    ] {
        let groups = vec![
            Group { range: 0..48, lr_factor: 1.0, decay: true },
            Group { range: 48..96, lr_factor: 10.0, decay: false },
        ];
        let mut optimizer = Optimizer::new(&settings, 96, groups, Device::Cpu);
        let params = golden["start"].copy();
        for step in 0..8 {
            let lr = golden["lr"].double_value(&[step]);
            optimizer.step(&params, &golden["clipped"].get(step), lr, &Tensor::from(true));
            assert_near(&params, &golden[name].get(step), &format!("{name}, step {step}"));
        }
    }
}

#[test]
fn clipping_agrees_with_clip_grad_norm() {
    let golden = golden();
    for step in 0..8 {
        let (clipped, norm) = clip_by_norm(&golden["grad"].get(step).copy(), Some(8.0));
        assert_near(&norm, &golden["norm"].get(step), "norm");
        assert_near(&clipped, &golden["clipped"].get(step), "clipped gradient");
    }
}
