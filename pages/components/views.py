"""How results are shown: a grid of cards, or one at a time filling the screen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import get_args

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.models import Hit, Results
from core.services import Services
from core.state.taste import Marks
from pages.components.boundary import part, safely, show_said
from pages.components.doors import page_script
from pages.components.early import let_first_be_seen
from pages.components.places import place_of
from pages.components.poster import share
from pages.components.state import LAST, PAGE_SIZE, View, state
from pages.components.video_card import (
    details,
    like_button,
    match_badge,
    moment_player,
    taste_buttons,
    taste_place,
    video_card,
    whole_second,
)
from pages.components.wording import say

GESTURES = Path(__file__).with_name("gestures.html")
ANSWERS = ("home", "watch", "nothing", *get_args(View))
MOST_SHOWN = 96
"""Cards on one page: a window of the answers (core/discover/streams.py)."""
MOST_PAGES = 10
"""Pages of the feed that are looked through for the video of a link."""
_ICONS: dict[View, str] = {"grid": ":material/grid_view:", "feed": ":material/smart_display:"}


def answer(kind: str) -> DeltaGenerator:
    """Return where what was asked for is drawn: one of ANSWERS, in the place of all others."""
    return place_of(kind, ANSWERS, "answer")


def page(answers: Callable[[int], Results], services: Services) -> Results:
    """Return the page of answers, by where it begins, that one is on; in the feed that of the video in the address.

    An address may be older than the library, so the video may have moved to another page, and the page be gone.
    """
    found = answers(state.start)
    if state.starts and not found.hits:
        state.starts = []
        found = answers(0)
    if state.view != "feed" or state.video in ("", LAST) or _holds(found, state.video):
        return found
    if services.discover.show(state.video) is not None:
        begins: list[int] = []
        for _ in range(MOST_PAGES):
            other = answers(begins[-1] if begins else 0)
            if _holds(other, state.video):
                state.starts = begins
                return other
            if other.next_offset is None:
                break
            begins = [*begins, other.next_offset]
    state.video = ""  # it is no answer, which is looked for once
    return found


def _holds(found: Results, video_id: str) -> bool:
    return any(hit.video_id == video_id for hit in found.hits)


def results(found: Results, services: Services, marks: Marks, *, answer: bool) -> None:
    """Draw answers in the view that is chosen, and the ways on and back: all of them can be come to."""
    if state.view == "feed":
        feed(found, services, marks)
        return
    if state.start:
        st.button(
            say("found.before"),
            icon=":material/expand_less:",
            width="stretch",
            on_click=safely(_show_before),
            key="before",
        )
    grid(found.hits, services, marks, answer=answer and not state.start)
    if found.next_offset is not None:
        st.button(
            say("found.more"),
            icon=":material/expand_more:",
            width="stretch",
            on_click=safely(_show_more),
            args=[found.next_offset],
            key="more" if _fits_more() else "next-page",
        )


def _show_more(next_offset: int) -> None:
    """Show more below; a page that is full begins anew with what comes next."""
    if _fits_more():
        state.shown += PAGE_SIZE
    else:
        state.go_on(next_offset)


def _fits_more() -> bool:
    return state.shown + PAGE_SIZE <= MOST_SHOWN


def _show_before() -> None:
    """Show all of the page that one comes from: its last are those before."""
    start = state.start
    state.go_back()
    state.shown = min(max(start - state.start, PAGE_SIZE), MOST_SHOWN)


def grid(hits: Sequence[Hit], services: Services, marks: Marks, *, answer: bool) -> None:
    """Draw cards side by side, as many as fit. The best of an answer plays, larger than the others."""
    with st.grid(3, min_column_width=280, dense=True, key="results") as cells:
        for number, hit in enumerate(hits):
            let_first_be_seen(number)
            best = answer and number == 0
            span = 2 if best else 1
            with cells.cell(column_span=span, row_span=span), part():
                video_card(hit, services, marks, best=best)


def feed(found: Results, services: Services, marks: Marks) -> None:
    """Draw one video at a time, playing; next and previous by button, key or swipe. `video` in the state says which."""
    hits = found.hits
    ids = [hit.video_id for hit in hits]
    number = ids.index(state.video) if state.video in ids else len(ids) - 1 if state.video == LAST else 0
    hit = hits[number]
    if state.video == LAST:
        state.video = hit.video_id
        state.write()
    with st.container(key="feed", gap="xsmall"):
        moment_player(hit, services)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="feed-bar"):
            _step("previous", ":material/arrow_back:", "ArrowLeft", _before(ids, number))
            st.caption(_place(found, number), width="content")
            _step("next", ":material/arrow_forward:", "ArrowRight", _after(ids, number, found.next_offset))
            match_badge(hit)
            with st.container(horizontal=True, gap="xxsmall", width="content", key="do-feed"):
                taste_buttons(hit, services, marks)
                like_button(hit)
                share(hit, whole_second(hit.start_s, hit.end_s))
                details(hit, services, "", marks)
        show_said(taste_place(hit))
    # Swipes, sound on a tap, and going on at the end need the browser's own events.
    st.html(
        page_script(GESTURES, PLAY_ON="true" if state.play else "false"),
        unsafe_allow_javascript=True,
    )


def view_controls() -> None:
    """Draw the choice of view, and the way into presenting."""
    with st.container(horizontal=True, horizontal_alignment="right", width="content", key="views"):
        st.segmented_control(
            say("view"),
            list(get_args(View)),
            format_func=lambda view: f"{_ICONS[view]} {say(f'view.{view}')}",
            key="view",
            required=True,
            label_visibility="collapsed",
        )
        st.button(
            say("view.present"),
            icon=":material/present_to_all:",
            on_click=safely(_present),
            args=[True],
            help=say("view.present.help"),
        )


def leave_presenting() -> None:
    """Draw the one small button that presenting leaves on the screen."""
    st.button(
        say("view.leave"),
        icon=":material/close_fullscreen:",
        type="tertiary",
        on_click=safely(_present),
        args=[False],
        shortcut="Escape",
        key="leave",
    )


def _present(on: bool) -> None:
    state.present = on


def _place(found: Results, number: int) -> str:
    """Return how far one has come, of those that copies are folded into."""
    whole = not state.start and found.next_offset is None
    total = len(found.hits) if whole else found.total
    return say("feed.place" if found.exact else "feed.place.about", number=state.start + number + 1, total=total)


def _before(ids: Sequence[str], number: int) -> Callable[[], None] | None:
    """Return the way to the video before, None where this is the first of all."""
    if number:
        return partial(_open, ids[number - 1])
    return _to_the_page_before if state.start else None


def _to_the_page_before() -> None:
    state.go_back()
    state.video = LAST


def _after(ids: Sequence[str], number: int, next_offset: int | None) -> Callable[[], None] | None:
    """Return the way to the next video, None where this is the last of all."""
    if number + 1 < len(ids):
        return partial(_open, ids[number + 1])
    return None if next_offset is None else partial(state.go_on, next_offset)


def _step(name: str, icon: str, key: str, go: Callable[[], None] | None) -> None:
    """Draw the button of a way, if there is one."""
    st.button(
        say(f"feed.{name}"),
        icon=icon,
        shortcut=key,
        disabled=go is None,
        key=name,
        on_click=safely(go or _stay),
    )


def _stay() -> None:
    """Do nothing: there is no way."""


def _open(video_id: str) -> None:
    state.video = video_id
