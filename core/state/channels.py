"""Channels: searches with a name ("Calm nature for the lobby"), each with a link of its own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from urllib.parse import urlencode

from sqlalchemy import bindparam, delete, insert, select, update

from core.errors import QueryError, StoreError
from core.names import clean_name, identity, slug
from core.state.base import Shelf
from core.state.tables import CHANNELS

NAME_CHARS = 60
LINK_CHARS = 2000
"""The longest query string: what every browser and proxy takes as part of an address."""
_SHOWN = select(CHANNELS.c.name, CHANNELS.c.slug, CHANNELS.c.link, CHANNELS.c.created_at)
_ALL = _SHOWN.order_by(CHANNELS.c.number)
_ONE = _SHOWN.where(CHANNELS.c.key == bindparam("of"))
_TAKEN = select(CHANNELS.c.slug, CHANNELS.c.key)
_REPLACE = update(CHANNELS).where(CHANNELS.c.key == bindparam("of"))
_RENAME = update(CHANNELS).where(CHANNELS.c.slug == bindparam("of")).values(key=bindparam("new"))
_NUMBERS = select(CHANNELS.c.slug, CHANNELS.c.number).order_by(CHANNELS.c.number)
_RENUMBER = update(CHANNELS).where(CHANNELS.c.slug == bindparam("of")).values(number=bindparam("new"))
_DROP = delete(CHANNELS).where(CHANNELS.c.slug == bindparam("of"))


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


class ChannelBook:
    """Keep channels. Safe to use from several threads and processes.

    Case makes no difference between names. Every method also raises what its shelf raises.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def save(self, name: str, link: Iterable[tuple[str, str]]) -> Channel:
        """Save a search under a name, in the place of what had that name before, and return the channel.

        A channel that is replaced keeps its slug and age, so that links to it that people have go on to work.
        Raises QueryError when the name or the link cannot be kept.
        """
        name = clean_name(name, "A channel's name", NAME_CHARS)
        text = json.dumps(_check_link(link))
        key = identity(name)
        with self._shelf.change() as db:
            taken = dict(db.execute(_TAKEN).all())
            if key in taken.values():
                db.execute(_REPLACE, {"of": key, "name": name, "link": text})
            else:
                now = datetime.now(UTC).isoformat()
                row = {"key": key, "slug": _free_slug(name, taken), "name": name, "link": text, "created_at": now}
                db.execute(insert(CHANNELS), row)
            saved = db.execute(_ONE, {"of": key}).one()
        return self._channel(*saved)

    def channels(self) -> list[Channel]:
        """Return all channels in the order in which they were first saved."""
        return [self._channel(*row) for row in self._shelf.rows(_ALL)]

    def take(self, channels: Iterable[Channel]) -> int:
        """Add channels of a library that is taken in and return how many were new; one whose name is taken stays as it
        is here. Links to the others go on to work where their slug is free. Raises QueryError as `save` does."""
        new = 0
        with self._shelf.change() as db:
            for one in channels:
                name = clean_name(one.name, "A channel's name", NAME_CHARS)
                text, key = json.dumps(_check_link(one.link)), identity(name)
                taken = dict(db.execute(_TAKEN).all())
                if key in taken.values():
                    continue
                free = one.slug if one.slug == slug(one.slug, "") and one.slug not in taken else _free_slug(name, taken)
                row = {"key": key, "slug": free, "name": name, "link": text, "created_at": one.created_at}
                db.execute(insert(CHANNELS), row)
                new += 1
        return new

    def rename(self, slug: str, name: str) -> None:
        """Give a channel another name; its slug, so links to it, and its place stay. Raises QueryError when the name
        cannot be kept or another channel has it, or when there is no such channel."""
        name = clean_name(name, "A channel's name", NAME_CHARS)
        key = identity(name)
        with self._shelf.change() as db:
            taken = dict(db.execute(_TAKEN).all())
            if slug not in taken:
                raise QueryError("This channel is not there any more. Look at the list anew.")
            if key in taken.values() and taken[slug] != key:
                raise QueryError("There is a channel {name!r} already. Choose another name.", name=name)
            db.execute(_RENAME.values(name=name), {"of": slug, "new": key})

    def arrange(self, slugs: Sequence[str]) -> None:
        """Put channels in the order of these slugs; those that are not named come after them."""
        with self._shelf.change() as db:
            numbers = dict(db.execute(_NUMBERS).all())
            order = [*(slug for slug in dict.fromkeys(slugs) if slug in numbers)]
            order += [slug for slug in numbers if slug not in slugs]
            wanted = dict(zip(order, sorted(numbers.values()), strict=True))
            moved = {slug: number for slug, number in wanted.items() if numbers[slug] != number}
            for sign in (-1, 1):  # by way of numbers that none has: no two may have the same, not even for a moment
                for slug, number in moved.items():
                    db.execute(_RENUMBER, {"of": slug, "new": sign * number})

    def put_back(self, channel: Channel, order: Sequence[str]) -> None:
        """Have a deleted channel again as it was, in an order; nothing where its name or slug is taken by now."""
        with self._shelf.change() as db:
            taken = dict(db.execute(_TAKEN).all())
            key = identity(channel.name)
            if channel.slug in taken or key in taken.values():
                return
            row = {"key": key, "slug": channel.slug, "name": channel.name, "created_at": channel.created_at}
            db.execute(insert(CHANNELS), row | {"link": json.dumps(channel.link)})
        self.arrange(order)

    def delete(self, slug: str) -> None:
        """Delete the channel with this slug; it need not be there."""
        if slug.isascii() and slug.isprintable():
            with self._shelf.change() as db:
                db.execute(_DROP, {"of": slug})

    def _channel(self, name: str, slug: str, link: str, created_at: str) -> Channel:
        try:
            pairs = tuple((str(key), str(value)) for key, value in json.loads(link))
        except (ValueError, TypeError) as error:
            raise StoreError(
                "The channel {slug!r} in {shelf} is damaged. Delete it, then save the search again.",
                slug=slug,
                shelf=self._shelf,
            ) from error
        return Channel(name, slug, pairs, created_at)


def _check_link(link: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    pairs = tuple((key, value) for key, value in link)
    try:
        size = len(urlencode(pairs))
    except UnicodeEncodeError as error:
        raise QueryError("The search has characters that cannot be part of a link. Type its words again.") from error
    if size > LINK_CHARS:
        raise QueryError(
            "The search makes a link of {size} characters. Use fewer words: {most} is the most.",
            size=size,
            most=LINK_CHARS,
        )
    return pairs


def _free_slug(name: str, taken: dict[str, str]) -> str:
    """Return the name's slug, numbered where a channel with another name has it."""
    wanted = slug(name, otherwise="channel")
    if taken.get(wanted, identity(name)) == identity(name):
        return wanted
    return next(free for number in count(2) if (free := f"{wanted}-{number}") not in taken)
