"""Read subtitles, those in a file and those in files beside it: their words and their languages."""

from __future__ import annotations

import codecs
import html
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from core.errors import MediaError
from core.ingest.decoding import BROKEN
from core.languages import language_code
from core.text import printable

MAX_SUBTITLE_CHARS = 200_000
_MOST_BYTES = 8 * MAX_SUBTITLE_CHARS
"""How much of a file is read: times, numbers and markup take more room than words."""
_SUFFIXES = ("srt", "vtt", "ass", "ssa")
_ENDING = re.compile(
    rf"(?:\.(?!(?:cc|sdh)\.)([a-z]{{2,3}}(?:[-_][a-z0-9]{{2,8}})?))?(?:\.(?:cc|sdh|forced))?\.(?:{'|'.join(_SUFFIXES)})",
    re.IGNORECASE,
)
"""What follows a video's stem, as players name them: film.srt, film.en.srt, film.pt-BR.vtt, film.en.forced.srt."""
MARKUP = re.compile(r"\{[^{}]{0,400}\}|<[^<>]{0,400}>")
_ASS_FIELDS_BEFORE_TEXT = 9
_ASCII = bytes(range(128))


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


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file of subtitles beside a video, and the language its name claims, "" for none."""

    path: Path
    language: str


def sidecars_of(path: Path) -> list[Sidecar]:
    """Return the subtitles that lie beside a video under its stem, in order of their names."""
    try:
        beside = sorted(os.listdir(path.parent))
    except OSError:  # A folder may be closed to listing and its files still be read.
        beside = [f"{path.stem}.{suffix}" for suffix in _SUFFIXES]
    found = []
    for name in beside:
        ending = _ENDING.fullmatch(name, len(path.stem)) if name.startswith(path.stem) else None
        # os.path.isfile is False where Path.is_file raises, for a name that is too long.
        if ending and os.path.isfile(path.with_name(name)):
            found.append(Sidecar(path.with_name(name), (ending[1] or "").lower().replace("_", "-")))
    return found


def languages_of(claims: Sequence[str]) -> tuple[str, ...]:
    """Return the languages that tracks and files claim, each once; what is no code, or says "unknown", is left out."""
    return tuple(dict.fromkeys(code for code in map(language_code, claims) if code))


def subtitle_text(cues: Sequence[str], sidecars: Sequence[Sidecar]) -> str:
    """Return all subtitles as plain text, a line a cue, repeated lines once.

    Where there are more than `MAX_SUBTITLE_CHARS`, each language gets its share. Raises MediaError for a file that
    cannot be read.
    """
    texts = [_plain(cues), *(_plain(_sidecar_cues(sidecar.path)) for sidecar in sidecars)]
    texts = [text for text in dict.fromkeys(texts) if text]  # The same words twice say no more than once.
    room = MAX_SUBTITLE_CHARS - max(0, len(texts) - 1)
    shares: dict[str, int] = {}
    for done, text in enumerate(sorted(texts, key=len)):  # What short ones leave is for the longer ones.
        shares[text] = min(len(text), room // (len(texts) - done))
        room -= shares[text]
    return "\n".join(text[: shares[text]] for text in texts)


def _plain(cues: Iterable[str]) -> str:
    lines: list[str] = []
    for cue in cues:
        text = cue.replace("\\N", " ").replace("\\n", " ").replace("\\h", " ")
        text = printable(html.unescape(MARKUP.sub(" ", text)))
        if text and (not lines or lines[-1] != text):
            lines.append(text)
    return "\n".join(lines)[:MAX_SUBTITLE_CHARS]


def sidecar_lines(path: Path) -> list[str]:
    """Return the lines of a subtitle file, whatever its encoding. Raises MediaError when it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES)
    except OSError as error:
        raise MediaError(
            "The subtitle file cannot be read ({why}). Remove it or add it again.", why=error.strerror
        ) from error
    text = _decoded_text(data, cut=len(data) == _MOST_BYTES)
    return text.replace("\r\r\n", "\n").splitlines()  # One end of a line, as converted twice; no empty line follows.


def _sidecar_cues(path: Path) -> list[str]:
    lines = sidecar_lines(path)
    if path.suffix.lower() in (".ass", ".ssa"):
        spoken = (line for line in lines if line.startswith("Dialogue:"))
        return [line.split(",", _ASS_FIELDS_BEFORE_TEXT)[-1] for line in spoken]
    return [" ".join(block[1:]) for block in timed_blocks(lines)]


def timed_blocks(lines: Sequence[str]) -> Iterator[list[str]]:
    """Yield the blocks of an SRT or VTT file from their timing line on; headers, notes and styles have none.

    Where no empty line ends a block, the next timing line does, and the number right before that is no word.
    """
    block: list[str] = []
    for line in [*lines, ""]:
        if "-->" in line:
            if block:
                yield block[:-1] if len(block) > 1 and block[-1].strip().isdecimal() else block
            block = [line]
        elif not line.strip():
            if block:
                yield block
            block = []
        elif block:
            block.append(line)


def _decoded_text(data: bytes, *, cut: bool) -> str:
    """Return the text of a file, or of its beginning where reading was `cut`, perhaps inside a character."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="ignore")
    if _is_windows_text(data):
        return data.decode("cp1252", errors="ignore")
    return codecs.getincrementaldecoder("utf-8-sig")("replace").decode(data, not cut)


def _is_windows_text(data: bytes) -> bool:
    """Say whether most of the bytes beyond ASCII make no UTF-8: a few that do not are damage in text that is."""
    if data.isascii():
        return False
    beyond = len(data.translate(None, _ASCII))
    lost = len(data) - len(data.decode("utf-8", errors="ignore").encode())
    return 2 * lost >= beyond
