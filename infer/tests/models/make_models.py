"""Writes the small ONNX models that the tests of `infer` run: one 3x3 convolution, six classes.

`foreign*.onnx` are as other programs export: floats in, no card.

pip install onnx==1.23.2 numpy
python make_models.py          # writes *.onnx beside itself

The graph has the form every exported model has: `image` u8 [batch, height, width, 3] RGB, normalization
inside, `logits` f32 [batch, 6, height, width] and `labels` u8 [batch, height, width] at input size, the card
in the metadata. Weights are a fixed function of their index. The expected values of the card's probe are NOT
written here, since the probe image is the project's own: these cards carry an empty probe, and the test of
`info --verify` fills it from a computation of its own.
"""
import json, pathlib
import numpy as np, onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh

HERE = pathlib.Path(__file__).parent
CLASSES = [("sky", (70, 130, 180), 23), ("road", (128, 64, 128), 7), ("building", (70, 70, 70), 11),
           ("car", (0, 0, 142), 26), ("pole", (153, 153, 153), 17), ("person", (220, 20, 60), 24)]
MEAN, STD = [.485, .456, .406], [.229, .224, .225]

def weights(shape, seed):
    """Values in (-1, 1) that any language can repeat: the fraction of a sine."""
    n = np.arange(int(np.prod(shape)), dtype=np.float64)
    return (np.sin(n * 12.9898 + seed) * 43758.5453 % 1.0 * 2 - 1).astype(np.float32).reshape(shape)

def card(outputs, **changes):
    rows = {"labels": ("u8", "NHW"), "logits": ("f32", "NCHW")}
    c = {"format": 1, "name": "one convolution", "dataset": "six",
         "classes": [{"name": n, "color": list(c), "native_id": i} for n, c, i in CLASSES],
         "class_share": [.3, .4, .25, .04, .008, .002],
         "input": {"name": "image", "layout": "NHWC", "dtype": "u8", "color": "RGB", "mean": MEAN, "std": STD,
                   "resize": "bilinear-antialiased", "width": None, "height": None},
         "outputs": [{"name": o, "dtype": rows[o][0], "layout": rows[o][1]} for o in outputs],
         "precision": "fp32", "opset": 17,
         "training": {"loss": "none", "recipe": "", "iterations": 0, "seed": 0, "version": "test"},
         "probe": {"seed": 1, "batch": 2, "height": 24, "width": 40, "positions": [], "logits": [], "labels_sha256": "0" * 64}}
    c.update(changes)
    return c

def model(name, outputs, metadata, dtype=T.UINT8, like="tshape", twice=None):
    nodes = [h.make_node("Cast", ["image"], ["f"], to=T.FLOAT),
             h.make_node("Transpose", ["f"], ["t"], perm=[0, 3, 1, 2]),
             h.make_node("Sub", ["t", "mean"], ["s"]), h.make_node("Div", ["s", "std"], ["n"]),
             # Half size, and back to the input's own, so that the graph has shape arithmetic as real ones do.
             h.make_node("Conv", ["n", "w", "b"], ["z"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
             h.make_node("Shape", ["t"], ["tshape"]), h.make_node("Shape", ["z"], ["zshape"]),
             h.make_node("Slice", [like, "two", "four"], ["hw"]), h.make_node("Slice", ["zshape", "zero", "two"], ["nc"]),
             h.make_node("Concat", ["nc", "hw"], ["size"], axis=0),
             h.make_node("Resize", ["z", "", "", "size"], ["logits"], mode="linear", coordinate_transformation_mode="half_pixel")]
    if "labels" in outputs:
        nodes += [h.make_node("ArgMax", ["logits"], ["arg"], axis=1, keepdims=0), h.make_node("Cast", ["arg"], ["labels"], to=T.UINT8)]
    if twice:  # an output, joined to itself along an axis
        output, axis = twice
        for node in nodes:
            node.output[:] = ["once" if o == output else o for o in node.output]
        nodes.append(h.make_node("Concat", ["once", "once"], [output], axis=axis))
    values = {"logits": h.make_tensor_value_info("logits", T.FLOAT, ["batch", len(CLASSES), "height", "width"]),
              "labels": h.make_tensor_value_info("labels", T.UINT8, ["batch", "height", "width"])}
    constants = {"mean": np.float32(MEAN).reshape(1, 3, 1, 1) * 255, "std": np.float32(STD).reshape(1, 3, 1, 1) * 255,
                 "w": weights((len(CLASSES), 3, 3, 3), 0.), "b": weights((len(CLASSES),), 1.),
                 "zero": np.int64([0]), "two": np.int64([2]), "four": np.int64([4])}
    graph = h.make_graph(nodes, "one-convolution", [h.make_tensor_value_info("image", dtype, ["batch", "height", "width", 3])],
                         [values[o] for o in outputs], [nh.from_array(v, k) for k, v in constants.items()])
    m = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    if metadata is not None:
        h.set_model_props(m, {"recall-seg.card": metadata if isinstance(metadata, str) else json.dumps(metadata)})
    onnx.checker.check_model(m, full_check=dtype == T.UINT8)
    onnx.save(m, HERE / f"{name}.onnx")

def foreign(name, size=("height", "width"), aux=False, external=False, layout="NCHW", dtype=T.FLOAT):
    """As a network from elsewhere is exported: normalized floats in, logits at half size out, no card."""
    nodes = [h.make_node("Conv", ["t", "w", "b"], ["out"], kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])]
    nodes[:0] = [h.make_node("Cast", ["input"], ["f"], to=T.FLOAT),
                 h.make_node("Transpose" if layout == "NHWC" else "Identity", ["f"], ["t"], **({"perm": [0, 3, 1, 2]} if layout == "NHWC" else {}))]
    outputs = [h.make_tensor_value_info("out", T.FLOAT, ["batch", len(CLASSES), "h", "w"])]
    if aux:
        nodes.append(h.make_node("Neg", ["out"], ["aux"]))
        outputs.append(h.make_tensor_value_info("aux", T.FLOAT, ["batch", len(CLASSES), "h", "w"]))
    shape = ["batch", 3, *size] if layout == "NCHW" else ["batch", *size, 3]
    tensors = [nh.from_array(weights((len(CLASSES), 3, 3, 3), 0.), "w"), nh.from_array(weights((len(CLASSES),), 1.), "b")]
    graph = h.make_graph(nodes, name, [h.make_tensor_value_info("input", dtype, shape)], outputs, tensors)
    m = h.make_model(graph, opset_imports=[h.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(m, full_check=True)
    if external:  # the file beside it is not kept: such models are refused before it is looked for
        onnx.external_data_helper.set_external_data(m.graph.initializer[0], location=f"{name}.bin")
        m.graph.initializer[0].ClearField("raw_data")
    (HERE / f"{name}.onnx").write_bytes(m.SerializeToString())

both = ["labels", "logits"]
model("both", both, card(both))
model("labels", ["labels"], card(["labels"]))
model("logits", ["logits"], card(["logits"]))
model("no-card", both, None)
model("broken-card", both, '{"format": 1')
model("missing-output", ["labels"], card(both))          # the card promises logits, the graph has none
model("float-input", both, card(both), dtype=T.FLOAT)    # the card says u8, the graph takes f32
# Outputs that are not of the input's size, though nothing in the file says so:
model("labels-tall", ["labels"], card(["labels"]), twice=("labels", 1))
model("logits-double", ["logits"], card(["logits"]), twice=("logits", 0))
model("logits-small", both, card(both), like="zshape")
foreign("foreign")
foreign("foreign-nhwc", layout="NHWC")
foreign("foreign-fixed", size=(24, 40))
foreign("foreign-two-outputs", aux=True)
foreign("foreign-half", dtype=T.FLOAT16)
foreign("external-data", external=True)
