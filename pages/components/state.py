"""All that a page remembers between two runs, in one table: how it begins, is kept in the address, and is reset.

Streamlit keeps the state of a session in untyped keys. Here each is a row of `PageState`, read and set as a typed
attribute; the name of a row is the key of the widget that changes it, and its name in the address. Nothing else in
`pages/` uses `st.session_state`.

What is asked stands in the address, so that a link, a reload and the browser's Back bring it back. Streamlit's own
binding of widgets to the address writes the text on a button, icon and all; ours writes plain ids.
"""

from __future__ import annotations

import contextlib
import copy
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from enum import Enum, auto
from typing import Any, Generic, Literal, TypeVar, cast, get_args, overload

import numpy as np
import streamlit as st

from core.ads.models import Proposals, Wanted
from core.discover.search import MAX_TEXT
from core.discover.taxonomy import Taxonomy, Theme
from core.errors import QueryError
from core.models import Filters, Query, Sort
from core.properties import PROPERTIES, Property

T = TypeVar("T")
View = Literal["grid", "feed"]
Show = Literal["", "newest", "you"]
Language = Literal["en", "zh"]
LibraryTab = Literal["videos", "trends", "own", "ads", "trash", "carry"]
MapColour = Literal["mood", "category", "date"]
AdSource = Literal["words", "ours", "video"]
LibraryView = Literal["grid", "table"]
LIBRARY_TABS: tuple[LibraryTab, ...] = get_args(LibraryTab)
MAP_COLOURS: tuple[MapColour, ...] = get_args(MapColour)
AD_SOURCES: tuple[AdSource, ...] = get_args(AdSource)
LIBRARY_VIEWS: tuple[LibraryView, ...] = get_args(LibraryView)

ANY = "any"
"""The mood pressed when none is asked for."""
ME = "Me"
"""Whose taste counts when nobody is named."""
MAX_VALUES = 200
"""Characters of an address that are read for the values of a property."""
MAX_NAME = 40
PAGE_SIZE = 12
LAST = "last"
"""In the place of a video's id: the last of the page, to which one comes back from the next."""
KEPT: Literal["session"] = "session"
"""For `persist_state` of a widget of the Library: its value outlives that another tab, video or page is shown."""
_WRITTEN = "address-as-written"
_ASKED = "asked-before"


class Part(Enum):
    """The rows that are reset together."""

    QUESTION = auto()
    """What is asked for by content."""
    FILTERS = auto()
    ORDER = auto()
    PERSON = auto()
    VIEW = auto()
    PLACE = auto()
    """How far one has come in the results."""


class Row(Generic[T]):
    """One thing the page remembers. With `read` and `write` it is in the address as well.

    `read` takes the text in the address ("" where there is none) and the taxonomy, and returns the default for
    nonsense; `write` returns "" for what need not stand there.
    """

    def __init__(
        self,
        default: T,
        part: Part | None = None,
        read: Callable[[str, Taxonomy], T] | None = None,
        write: Callable[[T], str] = str,
    ) -> None:
        self.default, self.part, self.read, self.write = default, part, read, write
        self.name = ""

    def __set_name__(self, owner: type[PageState], name: str) -> None:
        self.name = name

    @overload
    def __get__(self, page: None, owner: type[PageState]) -> Row[T]: ...
    @overload
    def __get__(self, page: PageState, owner: type[PageState]) -> T: ...
    def __get__(self, page: PageState | None, owner: type[PageState]) -> Row[T] | T:
        return self if page is None else self.value

    def __set__(self, page: PageState, value: T) -> None:
        self.value = value

    @property
    def value(self) -> T:
        """What it is in the session that runs."""
        return st.session_state[self.name] if self.name in st.session_state else copy.copy(self.default)

    @value.setter
    def value(self, value: T) -> None:
        st.session_state[self.name] = value


def _text(most: int, part: Part, default: str = "") -> Row[str]:
    """Return a row for a text. Of one that is too long an address holds one character too many: it stays too long."""
    room = most + 1
    return Row(
        default, part, lambda text, _: text[:room] or default, lambda value: "" if value == default else value[:room]
    )


def _number(default: float, part: Part) -> Row[float]:
    def read(text: str, _: Taxonomy) -> float:
        value = float(text) if text.replace(".", "", 1).isdecimal() and len(text) < 9 else default
        return min(max(value, 0.0), 1.0)

    return Row(default, part, read, lambda value: "" if abs(value - default) < 0.005 else f"{value:g}")


def _count(part: Part) -> Row[int]:
    def read(text: str, _: Taxonomy) -> int:
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0

    return Row(0, part, read, lambda value: str(value) if value else "")


def _places(part: Part) -> Row[list[int]]:
    def read(text: str, _: Taxonomy) -> list[int]:
        places = {
            int(one) for one in text[:MAX_VALUES].split(",") if one.isascii() and one.isdecimal() and len(one) < 9
        }
        return sorted(places - {0})

    return Row([], part, read, lambda value: ",".join(map(str, value)))


def _flag(part: Part | None) -> Row[bool]:
    return Row(False, part, lambda text, _: bool(text), lambda value: "1" if value else "")


def _one_of(options: Collection[str], default: Any, part: Part) -> Row[Any]:
    return Row(
        default,
        part,
        lambda text, _: text if text in options else default,
        lambda value: "" if value == default else value,
    )


def _several(allowed: Callable[[Taxonomy], Collection[str]], part: Part, default: Sequence[str] = ()) -> Row[list[str]]:
    def read(text: str, themes: Taxonomy) -> list[str]:
        known = allowed(themes)
        return [one for one in dict.fromkeys(text.split(",")) if one in known] or list(default)

    return Row(list(default), part, read, lambda value: ",".join(one for one in value if one not in default))


def _ids(themes: Sequence[Theme]) -> list[str]:
    return [theme.id for theme in themes]


def _values(of: Property) -> Row[list[str]]:
    """Return a row for the values of a property that are asked for; in an address those that are none are left out."""

    def read(text: str, _: Taxonomy) -> list[str]:
        values = []
        for one in text[:MAX_VALUES].split(","):
            with contextlib.suppress(QueryError):
                values.append(of.read(one))
        return list(dict.fromkeys(values))

    row: Row[list[str]] = Row([], Part.FILTERS, read, ",".join)
    row.name = of.name
    return row


class PageState:
    """The table. One for all sessions: each row looks into the session that runs."""

    q = _text(MAX_TEXT, Part.QUESTION)
    category = _several(lambda themes: _ids(themes.categories), Part.QUESTION)
    mood = _several(lambda themes: _ids(themes.moods), Part.QUESTION, default=[ANY])
    strength = _number(Query().strength, Part.QUESTION)
    like = _text(64, Part.QUESTION)
    at = _text(12, Part.QUESTION)
    picture: Row[np.ndarray | None] = Row(None, Part.QUESTION)
    among: Row[list[str]] = Row([], Part.QUESTION)  # ids of the only videos to look at: too many for an address
    of_map = _count(Part.QUESTION)  # how many they are, by which an address that lost them can say so
    # Asked when nothing else is: one video at a second of it, or all of a shelf.
    watch = _text(64, Part.QUESTION)
    t = _text(8, Part.QUESTION)
    show: Row[Show] = _one_of(get_args(Show), "", Part.QUESTION)

    variety = _number(0.0, Part.ORDER)
    sort: Row[Sort] = _one_of(get_args(Sort), "match", Part.ORDER)

    who = _text(MAX_NAME, Part.PERSON, default=ME)
    unseen = _flag(Part.PERSON)

    view: Row[View] = _one_of(get_args(View), "grid", Part.VIEW)
    play = _flag(Part.VIEW)
    present = _flag(None)  # who shows the screen to others goes on showing it, whatever is asked

    video = _text(64, Part.PLACE)
    shown: Row[int] = Row(PAGE_SIZE, Part.PLACE)
    starts = _places(Part.PLACE)  # of the pages one has come through, the last is this one's
    playing: Row[list[str]] = Row([], Part.PLACE)

    lang: Row[Language | None] = Row(None)  # what a person chose or a link says; else it is the browser's
    rested: Row[list[str]] = Row([])
    mix: Row[bool] = Row(False)
    all_categories: Row[bool] = Row(False)
    library_tab: Row[LibraryTab] = Row("videos")
    library_view: Row[LibraryView] = Row("grid")
    map_colour: Row[MapColour] = Row("mood")
    to_discover: Row[bool] = Row(False)  # a callback cannot change the page
    # Where an ad comes from; what was asked for last, and where it belongs.
    ad_source: Row[AdSource] = Row("words")
    proposals: Row[tuple[Wanted, Proposals] | None] = Row(None)
    # Ids: of the video that is open in the library, of those that are selected, and of those deleted last.
    managed: Row[str] = Row("")
    picked: Row[list[str]] = Row([])
    # What was done last and how it is undone (see undo.py).
    undo: Row[tuple[str, Callable[[], object]] | None] = Row(None)
    undo_turn: Row[int] = Row(0)
    undo_since: Row[float] = Row(0.0)
    # What somebody is about to do to an own category or mood (see library_own.py).
    own_draft: Row[Any] = Row(None)
    own_turn: Row[int] = Row(0)
    undoable: Row[list[str]] = Row([])
    table_rows: Row[dict[str, list[str]]] = Row({})

    # A widget under a new key is a new widget: a closed menu, an empty uploader.
    library_turn: Row[int] = Row(0)
    pick_turn: Row[int] = Row(0)
    menus_used: Row[int] = Row(0)
    forms_done: Row[int] = Row(0)  # what is typed into a form stays until it was taken
    picture_turn: Row[int] = Row(0)
    upload_turn: Row[int] = Row(0)
    ad_turn: Row[int] = Row(0)
    # Sentences of callbacks by where they belong: those of this run, and those for the next (see boundary.py).
    said: Row[dict[str, list[str]]] = Row({})
    to_say: Row[dict[str, list[str]]] = Row({})

    def read(self, themes: Taxonomy) -> None:
        """Take over the address when it is not what we wrote: a link was opened, or Back pressed.

        Call before anything is drawn. Values of widgets that are not drawn this time are kept.
        """
        session, present = st.session_state, _in_address()
        changed = session.get(_WRITTEN) != present
        before = self._asked(addressed=True)
        for row in ADDRESSED:
            if changed or row.name not in session:
                assert row.read is not None
                session[row.name] = row.read(present.get(row.name, ""), themes)
            else:
                session[row.name] = session[row.name]
        for row, known in ((PageState.category, themes.categories), (PageState.mood, themes.moods)):
            # One of a person's own may be gone since it was pressed.
            row.value = [one for one in row.value if one in (ANY, *_ids(known))] or list(row.default)
        if before != self._asked(addressed=True):
            # An address cannot hold them: they belonged to the question before.
            self.picture, self.among = None, []
        session[_WRITTEN] = present
        asked = self._asked()
        if session.get(_ASKED) != asked:
            # Another question begins at its start, unless its link says where.
            video, starts = (self.video, self.starts) if changed else ("", [])
            self.reset(Part.PLACE)
            self.video, self.starts = video, starts
            session[_ASKED] = asked

    def write(self) -> None:
        """Write what is asked into the address; parameters that are not ours stay.

        Which video is the last of a page is known once that was asked for (views.feed), and written then.
        """
        if self.view == "feed" and self.video == LAST:
            return
        wanted = self.link()
        if self.view != "feed":
            wanted.pop(PageState.video.name, None)
        if _in_address() != wanted:
            others = {name: value for name, value in st.query_params.items() if name not in _ADDRESS_NAMES}
            st.query_params.from_dict({**others, **wanted})
        st.session_state[_WRITTEN] = wanted

    def link(self, *without: Part) -> dict[str, str]:
        """Return the address of what is asked now, as parameters, leaving out these parts and what is as it begins."""
        written = {row.name: row.write(row.value) for row in ADDRESSED if row.part not in without}
        return {name: value for name, value in written.items() if value}

    def open(self, link: Mapping[str, str]) -> None:
        """Go to an address as if its link was opened. Whose taste counts stays, unless the link says. For callbacks."""
        person = {row.name: row.write(row.value) for row in ADDRESSED if row.part is Part.PERSON}
        self.ask()
        st.query_params.from_dict({**{name: value for name, value in person.items() if value}, **link})
        st.session_state[_WRITTEN] = None

    def ask(self, **question: object) -> None:
        """Ask for this and nothing else, in the grid, from the start; menus close. For callbacks."""
        self.reset(Part.QUESTION, Part.FILTERS, Part.PLACE, Part.VIEW)
        for name, value in question.items():
            assert ROWS[name].part is Part.QUESTION
            ROWS[name].value = value
        self.menus_used += 1

    def reset(self, *parts: Part) -> None:
        """Let all rows of these parts begin anew."""
        for row in ROWS.values():
            if row.part in parts:
                row.value = copy.copy(row.default)

    def speak(self, language: Language | None = None) -> None:
        """Go on in the language of a link, or in this one, and keep it in the address of every page.

        It is no part of a question: Back, another page and a shelf leave it as it is. Call first in each run.
        """
        asked = language or st.query_params.get(PageState.lang.name)
        if asked in get_args(Language):
            self.lang = cast(Language, asked)
        if self.lang is not None and st.query_params.get(PageState.lang.name) != self.lang:
            st.query_params[PageState.lang.name] = self.lang

    @property
    def language(self) -> Language:
        """The language that is spoken: the one chosen, or else the first of the browser's that there is."""
        return self.lang or ("zh" if (st.context.locale or "").lower().startswith("zh") else "en")

    @property
    def start(self) -> int:
        """How many answers come before the first that is shown."""
        return self.starts[-1] if self.starts else 0

    def go_on(self, start: int) -> None:
        """Begin anew with what comes next. For callbacks."""
        self.starts, self.shown, self.video = [*self.starts, start], PAGE_SIZE, ""

    def go_back(self) -> None:
        """Go to where one came from. For callbacks."""
        self.starts, self.shown, self.video = self.starts[:-1], PAGE_SIZE, ""

    @property
    def fits_a_link(self) -> bool:
        """Tell whether a link holds all that is asked."""
        return self.picture is None and not self.among and not self.of_map

    @property
    def moods(self) -> list[str]:
        """The moods that are asked for."""
        return [mood for mood in self.mood if mood != ANY]

    @property
    def filters(self) -> Filters:
        """The values of properties that are asked for."""
        return {name: tuple(row.value) for name, row in FILTERS.items() if row.value}

    @property
    def at_s(self) -> float | None:
        """The time in the video `like` that is asked for."""
        return float(self.at) if self.at.replace(".", "", 1).isdecimal() else None

    @property
    def watch_s(self) -> int:
        """The second of the video `watch` that is asked for."""
        return int(self.t) if self.t.isascii() and self.t.isdecimal() else 0

    def _asked(self, addressed: bool = False) -> list[object]:
        """Return what tells one question from another, whatever its view, order or person."""
        rows = [row for row in ROWS.values() if row.part in (Part.QUESTION, Part.FILTERS)]
        values = [row.value for row in rows if row.read is not None or not addressed]
        return [zlib.crc32(value.tobytes()) if isinstance(value, np.ndarray) else copy.copy(value) for value in values]


FILTERS = {name: _values(row) for name, row in PROPERTIES.items()}
ROWS: dict[str, Row[Any]] = {name: row for name, row in vars(PageState).items() if isinstance(row, Row)} | FILTERS
ADDRESSED = [row for row in ROWS.values() if row.read is not None]
_ADDRESS_NAMES = {row.name for row in ADDRESSED}
state = PageState()


def pressed(key: str) -> Any:
    """Return the value of a widget that is drawn further down under this key, None before it was ever drawn."""
    return st.session_state.get(key)


def _in_address() -> dict[str, str]:
    return {row.name: st.query_params[row.name] for row in ADDRESSED if st.query_params.get(row.name)}
