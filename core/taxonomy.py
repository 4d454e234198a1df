"""The categories and moods that can be pressed, read from core/taxonomy.toml."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from core.errors import QueryError, SettingsError

DEFAULT_PATH = Path(__file__).with_name("taxonomy.toml")
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Theme:
    """A category or a mood: what is on the button, and the phrases an encoder reads."""

    id: str
    label: str
    icon: str
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taxonomy:
    categories: tuple[Theme, ...]
    moods: tuple[Theme, ...]

    def category(self, name: str) -> Theme:
        """Return the category with this id or label. Raises QueryError naming the allowed ones."""
        return _find(self.categories, name, "category")

    def mood(self, name: str) -> Theme:
        """Return the mood with this id or label. Raises QueryError naming the allowed ones."""
        return _find(self.moods, name, "mood")


def load(path: Path = DEFAULT_PATH) -> Taxonomy:
    """Read a taxonomy file. Raises SettingsError naming the file and the entry that is wrong."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path} could not be read as TOML: {error}. Mend the file or restore it.") from error
    return Taxonomy(_themes(data, "category", path), _themes(data, "mood", path))


def _themes(data: dict, kind: str, path: Path) -> tuple[Theme, ...]:
    themes = []
    for number, row in enumerate(data.get(kind, []), start=1):
        where = f"{path.name}, [[{kind}]] number {number}"
        for key in ("id", "label", "prompts"):
            if not row.get(key):
                raise SettingsError(f"{where} has no {key!r}. Every {kind} needs an id, a label and prompts.")
        if not isinstance(row["id"], str) or not _ID.fullmatch(row["id"]):
            raise SettingsError(f"{where}: id {row['id']!r} may hold lower-case letters, digits and dashes only.")
        if not isinstance(row["prompts"], list) or not all(isinstance(text, str) for text in row["prompts"]):
            raise SettingsError(f"{where}: prompts must be a list of phrases.")
        themes.append(Theme(row["id"], str(row["label"]), str(row.get("icon", "label")), tuple(row["prompts"])))
    ids = [theme.id for theme in themes]
    if len(set(ids)) != len(ids):
        raise SettingsError(f"{path.name} has two entries [[{kind}]] with the same id. Ids must differ.")
    if not themes:
        raise SettingsError(f"{path.name} has no [[{kind}]]. Restore the file from the repository.")
    return tuple(themes)


def _find(themes: tuple[Theme, ...], name: str, kind: str) -> Theme:
    wanted = name.strip().casefold()
    for theme in themes:
        if wanted in (theme.id, theme.label.casefold()):
            return theme
    allowed = [theme.id for theme in themes]
    raise QueryError(f"There is no {kind} {name!r}. Choose one of: {', '.join(allowed)}.", {kind: allowed})
