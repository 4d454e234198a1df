"""Write tiny models of pictures and text, as fastembed loads them, that know colours: a text finds what shows its own.

The network for pictures takes the mean colour; that for text adds up what its words are. Both add a constant of their
own, so that all cosines of pictures and texts lie in a narrow band, as real models' do. No weights are downloaded.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from core.encoders.clip_models import ClipModel, Folders, in_folder, named

COLOURS = {
    "red": (255, 0, 0),
    "green": (0, 255, 0),
    "blue": (0, 0, 255),
    "yellow": (255, 255, 0),
    "purple": (255, 0, 255),
    "white": (255, 255, 255),
    "black": (0, 0, 0),
}
OF_COLOURS = {
    "blood": "red",
    "grass": "green",
    "sea": "blue",
    "banana": "yellow",
    "snow": "white",
    "night": "black",
    "amethyst": "purple",
}
"""Things that the model knows by their colour; no other word."""
UNKNOWN = "[UNK]"


def write_colour_model(folder: Path, model: ClipModel | None = None, *, dimension: int | None = None) -> Path:
    """Write vision/ and text/ into a folder and return it; `dimension` to make one of a wrong size."""
    model = model or named("clip")
    write_towers(model, in_folder(folder), dimension=dimension)
    return folder


def write_towers(model: ClipModel, folders: Folders, *, dimension: int | None = None) -> None:
    """Write the two halves where they are wanted; both may be one folder."""
    size = dimension or model.dimension
    random = np.random.default_rng(5)
    directions = np.linalg.qr(random.normal(size=(size, 5)))[0].T.astype(np.float32)
    colours, gap_of_pictures, gap_of_texts = directions[:3], directions[3], directions[4]
    siglip = model.name == "siglip2"
    _write_vision(model, folders.vision, colours, 1.5 * gap_of_pictures, pooler=siglip)
    _write_text(model, folders.text, colours, 1.5 * gap_of_texts + 0.4 * gap_of_pictures, pooler=siglip)


def _write_vision(model: ClipModel, folder: Path, colours: np.ndarray, gap: np.ndarray, *, pooler: bool) -> None:
    name = "pooler_output" if pooler else "image_embeds"
    side, size = model.side_px, colours.shape[1]
    nodes = [
        helper.make_node("ReduceMean", ["pixel_values"], ["mean"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["mean", "colours"], ["seen"]),
        helper.make_node("Add", ["seen", "gap"], [name]),
    ]
    _save(
        folder / model.vision.weights,
        nodes,
        inputs={"pixel_values": (TensorProto.FLOAT, ["batch", 3, side, side])},
        outputs={name: ["batch", size]},
        constants={"colours": colours, "gap": gap},
    )
    _dump(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "SiglipImageProcessor" if pooler else "CLIPImageProcessor",
            "do_resize": True,
            "size": {"height": side, "width": side} if pooler else {"shortest_edge": side},
            "resample": 3,
            "do_center_crop": not pooler,
            "crop_size": {"height": side, "width": side},
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": [0.5, 0.5, 0.5],
            "image_std": [0.5, 0.5, 0.5],
            "do_convert_rgb": True,
        },
    )


def _write_text(model: ClipModel, folder: Path, colours: np.ndarray, gap: np.ndarray, *, pooler: bool) -> None:
    name = "pooler_output" if pooler else "text_embeds"
    known = {word: np.array(rgb) / 127.5 - 1 for word, rgb in COLOURS.items()}
    known |= {word: known[colour] for word, colour in OF_COLOURS.items()}
    vocabulary = {"[PAD]": 0, UNKNOWN: 1} | {word: number + 2 for number, word in enumerate(known)}
    rows = np.zeros((len(vocabulary), colours.shape[1]), np.float32)
    for word, colour in known.items():
        rows[vocabulary[word]] = colour @ colours
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["each"]),
        helper.make_node("ReduceSum", ["each", "axis"], ["said"], keepdims=0),
        helper.make_node("Add", ["said", "gap"], [name]),
    ]
    numbers = {key: (TensorProto.INT64, ["batch", "length"]) for key in ("input_ids", "attention_mask")}
    _save(
        folder / model.text.weights,
        nodes,
        inputs=numbers,
        outputs={name: ["batch", colours.shape[1]]},
        constants={"words": rows, "axis": np.array([1], np.int64), "gap": gap},
    )
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    if not model.lower_case:  # The tokenizer of one that is trained on lower case leaves the case as it is.
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    _dump(folder / "tokenizer_config.json", {"model_max_length": 64 if pooler else 77, "pad_token": "[PAD]"})
    _dump(folder / "config.json", {"pad_token_id": 0})
    _dump(folder / "special_tokens_map.json", {"pad_token": "[PAD]"})


def _save(path: Path, nodes: list, inputs: dict, outputs: dict, constants: dict[str, np.ndarray]) -> None:
    graph = helper.make_graph(
        nodes,
        path.stem,
        [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in constants.items()],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def _dump(path: Path, body: dict) -> None:
    path.write_text(json.dumps(body), "utf-8")
