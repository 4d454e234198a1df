"""Where errors end: a part of a page that fails says its sentence in its own place, and the rest of the page goes on.

`part` stands round what is drawn, `safely` round every callback, `fragment` round what is drawn again by itself. Only
AppError ends here, which carries a sentence for a person. Anything else is a defect and goes on to Streamlit's log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import NoReturn, ParamSpec, TypeVar

import streamlit as st

from core.errors import AppError
from pages.components.state import state
from pages.components.who import is_signed_in, leave, require_anybody
from pages.components.wording import plain, tell

P = ParamSpec("P")
R = TypeVar("R")

PAGE = "page"
"""The place above everything, for what has no place of its own."""


def show_error(sentence: str) -> None:
    """Draw a sentence as an error; it may hold text of files and is never interpreted."""
    st.error(plain(tell(sentence)))


def show_line(sentence: str) -> None:
    """Draw a sentence in small letters, where what failed is a detail."""
    st.caption(f":material/cloud_off: {plain(tell(sentence))}")


def show_nothing(sentence: str) -> None:
    """Draw nothing: for a question to a service that other parts of the same page ask too."""


def show_said(place: str, show: Callable[[str], None] = show_error) -> None:
    """Draw what callbacks had to say of this place."""
    for sentence in [*state.said.get(place, ()), *state.to_say.get(place, ())]:
        show(sentence)


@contextmanager
def part(place: str = "", show: Callable[[str], None] = show_error) -> Iterator[None]:
    """Draw a part of a page, as a block or a decorator; what callbacks had to say of this place comes first."""
    show_said(place, show)
    try:
        yield
    except AppError as error:
        show(error.sentence)


def fragment(draw: Callable[P, R], place: str = "", every_s: float | None = None) -> Callable[P, R]:
    """Return `draw` as a fragment: drawn again alone when a widget in it is used, and every so many seconds.

    Streamlit catches what a fragment raises before anything outside of it can, so its boundary is inside.
    """

    def for_somebody(*args: P.args, **kwargs: P.kwargs) -> R:
        # It is drawn again long after the page has asked who looks.
        if not is_signed_in():
            leave()  # a run of the whole page would meet other fragments that are on their way
        return draw(*args, **kwargs)

    return st.fragment(part(place)(wraps(draw)(for_somebody)), run_every=every_s)


def paced(
    draw: Callable[P, R], place: str, is_busy: Callable[[], bool], busy_s: float = 1.0, idle_s: float | None = 5.0
) -> Callable[P, R]:
    """Return `draw` as a fragment that is drawn again often while something is going on, else seldom or, None, never.

    Each drawing costs the server a run of its own, on every page that stands open somewhere. How often cannot change
    between two runs of the page, so the page is drawn anew when something begins or ends.
    """

    def is_busy_now() -> bool:
        with part(show=show_nothing):  # what is drawn says it
            return is_busy()
        return False

    was_busy = is_busy_now()

    @wraps(draw)
    def at_its_pace(*args: P.args, **kwargs: P.kwargs) -> R:
        if is_busy_now() != was_busy:
            rerun()
        return draw(*args, **kwargs)

    return fragment(at_its_pace, place, every_s=busy_s if was_busy else idle_s)


def safely(callback: Callable[P, object], place: str = PAGE) -> Callable[P, None]:
    """Return a callback whose error is said in this place on the run that follows."""

    @wraps(callback)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        state.said, state.to_say = {}, {}
        try:
            require_anybody()
            callback(*args, **kwargs)
        except AppError as error:
            say_next(place, error.sentence)

    return run


def say_next(place: str, sentence: str) -> None:
    """Keep a sentence for the next time this place is drawn; it stays until something else is done."""
    state.to_say = {**state.to_say, place: [*state.to_say.get(place, ()), sentence]}


def rerun() -> NoReturn:
    """Draw the page anew, keeping what was said: to a person this is the same run."""
    state.to_say = {**state.said, **state.to_say}
    st.rerun()


def begin_run() -> None:
    """Let what was said on the run before go, and show what callbacks said since. Call once a run, first."""
    state.said, state.to_say = state.to_say, {}
    show_said(PAGE)
