"""Write a model of the size of CLIP ViT-B/32 with random numbers for weights: it sees nothing and takes as long."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

WIDTH, LAYERS, HEADS, PATCH, SIDE, OUT = 768, 12, 12, 32, 224, 512


def write_vision(path: Path, seed: int = 0) -> None:
    """Write the network for pictures: float (batch, 3, 224, 224) to (batch, 512)."""
    random = np.random.default_rng(seed)
    nodes: list[onnx.NodeProto] = []
    held: list[onnx.TensorProto] = []
    head = WIDTH // HEADS
    tokens = (SIDE // PATCH) ** 2

    def weight(name: str, *shape: int) -> str:
        held.append(numpy_helper.from_array((0.02 * random.standard_normal(shape)).astype(np.float32), name))
        return name

    def constant(name: str, value: np.ndarray) -> str:
        held.append(numpy_helper.from_array(value, name))
        return name

    def add(kind: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    ones = constant("ones", np.ones(WIDTH, np.float32))
    zeros = constant("zeros", np.zeros(WIDTH, np.float32))
    flat = constant("flat", np.array([0, WIDTH, tokens], np.int64))
    split = constant("split", np.array([0, 0, HEADS, head], np.int64))
    joined = constant("joined", np.array([0, 0, WIDTH], np.int64))
    scale = constant("scale", np.array(head**-0.5, np.float32))
    patches = add("Conv", ["pixel_values", weight("patch", WIDTH, 3, PATCH, PATCH)], "patches", strides=[PATCH, PATCH])
    x = add("Transpose", [add("Reshape", [patches, flat], "flattened")], "x", perm=[0, 2, 1])
    for n in range(LAYERS):
        normed = add("LayerNormalization", [x, ones, zeros], f"{n}.normed", axis=-1)
        parts = []
        for kind in "qkv":
            part = add("MatMul", [normed, weight(f"{n}.{kind}", WIDTH, WIDTH)], f"{n}.{kind}.flat")
            part = add("Reshape", [part, split], f"{n}.{kind}.split")
            parts.append(
                add("Transpose", [part], f"{n}.{kind}.heads", perm=[0, 2, 3, 1] if kind == "k" else [0, 2, 1, 3])
            )
        scores = add("Mul", [add("MatMul", parts[:2], f"{n}.raw"), scale], f"{n}.scores")
        seen = add("MatMul", [add("Softmax", [scores], f"{n}.share", axis=-1), parts[2]], f"{n}.seen")
        seen = add("Reshape", [add("Transpose", [seen], f"{n}.back", perm=[0, 2, 1, 3]), joined], f"{n}.joined")
        x = add("Add", [x, add("MatMul", [seen, weight(f"{n}.out", WIDTH, WIDTH)], f"{n}.attended")], f"{n}.x")
        normed = add("LayerNormalization", [x, ones, zeros], f"{n}.normed2", axis=-1)
        wide = add("MatMul", [normed, weight(f"{n}.up", WIDTH, 4 * WIDTH)], f"{n}.wide")
        wide = add("Mul", [wide, add("Sigmoid", [wide], f"{n}.gate")], f"{n}.active")
        x = add("Add", [x, add("MatMul", [wide, weight(f"{n}.down", 4 * WIDTH, WIDTH)], f"{n}.narrow")], f"{n}.y")
    pooled = add("ReduceMean", [x], "pooled", axes=[1], keepdims=0)
    add("MatMul", [pooled, weight("project", WIDTH, OUT)], "image_embeds")
    graph = helper.make_graph(
        nodes,
        "vision",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["batch", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("image_embeds", TensorProto.FLOAT, ["batch", OUT])],
        held,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
