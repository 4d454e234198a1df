"""Subtitles with their times, as WebVTT: what a player shows over the picture. Source: W3C, WebVTT, section 4."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

import av

from core.ingest.subtitles import MARKUP, MAX_SUBTITLE_CHARS, Sidecar, sidecar_lines, timed_blocks
from core.languages import language_code
from core.text import printable

MOST_TRACKS = 8
NO_LANGUAGE = "und"
_LONGEST_S = 7.0
"""How long a cue stands that does not say, at most: until the next one."""
_TIME = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_SPAN = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}")
_DIALOGUE = re.compile(rf"Dialogue:[^,]*,\s*{_TIME}\s*,\s*{_TIME}\s*,(?:[^,]*,){{6}}(.*)")

Cue = tuple[float, float, str]
"""From, to (in seconds of the video; no later than from: unknown), and the words, perhaps with markup."""


def cue_at(packet: av.Packet, words: str) -> Cue | None:
    """Return an embedded subtitle of these words with its times in the file, None where it has none."""
    if not words or packet.pts is None or packet.time_base is None:
        return None
    since_s = float(packet.pts * packet.time_base)
    return since_s, since_s + float((packet.duration or 0) * packet.time_base), words


def captions_of(
    embedded: Iterable[tuple[str, Sequence[Cue]]], start_s: float, sidecars: Sequence[Sidecar]
) -> tuple[tuple[str, str], ...]:
    """Return the tracks of a video, each as its language ("und" for none that is known) and its WebVTT.

    `embedded` has of each track the language that it claims and its cues, in the time of a file whose video begins at
    `start_s`. Tracks without words, and those that say the same, are left out. Raises MediaError for a file that cannot
    be read.
    """
    claims = [
        (claim, [(since_s - start_s, until_s - start_s, words) for since_s, until_s, words in cues])
        for claim, cues in embedded
    ]
    claims += [(sidecar.language, _sidecar_cues(sidecar)) for sidecar in sidecars]
    tracks: dict[str, str] = {}
    for claim, cues in claims:
        if text := webvtt(cues):
            tracks.setdefault(text, language_code(claim) or NO_LANGUAGE)
    return tuple((language, text) for text, language in tracks.items())[:MOST_TRACKS]


def webvtt(cues: Iterable[Cue]) -> str:
    """Return cues as a WebVTT file, in order of time, "" where none has words; at most MAX_SUBTITLE_CHARS of it."""
    timed = sorted((cue for cue in cues if cue[0] >= 0), key=lambda cue: cue[:2])
    blocks, length = ["WEBVTT"], 0
    for number, (since_s, until_s, words) in enumerate(timed):
        lines = _lines(words)
        if until_s <= since_s:
            following = (cue[0] for cue in timed[number + 1 :] if cue[0] > since_s)
            until_s = min(since_s + _LONGEST_S, next(following, since_s + _LONGEST_S))
        block = "\n".join([f"{_stamp(since_s)} --> {_stamp(until_s)}", *lines])
        length += len(block)
        if length > MAX_SUBTITLE_CHARS:
            break
        if lines and block != blocks[-1]:
            blocks.append(block)
    return "\n\n".join(blocks) + "\n" if len(blocks) > 1 else ""


def spans(text: str) -> list[tuple[float, float]]:
    """Return from when to when the cues of a WebVTT file stand, in seconds."""
    found = (_SPAN.match(line) for line in text.splitlines())
    return [(_seconds(one.groups()[:4]), _seconds(one.groups()[4:])) for one in found if one]


def caption_key(video_id: str, number: int, language: str) -> str:
    """Return the key in a store of a video's track."""
    return f"{video_id}_{number}_{language}.vtt"


def caption_language(key: str) -> str:
    """Return the language of the track under a key, "" for none that is known."""
    language = key.rpartition("_")[2].removesuffix(".vtt")
    return "" if language == NO_LANGUAGE else language


def _sidecar_cues(sidecar: Sidecar) -> list[Cue]:
    lines = sidecar_lines(sidecar.path)
    if sidecar.path.suffix.lower() in (".ass", ".ssa"):
        found = [_DIALOGUE.match(line) for line in lines]
        return [(_seconds(one.groups()[:4]), _seconds(one.groups()[4:8]), one[9]) for one in found if one]
    timed = [(_SPAN.match(first), words) for first, *words in timed_blocks(lines)]
    return [
        (_seconds(span.groups()[:4]), _seconds(span.groups()[4:]), "\n".join(words)) for span, words in timed if span
    ]


def _seconds(parts: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + float(f"0.{fraction}")


def _stamp(time_s: float) -> str:
    thousandths = round(time_s * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _lines(words: str) -> list[str]:
    """Return the lines of a cue: markup gone, and nothing left in them that WebVTT would take for its own."""
    text = html.unescape(MARKUP.sub("", re.sub(r"\\[Nn]", "\n", words).replace("\\h", " ")))
    lines = [html.escape(printable(line), quote=False) for line in text.splitlines()]
    return [line for line in lines if line]
