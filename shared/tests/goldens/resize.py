"""Writes resize.json: Pillow's BILINEAR (antialiased) and NEAREST on images that a formula makes.

    pip install pillow==13.0.0 && python resize.py
"""

import json
from pathlib import Path

from PIL import Image

SIZES = [((9, 7), (4, 3)), ((9, 7), (5, 7)), ((4, 3), (9, 8)), ((16, 12), (3, 2)), ((5, 5), (1, 1))]


def source(width, height):
    image = Image.new("RGB", (width, height))
    for y in range(height):
        for x in range(width):
            image.putpixel((x, y), tuple((x * x * 37 + y * 91 + x * y * 5 + c * 53) % 256 for c in range(3)))
    return image


cases = []
for (w, h), to in SIZES:
    image = source(w, h)
    cases.append({
        "from": [w, h],
        "to": to,
        "bilinear": list(image.resize(to, Image.Resampling.BILINEAR).tobytes()),
        "nearest_red": list(image.getchannel(0).resize(to, Image.Resampling.NEAREST).tobytes()),
    })
Path(__file__).with_suffix(".json").write_text(json.dumps(cases) + "\n")
