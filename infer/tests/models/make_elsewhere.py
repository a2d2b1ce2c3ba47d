"""Writes models as other programs export them, and what Python's onnxruntime computes with them.

pip install onnx==1.23.2 numpy==2.3.5 pillow==13.0.0 onnxruntime==1.31.1
python make_elsewhere.py     # writes elsewhere-*.onnx beside itself, and ../goldens/elsewhere/

All hold the one 3x3 convolution of make_models.py. The image is a fixed function of its place. The labels in
goldens/elsewhere/NAME.png are computed here, outside the project: pixels normalized in numpy, run by Python's
onnxruntime, argmax or threshold in numpy, at the size that the model gives.
"""
import pathlib
import numpy as np, onnx, onnxruntime as ort
from PIL import Image
from onnx import TensorProto as T, helper as h, numpy_helper as nh

HERE = pathlib.Path(__file__).parent
GOLDENS = HERE.parent / "goldens" / "elsewhere"
W, H, C = 48, 32, 6
MEAN, STD = np.float32([.485, .456, .406]), np.float32([.229, .224, .225])

def weights(shape, seed):
    n = np.arange(int(np.prod(shape)), dtype=np.float64)
    return (np.sin(n * 12.9898 + seed) * 43758.5453 % 1.0 * 2 - 1).astype(np.float32).reshape(shape)

def image():
    y, x, c = np.mgrid[:H, :W, :3]
    return ((x * 7 + y * 13 + c * 31 + (x * y) % 29 * 5) % 256).astype(np.uint8)

def model(name, dtype=T.FLOAT, channels=3, classes=C, stride=1, nhwc_in=False, end=(), out_type=T.FLOAT, out_shape=None,
          batch="n", size=("h", "w"), before=(), opset=17, ir=8, producer="", domains=()):
    """`end` turns `z` [n, classes, h, w] f32 into `out`."""
    f32 = [h.make_node("Cast", ["input"], ["f"], to=T.FLOAT),
           h.make_node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]) if nhwc_in else h.make_node("Identity", ["f"], ["t"])]
    conv = h.make_node("Conv", [before[-1].output[0] if before else "t", "w", "b"], ["z"], kernel_shape=[3, 3],
                       pads=[1, 1, 1, 1], strides=[stride, stride])
    end = list(end) or [h.make_node("Identity", ["z"], ["out"])]
    shape = [batch, *size, channels] if nhwc_in else [batch, channels, *size]
    tensors = [nh.from_array(weights((classes, channels, 3, 3), 0.), "w"), nh.from_array(weights((classes,), 1.), "b")]
    graph = h.make_graph([*f32, *before, conv, *end], name, [h.make_tensor_value_info("input", dtype, shape)],
                         [h.make_tensor_value_info("out", out_type, out_shape or [batch, classes, "oh", "ow"])], tensors)
    m = h.make_model(graph, opset_imports=[h.make_opsetid("", opset), *[h.make_opsetid(d, 1) for d in domains]],
                     ir_version=ir, producer_name=producer)
    (HERE / f"elsewhere-{name}.onnx").write_bytes(m.SerializeToString())

def normalized(channels):
    if channels == 1:  # Pillow's luma
        gray = np.asarray(Image.fromarray(image()).convert("L"))[..., None]
        return (gray / np.float32(255) - np.float32(.449)) / np.float32(.226)
    return (image() / np.float32(255) - MEAN) / STD

def golden(name, decide, dtype=np.float32, channels=3, nhwc_in=False, batch=1):
    x = image() if dtype == np.uint8 else normalized(channels).astype(dtype)
    x = x[None] if nhwc_in else x.transpose(2, 0, 1)[None]
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession((HERE / f"elsewhere-{name}.onnx").read_bytes(), options, providers=["CPUExecutionProvider"])
    out, = session.run(None, {"input": np.repeat(np.ascontiguousarray(x), batch, 0)})
    labels = decide(out[0])
    assert labels.shape == (H, W), labels.shape
    assert len(np.unique(labels)) > 1
    Image.fromarray(labels.astype(np.uint8)).save(GOLDENS / f"{name}.png")

GOLDENS.mkdir(exist_ok=True)
Image.fromarray(image()).save(GOLDENS / "image.png")
argmax = lambda keep: h.make_node("ArgMax", ["z"], ["a"], axis=1, keepdims=keep)
cast = lambda a, b, to: h.make_node("Cast", [a], [b], to=to)
first = lambda out: out.argmax(0)

# mmdeploy: i64 [n, 1, h, w]; PaddleSeg: i32 [n, h, w]; others u8.
for ty, to in [("i64", T.INT64), ("i32", T.INT32), ("u8", T.UINT8)]:
    for shape, keep in [("nhw", 0), ("n1hw", 1)]:
        out = ["n", 1, "h", "w"] if keep else ["n", "h", "w"]
        model(f"argmax-{ty}-{shape}", end=[argmax(keep), cast("a", "out", to)], out_type=to, out_shape=out)
        golden(f"argmax-{ty}-{shape}", lambda out: out.reshape(H, W))
model("input-f16", dtype=T.FLOAT16)
golden("input-f16", first, dtype=np.float16)
model("input-u8", dtype=T.UINT8)                    # NCHW bytes
golden("input-u8", first, dtype=np.uint8)
model("output-f16", end=[cast("z", "out", T.FLOAT16)], out_type=T.FLOAT16)
golden("output-f16", first)
model("nhwc", nhwc_in=True, producer="tf2onnx", end=[h.make_node("Transpose", ["z"], ["out"], perm=[0, 2, 3, 1])], out_shape=["n", "h", "w", C])
golden("nhwc", lambda out: out.argmax(-1), nhwc_in=True)
model("batch-4", batch=4)
golden("batch-4", first, batch=4)
model("gray", channels=1)
golden("gray", first, channels=1)
softmax = [h.make_node("Softmax", ["z"], ["out"], axis=1)]
model("softmax", end=softmax)
golden("softmax", first)
# segmentation_models_pytorch, binary: one channel of logits; and with its sigmoid.
model("binary-logit", classes=1, producer="pytorch")
golden("binary-logit", lambda out: out[0] > 0)
model("binary-sigmoid", classes=1, end=[h.make_node("Sigmoid", ["z"], ["out"])])
golden("binary-sigmoid", lambda out: out[0] > .5)
zero = h.make_node("Constant", [], ["zero"], value=nh.from_array(np.float32(0), "s"))
model("binary-bool", classes=1, end=[zero, h.make_node("Greater", ["z", "zero"], ["out"])], out_type=T.BOOL)
golden("binary-bool", lambda out: out[0])
# A skip connection over three poolings: both branches have one size for multiples of 8 only.
pool = [h.make_node("MaxPool", [a], [b], kernel_shape=[2, 2], strides=[2, 2]) for a, b in [("t", "p1"), ("p1", "p2"), ("p2", "p3")]]
up = [h.make_node("Resize", [a, "", "twice"], [b], mode="nearest") for a, b in [("p3", "u2"), ("u2", "u1"), ("u1", "u0")]]
twice = h.make_node("Constant", [], ["twice"], value=nh.from_array(np.float32([1, 1, 2, 2]), "s"))
skip = [twice, *pool, *up, h.make_node("Add", ["t", "u0"], ["joined"])]
model("multiple-8", before=skip)
golden("multiple-8", first)
# Logits at 1, 1/2, 1/4 and 1/8, resized in f64 as torch.nn.functional.interpolate(mode="bilinear", align_corners=False) does.
def taps(to, size):
    at = np.clip((np.arange(to) + .5) * size / to - .5, 0, size - 1)
    low = np.floor(at).astype(int)
    return low, np.minimum(low + 1, size - 1), at - low

def bilinear(z):
    (y0, y1, fy), (x0, x1, fx) = taps(H, z.shape[1]), taps(W, z.shape[2])
    rows = z[:, y0] * (1 - fy)[:, None] + z[:, y1] * fy[:, None]
    return rows[:, :, x0] * (1 - fx) + rows[:, :, x1] * fx

for stride in (1, 2, 4, 8):
    model(f"stride-{stride}", stride=stride)
    golden(f"stride-{stride}", lambda out: bilinear(out.astype(np.float64)).argmax(0))
# Labels at a quarter of the size: of each 4 x 4 pixels all have the label of one.
model("argmax-stride-4", stride=4, end=[argmax(0), cast("a", "out", T.INT64)], out_type=T.INT64, out_shape=["n", "oh", "ow"])
golden("argmax-stride-4", lambda out: out.repeat(4, 0).repeat(4, 1))
# What ONNX Runtime does not open.
model("ir-99", ir=99)
model("opset-99", opset=99)
model("custom", end=[h.make_node("NonMaxThing", ["z"], ["out"], domain="mmdeploy")], domains=["mmdeploy"])
