"""Channels: searches with a name ("Calm nature for the lobby"), each with a link of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from core.errors import QueryError, StoreError
from core.names import clean_name, identity, slug
from core.state.shelf import Shelf

NAME_CHARS = 60
LINK_CHARS = 2000
"""The longest query string: what every browser and proxy takes as part of an address."""
_SCHEMA = (
    """CREATE TABLE channels (
        number     INTEGER PRIMARY KEY,
        key        TEXT NOT NULL UNIQUE,
        slug       TEXT NOT NULL UNIQUE,
        name       TEXT NOT NULL,
        link       TEXT NOT NULL,
        created_at TEXT NOT NULL
    )""",
)
_COLUMNS = "name, slug, link, created_at"


@dataclass(frozen=True, slots=True)
class Channel:
    """A saved search."""

    name: str
    slug: str
    """Names it in links: lower-case ASCII letters, digits and dashes."""
    link: tuple[tuple[str, str], ...]
    """The query string of the Discover page as pairs, in order; a key may come more than once."""
    created_at: str
    """UTC, ISO 8601."""

    @property
    def query_string(self) -> str:
        """The link as it stands in an address, behind the question mark."""
        return urlencode(self.link)


class ChannelBook:
    """Keep channels in one SQLite file. Safe to use from several threads and processes.

    Case makes no difference between names. Every method also raises what `Shelf` raises.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._shelf = Shelf(path, _SCHEMA, holds="channels")

    def save(self, name: str, link: Iterable[tuple[str, str]]) -> Channel:
        """Save a search under a name, in the place of what had that name before, and return the channel.

        A channel that is replaced keeps its slug and age, so that links to it that people have go on to work.
        Raises QueryError when the name or the link cannot be kept.
        """
        name = clean_name(name, "A channel's name", NAME_CHARS)
        pairs = _check_link(link)
        key = identity(name)
        with self._shelf.change() as db:
            taken = dict(db.execute("SELECT slug, key FROM channels"))
            db.execute(
                "INSERT INTO channels (key, slug, name, link, created_at) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (key) DO UPDATE SET name = excluded.name, link = excluded.link",
                (key, _free_slug(name, taken), name, json.dumps(pairs), datetime.now(UTC).isoformat()),
            )
            row = db.execute(f"SELECT {_COLUMNS} FROM channels WHERE key = ?", (key,)).fetchone()
        return self._channel(*row)

    def channels(self) -> list[Channel]:
        """Return all channels in the order in which they were first saved."""
        return [self._channel(*row) for row in self._shelf.rows(f"SELECT {_COLUMNS} FROM channels ORDER BY number")]

    def find(self, slug: str) -> Channel | None:
        """Return the channel with this slug, or None; any text will do, for it comes from an address."""
        if not slug.isascii():
            return None
        rows = self._shelf.rows(f"SELECT {_COLUMNS} FROM channels WHERE slug = ?", (slug,))
        return self._channel(*rows[0]) if rows else None

    def delete(self, slug: str) -> None:
        """Delete the channel with this slug; it need not be there."""
        if slug.isascii():
            with self._shelf.change() as db:
                db.execute("DELETE FROM channels WHERE slug = ?", (slug,))

    def _channel(self, name: str, slug: str, link: str, created_at: str) -> Channel:
        try:
            pairs = tuple((str(key), str(value)) for key, value in json.loads(link))
        except (ValueError, TypeError) as error:
            raise StoreError(
                f"The channel {slug!r} in {self._path} is damaged. Delete it, then save the search again."
            ) from error
        return Channel(name, slug, pairs, created_at)


def _check_link(link: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    pairs = tuple((key, value) for key, value in link)
    try:
        size = len(urlencode(pairs))
    except UnicodeEncodeError as error:
        raise QueryError("The search has characters that cannot be part of a link. Type its words again.") from error
    if size > LINK_CHARS:
        raise QueryError(f"The search makes a link of {size} characters. Use fewer words: {LINK_CHARS} is the most.")
    return pairs


def _free_slug(name: str, taken: dict[str, str]) -> str:
    """Return the name's slug, numbered where a channel with another name has it."""
    wanted = slug(name, otherwise="channel")
    if taken.get(wanted, identity(name)) == identity(name):
        return wanted
    return next(free for number in count(2) if (free := f"{wanted}-{number}") not in taken)
