"""How results are shown: a grid of cards, or one at a time filling the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import get_args

import streamlit as st

from core.models import Hit
from core.services import Services
from core.state.taste import Marks
from pages.components.boundary import part, safely, show_said
from pages.components.doors import page_script
from pages.components.poster import share
from pages.components.state import View, state
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
_ICONS: dict[View, str] = {"grid": ":material/grid_view:", "feed": ":material/smart_display:"}


def grid(hits: Sequence[Hit], services: Services, marks: Marks, *, answer: bool) -> None:
    """Draw cards side by side, as many as fit. The best of an answer plays, larger than the others."""
    with st.grid(3, min_column_width=280, dense=True, key="results") as cells:
        for number, hit in enumerate(hits):
            best = answer and number == 0
            span = 2 if best else 1
            with cells.cell(column_span=span, row_span=span), part():
                video_card(hit, services, marks, best=best)


def feed(hits: Sequence[Hit], services: Services, marks: Marks) -> None:
    """Draw one video at a time, playing; next and previous by button, key or swipe. `video` in the state says which."""
    ids = [hit.video_id for hit in hits]
    number = ids.index(state.video) if state.video in ids else 0
    hit = hits[number]
    with st.container(key="feed", gap="xsmall"):
        moment_player(hit, services)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="feed-bar"):
            _step("previous", ":material/arrow_back:", "ArrowLeft", ids[:number][-1:])
            st.caption(say("feed.place", number=number + 1, total=len(hits)), width="content")
            _step("next", ":material/arrow_forward:", "ArrowRight", ids[number + 1 : number + 2])
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


def _step(name: str, icon: str, key: str, to: list[str]) -> None:
    """Draw a button to the video of this id, if there is one."""
    st.button(
        say(f"feed.{name}"),
        icon=icon,
        shortcut=key,
        disabled=not to,
        key=name,
        on_click=safely(_open),
        args=to,
    )


def _open(video_id: str) -> None:
    state.video = video_id
