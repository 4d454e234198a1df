"""What people left behind in a library, as files of an export: likes, channels, corrections, own categories, what was
fitted, ads. Taken in, it adds to what is there; what is said there of the same thing stays. Ads have media as videos
have, and are taken in with them (importing.py)."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.ads.book import AdBook, Kept
from core.discover import taxonomy
from core.errors import AppError, Sentence
from core.files import write_text
from core.state.base import Document
from core.state.calibration import Calibrations
from core.state.channels import Channel, ChannelBook
from core.state.corrections import Correction, Corrections
from core.state.taste import TasteBook

logger = logging.getLogger(__name__)

LIKES, CHANNELS, CORRECTIONS = "likes.jsonl", "channels.jsonl", "corrections.jsonl"
THEMES, CALIBRATION, ADS = "taxonomy.toml", "calibration.json", "ads.jsonl"
NAMES = (THEMES, CALIBRATION, CORRECTIONS, CHANNELS, LIKES)


@dataclass(frozen=True, slots=True)
class Keepsakes:
    """Where it is kept."""

    taste: TasteBook
    channels: ChannelBook
    corrections: Corrections
    themes: Document
    calibrations: Calibrations
    ads: AdBook

    def write(self, folder: Path, ads: Iterable[Kept]) -> list[str]:
        """Write all there is into a folder, of ads these; return the names of the files. Raises OSError, AppError."""
        written = []
        lines: Mapping[str, Iterable[object]] = {
            LIKES: ({"profile": who, "video_id": video, "mark": mark} for who, video, mark in self.taste.all()),
            CHANNELS: (asdict(channel) for channel in self.channels.channels()),
            CORRECTIONS: (asdict(one) for one in self.corrections.all()),
            ADS: map(asdict, ads),
        }
        for name, rows in lines.items():
            write_text(folder / name, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
            written.append(name)
        if (themes := self.themes.read()) is not None:
            write_text(folder / THEMES, themes)
            written.append(THEMES)
        if fitted := self.calibrations.all():
            write_text(folder / CALIBRATION, json.dumps({name: asdict(kept) for name, kept in fitted.items()}))
            written.append(CALIBRATION)
        return written

    def take(self, name: str, path: Path, ids: Mapping[str, str]) -> int:
        """Take one of the files in; return how much of it was new. `ids` says which videos are here under another id.

        Raises OSError, ValueError, KeyError, TypeError or AppError for a file that `write` did not write.
        """
        match name:
            case "likes.jsonl":
                marks = (
                    (row["profile"], ids.get(row["video_id"], row["video_id"]), row["mark"]) for row in rows_of(path)
                )
                return self.taste.take(marks)
            case "channels.jsonl":
                return self.channels.take(
                    Channel(
                        row["name"], row["slug"], tuple((key, value) for key, value in row["link"]), row["created_at"]
                    )
                    for row in rows_of(path)
                )
            case "corrections.jsonl":
                return self.corrections.take(Correction(**row) for row in rows_of(path))
            case "taxonomy.toml":
                return len(taxonomy.take(self.themes, path.read_bytes().decode("utf-8"), str(path)))
            case _:
                return self.calibrations.take(json.loads(path.read_text("utf-8")))


def rows_of(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def take_all(
    keepsakes: Keepsakes,
    names: Iterable[str],
    path_of: Callable[[str], Path | None],
    ids: Mapping[str, str],
) -> tuple[dict[str, int], dict[str, Sentence]]:
    """Take files in, those that are whole; return how much was new by name, and why others could not be."""
    new: dict[str, int] = {}
    broken: dict[str, Sentence] = {}
    for name in names:
        path = path_of(name)
        if path is None:
            continue
        try:
            new[name] = keepsakes.take(name, path, ids)
        except AppError as error:
            broken[name] = error.sentence
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s cannot be taken in", path, exc_info=error)
            broken[name] = Sentence("it was not written by this app.")
    return new, broken
