"""Writes upsample.json: small logits, and their labels after PyTorch's bilinear resize and argmax.

pip install torch==2.11.0
python make_upsample.py        # writes upsample.json beside itself

Logits are multiples of 1/8 so that they are exact in JSON. `margin` is the distance between the two best
resized logits of each pixel: where it is rounding noise, either label is right.
"""
import json, pathlib, torch

torch.manual_seed(0)
cases = []
for smooth, classes, source, target in [
    (True, 5, (6, 8), (12, 16)), (True, 19, (9, 13), (23, 31)), (False, 4, (7, 5), (7, 11)),
    (False, 3, (12, 10), (5, 4)), (True, 2, (1, 6), (4, 17)), (False, 6, (8, 8), (8, 8)),
]:
    z = torch.randn(1, classes, *source)
    if smooth:  # large areas of one class, as real logits have
        z = torch.nn.functional.avg_pool2d(z, 3, 1, 1) * 4
    z = (z * 8).round() / 8
    r = torch.nn.functional.interpolate(z, size=target, mode="bilinear", align_corners=False)
    best = r.topk(2, dim=1).values
    cases.append({"classes": classes, "from": source[::-1], "to": target[::-1], "logits": z.flatten().tolist(),
                  "labels": r.argmax(1).flatten().tolist(),
                  "margin": [round(m, 6) for m in (best[:, 0] - best[:, 1]).flatten().tolist()]})
path = pathlib.Path(__file__).with_name("upsample.json")
path.write_text(json.dumps(cases))
