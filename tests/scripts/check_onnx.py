"""Checks exported models with the `onnx` package: well formed, every shape inferable, the interface as promised.

It does not run them. usage: check_onnx.py MODEL.onnx..., with onnx==1.23.2 on the path; exit code 1 at the first fault.
"""
import json
import sys

import onnx
from onnx import TensorProto, shape_inference

IMAGE = ("image", TensorProto.UINT8, ["batch", "height", "width", 3])
LABELS = ("labels", TensorProto.UINT8, ["batch", "height", "width"])


def described(value):
    """(name, type, dimensions) of an input or output."""
    tensor = value.type.tensor_type
    dims = [d.dim_param if d.HasField("dim_param") else d.dim_value for d in tensor.shape.dim]
    return value.name, tensor.elem_type, dims


def check(path):
    onnx.checker.check_model(path, full_check=True)
    model = shape_inference.infer_shapes(onnx.load(path), check_type=True, strict_mode=True, data_prop=True)
    graph = model.graph
    card = json.loads({p.key: p.value for p in model.metadata_props}["recall-seg.card"])
    opsets = {o.domain: o.version for o in model.opset_import}
    assert opsets == {"": card["opset"]}, opsets
    logits = ("logits", TensorProto.FLOAT, ["batch", len(card["classes"]), "height", "width"])
    outputs = {value[0]: value for value in (LABELS, logits)}
    assert [described(i) for i in graph.input] == [IMAGE], graph.input
    assert [described(o) for o in graph.output] == [outputs[o["name"]] for o in card["outputs"]], graph.output
    inferred = {v.name: v.type.tensor_type for v in [*graph.value_info, *graph.output]}
    for node in graph.node:
        for name in node.output:
            assert name in inferred, f"{node.op_type} {name}: no type inferred"
            assert inferred[name].HasField("shape"), f"{node.op_type} {name}: no rank inferred"
    assert graph.node[0].op_type == "Cast", "the image is cast first"
    assert not [n.name for n in graph.node if n.op_type == "BatchNormalization"], "normalization is folded"
    print(f"{path}: {len(graph.node)} nodes, well")


def main():
    for path in sys.argv[1:]:
        try:
            check(path)
        except Exception as error:  # whatever onnx raises: the caller wants the file's name with it
            sys.exit(f"{path}: {error}")


if __name__ == "__main__":
    main()
