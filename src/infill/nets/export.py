"""Writing a network as an ONNX file that ONNX Runtime runs without PyTorch, at any size."""

import warnings
from pathlib import Path

import numpy as np
import torch

from infill.files import write_atomically
from infill.lazy import need
from infill.nets.pocket import MULTIPLE, Pocket

OPSET = 18
SMALL = 256
"""Numbers of a tensor up to which it is kept in float32: constants of the graph, and biases."""


def export(network: Pocket, path: Path) -> None:
    """Write the network to `path`, its weights as float16; whole or not at all.

    Inputs: `picture` (N, 3, H, W) float32 in [-1, 1], zero in the hole; `mask` (N, 1, H, W)
    float32, 1 = hole; H and W multiples of 16. Output: `filled` (N, 3, H, W) float32 in [-1, 1].
    Everything is computed in float32: only what lies on the disk is half as large.

    Raises `MissingExtra` without the packages of the extra train.
    """
    need("onnx", extra="train")
    need("onnxscript", extra="train")
    sides = torch.export.Dim("height", min=2, max=512), torch.export.Dim("width", min=2, max=512)
    axes = {0: torch.export.Dim("count", min=1, max=64)}
    axes |= {axis: MULTIPLE * side for axis, side in zip((2, 3), sides, strict=True)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own, on names of axes and its own future
        made = torch.onnx.export(
            _Filled(network).eval(),
            (torch.zeros(2, 3, 64, 96), torch.zeros(2, 1, 64, 96)),
            dynamo=True,
            dynamic_shapes={"picture": axes, "mask": axes},
            input_names=["picture", "mask"],
            output_names=["filled"],
            opset_version=OPSET,
            verbose=False,
        )
    assert made is not None
    model = _halved(made.model_proto)
    write_atomically(path, model.SerializeToString(), overwrite=True)


class _Filled(torch.nn.Module):
    """The fill alone: the rough guess serves training."""

    def __init__(self, network: Pocket) -> None:
        super().__init__()
        self.network = network

    def forward(self, picture: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.network(picture, mask)[1]


def _halved(model):  # type: ignore[no-untyped-def]  # onnx has no types
    """The model with each large float32 weight as float16, widened when the file is loaded."""
    from onnx import TensorProto, helper, numpy_helper

    graph, casts = model.graph, []
    for index, weight in enumerate(graph.initializer):
        if weight.data_type != TensorProto.FLOAT or np.prod(weight.dims) <= SMALL:
            continue
        name = weight.name
        half = numpy_helper.from_array(
            numpy_helper.to_array(weight).astype(np.float16), f"{name}.half"
        )
        graph.initializer[index].CopyFrom(half)
        casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    for place, node in enumerate(casts):
        graph.node.insert(place, node)
    del graph.value_info[:]
    _forget_where(model)
    return model


def _forget_where(model):  # type: ignore[no-untyped-def]
    """Take out what tells of the machine that made the file: paths, and traces of its code."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.initializer, *graph.input, *graph.output):
        part.doc_string = ""
        del part.metadata_props[:]
