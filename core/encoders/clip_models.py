"""The models of pictures and text that the clip encoder can run, and where on this machine one lies.

Looking touches files only, never a network, and loads no library. Getting and removing is in `clip_download.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.errors import EncoderError


@dataclass(frozen=True, slots=True)
class Tower:
    """One half of a model: the network for pictures, or the one for text."""

    name: str
    """What fastembed calls it."""
    repo: str
    """Where the Hugging Face Hub has it."""
    weights: str
    """File of the network, inside the repository and inside a folder alike."""
    beside: tuple[str, ...]
    """Files that must lie beside it."""


@dataclass(frozen=True, slots=True)
class ClipModel:
    """Describe a model before it is loaded."""

    name: str
    """What CLIP_MODEL says."""
    space: str
    """Names its vectors; another version of the weights would be another name."""
    dimension: int
    vision: Tower
    text: Tower
    languages: str
    licence: str
    size_bytes: int
    """To download, rounded up."""
    side_px: int = 224
    lower_case: bool = False
    """Whether it was trained on text in lower case only, which its tokenizer does not see to."""

    @property
    def towers(self) -> tuple[Tower, Tower]:
        return (self.vision, self.text)


_PICTURE_FILES = ("preprocessor_config.json",)
_TEXT_FILES = ("tokenizer.json", "tokenizer_config.json", "config.json", "special_tokens_map.json")
SPARE_FILES = frozenset({"config.json", "special_tokens_map.json"})
"""What fastembed does without where it is not there (load_tokenizer)."""
_SIGLIP = ("google/siglip2-base-patch16-224", "onnx-community/siglip2-base-patch16-224-ONNX")
_JINA = ("jinaai/jina-clip-v1", "jinaai/jina-clip-v1")

MODELS: tuple[ClipModel, ...] = (
    ClipModel(
        name="clip",
        space="clip-vit-b-32",
        dimension=512,
        vision=Tower(*("Qdrant/clip-ViT-B-32-vision",) * 2, "model.onnx", _PICTURE_FILES),
        text=Tower(*("Qdrant/clip-ViT-B-32-text",) * 2, "model.onnx", _TEXT_FILES),
        languages="English",
        licence="MIT",
        size_bytes=600_000_000,
    ),
    ClipModel(
        name="siglip2",
        space="siglip2-base-p16-224",
        dimension=768,
        vision=Tower(*_SIGLIP, "onnx/vision_model.onnx", _PICTURE_FILES),
        text=Tower(*_SIGLIP, "onnx/text_model.onnx", _TEXT_FILES),
        languages="many languages",
        licence="Apache-2.0",
        size_bytes=1_540_000_000,
        lower_case=True,
    ),
    ClipModel(
        name="jina-clip",
        space="jina-clip-v1",
        dimension=768,
        vision=Tower(*_JINA, "onnx/vision_model.onnx", _PICTURE_FILES),
        text=Tower(*_JINA, "onnx/text_model.onnx", _TEXT_FILES),
        languages="English",
        licence="Apache-2.0",
        size_bytes=900_000_000,
    ),
)
"""Sizes and licences as fastembed 0.9.1 states them. The first is the default: the quick one."""
NAMES = tuple(model.name for model in MODELS)


@dataclass(frozen=True, slots=True)
class Folders:
    """Where the two halves of a model lie, each as fastembed takes a `specific_model_path`."""

    vision: Path
    text: Path


def named(name: str) -> ClipModel:
    """Return a model by its name. Raises KeyError."""
    return {model.name: model for model in MODELS}[name]


def find(model: ClipModel, cache_dir: Path, model_dir: Path | None = None) -> Folders | None:
    """Return where a model lies on this machine, or None: in `model_dir` where one is set, else in our own cache."""
    if model_dir is not None:
        folders = in_folder(model_dir)
    else:
        snapshots = [snapshot(cache_dir, tower.repo) for tower in model.towers]
        if snapshots[0] is None or snapshots[1] is None:
            return None
        folders = Folders(snapshots[0], snapshots[1])
    return None if any(missing(model, folders)) else folders


def in_folder(model_dir: Path) -> Folders:
    """Return where the halves of a model lie in a folder that a person made (CLIP_MODEL_DIR)."""
    return Folders(model_dir / "vision", model_dir / "text")


def missing(model: ClipModel, folders: Folders) -> Iterator[Path]:
    """Yield each file without which the model cannot be loaded and that is not there."""
    for tower, folder in ((model.vision, folders.vision), (model.text, folders.text)):
        needed = {tower.weights, *tower.beside} - SPARE_FILES
        yield from (folder / name for name in sorted(needed) if not (folder / name).is_file())


def snapshot(cache_dir: Path, repo: str) -> Path | None:
    """Return the newest snapshot of a repository in a cache laid out as huggingface_hub does, or None."""
    folder = cache_dir / f"models--{repo.replace('/', '--')}"
    try:
        revision = (folder / "refs" / "main").read_text("ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None
    found = folder / "snapshots" / revision
    return found if revision and "/" not in revision and found.is_dir() else None


def fingerprint(model: ClipModel, folders: Folders) -> str:
    """Return a name for the very weights in a folder, for what is remembered of them: no two share one.

    Raises EncoderError when they cannot be read.
    """
    digest = hashlib.sha256(model.space.encode())
    vision, text = folders.vision, folders.text
    for path in (
        vision / model.vision.weights,
        vision / "preprocessor_config.json",
        text / model.text.weights,
        text / "tokenizer.json",
    ):
        try:
            file = path.open("rb")
        except OSError as error:
            raise EncoderError(
                "{path} cannot be read ({why}). Get the model again: python -m core model get {name}.",
                path=path,
                why=error.strerror,
                name=model.name,
            ) from error
        with file:
            size = path.stat().st_size
            digest.update(size.to_bytes(8, "big") + file.read(_LOOKED_AT))
            file.seek(max(size - _LOOKED_AT, 0))
            digest.update(file.read(_LOOKED_AT))
    return f"{model.space}:{digest.hexdigest()[:16]}"


_LOOKED_AT = 4 * 1024 * 1024
"""Bytes read at the beginning and at the end of a file; weights that differ do so everywhere."""
