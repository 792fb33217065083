#!/usr/bin/env python3
"""Checks an ONNX model that firesweep exported, with the onnx package and numpy: is it valid, do its shapes follow, and
does it give the logits that `firesweep eval --predictions FILE --logits` wrote for the same images?

    onnx_check.py MODEL IMAGES PREDICTIONS      IMAGES: an IDX file of bytes

Exit status 77: onnx or numpy is not there (Debian: python3-onnx)."""
import csv
import sys

try:
    import numpy as np
    import onnx
    import onnx.numpy_helper
    import onnx.shape_inference
except ImportError as error:
    print(f"not checked: {error}")
    sys.exit(77)


def read_idx(path):
    """Images as [count, channels, rows, columns]."""
    data = open(path, "rb").read()
    shape = np.frombuffer(data, ">i4", data[3], 4)
    images = np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(shape)
    return images[:, None] if images.ndim == 3 else images.transpose(0, 3, 1, 2)


def windows(x, kernel, stride, pads, ceil, fill):
    """[n, c, rows, columns, kernel * kernel]: the windows of x, those beyond the border filled."""
    top, left, bottom, right = pads
    counts = [(x.shape[2 + i] + pads[i] + pads[2 + i] - kernel[i] + (stride[i] - 1 if ceil else 0)) // stride[i] + 1
              for i in range(2)]
    more = [max(0, (counts[i] - 1) * stride[i] + kernel[i] - x.shape[2 + i] - pads[i] - pads[2 + i]) for i in range(2)]
    x = np.pad(x, ((0, 0), (0, 0), (top, bottom + more[0]), (left, right + more[1])), constant_values=fill)
    view = np.lib.stride_tricks.sliding_window_view(x, kernel, (2, 3))[:, :, ::stride[0], ::stride[1]]
    return view[:, :, :counts[0], :counts[1]].reshape(*x.shape[:2], *counts, -1)


def conv(attributes, x, weight, bias):
    columns = windows(x, attributes["kernel_shape"], attributes["strides"], attributes["pads"], False, 0)
    products = np.einsum("ncyxk,ock->noyx", columns, weight.reshape(*weight.shape[:2], -1), optimize=True)
    return products + bias[:, None, None]


def max_pool(attributes, x):
    return windows(x, attributes["kernel_shape"], attributes["strides"], (0, 0, 0, 0), attributes["ceil_mode"],
                   -np.inf).max(-1)


OPERATORS = {
    "Sub": lambda a, x, y: x - y,
    "Div": lambda a, x, y: x / y,
    "Add": lambda a, x, y: x + y,
    "Relu": lambda a, x: np.maximum(x, 0),
    "Conv": conv,
    "MaxPool": max_pool,
    "Concat": lambda a, *x: np.concatenate(x, a["axis"]),
    "GlobalAveragePool": lambda a, x: x.mean((2, 3), keepdims=True),
    "Flatten": lambda a, x: x.reshape(x.shape[0], -1),
}


def run(graph, images):
    values = {t.name: onnx.numpy_helper.to_array(t) for t in graph.initializer}
    values[graph.input[0].name] = images
    for node in graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        values[node.output[0]] = OPERATORS[node.op_type](attributes, *(values[name] for name in node.input))
    return values[graph.output[0].name]


def main():
    model = onnx.load(sys.argv[1])
    onnx.checker.check_model(model, full_check=True)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    shapes = {v.name: [d.dim_value for d in v.type.tensor_type.shape.dim] for v in inferred.graph.value_info}
    images = read_idx(sys.argv[2])
    expected = np.array([[float(x) for x in row["logits"].split()] for row in csv.DictReader(open(sys.argv[3]))])
    logits = run(model.graph, (images[:len(expected)] / 255).astype(np.float32))
    missing = [n.output[0] for n in model.graph.node if n.output[0] not in shapes and n.output[0] != "logits"]
    difference = np.abs(logits - expected).max() / max(1e-3, np.abs(expected).max())
    print(f"{len(model.graph.node)} nodes, {len(expected)} images, largest difference {difference:.1e} of the largest logit")
    if missing or logits.shape != expected.shape or not difference < 1e-4:
        sys.exit(f"the logits differ, or shapes are not inferred: {missing}")


if __name__ == "__main__":
    main()
