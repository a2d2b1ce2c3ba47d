"""Makes optimizer.safetensors: torch.optim's Adam and SGD, and clip_grad_norm_, for train/tests/optimizer.rs.

Two groups (elements 0..48 at the base rate with weight decay, 48..96 at ten times the rate without), eight steps at
changing learning rates, gradients clipped to norm 8 (some are longer, some are not).

pip install torch==2.11.0 safetensors==0.8.0
python optimizer.py       # writes beside itself

Format: start f32 [96], lr f64 [8], grad f32 [8, 96], norm f32 [8], clipped f32 [8, 96], NAME f32 [8, 96]: the
parameters after each step.
"""
from pathlib import Path

import torch
from safetensors.torch import save_file

STEPS, LEN, CUT, DECAY, MAX_NORM = 8, 96, 48, 1e-2, 8.0
OPTIMIZERS = {
    "adam": lambda groups: torch.optim.Adam(groups),
    "adam-other": lambda groups: torch.optim.Adam(groups, betas=(0.8, 0.95), eps=1e-3),
    "sgd": lambda groups: torch.optim.SGD(groups, momentum=0.9),
    "sgd-plain": lambda groups: torch.optim.SGD(groups),
    "sgd-nesterov": lambda groups: torch.optim.SGD(groups, momentum=0.9, nesterov=True),
}

torch.manual_seed(0)
out = {
    "start": torch.randn(LEN),
    "lr": torch.tensor([1e-3, 2e-3, 3e-3, 3e-3, 2e-3, 1e-3, 5e-4, 1e-4], dtype=torch.float64),
    "grad": torch.randn(STEPS, LEN) * torch.logspace(-2, 1, STEPS)[:, None],
}
norms, clipped = [], []
for grad in out["grad"]:
    whole = torch.zeros(LEN, requires_grad=True)
    whole.grad = grad.clone()
    norms.append(torch.nn.utils.clip_grad_norm_([whole], MAX_NORM))
    clipped.append(whole.grad)
out["norm"], out["clipped"] = torch.stack(norms), torch.stack(clipped)
for name, make in OPTIMIZERS.items():
    head, tail = (out["start"][part].clone().requires_grad_(True) for part in (slice(0, CUT), slice(CUT, LEN)))
    optimizer = make([{"params": [head], "weight_decay": DECAY}, {"params": [tail], "weight_decay": 0.0}])
    after = []
    for lr, grad in zip(out["lr"].tolist(), out["clipped"]):
        head.grad, tail.grad = grad[:CUT].clone(), grad[CUT:].clone()
        optimizer.param_groups[0]["lr"], optimizer.param_groups[1]["lr"] = lr, 10 * lr
        optimizer.step()
        after.append(torch.cat([head, tail]).detach().clone())
    out[name] = torch.stack(after)
save_file({name: tensor.contiguous() for name, tensor in out.items()}, Path(__file__).with_name("optimizer.safetensors"))
