"""Makes network.safetensors: torchvision's DeepLabV3 at weights that both sides compute from names.

ResNet-50 and 101 at output stride 8 are torchvision's own constructors. Stride 16, ResNet-18 and 34, and DeepLabV3+ (two
networks of it) are models/deeplab.py's, of torchvision's parts.
Everything is computed in f64, so that the distance in train/tests/network is the rounding of the tested side alone.

pip install torch==2.11.0 torchvision==0.26.0 safetensors==0.8.0 numpy
python network.py         # writes beside itself; some minutes

Weights: value i of the tensor called `name`, in torch's order, is a function of mix(fnv(name) + i * 2654435769), see
`uniform` and `fill`. Format: NETWORK is resnetDEPTH-STRIDE or resnetDEPTH-STRIDE-plus.
  NETWORK.SIZE.(eval|train).(main|aux)   f32 [SAMPLES], logits at the places `sample_places` gives
  NETWORK.step.(main|aux)                f64 [SAMPLES], logits of a training step at STEP_SIZE
  NETWORK.step.loss                      f64 [1]
  NETWORK.step.gradient                  f64 [P, 1 + PROJECTIONS], parameters by name
  NETWORK.step.statistics                f64 [S, 1 + PROJECTIONS], running statistics after it, by name
  NETWORK.step.gradient_f32              f64 [P, 1 + PROJECTIONS], the same computed by PyTorch in f32
A row is a tensor's norm and its projections on vectors of signs, see `fingerprint`. The metadata's `names` is JSON,
depth (or depth-plus) -> {state_dict name: shape}.

On the last of these: rounding moves a few activations over ReLU's corner, and each that crosses takes or gives its whole
gradient. That leaves 1e-4 to 1e-1 of a tensor's norm between the exact gradient and any computed in f32.
"""
import json
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn
from torchvision.models.segmentation import deeplabv3_resnet50, deeplabv3_resnet101

sys.path.insert(0, str(Path(__file__).parents[3] / "models"))
import deeplab  # noqa: E402

CLASSES = 7
SIZES = [(64, 96), (65, 97), (96, 50)]  # height, width
STEP_SIZE = (33, 40)
EVAL_BATCH, TRAIN_BATCH = 2, 3
SAMPLES, PROJECTIONS = 256, 4
CONSTRUCTORS = {50: deeplabv3_resnet50, 101: deeplabv3_resnet101}
PLUS = [(18, 16), (50, 8)]


def fnv(text):
    """32-bit FNV-1a."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def mix(x):
    """The finalizer of MurmurHash3, 32 bits, on an array."""
    x = np.asarray(x, dtype=np.uint32)
    x = (x ^ (x >> 16)) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> 13)) * np.uint32(0xC2B2AE35)
    return x ^ (x >> 16)


def bits(name, count):
    """`count` pseudorandom 32-bit numbers that belong to a name."""
    steps = np.arange(count, dtype=np.uint32) * np.uint32(2654435769)
    return mix(steps + np.uint32(fnv(name)))


def uniform(name, count, low, high):
    """In [low, high), computed in f64, rounded to f32."""
    return (low + (high - low) * (bits(name, count) / 2.0**32)).astype(np.float32)


def fill(name, shape):
    """The tensor called `name`: convolutions of variance 1 / fan_in, normalizations that keep activations small."""
    count = int(np.prod(shape))
    if len(shape) == 4:
        bound = np.sqrt(3.0 / (shape[1] * shape[2] * shape[3]))
        low, high = -bound, bound
    elif name.endswith(".running_var"):
        low, high = 0.5, 1.5
    elif name.endswith(".running_mean"):
        low, high = -0.25, 0.25
    elif name.endswith(".weight"):
        low, high = (0.2, 0.4) if ".bn" in name else (0.4, 0.8)
    else:
        low, high = 0.2, 0.6
    return torch.from_numpy(uniform(name, count, low, high).reshape(shape))


def image(batch, height, width):
    """u8 [batch, height, width, 3]: noise on top of squares of 8 x 8 pixels, each image brighter than the one before."""
    n, y, x, c = np.indices((batch, height, width, 3)).astype(np.uint32)
    coarse = mix(((n * 64 + y // 8) * 64 + x // 8) * 3 + c) >> 24
    fine = mix(((n * 256 + y) * 256 + x) * 3 + c + np.uint32(2**31)) >> 24
    return ((coarse * 3 + fine) // 4 * (n + 1) // batch).astype(np.uint8)


def target(batch, height, width):
    """Labels [batch, height, width], constant on squares of 8 x 8 pixels."""
    n, y, x = np.indices((batch, height, width)).astype(np.uint32)
    value = mix(((n * 64 + y // 8) * 64 + x // 8) + np.uint32(2**30)) % CLASSES
    return torch.from_numpy(value.astype(np.int64))


def sample_places(count):
    """Flat indices, with repetitions, into a tensor of `count` values."""
    return torch.from_numpy((bits("sample", SAMPLES) % np.uint32(count)).astype(np.int64))


def fingerprint(tensor):
    """[norm, projections on PROJECTIONS vectors of +1 and -1]: an error anywhere moves them by about its norm."""
    flat = tensor.detach().double().flatten()
    b = bits("signs", flat.numel())
    rows = [1.0 - 2.0 * ((b >> k) & 1).astype(np.float64) for k in range(PROJECTIONS)]
    return [flat.norm().item()] + [float(flat.numpy() @ r) for r in rows]


def network(depth, output_stride, plus=False):
    if depth in CONSTRUCTORS and output_stride == 8 and not plus:
        return CONSTRUCTORS[depth](weights=None, weights_backbone=None, num_classes=CLASSES, aux_loss=True)
    head = "deeplabv3plus" if plus else "deeplabv3"
    return deeplab.network(f"resnet{depth}", head, CLASSES, output_stride, auxiliary=True)


def normalized(batch, size, dtype):
    x = torch.from_numpy(image(batch, *size)).permute(0, 3, 1, 2).to(dtype)
    mean, std = (torch.tensor(v, dtype=dtype).view(1, 3, 1, 1) for v in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    return (x / 255 - mean) / std


def fresh(which, dtype):
    net = network(*which)
    state = net.state_dict()
    tracked = {k: v for k, v in state.items() if k.endswith("num_batches_tracked")}
    net.load_state_dict({k: fill(k, v.shape) for k, v in state.items() if k not in tracked} | tracked)
    for module in net.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return net.to(dtype)


def sampled(result):
    flat = {head: result[key].detach().flatten() for head, key in [("main", "out"), ("aux", "aux")]}
    return {head: logits[sample_places(logits.numel())] for head, logits in flat.items()}


def logits(name, which):
    """Logits at every size, evaluation and training."""
    for height, width in SIZES:
        for mode, batch in [("eval", EVAL_BATCH), ("train", TRAIN_BATCH)]:
            net = fresh(which, torch.float64).train(mode == "train")
            with torch.no_grad():
                result = net(normalized(batch, (height, width), torch.float64))
            for head, values in sampled(result).items():
                yield f"{name}.{height}x{width}.{mode}.{head}", values.float()


def step(which, dtype):
    """One training step: mean cross entropy, the auxiliary head's at weight 0.5."""
    net = fresh(which, dtype).train()
    result = net(normalized(TRAIN_BATCH, STEP_SIZE, dtype))
    y = target(TRAIN_BATCH, *STEP_SIZE)
    loss = F.cross_entropy(result["out"], y) + 0.5 * F.cross_entropy(result["aux"], y)
    loss.backward()
    gradients = [fingerprint(p.grad) for _, p in sorted(net.named_parameters())]
    running = [fingerprint(v) for k, v in sorted(net.named_buffers()) if ".running_" in k]
    return sampled(result) | {
        "loss": loss.detach().reshape(1),
        "gradient": torch.tensor(gradients, dtype=torch.float64),
        "statistics": torch.tensor(running, dtype=torch.float64),
    }


def distance(a, exact):
    """Largest difference of two fingerprints' entries, in units of the tensor's norm."""
    return ((a - exact).abs().amax(1) / exact[:, 0]).amax()


def main():
    torch.set_num_threads(2)
    depths = [18, 34, 50, 101]
    networks = [(depth, stride, False) for depth in depths for stride in [8, 16]]
    networks += [(depth, stride, True) for depth, stride in PLUS]
    goldens = {}
    for which in networks:
        depth, output_stride, plus = which
        name = f"resnet{depth}-{output_stride}" + ("-plus" if plus else "")
        goldens |= logits(name, which)
        exact = step(which, torch.float64)
        single = step(which, torch.float32)
        exact["gradient_f32"] = single["gradient"]
        goldens |= {f"{name}.step.{key}": value for key, value in exact.items()}
        far = {key: (single[key] - exact[key]).abs().max().item() for key in ["main", "aux", "loss"]}
        gradient = distance(single["gradient"], exact["gradient"]).item()
        print(name, "f32 step:", far, "gradient", gradient, file=sys.stderr, flush=True)
    names = {f"{d}": state_names(d) for d in depths} | {f"{d}-plus": state_names(d, True) for d, _ in PLUS}
    metadata = {"names": json.dumps(names, separators=(",", ":"))}
    path = Path(__file__).with_name("network.safetensors")
    save_file({key: value.contiguous() for key, value in goldens.items()}, path, metadata)


def state_names(depth, plus=False):
    return {key: list(value.shape) for key, value in network(depth, 8, plus).state_dict().items()}


if __name__ == "__main__":
    main()
