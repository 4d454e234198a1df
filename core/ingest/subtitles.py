"""Read subtitles, those in a file and those in files beside it: their words and their languages."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import av

from core.errors import MediaError
from core.ingest.decoding import BROKEN
from core.languages import language_code
from core.text import printable

MAX_SUBTITLE_CHARS = 200_000
_SIDECAR_SUFFIXES = (".srt", ".vtt", ".ass", ".ssa")
_SIDECAR_LANGUAGE = re.compile(
    r"\.([a-z]{2,3}(?:[-_][a-z0-9]{2,8})?)(?:\.(?:cc|forced|sdh))?\.(?:srt|vtt|ass|ssa)\Z", re.IGNORECASE
)
"""How players name them: film.en.srt, film.pt-BR.vtt, film.en.forced.srt."""
_NO_SIDECAR_LANGUAGES = frozenset({"cc", "sdh"})
_MARKUP = re.compile(r"\{[^{}]{0,400}\}|<[^<>]{0,400}>")
_ASS_FIELDS_BEFORE_TEXT = 9


def cue_of(packet: av.Packet) -> str:
    """Return the words of one embedded subtitle, "" for a picture or a damaged one."""
    try:
        shown = packet.decode() if packet.size else []
    except BROKEN:
        return ""
    return " ".join(
        sub.dialogue.decode("utf-8", errors="ignore")
        for sub in shown
        if isinstance(sub, av.subtitles.subtitle.AssSubtitle)
    )


def sidecars_of(path: Path, given: Sequence[Path]) -> list[Path]:
    beside = [path.with_suffix(suffix) for suffix in _SIDECAR_SUFFIXES]
    return list(dict.fromkeys([*given, *(file for file in beside if file.is_file())]))


def sidecar_languages(path: Path, given: Sequence[Path]) -> list[str]:
    """Return the languages that the names of subtitle files claim, those beside a video under its stem included."""
    try:
        beside = sorted(name for name in os.listdir(path.parent) if name.startswith(path.stem + "."))
    except OSError:
        beside = []  # A folder may be closed to listing and its videos still be read.
    names = [
        *(_SIDECAR_LANGUAGE.search(file.name) for file in given),
        *(_SIDECAR_LANGUAGE.match(name, len(path.stem)) for name in beside),
    ]
    codes = [found[1].lower().replace("_", "-") for found in names if found]
    return [code for code in codes if code not in _NO_SIDECAR_LANGUAGES]


def languages_of(claims: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that tracks and files claim, each once; what is no code, or says "unknown", is left out."""
    return tuple(dict.fromkeys(code for code in map(language_code, claims) if code))


def subtitle_text(cues: Sequence[str], sidecars: Sequence[Path]) -> str:
    """Return all subtitles as plain text, a line a cue, repeated lines once."""
    lines: list[str] = []
    for line in [*cues, *(cue for file in sidecars for cue in _sidecar_cues(file))]:
        text = printable(
            html.unescape(_MARKUP.sub(" ", line.replace("\\N", " ").replace("\\n", " ").replace("\\h", " ")))
        )
        if text and (not lines or lines[-1] != text):
            lines.append(text)
    return "\n".join(lines)[:MAX_SUBTITLE_CHARS]


def _sidecar_cues(path: Path) -> list[str]:
    try:
        with path.open("rb") as file:
            data = file.read(8 * MAX_SUBTITLE_CHARS)
    except OSError as error:
        raise MediaError(f"The subtitle file cannot be read ({error.strerror}). Remove it or add it again.") from error
    lines = _decoded_text(data).splitlines()
    if path.suffix.lower() in (".ass", ".ssa"):
        spoken = (line for line in lines if line.startswith("Dialogue:"))
        return [line.split(",", _ASS_FIELDS_BEFORE_TEXT)[-1] for line in spoken]
    return [" ".join(block[1:]) for block in _timed_blocks(lines)]


def _timed_blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the blocks of an SRT or VTT file from their timing line on; headers, notes and styles have none."""
    block: list[str] = []
    for line in [*lines, ""]:
        if "-->" in line:
            block = [line]
        elif not line.strip():
            if block:
                yield block
            block = []
        elif block:
            block.append(line)


def _decoded_text(data: bytes) -> str:
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="ignore")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="ignore")
