"""The clip encoder: a model of pictures and text on this machine, fused with what the local encoder measures and reads.

It runs one of the models of `clip_models.py` through fastembed (ONNX, no torch). The model looks at a frame about every
two seconds, of the same decode pass that the percepts are measured in, so it sees things, places and actions; the local
encoder (`local.py`) adds what a still cannot show (movement, cuts, sound) and the words that came with a video.

One space for videos, clips, pictures and text:

    video, clip  [ √½ · the model's view | √½ · local vector ]      both halves of length 1, so the whole is too
    text         [ a · the model's reading | b · local vector ]     brought to length 1

A clip's view is the mean of its unit frame vectors, a video's that of its clips by their length, each at length 1.
A query's cosine is thus a weighted sum of the model's cosine and the local one. All weighing is on the side of queries:
it can be retuned, and either half be tried alone (`Weights`), without encoding a video again.

**The model's scale.** Cosines of texts and pictures lie in a narrow band that differs by model (CLIP's at about 0.2 to
0.3, SigLIP's near 0): pictures and texts each fill a narrow cone, and the cones lie apart ("Mind the gap", Liang et al.
2022). What all texts have in common, and what all pictures have in common, says nothing of a video. So both directions
are taken out of a query (as in Mu and Viswanath 2018, "All-but-the-Top"), and what is left is measured by what is
usual for the model: see `Scale`.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import numpy as np

from core.encoders import exclusions, local
from core.encoders.clip_models import ClipModel, Folders, fingerprint
from core.encoders.percepts import Measurements, Measurer
from core.encoders.words import CONCEPTS, read
from core.errors import EncoderError
from core.ingest.sampling import Large, Picture, shrink_to_side
from core.ingest.sandbox import sample
from core.models import Calibration, ClipEmbedding, EncoderInfo, Progress, Video, VideoEmbedding
from core.priority import step_back

FRAME_EVERY_S = 2.0
"""No clip is shorter, where the video is not, so each has a frame of its own."""
BATCH = 4
"""Frames the model looks at together: on a processor more are no quicker, and Cancel and a dropped picture wait for
one batch."""
PLAIN = 6.0
"""Deviation of a frame's numbers (0 to 255) below which it is black, white or a fade: left out where others are not."""

Reads = Callable[[Sequence[str]], np.ndarray]
"""From n texts to n rows."""
Remember = Callable[[str, int, Reads], Reads]
"""From a name, the numbers in a row and what reads texts, to the same with a memory of that name."""

MODEL_OF_VIDEO = float(np.sqrt(0.5))
"""Length of each half of a video. Equal, and not to be tuned: queries weigh the halves."""


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each half of a query counts, of text and of pictures."""

    model_text: float
    local_text: float
    model_image: float
    local_image: float


FUSED = Weights(model_text=1.2, local_text=1.0, model_image=1.0, local_image=0.7)
"""A right video stands out from the wrong ones by about 0.15 in the model's half and 0.2 in the local one where words
name it; but words name few videos, and the model sees all. Between 2 and 0.8 to 1 the area is the same to within 0.003
for models that are rather sure and rather unsure, and better than either half. Within that rather low: what the model
alone says must then be surer before it is claimed, and what words say need not be. Of a picture the layout finds the
very video."""
LOOKS = 0.5
"""How much the percepts of a text count beside its words. A model sees subjects: what they look like from afar tells
next to nothing then, and is often wrong, so of those nothing is asked. Of moods percepts know something that the model
does not, but less than it does."""
CALIBRATION = Calibration(fits=1.15, related=1.25)
"""A model claims something of every video, so it must be surer than an encoder that mostly has nothing to say: with
models made to be as unsure as CLIP (areas of 0.87 to 0.94) four of five claims are right from here on."""
MODEL_ALONE = Weights(1.0, 0.0, 1.0, 0.0)
LOCAL_ALONE = Weights(0.0, 1.0, 0.0, 1.0)

NEUTRAL_TEXTS = (
    "a photo",
    "a video",
    "a scene",
    "a picture of something",
    "a frame of a film",
    "things",
    "a place",
    "people",
    "an object",
    "something that happens",
    "outdoors",
    "indoors",
    "an animal",
    "a word",
    "a colour",
    "a sound",
    "the weather",
    "a story",
    "work",
    "a game",
    "a feeling",
    "a machine",
    "food",
    "a plant",
)
"""Texts about nothing and everything: their mean is what texts have in common."""
TELLING_TEXTS = tuple(name.replace("-", " ") for name in CONCEPTS[:29])
"""Categories and moods by name: what says as much as they do says all it says."""
LEAST_SPREAD = 0.2
"""A model's texts are at least this far from their mean (CLIP's and SigLIP's are 0.4 to 0.7): what is nearer says
next to nothing, whatever the telling texts do."""
NOTHING = 0.25
"""A query whose two halves together say less than this says nothing: at length 1 it would be all chance."""
NEUTRAL_PICTURES = 32
"""How near a text is to all pictures alike is then known to within 0.02; with 8 it is 0.025, and without any 0.045, a
third of what a right video stands out by. Looked at once, and remembered."""


class Towers:
    """A model's two networks, loaded when first used. Safe to call from several threads."""

    def __init__(self, model: ClipModel, folders: Folders, threads: int) -> None:
        self.model = model
        self.folders = folders
        self._threads = threads
        self._lock = threading.Lock()
        self._vision = None
        self._text = None
        self._video_turn = threading.Lock()

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.model, self.folders)

    def see(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Return one unit vector a picture, (height, width, 3) uint8, as float32 (n, dimension)."""
        from PIL import Image

        network = self._load("vision")
        images = [Image.fromarray(picture) for picture in pictures]
        return self._checked(lambda: network.embed(images, batch_size=len(images)), len(images), "pictures")

    def see_frames(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Do the same for frames of videos that are being added, one batch at a time however many videos are.

        So ingest takes no more than its threads, and another video's decoding goes on meanwhile.
        """
        with self._video_turn:
            return self.see(pictures)

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, as float32 (n, dimension)."""
        if not texts:
            return np.zeros((0, self.model.dimension), np.float32)
        network = self._load("text")
        given = [text.lower() for text in texts] if self.model.lower_case else list(texts)
        return self._checked(lambda: network.embed(given, batch_size=16), len(given), "texts")

    def _load(self, which: str):
        """Return a network, loading it the first time. Raises EncoderError."""
        with self._lock:
            loaded = self._vision if which == "vision" else self._text
            if loaded is None:
                if which == "vision":
                    # A network's threads have the priority of the one that loads it. This one is videos' work for hours
                    # and a page's for a dropped picture, whoever of them comes first.
                    with ThreadPoolExecutor(1, initializer=step_back) as behind:
                        loaded = self._vision = behind.submit(self._loaded, which).result()
                else:
                    loaded = self._text = self._loaded(which)
            return loaded

    def _loaded(self, which: str):
        from fastembed import ImageEmbedding, TextEmbedding

        folder = self.folders.vision if which == "vision" else self.folders.text
        tower, kind = (self.model.vision, ImageEmbedding) if which == "vision" else (self.model.text, TextEmbedding)
        try:
            # The cache folder is not used where a path is given, but fastembed makes it: let it be one that is there.
            return kind(tower.name, cache_dir=str(folder), threads=self._threads, specific_model_path=str(folder))
        except Exception as error:  # onnxruntime, tokenizers and fastembed each raise what they like.
            raise EncoderError(
                "The {which} half of the model {name} in {folder} cannot be loaded ({why}). Get it again: python "
                "-m core model get {name}.",
                which=which,
                name=self.model.name,
                folder=folder,
                why=_first_line(error),
            ) from error

    def _checked(self, embed: Callable[[], Iterator], count: int, what: str) -> np.ndarray:
        """Return what a network makes of its input at length 1. Raises EncoderError for what is no such vectors."""
        try:
            rows = np.asarray(list(embed()), np.float32)
        except Exception as error:  # As above.
            raise EncoderError(
                "The model {name} could not read {what} ({why}). Check it with: python -m core doctor.",
                name=self.model.name,
                what=what,
                why=_first_line(error),
            ) from error
        if rows.shape != (count, self.model.dimension) or not np.isfinite(rows).all():
            raise EncoderError(
                "The model in {folder} is not {name}: it makes {shape} numbers of {count} {what}, not {dimension} "
                "each. Set CLIP_MODEL to the model that lies there.",
                folder=self.folders.vision.parent,
                name=self.model.name,
                shape=rows.shape,
                count=count,
                what=what,
                dimension=self.model.dimension,
            )
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """What is usual for a model, to weigh its reading of a query by."""

    common: np.ndarray
    """Orthonormal rows (k, dimension): what all its texts, and all its pictures, have in common."""
    spread: float
    """How far texts usually are from what they have in common."""

    @classmethod
    def of(cls, neutral: np.ndarray, picture: np.ndarray, telling: np.ndarray) -> Scale:
        """Return the scale of a model from its unit vectors of neutral texts, (n, dimension), the mean of those of
        neutral pictures, (dimension,), and its unit vectors of texts that say much, (n, dimension)."""
        common: list[np.ndarray] = []
        for mean in (neutral.mean(axis=0), picture):
            rest = mean - sum((row * (row @ mean) for row in common), start=np.zeros_like(mean))
            if (length := float(np.linalg.norm(rest))) > 0.1:
                common.append(rest / length)
        basis = np.array(common, np.float32).reshape(-1, neutral.shape[1])
        left = telling - (telling @ basis.T) @ basis
        # Not the mean: a model may know few of them, and those it does not know lie with what all have in common.
        return cls(basis, max(float(np.quantile(np.linalg.norm(left, axis=1), 0.75)), LEAST_SPREAD))

    def weigh(self, reading: np.ndarray) -> np.ndarray:
        """Return what a unit vector of a query says beyond what all have in common, at most of length 1.

        Shorter where it says less than texts usually do: a word that the model does not know claims nothing.
        """
        left = reading - self.common.T @ (self.common @ reading)
        return (left / max(float(np.linalg.norm(left)), self.spread)).astype(np.float32)


def info_of(model: ClipModel) -> EncoderInfo:
    """Describe the encoder that a model makes, whether the model is here or not."""
    return EncoderInfo(
        name=f"{model.space}+{local.INFO.name}",
        dimension=model.dimension + local.INFO.dimension,
        sees=("things, places and actions in the pictures", *local.INFO.sees),
        blind_to=("what is said aloud", "who somebody is", "a story over several scenes"),
        images=True,
        recognises=True,
        reads_names=True,
        calibration=CALIBRATION,
    )


class ClipEncoder:
    """Put videos, clips, pictures and text into one space by what a model sees, and what is measured and read."""

    def __init__(
        self,
        towers: Towers,
        *,
        remember: Remember | None = None,
        weights: Weights = FUSED,
    ) -> None:
        """`remember` keeps what the model says of texts for the next time: reading one takes it a tenth of a second.

        What it says is kept and not what we make of it, so that nothing kept grows stale when weights are tuned.
        """
        model = towers.model
        self.towers = towers
        self.weights = weights
        self.info = info_of(model)
        remember = remember or (lambda name, dimension, read: read)
        weights_of = towers.fingerprint
        self._read_texts = remember(weights_of, model.dimension, towers.read)
        self._see_neutral = remember(f"{weights_of}:pictures", model.dimension, self._neutral_view)
        self._scale: Scale | None = None
        self._scale_lock = threading.Lock()

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        """Return unit vectors for the whole video and its clips, from one pass over the file.

        Clips are those of the local encoder. `notes` is not needed: nothing here is paid for. Raises EncoderError.
        """
        embedding = self.embed(*self.look(video, on_progress), video)
        on_progress(1.0)
        return embedding

    def embed(self, measured: Measurements, frames: Frames, video: Video) -> VideoEmbedding:
        """Return the vectors of a video that was looked at, with the words that came with it."""
        measures = local.embed(measured, video)
        views = [frames.view(clip.start_s, clip.end_s) for clip in measures.clips]
        lengths_s = np.array([[clip.end_s - clip.start_s] for clip in measures.clips], np.float32)
        whole = _unit((np.array(views) * lengths_s).sum(axis=0))
        clips = tuple(
            ClipEmbedding(clip.start_s, clip.end_s, self._video_vector(view, clip.vector), clip.seen)
            for clip, view in zip(measures.clips, views, strict=True)
        )
        return VideoEmbedding(self._video_vector(whole, measures.vector), clips, measures.seen)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32 (len(texts), dimension); a zero row for a text without words."""
        return exclusions.vectors(texts, self.info.dimension, self._readings)

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        """Return the unit vector of a picture, (height, width, 3) uint8, float32 (dimension,); see encoders/base.py."""
        view = self.towers.see([shrink_to_side(np.ascontiguousarray(rgb), self.towers.model.side_px)])[0]
        seen = self._usual().weigh(view)
        return self._query(
            seen, local.LocalEncoder().encode_image(rgb), self.weights.model_image, self.weights.local_image
        )

    def reword(self, vectors: np.ndarray, video: Video) -> np.ndarray:
        """Return vectors of a video with the words that it has now: the local half is made anew (encoders/base.py)."""
        size = self.towers.model.dimension
        views, measures = np.asarray(vectors, np.float32)[:, :size], np.asarray(vectors, np.float32)[:, size:]
        lengths = np.linalg.norm(measures, axis=1, keepdims=True)
        return np.hstack([views, lengths * local.LocalEncoder().reword(measures / lengths, video)])

    def _readings(self, texts: Sequence[str]) -> np.ndarray:
        """Return a vector a text, nothing excluded, of length 1 or zero where nothing is said."""
        rows = np.zeros((len(texts), self.info.dimension), np.float32)
        said = [number for number, text in enumerate(texts) if _has_words(text)]
        if not said:
            return rows
        weights = self.weights
        seen = np.zeros((len(said), self.towers.model.dimension), np.float32)
        if weights.model_text:
            scale = self._usual()
            seen[:] = [scale.weigh(reading) for reading in self._read_texts([texts[number] for number in said])]
        for number, model in zip(said, seen, strict=True):
            measured = local.text_vector(read(texts[number]), looks=LOOKS, looks_of_subjects=0.0)
            rows[number] = self._query(model, measured, weights.model_text, weights.local_text)
        return rows

    def _usual(self) -> Scale:
        """Return what is usual for the model, found out the first time."""
        with self._scale_lock:
            if self._scale is None:
                neutral, telling = self._read_texts(NEUTRAL_TEXTS), self._read_texts(TELLING_TEXTS)
                self._scale = Scale.of(neutral, self._see_neutral(["neutral pictures"])[0], telling)
            return self._scale

    def _neutral_view(self, texts: Sequence[str]) -> np.ndarray:
        """Return what the model makes of pictures that show nothing, a row a text, whatever the text."""
        pictures = neutral_pictures(NEUTRAL_PICTURES, self.towers.model.side_px)
        seen = np.concatenate([self.towers.see(batch) for batch in _batches(pictures, BATCH)])
        return np.tile(seen.mean(axis=0), (len(texts), 1))

    def look(self, video: Video, on_progress: Progress) -> tuple[Measurements, Frames]:
        """Read a file once, whatever it is called: measure it, and let the model see its frames, a batch at a time."""
        measurer, frames = Measurer(), Frames()
        waiting: list[np.ndarray] = []

        def told(fraction: float) -> None:
            on_progress(min(fraction, 0.999))  # The last batch is yet to come when the file is read.

        for item in sample(video.path, large=Large(self.towers.model.side_px, FRAME_EVERY_S), on_progress=told):
            measurer.add(item)
            if isinstance(item, Picture) and item.large is not None and frames.add(item):
                waiting.append(item.large)
                if len(waiting) >= BATCH:
                    frames.saw(self.towers.see_frames(waiting))
                    waiting.clear()
        if waiting:
            frames.saw(self.towers.see_frames(waiting))
        return measurer.finish(), frames

    def _video_vector(self, view: np.ndarray, measures: np.ndarray) -> np.ndarray:
        rest = float(np.sqrt(1.0 - MODEL_OF_VIDEO**2))
        return _unit(np.concatenate([MODEL_OF_VIDEO * view, rest * measures]))

    def _query(self, model: np.ndarray, measured: np.ndarray, model_weight: float, local_weight: float) -> np.ndarray:
        query = np.concatenate([model_weight * model, local_weight * measured])
        return _unit(query) if np.linalg.norm(query) >= NOTHING else np.zeros_like(query, np.float32)


class Frames:
    """What the model saw of a video: a vector a frame, with its times."""

    def __init__(self) -> None:
        self._times_s: list[float] = []
        self._plain: list[bool] = []
        self._views: list[np.ndarray] = []
        self._which: list[int] = []
        self._last: np.ndarray | None = None

    def add(self, picture: Picture) -> bool:
        """Note a frame; return whether the model has to look at it, rather than that it stands since the last one."""
        new = picture.large is not self._last
        self._last = picture.large
        self._times_s.append(picture.time_s)
        self._plain.append(float(picture.rgb.std(axis=(0, 1)).max()) < PLAIN)
        self._which.append(self._which[-1] + new if self._which else 0)
        return new

    def saw(self, views: np.ndarray) -> None:
        """Take what the model saw in the next frames that it had to look at."""
        self._views.extend(views)

    def view(self, start_s: float, end_s: float) -> np.ndarray:
        """Return the mean of the frames of a span at length 1; of the one that stands when it begins if it has none.

        Frames that show nothing (black, a fade) count only where there are no others.
        """
        times_s = np.array(self._times_s)
        inside = np.flatnonzero((times_s >= start_s - 1e-3) & (times_s < end_s - 1e-3))
        if not inside.size:
            inside = np.array([max(int(np.searchsorted(times_s, start_s, side="right")) - 1, 0)])
        telling = [index for index in inside if not self._plain[index]]
        return _unit(np.mean([self._views[self._which[index]] for index in (telling or inside)], axis=0))


def neutral_pictures(count: int, side_px: int) -> list[np.ndarray]:
    """Return pictures that show nothing but are built as photographs are, the same ones each time.

    Their parts of every size are about as strong as in nature (power falls with the square of frequency: Field 1987,
    "Relations between the statistics of natural images and the response properties of cortical cells").
    """
    random = np.random.default_rng(20)
    frequencies = np.hypot(*np.meshgrid(np.fft.fftfreq(side_px), np.fft.fftfreq(side_px)))
    falling = 1.0 / np.maximum(frequencies, 1.0 / side_px)
    pictures = []
    for _ in range(count):
        grey, colour = (
            np.fft.ifft2(
                np.fft.fft2(random.normal(size=(side_px, side_px, planes)), axes=(0, 1)) * falling[..., None],
                axes=(0, 1),
            ).real
            for planes in (1, 3)
        )
        mixed = grey / grey.std() + 0.5 * colour / colour.std()
        tint = random.normal(0.0, 20.0, 3)
        pictures.append(np.clip(115.0 + tint + 50.0 * mixed, 0, 255).astype(np.uint8))
    return pictures


def _has_words(text: str) -> bool:
    """Tell whether a text says anything: a letter, a digit, or a picture sign such as 🐕."""
    return any(letter.isalnum() or unicodedata.category(letter) == "So" for letter in text)


def _unit(vector: np.ndarray) -> np.ndarray:
    """Return the vector at length 1, float32; a zero vector stays zero."""
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)


def _batches(items: Sequence[np.ndarray], size: int) -> Iterator[list[np.ndarray]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
