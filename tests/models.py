"""Write small models of pictures and text, as fastembed loads them; no weights are downloaded.

One knows colours: its network for pictures takes the mean colour, that for text adds up what its words are. The other
is an oracle: it knows labelled clips again by thumbnails of their frames and answers with their labels, as blurred as a
real model would. Both add a constant of their own to pictures and to texts, so that all cosines lie in a narrow band.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
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
    _write_preprocessor(model, folder, pooler=pooler)


def _write_preprocessor(model: ClipModel, folder: Path, *, pooler: bool) -> None:
    side = model.side_px
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
    _write_tokenizer(model, folder, vocabulary, pooler=pooler)


def _write_tokenizer(model: ClipModel, folder: Path, vocabulary: dict[str, int], *, pooler: bool) -> None:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=UNKNOWN))
    if not model.lower_case:  # The tokenizer of one that is trained on lower case leaves the case as it is.
        tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("removed")]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    _dump(folder / "tokenizer_config.json", {"model_max_length": 64 if pooler else 77, "pad_token": "[PAD]"})
    _dump(folder / "config.json", {"pad_token_id": 0})
    _dump(folder / "special_tokens_map.json", {"pad_token": "[PAD]"})


@dataclass(frozen=True, slots=True)
class Blur:
    """How an oracle's pictures and texts lie: cosines of CLIP's range by default, a right one 0.1 above a wrong one."""

    noise: float = 0.6
    """0 sees labels and nothing else; at 1 every fifth answer is wrong."""
    seed: int = 0
    gap_of_pictures: float = 0.8
    gap_of_texts: float = 0.6
    shared: float = 0.22
    """How much of the pictures' gap the texts have: with 0 unmatched cosines are about zero, as SigLIP's are."""


_THUMB = 12
_KNOWN_FROM = 60.0
"""How much surer the oracle is of the frame it remembers than of one a little less alike."""
_FILLERS = ("a", "an", "the", "of", "in", "at", "with", "and", "for", "video", "scene", "film", "clip", "people")


def write_oracle(
    folder: Path, clips: Mapping[Path, Sequence[str]], blur: Blur = Blur(), model: ClipModel | None = None
) -> Path:
    """Write a model that knows these clips by their labels ("3D Animation", "calm"), and return its folder."""
    model = model or named("clip")
    random = np.random.default_rng(blur.seed)
    names = sorted({_slug(label) for labels in clips.values() for label in labels})
    meanings = dict(zip(names, _units(random, len(names), model.dimension), strict=True))
    of_pictures, of_texts = _units(random, 2, model.dimension)
    thumbs, views = [], []
    for path, labels in clips.items():
        shows = _unit(sum(meanings[_slug(label)] for label in labels))
        mistaken = _unit(random.normal(size=len(names)) @ np.array(list(meanings.values())))
        (own,) = _units(random, 1, model.dimension)
        for thumb in _thumbs(path, model.side_px):
            passing = _units(random, 1, model.dimension)[0]
            thumbs.append(thumb)
            views.append(
                blur.gap_of_pictures * of_pictures
                + 0.3 * shows
                + blur.noise * (0.45 * mistaken + 0.4 * own + 0.3 * passing)
            )
    folders = in_folder(folder)
    _write_remembering(model, folders.vision, np.array(thumbs, np.float32), np.array(views, np.float32))
    _write_reading(model, folders.text, meanings, blur.gap_of_texts * of_texts + blur.shared * of_pictures, random)
    return folder


def _write_remembering(model: ClipModel, folder: Path, thumbs: np.ndarray, views: np.ndarray) -> None:
    """Write a network that finds the nearest of known thumbnails and answers with what was seen there."""
    step = model.side_px // _THUMB
    mean = thumbs.mean(axis=0)
    keys = thumbs - mean
    keys /= np.linalg.norm(keys, axis=1, keepdims=True) + 1e-6
    nodes = [
        helper.make_node("Slice", ["pixel_values", "from", "to", "of"], ["inside"]),
        helper.make_node("AveragePool", ["inside"], ["small"], kernel_shape=[step, step], strides=[step, step]),
        helper.make_node("Reshape", ["small", "flat"], ["thumb"]),
        helper.make_node("Sub", ["thumb", "mean"], ["apart"]),
        helper.make_node("ReduceL2", ["apart"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Add", ["length", "little"], ["some"]),
        helper.make_node("Div", ["apart", "some"], ["unit"]),
        helper.make_node("MatMul", ["unit", "keys"], ["alike"]),
        helper.make_node("Mul", ["alike", "sure"], ["sharp"]),
        helper.make_node("Softmax", ["sharp"], ["which"], axis=1),
        helper.make_node("MatMul", ["which", "views"], ["image_embeds"]),
    ]
    constants = {
        "from": np.array([0, 0], np.int64),
        "to": np.array([step * _THUMB] * 2, np.int64),
        "of": np.array([2, 3], np.int64),
        "flat": np.array([0, -1], np.int64),
        "mean": mean,
        "little": np.array(1e-6, np.float32),
        "keys": keys.T,
        "sure": np.array(_KNOWN_FROM, np.float32),
        "views": views,
    }
    _save(
        folder / model.vision.weights,
        nodes,
        inputs={"pixel_values": (TensorProto.FLOAT, ["batch", 3, model.side_px, model.side_px])},
        outputs={"image_embeds": ["batch", views.shape[1]]},
        constants=constants,
    )
    _write_preprocessor(model, folder, pooler=False)


def _write_reading(
    model: ClipModel, folder: Path, meanings: Mapping[str, np.ndarray], gap: np.ndarray, random: np.random.Generator
) -> None:
    """Write a network that adds up the words of labels; a word it does not know says next to nothing."""
    words: dict[str, list[np.ndarray]] = {}
    for name, meaning in meanings.items():
        for word in name.split("-"):
            for form in {word, word.rstrip("s"), f"{word}s"}:
                words.setdefault(form, []).append(meaning)
    faint = 0.02 * _units(random, 1 + len(_FILLERS), gap.size)
    vocabulary, rows = {"[PAD]": 0, UNKNOWN: 1}, [np.zeros(gap.size), faint[0]]
    for word, row in (*zip(_FILLERS, faint[1:], strict=True), *((word, _unit(sum(of))) for word, of in words.items())):
        if word not in vocabulary:
            vocabulary[word] = len(vocabulary)
            rows.append(row)
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["each"]),
        helper.make_node("ReduceSum", ["each", "axis"], ["said"], keepdims=0),
        helper.make_node("ReduceL2", ["said"], ["length"], axes=[1], keepdims=1),
        helper.make_node("Max", ["length", "half"], ["some"]),
        helper.make_node("Div", ["said", "some"], ["meant"]),
        helper.make_node("Mul", ["meant", "share"], ["weighed"]),
        helper.make_node("Add", ["weighed", "gap"], ["text_embeds"]),
    ]
    constants = {
        "words": np.array(rows, np.float32),
        "axis": np.array([1], np.int64),
        "half": np.array(0.5, np.float32),
        "share": np.array(0.6, np.float32),
        "gap": gap.astype(np.float32),
    }
    numbers = {key: (TensorProto.INT64, ["batch", "length"]) for key in ("input_ids", "attention_mask")}
    _save(folder / model.text.weights, nodes, numbers, {"text_embeds": ["batch", gap.size]}, constants)
    _write_tokenizer(model, folder, vocabulary, pooler=False)


def _thumbs(path: Path, side_px: int) -> Iterator[np.ndarray]:
    """Yield a thumbnail of a frame every half second, as the preprocessor and the network's first layers make it."""
    last_s = -1.0
    with av.open(str(path)) as file:
        file.streams.video[0].codec_context.skip_frame = "NONREF"  # the frame before or after will do as well
        for number, frame in enumerate(file.decode(video=0)):
            at_s = float(frame.time if frame.time is not None else number / 25)
            if at_s - last_s >= 0.5:
                last_s = at_s
                yield _thumb(frame.to_image(), side_px)


def _thumb(image: Image.Image, side_px: int) -> np.ndarray:
    scale = side_px / min(image.size)
    width, height = (max(side_px, round(size * scale)) for size in image.size)
    left, top = (width - side_px) // 2, (height - side_px) // 2
    shown = image.resize((width, height), Image.Resampling.BICUBIC).crop((left, top, left + side_px, top + side_px))
    step = side_px // _THUMB
    pixels = np.asarray(shown.convert("RGB"), np.float32)[: step * _THUMB, : step * _THUMB] / 127.5 - 1
    return pixels.reshape(_THUMB, step, _THUMB, step, 3).mean((1, 3)).transpose(2, 0, 1).ravel()


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.strip().lower()).strip("-")


def _units(random: np.random.Generator, count: int, dimension: int) -> np.ndarray:
    rows = random.normal(size=(count, dimension))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


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
