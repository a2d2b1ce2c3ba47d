"""Writes average.json: the mean softmax over scales, mirrored views and windows, computed plainly in PyTorch.

pip install torch==2.11.0 pillow numpy
python make_average.py         # writes average.json beside itself

The network is that of tests/models/logits.onnx (one convolution of stride 2, resized to the input's size).
The image's values are multiples of 64, so that resizing it is exact in any implementation but at its edges.
"""
import json, math, pathlib
import numpy as np, torch, torch.nn.functional as F
from PIL import Image

W, H, CLASSES = 48, 40, 6
MEAN, STD = [torch.tensor(v).view(1, 3, 1, 1) for v in ([.485, .456, .406], [.229, .224, .225])]

def weights(shape, seed):
    n = np.arange(int(np.prod(shape)), dtype=np.float64)
    return torch.from_numpy((np.sin(n * 12.9898 + seed) * 43758.5453 % 1.0 * 2 - 1).astype(np.float32).reshape(shape))

KERNEL, BIAS = weights((CLASSES, 3, 3, 3), 0.), weights((CLASSES,), 1.)
y, x, c = np.mgrid[0:H, 0:W, 0:3]
IMAGE = ((x * 7 // 5 + y * 3 + c * 5 + x * y // 11) % 4 * 64).astype(np.uint8)

def resize(t, w, h):
    return F.interpolate(t, size=(h, w), mode="bilinear", align_corners=False)

def network(image):
    t = (torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float() / 255 - MEAN) / STD
    return resize(F.conv2d(t, KERNEL, BIAS, stride=2, padding=1), image.shape[1], image.shape[0])

def windowed(image, size, overlap):
    h, w = image.shape[:2]
    starts = lambda side, win: [min(i * math.ceil(win * (1 - overlap)), max(side - win, 0))
                                for i in range(max(math.ceil((side - win) / math.ceil(win * (1 - overlap))), 0) + 1)]
    total, count = torch.zeros(1, CLASSES, h, w), torch.zeros(1, 1, h, w)
    for top in starts(h, size[1]):
        for left in starts(w, size[0]):
            part = (..., slice(top, top + size[1]), slice(left, left + size[0]))
            total[part] += network(image[part[1:]]).softmax(1)
            count[part] += 1
    return total / count

def mean(scales, flip, window, to):
    views = []
    for scale in scales:
        w, h = round(W * scale), round(H * scale)
        image = np.asarray(Image.fromarray(IMAGE).resize((w, h), Image.BILINEAR))
        for mirrored in ([False, True] if flip else [False]):
            seen = image[:, ::-1] if mirrored else image
            p = resize(windowed(seen, *window), *to) if window else resize(network(seen), *to).softmax(1)
            views.append(p.flip(3) if mirrored else p)
    return torch.stack(views).mean(0)[0]

cases = [dict(scales=[1], flip=True, window=None, to=[W, H]), dict(scales=[.5, 1, 2], flip=True, window=None, to=[W, H]),
         dict(scales=[1], flip=False, window=[[20, 16], .33], to=[W, H]), dict(scales=[1, 2], flip=True, window=[[30, 26], .25], to=[60, 31])]
for case in cases:
    p = mean(case["scales"], case["flip"], case["window"], case["to"])
    w, h = case["to"]
    # Inside, where resized images are the same in every implementation.
    case["places"] = [[6 + i * 5 % (w - 12), 6 + i * 3 % (h - 12)] for i in range(24)]
    case["values"] = [[round(v, 6) for v in p[:, y, x].tolist()] for x, y in case["places"]]
out = pathlib.Path(__file__).with_name("average.json")
out.write_text(json.dumps({"width": W, "height": H, "cases": cases}) + "\n")
