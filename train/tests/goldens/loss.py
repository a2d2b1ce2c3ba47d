"""Makes loss.safetensors and loss_momentum.safetensors: the losses of train/tests/loss, computed a second time.

It shares no code and no method with the Rust side: pixels are visited one by one in plain Python, counts are Python
integers, sets are Python sets, the log-sum-exp is written out, and PyTorch is asked for nothing but the derivative.
Some cases are also checked against central differences, with counted weights held fixed.
Source of the definitions: Tian et al., arXiv 2106.14917, Eq. 2, 5, 9 and Table I, and the papers that the losses' files
in train/src/loss name; the floor as in the published implementation of recall loss.

pip install torch==2.11.0 safetensors==0.8.0 numpy
python loss.py            # writes beside itself

Format: CASE.logits f64 [N, C, H, W], CASE.target i64 [N, H, W] (255 is ignored), CASE.counts f64 [C] (pixels
of each class in the training set), CASE.images [C] (images it occurs in), CASE.pixels_of_its_images [C] (theirs),
CASE.all_images [1], CASE.LOSS.value f64 [1], CASE.LOSS.grad f64 as the logits.
"""
import math
from decimal import Decimal, localcontext
from pathlib import Path
from types import SimpleNamespace

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


def prediction(z):
    """The class with the largest logit, the first of equals."""
    values = [float(v) for v in z]
    return values.index(max(values))


def confusion(z, y):
    """Python integers: how often each class occurs, and its false negatives."""
    occurs, false_negatives = [0] * z.shape[1], [0] * z.shape[1]
    for i, r, c in valid_pixels(y):
        truth = int(y[i, r, c])
        occurs[truth] += 1
        false_negatives[truth] += prediction(z[i, :, r, c].detach()) != truth
    return occurs, false_negatives


def weighted_mean(z, y, weight):
    """Mean over the valid pixels of weight[truth] times the pixel's cross entropy; 0 without a valid pixel."""
    pixels = valid_pixels(y)
    total = (z * 0.0).sum()
    for i, r, c in pixels:
        truth = int(y[i, r, c])
        total = total + weight[truth] * pixel_cross_entropy(z[i, :, r, c], truth)
    return total / max(len(pixels), 1)


def recall_weights(z, y, floor):
    occurs, false_negatives = confusion(z, y)
    ratio = lambda n, fn: (max(fn, 1) if floor else fn) / n if n else 0.0
    return [ratio(n, fn) for n, fn in zip(occurs, false_negatives)]


def mean_one(weight, y):
    """Divides the weights by their mean over the valid pixels, which then is one (all zero stays zero)."""
    of_pixels = [weight[int(y[p])] for p in valid_pixels(y)]
    mean = math.fsum(of_pixels) / max(len(of_pixels), 1)
    return [w / mean for w in weight] if mean > 0 else [0.0 for _ in weight]


def one_minus(z, y, a, b):
    """1 - TP / (TP + a FP + b FN) by argmax; a metric that is 0 / 0 counts 0."""
    weight = []
    for c in range(z.shape[1]):
        tp = fp = fn = 0
        for i, r, col in valid_pixels(y):
            truth, won = int(y[i, r, col]) == c, prediction(z[i, :, r, col].detach()) == c
            tp, fp, fn = tp + (truth and won), fp + (won and not truth), fn + (truth and not won)
        whole = tp + a * fp + b * fn
        weight.append(1 - tp / whole if whole else 1.0)
    return weight


def soft_iou_of_images(z, y):
    """As the recall paper's published code: image by image, over all classes; an absent class has IoU 0."""
    losses = []
    for i in range(z.shape[0]):
        pixels = [at for at in valid_pixels(y) if at[0] == i]
        if not pixels:
            continue
        p = {at: softmax(z[at[0], :, at[1], at[2]]) for at in pixels}
        total = (z * 0.0).sum()
        for c in range(z.shape[1]):
            hit = sum((p[at][c] for at in pixels if int(y[at]) == c), torch.zeros((), dtype=z.dtype))
            whole = sum(p[at][c] if int(y[at]) != c else 1.0 for at in pixels)
            total = total + hit / whole if float(hit.detach()) else total
        losses.append(1 - total / z.shape[1])
    return sum(losses) / len(losses) if losses else (z * 0.0).sum()


def lovasz_of_images(z, y):
    valid = [i for i in range(z.shape[0]) if any(at[0] == i for at in valid_pixels(y))]
    losses = [lovasz(z[i : i + 1], y[i : i + 1]) for i in valid]
    return sum(losses) / len(losses) if losses else (z * 0.0).sum()


def logit_adjusted(z, y, counts, tau):
    """The mean cross entropy of z + tau log pi, pi the class's share of the training set; a class without pixels is not moved."""
    whole = sum(counts)
    shift = torch.tensor([tau * math.log(n / whole) if n else 0.0 for n in counts], dtype=z.dtype)
    return weighted_mean(z + shift.reshape(1, -1, 1, 1), y, [1.0] * z.shape[1])


def frequency_weighted(z, y, weight):
    """sum(w_y ce) / sum(w_y); 0 without a weight."""
    pixels = valid_pixels(y)
    total = math.fsum(weight[int(y[p])] for p in pixels)
    summed = weighted_mean(z, y, weight) * max(len(pixels), 1)
    return summed / total if total else summed * 0.0


def inverse_frequency(counts):
    return [sum(counts) / n if n else 0.0 for n in counts]


def enet(counts):
    """1 / ln(1.02 + share): Paszke et al., arXiv 1606.02147, Sec. 5.1."""
    return [1 / math.log(1.02 + n / sum(counts)) if n else 0.0 for n in counts]


def median_frequency(counts, around):
    """median(f) / f, f the class's share of the pixels of its images: Eigen & Fergus, arXiv 1411.4734."""
    shares = [n / m for n, m in zip(counts, around) if n]
    middle = float(np.median(shares)) if shares else 0.0
    return [middle / (n / m) if n else 0.0 for n, m in zip(counts, around)]


def effective_number(counts, volume):
    """(1 - b) / (1 - b^n) with 60 digits, as it stands in the paper."""
    with localcontext() as context:
        context.prec = 60
        b = 1 - 1 / Decimal(volume)
        return [float((1 - b) / (1 - b**n)) if n else 0.0 for n in counts]


def softmax(z):
    """Of one pixel's logits, written out."""
    e = torch.exp(z - float(z.detach().max()))
    return e / e.sum()


def focal(z, y, gamma):
    pixels = valid_pixels(y)
    total = (z * 0.0).sum()
    for i, r, c in pixels:
        truth, logits = int(y[i, r, c]), z[i, :, r, c]
        total = total + (1 - softmax(logits)[truth]) ** gamma * pixel_cross_entropy(logits, truth)
    return total / max(len(pixels), 1)


def ohem(z, y, keep):
    pixels = valid_pixels(y)
    values = [pixel_cross_entropy(z[i, :, r, c], int(y[i, r, c])) for i, r, c in pixels]
    k = max(1, math.floor(keep * len(pixels)))
    worst = sorted(values, key=lambda v: -float(v.detach()))[:k]  # a stable sort: of equals the first
    return sum(worst, (z * 0.0).sum()) / k


def overlap(z, y, ratio):
    """1 - the mean over the classes present of a ratio of soft counts TP, FP, FN."""
    pixels = valid_pixels(y)
    p = {at: softmax(z[at[0], :, at[1], at[2]]) for at in pixels}
    ratios = []
    for c in sorted({int(y[at]) for at in pixels}):
        tp = sum(p[at][c] for at in pixels if int(y[at]) == c)
        fp = sum((p[at][c] for at in pixels if int(y[at]) != c), torch.zeros((), dtype=z.dtype))
        fn = sum(1 - p[at][c] for at in pixels if int(y[at]) == c)
        ratios.append(ratio(tp, fp, fn))
    return 1 - sum(ratios) / len(ratios) if ratios else (z * 0.0).sum()


def tversky(a, b):
    return lambda tp, fp, fn: tp / (tp + a * fp + b * fn)


def lovasz(z, y):
    """The extension by its definition: each error times the rise of 1 - IoU when its pixel joins the wrong ones."""
    pixels = valid_pixels(y)
    p = {at: softmax(z[at[0], :, at[1], at[2]]) for at in pixels}
    losses = []
    for c in sorted({int(y[at]) for at in pixels}):
        truth = {at for at in pixels if int(y[at]) == c}
        error = {at: 1 - p[at][c] if at in truth else p[at][c] for at in pixels}
        wrong, before, loss = set(), 0.0, 0.0
        for at in sorted(pixels, key=lambda at: -float(error[at].detach())):
            wrong.add(at)
            jaccard_loss = 1 - len(truth - wrong) / len(truth | wrong)
            loss, before = loss + error[at] * (jaccard_loss - before), jaccard_loss
        losses.append(loss)
    return sum(losses) / len(losses) if losses else (z * 0.0).sum()


def ldam(z, y, counts, largest, scale):
    margin = [n**-0.25 if n else 0.0 for n in counts]
    margin = [m * largest / max(max(margin), 1e-300) for m in margin]
    pixels = valid_pixels(y)
    total = (z * 0.0).sum()
    for i, r, c in pixels:
        truth = int(y[i, r, c])
        lowered = torch.tensor([margin[truth] if k == truth else 0.0 for k in range(z.shape[1])], dtype=z.dtype)
        total = total + pixel_cross_entropy(scale * (z[i, :, r, c] - lowered), truth)
    return total / max(len(pixels), 1)


def with_weights(weights):
    """The weighted mean of the cross entropy, its weights counted once and then held fixed."""

    def prepare(z, y, set):
        fixed = weights(z, y)
        return lambda z: weighted_mean(z, y, fixed)

    return prepare


def plainly(loss):
    return lambda z, y, set: lambda z: loss(z, y)


# From a batch and the training set (pixels and images by class, pixels of those images, number of images) to a function of the
# logits.
LOSSES = {
    "weighted-sqrt": lambda z, y, set: lambda z: frequency_weighted(z, y, [w**0.5 for w in inverse_frequency(set.pixels)]),
    "weighted-median": lambda z, y, set: lambda z: frequency_weighted(z, y, median_frequency(set.pixels, set.around)),
    "weighted-enet": lambda z, y, set: lambda z: frequency_weighted(z, y, enet(set.pixels)),
    "balanced-images": lambda z, y, set: lambda z: frequency_weighted(z, y, effective_number(set.images, set.all)),
    "logit-adjusted": lambda z, y, set: lambda z: logit_adjusted(z, y, set.pixels, 1),
    "logit-adjusted-0.5": lambda z, y, set: lambda z: logit_adjusted(z, y, set.pixels, 0.5),
    "soft-iou-images": plainly(soft_iou_of_images),
    "lovasz-images": plainly(lovasz_of_images),
    "cross-entropy": with_weights(lambda z, y: [1.0] * z.shape[1]),
    "weighted": lambda z, y, set: lambda z: frequency_weighted(z, y, inverse_frequency(set.pixels)),
    "balanced": lambda z, y, set: lambda z: frequency_weighted(z, y, effective_number(set.pixels, max(sum(set.pixels), 1))),
    "balanced-1000": lambda z, y, set: lambda z: frequency_weighted(z, y, effective_number(set.pixels, 1000)),
    "recall-floor": with_weights(lambda z, y: recall_weights(z, y, True)),
    "recall-nofloor": with_weights(lambda z, y: recall_weights(z, y, False)),
    "recall-mean-one": with_weights(lambda z, y: mean_one(recall_weights(z, y, False), y)),
    "focal-1": plainly(lambda z, y: focal(z, y, 1)),
    "focal-2": plainly(lambda z, y: focal(z, y, 2)),
    "ohem": plainly(lambda z, y: ohem(z, y, 0.7)),
    "soft-iou": plainly(lambda z, y: overlap(z, y, lambda tp, fp, fn: tp / (tp + fp + fn))),
    "soft-dice": plainly(lambda z, y: overlap(z, y, lambda tp, fp, fn: 2 * tp / (2 * tp + fp + fn))),
    "tversky-0.3-0.7": plainly(lambda z, y: overlap(z, y, tversky(0.3, 0.7))),
    "lovasz": plainly(lovasz),
    "ldam": lambda z, y, set: lambda z: ldam(z, y, set.pixels, 0.5, 1),
    "ldam-30": lambda z, y, set: lambda z: ldam(z, y, set.pixels, 0.5, 30),
    "one-minus-precision": with_weights(lambda z, y: one_minus(z, y, 1, 0)),
    "one-minus-dice": with_weights(lambda z, y: one_minus(z, y, 0.5, 0.5)),
    "one-minus-jaccard": with_weights(lambda z, y: one_minus(z, y, 1, 1)),
    "one-minus-tversky-0.3-0.7": with_weights(lambda z, y: one_minus(z, y, 0.3, 0.7)),
}

# Values that are equal but for the order in which they were added up come in an order of their own: which of them OHEM
# keeps, and which the Lovasz extension takes first, is rounding. Exact ties have a test of their own in Rust.
BY_ORDER = ("ohem", "lovasz", "lovasz-images")


def value_and_gradient(loss, z):
    z = z.clone().requires_grad_(True)
    value = loss(z)
    value.backward()
    return value.detach(), z.grad


def check_by_differences(loss, z, grad, rng, step=1e-5):
    for _ in range(20):
        at = tuple(int(rng.integers(s)) for s in z.shape)
        up, down = z.clone(), z.clone()
        up[at] += step
        down[at] -= step
        slope = (loss(up) - loss(down)) / (2 * step)
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
    y = rng.integers(0, 5, (2, 4, 5))
    yield "random", good_logits(rng, y, 5, 0.6), y
    y = rng.integers(0, 5, (2, 4, 5))
    y[rng.random(y.shape) < 0.3] = IGNORE
    yield "ignored", good_logits(rng, y, 5, 0.6), y
    y = rng.choice([0, 2, IGNORE], (2, 4, 4))
    yield "absent", good_logits(rng, y, 6, 0.5), y
    y = rng.integers(0, 4, (2, 4, 5))
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
    y = rng.integers(0, 4, (2, 4, 5))
    y[1, 2] = IGNORE
    yield "large", rng.choice([-1e4, 0.0, 1e4], (2, 4, 4, 5)) + rng.normal(size=(2, 4, 4, 5)), y
    y = rng.integers(0, 3, (2, 4, 4))
    yield "ties", rng.choice([0.0, 1.0], (2, 3, 4, 4)), y
    y = np.zeros((1, 6, 6), dtype=np.int64)
    y[0, 0, 0] = 1  # a class of one pixel, the paper's reason to exist
    yield "rare", good_logits(rng, y, 8, 0.7), y


def main():
    rng, rng_images = np.random.default_rng(1), np.random.default_rng(2)
    out = {}
    for name, z, y in cases():
        z, y = torch.tensor(z, dtype=torch.float64), torch.tensor(y, dtype=torch.int64)
        occurs, _ = confusion(z, y)
        # The training set has more of everything; some of the classes that do not occur here, it has not at all.
        counts = [n * int(rng.integers(1, 50)) if n else int(rng.choice([0, 1000])) for n in occurs]
        out[f"{name}.logits"], out[f"{name}.target"] = z, y
        all_images = int(rng_images.integers(20, 60))
        images = [int(rng_images.integers(1, all_images + 1)) if n else 0 for n in counts]
        around = [n * int(rng_images.integers(1, 9)) for n in counts]
        set = SimpleNamespace(pixels=counts, images=images, around=around, all=all_images)
        numbers = {"counts": counts, "images": images, "pixels_of_its_images": around, "all_images": [all_images]}
        for what, values in numbers.items():
            out[f"{name}.{what}"] = torch.tensor(values, dtype=torch.float64)
        for loss, prepare in LOSSES.items():
            if name == "ties" and loss in BY_ORDER:
                continue
            fixed = prepare(z, y, set)
            value, grad = value_and_gradient(fixed, z)
            assert torch.isfinite(value) and torch.isfinite(grad).all()
            out[f"{name}.{loss}.value"], out[f"{name}.{loss}.grad"] = value.reshape(1), grad
            if name in ("ignored", "rare") and loss != "ldam-30":  # too steep for differences
                check_by_differences(fixed, z, grad, rng)
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
            value, grad = value_and_gradient(lambda z: weighted_mean(z, y, weight), z)
            out[f"{step}.{loss}.value"], out[f"{step}.{loss}.grad"] = value.reshape(1), grad
    save_file(out, Path(__file__).with_name("loss_momentum.safetensors"))


if __name__ == "__main__":
    main()
