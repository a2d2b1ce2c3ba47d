"""Makes loss.safetensors and loss_momentum.safetensors: the losses of train/tests/loss.rs, computed a second time.

It shares no code and no method with the Rust side: pixels are visited one by one in plain Python, counts are Python
integers, the log-sum-exp is written out, and PyTorch is asked for nothing but the derivative. A case is also checked
against central differences, with the weights held fixed.
Source of the definitions: Tian et al., arXiv 2106.14917, Eq. 2, 5; the floor as in their published implementation.

pip install torch==2.11.0 safetensors==0.8.0 numpy
python loss.py            # writes beside itself

Format: CASE.logits f64 [N, C, H, W], CASE.target i64 [N, H, W] (255 is ignored), CASE.counts f64 [C], CASE.LOSS.value
f64 [1], CASE.LOSS.grad f64 as the logits.
"""
import math
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

IGNORE = 255


def valid_pixels(y):
    n, h, w = y.shape
    return [(i, r, c) for i in range(n) for r in range(h) for c in range(w) if int(y[i, r, c]) != IGNORE]


def pixel_cross_entropy(z, truth):
    """-log softmax(z)[truth] of one pixel's logits z [C]."""
    top = float(z.detach().max())
    return torch.log(torch.exp(z - top).sum()) + top - z[truth]


def winner(z):
    """The class with the largest logit, the first of equals."""
    values = [float(v) for v in z]
    return values.index(max(values))


def confusion(z, y):
    """Python integers: how often each class occurs, and how often it is missed."""
    occurs, missed = [0] * z.shape[1], [0] * z.shape[1]
    for i, r, c in valid_pixels(y):
        truth = int(y[i, r, c])
        occurs[truth] += 1
        missed[truth] += winner(z[i, :, r, c].detach()) != truth
    return occurs, missed


def weighted_mean(z, y, weight):
    """Mean over the valid pixels of weight[truth] times the pixel's cross entropy; 0 without a valid pixel."""
    pixels = valid_pixels(y)
    total = (z * 0.0).sum()
    for i, r, c in pixels:
        truth = int(y[i, r, c])
        total = total + weight[truth] * pixel_cross_entropy(z[i, :, r, c], truth)
    return total / max(len(pixels), 1)


def recall_weights(z, y, floor):
    occurs, missed = confusion(z, y)
    return [(max(m, 1) if floor else m) / o if o else 0.0 for o, m in zip(occurs, missed)]


def mean_one(weight, y):
    """Divides the weights by their mean over the valid pixels, which then is one (all zero stays zero)."""
    of_pixels = [weight[int(y[p])] for p in valid_pixels(y)]
    mean = math.fsum(of_pixels) / max(len(of_pixels), 1)
    return [w / mean for w in weight] if mean > 0 else [0.0 for _ in weight]


LOSSES = {
    "cross-entropy": lambda z, y: [1.0] * z.shape[1],
    "recall-floor": lambda z, y: recall_weights(z, y, True),
    "recall-nofloor": lambda z, y: recall_weights(z, y, False),
    "recall-mean-one": lambda z, y: mean_one(recall_weights(z, y, False), y),
}


def value_and_gradient(z, y, weight):
    z = z.clone().requires_grad_(True)
    value = weighted_mean(z, y, weight)
    value.backward()
    return value.detach(), z.grad


def check_by_differences(z, y, weight, grad, rng, step=1e-5):
    for _ in range(20):
        at = tuple(int(rng.integers(s)) for s in z.shape)
        up, down = z.clone(), z.clone()
        up[at] += step
        down[at] -= step
        slope = (weighted_mean(up, y, weight) - weighted_mean(down, y, weight)) / (2 * step)
        assert abs(float(slope) - float(grad[at])) < 1e-8, (at, float(slope), float(grad[at]))


def good_logits(rng, y, classes, right):
    """Noise, plus a clear vote for the truth at a share `right` of the pixels."""
    z = rng.normal(size=(y.shape[0], classes, *y.shape[1:]))
    for p in valid_pixels(y):
        if rng.random() < right:
            z[p[0], int(y[p]), p[1], p[2]] += 4.0
    return z


def cases():
    rng = np.random.default_rng(20210614)
    y = rng.integers(0, 5, (2, 6, 7))
    yield "random", good_logits(rng, y, 5, 0.6), y
    y = rng.integers(0, 5, (2, 6, 7))
    y[rng.random(y.shape) < 0.3] = IGNORE
    yield "ignored", good_logits(rng, y, 5, 0.6), y
    y = rng.choice([0, 2, IGNORE], (2, 5, 6))
    yield "absent", good_logits(rng, y, 6, 0.5), y
    y = rng.integers(0, 4, (2, 5, 6))
    y[0, 0] = IGNORE
    z = good_logits(rng, y, 4, 0.4)
    for i, r, c in valid_pixels(y):  # classes 1 and 3 are found everywhere
        if y[i, r, c] in (1, 3):
            z[i, y[i, r, c], r, c] = 9.0
    yield "perfect-classes", z, y
    y = rng.integers(0, 4, (1, 5, 6))
    z = good_logits(rng, y, 4, 0.0)
    for p in valid_pixels(y):
        z[p[0], y[p], p[1], p[2]] = 8.0
    yield "all-perfect", z, y
    y = np.full((2, 4, 3), IGNORE)
    yield "all-ignored", rng.normal(size=(2, 3, 4, 3)), y
    yield "all-ignored-large", rng.choice([-1e4, 1e4], (1, 3, 4, 3)), y[:1]
    y = np.where(rng.random((2, 4, 3)) < 0.2, IGNORE, 0)
    yield "one-class", rng.normal(size=(2, 1, 4, 3)), y
    y = rng.integers(0, 4, (2, 5, 6))
    y[1, 2] = IGNORE
    yield "large", rng.choice([-1e4, 0.0, 1e4], (2, 4, 5, 6)), y
    y = rng.integers(0, 3, (2, 5, 6))
    yield "ties", rng.choice([0.0, 1.0], (2, 3, 5, 6)), y
    y = np.zeros((1, 8, 8), dtype=np.int64)
    y[0, 0, 0] = 1  # a class of one pixel, the paper's reason to exist
    yield "rare", good_logits(rng, y, 12, 0.7), y


def main():
    rng = np.random.default_rng(1)
    out = {}
    for name, z, y in cases():
        z, y = torch.tensor(z, dtype=torch.float64), torch.tensor(y, dtype=torch.int64)
        occurs, _ = confusion(z, y)
        out[f"{name}.logits"], out[f"{name}.target"] = z, y
        out[f"{name}.counts"] = torch.tensor(occurs, dtype=torch.float64)
        for loss, weights in LOSSES.items():
            value, grad = value_and_gradient(z, y, weights(z, y))
            assert torch.isfinite(value) and torch.isfinite(grad).all()
            out[f"{name}.{loss}.value"], out[f"{name}.{loss}.grad"] = value.reshape(1), grad
            if name in ("ignored", "rare"):
                check_by_differences(z, y, weights(z, y), grad, rng)
    save_file(out, Path(__file__).with_name("loss.safetensors"))

    # A running recall over five batches: class 3 is first seen in the third, the fourth has no valid pixel.
    momentum, running, out = 0.75, {}, {}
    for step in range(5):
        y = rng.integers(0, 3 if step < 2 else 4, (2, 4, 5))
        y[rng.random(y.shape) < 0.2] = IGNORE
        if step == 3:
            y[:] = IGNORE
        z = torch.tensor(good_logits(rng, y, 5, 0.5), dtype=torch.float64)
        y = torch.tensor(y, dtype=torch.int64)
        for c, (o, m) in enumerate(zip(*confusion(z, y))):
            if o:
                recall = 1 - m / o
                running[c] = momentum * running[c] + (1 - momentum) * recall if c in running else recall
        plain = [1 - running[c] if c in running else 0.0 for c in range(5)]
        out[f"{step}.logits"], out[f"{step}.target"] = z, y
        out[f"{step}.recall"] = torch.tensor([running.get(c, 0.0) for c in range(5)], dtype=torch.float64)
        out[f"{step}.seen"] = torch.tensor([float(c in running) for c in range(5)], dtype=torch.float64)
        for loss, weight in (("none", plain), ("mean-one", mean_one(plain, y))):
            value, grad = value_and_gradient(z, y, weight)
            out[f"{step}.{loss}.value"], out[f"{step}.{loss}.grad"] = value.reshape(1), grad
    save_file(out, Path(__file__).with_name("loss_momentum.safetensors"))


if __name__ == "__main__":
    main()
