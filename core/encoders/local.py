"""The local encoder: no network, no weights; it measures, and it reads names. It does not understand the story.

What it can see: light, colour, movement, cuts, loudness and the like (`percepts.py`), and whatever words come with
a video: title, file name, tags, subtitles (`words.py`). What it cannot: who or what is in the picture, what is said
aloud, what happens. A dog in a video called clip_07.mp4 stays unknown to it; a dark, loud film with fast cuts does not.

One space for videos, clips and text:

    vector = [ percepts | concepts | hashed words | layout | slack ]

A video has percepts measured from its pictures and sound, concepts and hashed words read from its words. A text has
the percepts it asks for ("tense" is dark and loud), the concepts it names and the words it has. Their score is the
plain dot product, a sum of evidence: a video about which little is known has short blocks and a small score, rather
than a direction blown up to full length. An index that ranks by cosine would undo that, since it scales all vectors
to one length. So the last coordinate of a video is slack, sqrt(R² - |blocks|²), which gives every video the same
length R, and that of a text is 0: now cosine is the dot product divided by a constant, and ranks exactly as it does.
This is the reduction of maximum inner product to cosine of Bachrach et al. 2014 ("Speeding up the Xbox recommender
system using a Euclidean transformation for inner-product spaces") and Neyshabur and Srebro 2015 ("On symmetric and
asymmetric LSHs for inner product search"). Between two videos the slack counts as likeness of how much is known.

The layout (`layout.py`) is what a picture looks like from afar. No text asks for it. A picture does, which so finds the
video it was taken from, and it makes copies of one video more alike than two videos of one mood.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from pathlib import Path

import numpy as np

from core.encoders import exclusions
from core.encoders.layout import LAYOUT
from core.encoders.percepts import OF_A_STILL, PERCEPTS, Measurements, Measurer, describe
from core.encoders.words import CONCEPTS, HASHED, MOODS, Reading, read
from core.ingest.sampling import Picture, shrink
from core.ingest.sandbox import sample
from core.models import ClipEmbedding, EncoderInfo, Progress, Video, VideoEmbedding, ignore_progress

INFO = EncoderInfo(
    name="local-v2",
    dimension=len(PERCEPTS) + len(CONCEPTS) + HASHED + LAYOUT + 1,
    sees=(
        "light and colour",
        "movement and cuts",
        "loudness, rhythm and tone",
        "words in titles, file names, tags and subtitles",
    ),
    blind_to=("who or what is in the picture", "what is said aloud", "the story"),
    images=True,
    reads_names=True,
)

_PERCEPT_UNIT = 4.5
"""Standard deviations (their norm) that fill the percept block: what a usual video has. Of a more striking one only
the direction counts, or black frames and noise would outshine everything."""
_CONCEPT_UNIT = 2.0
"""Concepts (their norm) that fill the concept block: a video may be about four things before each counts less."""
_HASHED_SHARE = 0.6
_LAYOUT_SHARE = 0.5
"""Enough that a frame finds its own video: over 22 real clips the mean reciprocal rank is 0.98, without layouts 0.88
(more gains nothing there, and lowers what all else counts)."""
_RADIUS = float(np.sqrt(1.0 + 1.0 + _HASHED_SHARE**2 + _LAYOUT_SHARE**2))
"""R: the length of the four blocks when all are full."""
_OF_THE_WHOLE = 0.6
"""A moment is seen in the light of the whole: this much of a clip's percepts are those of its video."""

_ASKED_PERCEPTS, _ASKED_CONCEPTS, _ASKED_HASHED = 1.5, 1.0, 0.35
"""How much each block of a text counts when it has all three."""
_ASKED_IMPLIED = 0.15
"""How much of what a text implies it asks for: who asks for a dog would rather have a cat than a car."""
_SUBJECT_DIMS, _MOOD_DIMS = 0.7, 0.5
"""How much a subject, and a mood, takes from the percepts of a text."""
_MOODS = [CONCEPTS.index(mood) for mood in MOODS]
_ONE_OF_MANY = 0.6
"""How far a word is taken for its concept: who asks for wolves is served by a wolf, less so by another wild mammal."""
_SHOWN_PERCEPTS = 0.25
"""How much the percepts of a still count beside its layout: enough to order what looks nothing like it by its feel."""
_ASKED_UNIT = 2.5
"""Standard deviations (their norm) that a text must ask for until the percept block counts in full."""

TITLE, TAGS, DESCRIPTION, SUBTITLES = 1.0, 0.7, 0.5, 0.3
"""How much the words of each source are trusted to say what a video is about."""
_TAG_NAMES = ("genre", "keywords", "tags", "categories", "category", "mood")
_DESCRIPTION_NAMES = ("description", "comment", "synopsis", "summary", "show", "album", "artist")
_MENTIONS = 4.0
"""Subtitles mention much: a concept they name about this often is something they are about."""


class LocalEncoder:
    """Put videos, clips and text into one space by what can be measured and read. Same input, same vectors."""

    info = INFO

    def encode_video(self, video: Video, notes: MutableMapping[str, str], on_progress: Progress) -> VideoEmbedding:
        """Return unit vectors for the whole video and its clips, from one pass over the file.

        Clips have the words of their video and percepts of their own. `notes` is not needed: nothing here is paid
        for. Raises EncoderError when no picture can be decoded.
        """
        return embed(measure(video.path, on_progress), video)

    def encode_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return one unit vector a text, float32 (len(texts), dimension); a zero row for a text without words."""
        return exclusions.vectors(texts, INFO.dimension, lambda some: [text_vector(read(text)) for text in some])

    def encode_image(self, rgb: np.ndarray) -> np.ndarray:
        """Return the unit vector of a picture, (height, width, 3) uint8, float32 (dimension,); see encoders/base.py.

        It asks for the layout and those percepts that a still can show: no movement, cuts, sound or words.
        """
        measurer = Measurer()
        measurer.add(Picture(0.0, shrink(rgb)))
        seen = measurer.finish()
        return image_vector(np.where(OF_A_STILL, seen.whole(), 0.0), seen.layout(0.0, np.inf))

    def reword(self, vectors: np.ndarray, video: Video) -> np.ndarray:
        """Return vectors of a video with the words that it has now; see encoders/base.py."""
        blocks = np.asarray(vectors, np.float64)[:, :-1] * _RADIUS
        concepts, hashed = video_words(video)
        first, last = len(PERCEPTS), len(PERCEPTS) + len(CONCEPTS) + HASHED
        blocks[:, first:last] = _word_blocks(concepts, hashed)
        return np.array([_with_slack(row) for row in blocks], np.float32)


def measure(path: Path, on_progress: Progress = ignore_progress) -> Measurements:
    """Return what can be measured of a file, whatever it is called: the costly half of encoding."""
    measurer = Measurer()
    for item in sample(path, on_progress=on_progress):
        measurer.add(item)
    return measurer.finish()


def embed(measured: Measurements, video: Video) -> VideoEmbedding:
    """Return the vectors of a video that was measured, with the words that came with it."""
    words = video_words(video)
    whole = measured.whole()
    clips = []
    for start_s, end_s in measured.shots(video.info.duration_s):
        percepts = measured.percepts(start_s, end_s)
        mixed = _OF_THE_WHOLE * whole + (1 - _OF_THE_WHOLE) * percepts
        vector = video_vector(mixed, *words, measured.layout(start_s, end_s))
        clips.append(ClipEmbedding(start_s, end_s, vector, describe(percepts)))
    return VideoEmbedding(video_vector(whole, *words, measured.layout(0.0, np.inf)), tuple(clips), describe(whole))


def video_vector(percepts: np.ndarray, concepts: np.ndarray, hashed: np.ndarray, layout: np.ndarray) -> np.ndarray:
    """Return the unit vector of a video or clip: four bounded blocks and the slack that makes up the length."""
    words = _word_blocks(concepts, hashed)
    blocks = np.concatenate([_within(percepts / _PERCEPT_UNIT), words, _LAYOUT_SHARE * _within(layout)])
    return _with_slack(blocks.astype(np.float64))


def _word_blocks(concepts: np.ndarray, hashed: np.ndarray) -> np.ndarray:
    return np.concatenate([_within(concepts / _CONCEPT_UNIT), _HASHED_SHARE * _within(hashed)])


def _with_slack(blocks: np.ndarray) -> np.ndarray:
    """Return the unit vector of four blocks, float64, with what makes up the length."""
    slack = np.sqrt(max(_RADIUS**2 - float(blocks @ blocks), 0.0))
    return (np.append(blocks, slack) / _RADIUS).astype(np.float32)


def text_vector(reading: Reading, *, looks: float = 1.0, looks_of_subjects: float = 1.0 - _SUBJECT_DIMS) -> np.ndarray:
    """Return the unit vector of a text, without slack; zeros when there was nothing to read.

    `looks` is how much the percepts a text asks for count beside its words, and `looks_of_subjects` how much of those
    of a subject it asks for ("cartoon" is flat and colourful).
    """
    # The less of a text is understood, and the more it means one thing of many, the more its very words must do.
    trust = reading.known * (reading.named + _ONE_OF_MANY * (1.0 - reading.named))
    blocks = [
        trust
        * looks
        * _percept_share(reading.asked, looks_of_subjects)
        * _ASKED_PERCEPTS
        * _within(reading.percepts / _ASKED_UNIT),
        trust * _ASKED_CONCEPTS * _within(reading.asked + _ASKED_IMPLIED * (reading.concepts - reading.asked)),
        max(_ASKED_HASHED, np.sqrt(1.0 - trust**2)) * _within(reading.hashed),
    ]
    return _asked([*blocks, np.zeros(LAYOUT)])


def image_vector(percepts: np.ndarray, layout: np.ndarray) -> np.ndarray:
    """Return the unit vector of a still picture, without words and slack."""
    return _asked([_SHOWN_PERCEPTS * _within(percepts / _ASKED_UNIT), np.zeros(len(CONCEPTS) + HASHED), layout])


def _asked(blocks: Sequence[np.ndarray]) -> np.ndarray:
    """Return the unit vector of a query from its four blocks, without slack; zeros when it asks for nothing."""
    vector = np.concatenate([*blocks, [0.0]])
    length = float(np.linalg.norm(vector))
    return (vector / length if length else vector).astype(np.float32)


def _percept_share(asked: np.ndarray, of_subjects: float) -> float:
    """Return how much percepts say beside the concepts a text asks for, 0 to 1.

    A subject asks for little of them ("cartoon" need not be bright), a mood for half; words for percepts for all.
    """
    share = asked / max(float(np.linalg.norm(asked)), 1.0)
    mood = float(np.linalg.norm(share[_MOODS]))
    subject = float(np.linalg.norm(np.delete(share, _MOODS)))
    return 1.0 - (1.0 - of_subjects) * subject**2 - _MOOD_DIMS * mood**2


def video_words(video: Video) -> tuple[np.ndarray, np.ndarray]:
    """Return the concepts, each 0 to 1, and the hashed words, at most of length 1, of all the text of a video."""
    concepts = np.zeros(len(CONCEPTS), np.float32)
    hashed = np.zeros(HASHED, np.float32)
    for text, weight in _sources(video):
        reading = read(text)
        # The greatest, not the sum: a title that repeats the file name says nothing new.
        concepts = np.maximum(concepts, weight * np.minimum(reading.concepts, 1.0))
        hashed += weight * _within(reading.hashed)
    spoken = read(video.info.subtitles)
    if spoken.concepts.any():
        most = float(spoken.concepts.max())
        share = spoken.concepts / most * (1 - np.exp(-most / _MENTIONS))
        concepts = np.maximum(concepts, SUBTITLES * share)
    return concepts, _within(hashed + SUBTITLES * _within(spoken.hashed))


def _sources(video: Video) -> Iterator[tuple[str, float]]:
    """Yield each text that came with a video, subtitles apart, and its weight."""
    yield video.title, TITLE
    yield video.filename, TITLE
    tags = video.info.tags
    yield tags.get("title", ""), TITLE
    yield " | ".join(tags[name] for name in _TAG_NAMES if name in tags), TAGS
    yield " | ".join(tags[name] for name in _DESCRIPTION_NAMES if name in tags), DESCRIPTION


def _within(block: np.ndarray) -> np.ndarray:
    """Return the block, shortened to length 1 if it is longer."""
    length = float(np.linalg.norm(block))
    return block / length if length > 1.0 else block
