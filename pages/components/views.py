"""How results are shown: a grid of cards, or one at a time filling the screen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import streamlit as st

from core.models import Hit
from core.services import Services
from core.state.taste import Marks
from pages.components.video_card import like_menu, moment_player, taste_buttons, video_card, why
from pages.components.words import LABELS

GESTURES = Path(__file__).with_name("gestures.html")


def grid(hits: Sequence[Hit], services: Services, marks: Marks) -> None:
    """Draw cards side by side, as many as fit."""
    with st.grid(3, min_column_width=280, key="results"):
        for hit in hits:
            video_card(hit, services, marks)


def feed(hits: Sequence[Hit], total: int, services: Services, marks: Marks) -> None:
    """Draw one video at a time, playing; next and previous by button, key or swipe. `video` in the state says which."""
    ids = [hit.video_id for hit in hits]
    number = ids.index(st.session_state.video) if st.session_state.video in ids else 0
    hit = hits[number]
    with st.container(key="feed", gap="xsmall"):
        moment_player(hit, autoplay=True)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="feed-bar"):
            _step("Previous", ":material/arrow_back:", "ArrowLeft", ids[:number][-1:])
            st.caption(f"{number + 1} of {total}", width="content")
            _step("Next", ":material/arrow_forward:", "ArrowRight", ids[number + 1 : number + 2])
            if hit.confidence:
                label, colour = LABELS[hit.confidence]
                st.badge(label, color=colour)
            with st.container(horizontal=True, gap="xxsmall", width="content", key="do-feed"):
                taste_buttons(hit, services, marks)
                like_menu(hit, services)
                why(hit)
    # Swipes, sound on a tap, and going on at the end need the browser's own events.
    st.html(
        GESTURES.read_text("utf-8").replace("PLAY_ON", "true" if st.session_state.play else "false"),
        unsafe_allow_javascript=True,
    )


def view_controls() -> None:
    """Draw the choice of view, and the way into presenting."""
    with st.container(horizontal=True, horizontal_alignment="right", width="content", key="views"):
        st.segmented_control(
            "View",
            ["grid", "feed"],
            format_func={"grid": ":material/grid_view: Grid", "feed": ":material/smart_display: Feed"}.__getitem__,
            key="view",
            required=True,
            label_visibility="collapsed",
        )
        st.button(
            "Present", icon=":material/present_to_all:", on_click=_present, args=[True], help="Hide all but the videos"
        )


def leave_presenting() -> None:
    """Draw the one small button that presenting leaves on the screen."""
    st.button(
        "Leave presenting",
        icon=":material/close_fullscreen:",
        type="tertiary",
        on_click=_present,
        args=[False],
        shortcut="Escape",
        key="leave",
    )


def _present(on: bool) -> None:
    st.session_state.present = on


def _step(label: str, icon: str, key: str, to: Sequence[str]) -> None:
    """Draw a button to the video of this id, if there is one."""
    st.button(label, icon=icon, shortcut=key, disabled=not to, key=label.lower(), on_click=_open, args=to)


def _open(video_id: str) -> None:
    st.session_state.video = video_id
