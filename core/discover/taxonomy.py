"""The categories and moods that can be pressed: those of core/discover/taxonomy.toml, then a person's own.

A person's own are in a second text of the same format, which `add` and `remove` edit and people may edit too: a file,
or a document in the database where several machines share a library. An entry
there whose id is shipped takes the place of the shipped one: so a category can be reworded where an update of the app
does not undo it, and an update that ships an id somebody had already does not keep the app from starting.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from typing import Literal, get_args

from core.errors import QueryError, Sentence, SettingsError, StoreError
from core.names import clean_name, identity, slug
from core.state.base import Document
from core.state.documents import document

Kind = Literal["category", "mood"]
DEFAULT_PATH = Path(__file__).with_name("taxonomy.toml")
LABEL_CHARS = 30
MAX_PROMPTS = 12
PROMPT_CHARS = 100
_RESERVED = "any"
"""No id: in links it stands for no category or mood."""
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ICON = re.compile(r"[a-z0-9_]+")
_HEAD = """\
# Your own categories and moods, in the format of core/discover/taxonomy.toml. An entry whose id the app has too takes
# the place of the app's.
"""


@dataclass(frozen=True, slots=True)
class Theme:
    """A category or a mood: what is on the button, and the phrases an encoder reads."""

    id: str
    label: str
    icon: str
    prompts: tuple[str, ...]
    own: bool = False
    """A person added it; its label and phrases are whatever they typed."""
    implies: str | None = None
    """The id of another shipped one of its kind that whatever belongs to this one belongs to as well."""


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

    def themes(self, kind: Kind) -> tuple[Theme, ...]:
        """Return the categories or the moods."""
        return self.categories if kind == "category" else self.moods


def load(path: Path = DEFAULT_PATH, own: Path | Document | None = None) -> Taxonomy:
    """Read a taxonomy file, and a person's own where there is one: its entries come last, or replace those of their id.

    Raises SettingsError naming the file and the entry that is wrong.
    """
    there = read_own(document(path))
    if there is None:
        raise _unreadable(path, FileNotFoundError("it is not there"))
    shipped = _parse(there, path)
    for kind in ("category", "mood"):
        if not shipped.themes(kind):
            raise SettingsError(
                "{name} has no [[{kind}]]. Restore the file from the repository.", name=path.name, kind=Sentence(kind)
            )
    text = read_own(document(own)) if own is not None else None
    if own is None or text is None:
        return shipped
    added = _parse(text, own, own=True)
    return Taxonomy(_merged(shipped.categories, added.categories), _merged(shipped.moods, added.moods))


def implied(themes: Sequence[Theme]) -> list[int | None]:
    """Return of each theme the place of the one that it implies, None where that is none of these."""
    places = {theme.id: place for place, theme in enumerate(themes)}
    return [places.get(theme.implies) if theme.implies else None for theme in themes]


def add(
    own: Path | Document,
    kind: Kind,
    label: str,
    prompts: Sequence[str],
    icon: str = "label",
    *,
    shipped: Path = DEFAULT_PATH,
) -> Theme:
    """Add a category or mood to a person's own file, made if need be, and return it; what is there stays as it is.

    Raises QueryError when the entry cannot be kept, SettingsError when the file is broken (it is not touched then),
    StoreError when it cannot be written.
    """
    theme = _new_theme(kind, label, prompts, icon)
    kept = document(own)
    with kept.editing():
        _check_free(theme, load(shipped, kept).themes(kind), kind)
        text = read_own(kept)
        before = _HEAD if text is None else text
        after = f"{before.rstrip()}\n\n{_entry(theme, kind)}"
        _parse(after, kept, own=True)  # where ours does not go with what is there, say so and write nothing
        write_own(kept, after)
    return theme


def take(own: Path | Document, text: str, where: str) -> list[Theme]:
    """Add the own categories and moods of a library that is taken in, as their text says them, to those that are here
    and return the new ones; an id that is there stays as it is. Where there are none, all of the text comes, comments
    and all. Raises SettingsError naming `where` for a text that is none, and what `add` raises."""
    kept, theirs = document(own), _parse(text, Path(where), own=True)
    with kept.editing():
        before = read_own(kept)
        if not (before or "").strip():
            write_own(kept, text)
            return [*theirs.categories, *theirs.moods]
        ours, after, new = _parse(before or "", kept, own=True), (before or "").rstrip(), []
        for kind in get_args(Kind):
            ids = {theme.id for theme in ours.themes(kind)}
            for theme in theirs.themes(kind):
                if theme.id not in ids:
                    after += f"\n\n{_entry(theme, kind)}"
                    new.append(theme)
        if new:
            _parse(after, kept, own=True)
            write_own(kept, after)
    return new


def change(
    own: Path | Document, kind: Kind, id: str, label: str, prompts: Sequence[str], *, shipped: Path = DEFAULT_PATH
) -> Theme:
    """Give a category or mood another label and other phrases, and return it; it keeps its id, its icon and its place.

    Where a shipped one has no entry in a person's own file, it gets one there that takes its place. Raises QueryError
    when there is none of this id or the words cannot be kept, else as `remove` does.
    """
    kept = document(own)
    with kept.editing():
        themes = load(shipped, kept).themes(kind)
        before = _find(themes, id, kind)
        id, others = before.id, tuple(theme for theme in themes if theme.id != before.id)
        after = replace(_new_theme(kind, label, prompts, before.icon), id=id)
        _check_free(after, others, kind)
        text = read_own(kept)
        if text is None or id not in _ids(text, kept, kind):
            text = f"{(_HEAD if text is None else text).rstrip()}\n\n{_entry(after, kind)}"
        else:
            blocks, places = _entries(text, kept, kind)
            name, lines = blocks[places[id]]
            header = next(number for number, line in enumerate(lines) if line.lstrip().startswith("["))
            blocks[places[id]] = name, [*lines[:header], *_entry(after, kind).split("\n")]
            text = _joined(blocks)
        _parse(text, kept, own=True)
        write_own(kept, text)
    return after


def arrange(own: Path | Document, kind: Kind, ids: Sequence[str]) -> None:
    """Put entries of a person's own file in the order of these ids; those that are not named come after them.

    Raises as `remove` does.
    """
    kept = document(own)
    with kept.editing():
        blocks, places = _entries(read_own(kept) or "", kept, kind)
        for id in ids:
            _check_own(id, places, kind)
        order = [*dict.fromkeys(ids), *(id for id in places if id not in ids)]
        moved = {place: blocks[places[id]] for place, id in zip(places.values(), order, strict=True)}
        write_own(kept, _joined([moved.get(number, block) for number, block in enumerate(blocks)]))


def remove(own: Path | Document, kind: Kind, id: str) -> None:
    """Take an entry out of a person's own file; the others, and comments, stay as they are.

    A shipped one that it replaced comes back. Raises QueryError when it is not there, SettingsError when the file is
    broken or written in a way that only its author can edit, StoreError when it cannot be written.
    """
    kept = document(own)
    with kept.editing():
        blocks, places = _entries(read_own(kept) or "", kept, kind)
        _check_own(id, places, kind)
        del blocks[places[id]]
        write_own(kept, _joined(blocks))


def _ids(text: str, kept: Document, kind: Kind) -> list[str]:
    return [theme.id for theme in _parse(text, kept, own=True).themes(kind)]


def _check_own(id: str, known: Collection[str], kind: Kind) -> None:
    if id not in known:
        raise QueryError(
            "There is no {kind} {id!r} of your own. Those of the app cannot be removed.",
            {kind: [*known]},
            kind=Sentence(kind),
            id=id,
        )


def _entries(text: str, kept: Document, kind: Kind) -> tuple[list[tuple[str | None, list[str]]], dict[str, int]]:
    """Return the blocks of a file, and in which of them each entry of a kind is, by its id."""
    ids, blocks = _ids(text, kept, kind), _blocks(text)
    places = [number for number, (name, _) in enumerate(blocks) if name == kind]
    if len(places) != len(ids):
        raise SettingsError("{path} has its entries in one list. Change it by hand.", path=kept)
    return blocks, dict(zip(ids, places, strict=True))


def _joined(blocks: Sequence[tuple[str | None, Sequence[str]]]) -> str:
    return "\n".join(line for _, lines in blocks for line in lines)


def _new_theme(kind: Kind, label: str, prompts: Sequence[str], icon: str) -> Theme:
    label = clean_name(label, Sentence("The label of a {kind}", kind=Sentence(kind)), LABEL_CHARS)
    phrases = tuple(dict.fromkeys(phrase.strip() for phrase in prompts if phrase.strip()))
    if not 1 <= len(phrases) <= MAX_PROMPTS:
        raise QueryError(
            "A {kind} has 1 to {most} different phrases, and this one has {count}.",
            kind=Sentence(kind),
            most=MAX_PROMPTS,
            count=len(phrases),
        )
    for phrase in phrases:
        if len(phrase) > PROMPT_CHARS:
            raise QueryError(
                "A phrase has at most {most} characters. Shorten {phrase!r}….", most=PROMPT_CHARS, phrase=phrase[:20]
            )
        if any("\ud800" <= char <= "\udfff" for char in phrase):
            raise QueryError("The phrase {phrase!r} has characters that are no text. Type it again.", phrase=phrase)
    if not _ICON.fullmatch(icon):
        raise QueryError(
            "The icon {icon!r} is none: use the name of a Material Symbol, such as 'label' or 'pets'.", icon=icon
        )
    return Theme(slug(label, otherwise=kind), label, icon, phrases, own=True)


def _check_free(new: Theme, themes: tuple[Theme, ...], kind: Kind) -> None:
    names = {identity(new.label), new.id}
    if _RESERVED in names:
        raise QueryError(
            "{label!r} means no {kind} at all. Choose another label.", label=new.label, kind=Sentence(kind)
        )
    for theme in themes:
        if names & {identity(theme.label), theme.id}:
            raise QueryError(
                "There is a {kind} {label!r} already. Choose another label.",
                {kind: [theme.id]},
                kind=Sentence(kind),
                label=theme.label,
            )


def _merged(shipped: tuple[Theme, ...], own: tuple[Theme, ...]) -> tuple[Theme, ...]:
    """Return the shipped themes, those that are replaced where they were, then the rest of the own ones."""
    return tuple(({theme.id: theme for theme in shipped} | {theme.id: theme for theme in own}).values())


def read_own(kept: Document) -> str | None:
    """Return the text of a person's own, None where there is none. Raises SettingsError."""
    try:
        return kept.read()
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(kept, error) from error


def _unreadable(path: Path | Document, error: Exception) -> SettingsError:
    return SettingsError(
        "{path} could not be read as TOML: {error}. Mend the file or restore it.", path=path, error=error
    )


def _parse(text: str, path: Path | Document, *, own: bool = False) -> Taxonomy:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _unreadable(path, error) from error
    return Taxonomy(_themes(data, "category", path, own), _themes(data, "mood", path, own))


def _themes(data: dict, kind: str, path: Path | Document, own: bool) -> tuple[Theme, ...]:
    themes, name = [], PurePath(str(path)).name
    rows = data.get(kind, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SettingsError(
            "{name}: write each {kind} as a table that begins with [[{kind}]].", name=name, kind=Sentence(kind)
        )
    for number, row in enumerate(rows, start=1):
        where = f"{name}, [[{kind}]] number {number}"
        for key in ("id", "label", "prompts"):
            if not row.get(key):
                raise SettingsError(
                    "{where} has no {key!r}. Every {kind} needs an id, a label and prompts.",
                    where=where,
                    key=key,
                    kind=Sentence(kind),
                )
        if not isinstance(row["id"], str) or not _ID.fullmatch(row["id"]):
            raise SettingsError(
                "{where}: id {id!r} may hold lower-case letters, digits and dashes only.", where=where, id=row["id"]
            )
        if row["id"] == _RESERVED:
            raise SettingsError(
                "{where}: id {id!r} stands for no {kind} at all. Choose another.",
                where=where,
                id=_RESERVED,
                kind=Sentence(kind),
            )
        if not isinstance(row["prompts"], list) or not all(isinstance(text, str) for text in row["prompts"]):
            raise SettingsError("{where}: prompts must be a list of phrases.", where=where)
        icon = row.get("icon", "label")
        if not isinstance(icon, str) or not _ICON.fullmatch(icon):
            raise SettingsError(
                "{where}: icon {icon!r} may hold lower-case letters, digits and underscores only.",
                where=where,
                icon=icon,
            )
        implies = None if own else row.get("implies")
        themes.append(Theme(row["id"], str(row["label"]), icon, tuple(row["prompts"]), own, implies))
    ids = [theme.id for theme in themes]
    for theme in themes:
        if theme.implies is not None and (theme.implies == theme.id or theme.implies not in ids):
            raise SettingsError(
                "{name}: {kind} {id!r} implies {implies!r}, which is no other {kind} of the file.",
                name=name,
                kind=Sentence(kind),
                id=theme.id,
                implies=theme.implies,
            )
    if len(set(ids)) != len(ids):
        raise SettingsError(
            "{name} has two entries [[{kind}]] with the same id. Ids must differ.", name=name, kind=Sentence(kind)
        )
    return tuple(themes)


def _find(themes: tuple[Theme, ...], name: str, kind: str) -> Theme:
    """Return the theme with this id, else the one with this label: a label somebody chose hides no id."""
    wanted = name.strip().casefold()
    for theme in (*(t for t in themes if t.id == wanted), *(t for t in themes if t.label.casefold() == wanted)):
        return theme
    allowed = [theme.id for theme in themes]
    raise QueryError(
        "There is no {kind} {name!r}. Choose one of: {allowed}.",
        {kind: allowed},
        kind=Sentence(kind),
        name=name,
        allowed=", ".join(allowed),
    )


def _entry(theme: Theme, kind: Kind) -> str:
    """Return a theme as TOML."""
    import tomlkit  # here, for it takes longer to load than the whole command line

    row = {"id": theme.id, "label": theme.label, "icon": theme.icon, "prompts": list(theme.prompts)}
    return tomlkit.dumps({kind: [row]})


def _blocks(text: str) -> list[tuple[str | None, list[str]]]:
    """Cut the lines of a file before each entry; with each block the kind of its entry, None where it is none.

    The comments right above an entry are its own. tomlkit, asked to take an entry out of the whole file, would
    gather the entries of a kind where the first one is, away from their comments: the app adds them as they come.
    """
    lines = text.split("\n")
    cuts: list[tuple[int, str | None]] = [(0, None)]
    for number, line in enumerate(lines):
        if line.lstrip().startswith("[") and _is_whole(lines[:number]):
            ((name, value),) = tomllib.loads(line.strip()).items()
            if isinstance(value, list) or name not in get_args(Kind):  # else it is part of the entry before
                cuts.append((_with_comments(lines, number), name if isinstance(value, list) else None))
    ends = [start for start, _ in cuts[1:]] + [len(lines)]
    return [(name, lines[start:end]) for (start, name), end in zip(cuts, ends, strict=True)]


def _with_comments(lines: Sequence[str], header: int) -> int:
    """Return the first of the comment lines right above a header, or the header where there are none."""
    while header and lines[header - 1].lstrip().startswith("#") and _is_whole(lines[: header - 1]):
        header -= 1
    return header


def _is_whole(lines: Sequence[str]) -> bool:
    """Tell whether lines from the start of a file end outside every string and list."""
    try:
        tomllib.loads("\n".join(lines) + "\n")
    except tomllib.TOMLDecodeError:
        return False
    return True


def write_own(kept: Document, text: str | None) -> None:
    """Put a text in the place of what is there, as a whole or not at all; None takes it away. Raises StoreError."""
    try:
        kept.remove() if text is None else kept.write(text)
    except OSError as error:
        raise StoreError(
            "{path} could not be written ({why}). Check that this user may do so.", path=kept, why=error.strerror
        ) from error
