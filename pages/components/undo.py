"""A way back from what was just done, for some seconds, at the foot of the screen."""

from __future__ import annotations

import time
from collections.abc import Callable

import streamlit as st

from pages.components.boundary import part, safely
from pages.components.state import state
from pages.components.wording import plain, say

PLACE = "undo-offer"
LASTS_S = 12.0
"""As long as the style shows it."""


def offer_undo(text: str, undo: Callable[[], object]) -> None:
    """Say what was done and offer to undo it, in place of what was offered before. For callbacks."""
    state.undo_turn += 1
    state.undo, state.undo_since = (text, undo), time.monotonic()


@part(PLACE)
def undo_offer() -> None:
    """Draw what was offered last. It fades by itself (style.css), and a page that is drawn after that has none; the key
    lets a new one begin anew."""
    if state.undo is not None and time.monotonic() - state.undo_since > LASTS_S:
        state.undo = None
    if state.undo is None:
        return
    text, _ = state.undo
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"undo-offer-{state.undo_turn}"):
        st.markdown(plain(text))
        st.button(say("undo"), icon=":material/undo:", key="undo-it", on_click=safely(_undo, PLACE))


def _undo() -> None:
    if state.undo is not None:
        _, undo = state.undo
        state.undo = None
        undo()
