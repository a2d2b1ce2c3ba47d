"""What Pillow and numpy make of image files of every format: pictures.json.

    python pictures.py > pictures.json        (Pillow 13.0.0, numpy 2.3.5)

Each case has the file's bytes, and what is expected of it: `rgb` is ImageOps.exif_transpose, then convert("RGB");
`values` are a label's indices, never turned; `stretched` is numpy's, with percentiles by method "inverted_cdf".
"""

import io
import json
import struct

import numpy as np
from PIL import Image, ImageOps

WIDTH, HEIGHT = 7, 4
CASES = []


def rgb_image(width=WIDTH, height=HEIGHT):
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x * 30 + 20, y * 50 + 10, x * 9 + y * 17 + 40], -1).astype(np.uint8))


def saved(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def case(name, data, tolerance=0, values=None, stretched=None, **more):
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    deep = image.mode.startswith("I")
    if deep:  # the upper 8 bits, three times
        image = Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    rgb = image.convert("RGB")
    entry = {"name": name, "file": data.hex(), "size": list(rgb.size), "rgb": rgb.tobytes().hex(), "tolerance": tolerance}
    if values is not None:
        entry["values"] = [int(v) for v in np.asarray(values).ravel()]
    if stretched is not None:
        entry["stretched"] = np.asarray(stretched).astype(np.uint8).tobytes().hex()
    CASES.append(entry | more)


def orientations():
    for value in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = value
        for format, options, tolerance in [
            ("JPEG", {"quality": 95, "subsampling": 0}, 3),
            ("PNG", {}, 0),
            ("WEBP", {"lossless": True}, 0),
            ("TIFF", {}, 0),
        ]:
            data = saved(rgb_image(), format, exif=exif, **options)
            case(f"{format} turned by {value}", data, tolerance, orientation=value)


def palette_image(colors):
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    image = Image.fromarray(((x + 2 * y) % colors).astype(np.uint8), "P")
    image.putpalette([v for c in range(colors) for v in (c * 16 % 256, 255 - c, (c * 37) % 256)])
    return image


def formats():
    rgb, grey = rgb_image(), rgb_image().convert("L")
    bit = Image.fromarray(np.asarray(grey) > 90)
    palette = palette_image(11)
    case("BMP RGB", saved(rgb, "BMP"))
    case("BMP grey", saved(grey, "BMP"), values=grey)
    case("BMP palette", saved(palette, "BMP"), values=palette)
    case("BMP of 1 bit", saved(bit, "BMP"), values=bit)
    case("GIF", saved(palette, "GIF", optimize=False), values=palette)
    case("PPM", saved(rgb, "PPM"))
    case("PGM", saved(grey, "PPM"), values=grey)
    case("PBM", saved(bit, "PPM"), values=bit)
    few = bytes([3, 0, 15, 7, 1, 2])
    case("PGM up to 15", b"P5\n3 2\n15\n" + few, 1, values=list(few))
    qoi = b"qoif" + struct.pack(">IIBB", WIDTH, HEIGHT, 3, 0)
    qoi += b"".join(b"\xfe" + bytes(p) for p in np.asarray(rgb).reshape(-1, 3)) + bytes(7) + b"\x01"
    case("QOI", qoi)
    for compression in ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"]:
        case(f"TIFF RGB {compression}", saved(rgb, "TIFF", compression=compression))
        case(f"TIFF grey {compression}", saved(grey, "TIFF", compression=compression), values=grey)
    case("TIFF palette", saved(palette, "TIFF"), values=palette)
    case("TIFF of 1 bit", saved(bit, "TIFF"), values=bit)
    case("TIFF CMYK", saved(rgb.convert("CMYK"), "TIFF"), 1)
    case("TIFF as JPEG", saved(rgb, "TIFF", compression="jpeg", quality=95), 5, lossy=True)
    case("WebP lossless", saved(rgb, "WEBP", lossless=True))
    case("WebP lossless grey", saved(grey.convert("RGB"), "WEBP", lossless=True), values=grey)
    case("WebP lossy", saved(rgb_image(32, 16), "WEBP", quality=95), 3, lossy=True)


def deep():
    rng = np.random.default_rng(5)
    values = (7000 + rng.normal(400, 120, (16, 25))).clip(7012, 9088).astype(np.uint16)
    low, high = (int(np.percentile(values, p, method="inverted_cdf")) for p in (1, 99))
    scaled = (values.astype(np.int64) - low).clip(0, high - low)
    stretched = (scaled * 510 + (high - low)) // (2 * (high - low))
    for format in ["PNG", "TIFF", "PPM"]:
        data = saved(Image.fromarray(values), format)
        case(f"{format} of 16 bits", data, values=values, stretched=stretched)


def jpegs():
    big = rgb_image(8, 5).resize((40, 24), Image.BICUBIC)
    cmyk = Image.merge("CMYK", [*big.split(), big.convert("L").point(lambda v: v // 3)])
    data = saved(cmyk, "JPEG", quality=95)
    case("JPEG CMYK", data, 2)
    at = data.index(b"Adobe") + 11
    case("JPEG YCCK", data[:at] + b"\x02" + data[at + 1:], 2)
    without = data.index(b"\xff\xee")
    length = struct.unpack(">H", data[without + 2:without + 4])[0]
    case("JPEG CMYK without Adobe's marker", data[:without] + data[without + 2 + length:], 2)
    for name, image in [("RGB", big), ("grey", big.convert("L"))]:
        data = saved(image, "JPEG", quality=95, subsampling=0)
        while b"\xff\xc4" in data:
            at = data.index(b"\xff\xc4")
            data = data[:at] + data[at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]:]
        case(f"JPEG {name} without Huffman tables", data, 3)


orientations()
formats()
deep()
jpegs()
print("[\n" + ",\n".join(json.dumps(c) for c in CASES) + "\n]")
