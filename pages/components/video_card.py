"""A video with its player at the matching moment, as every page shows it."""

from __future__ import annotations

import streamlit as st

from core.models import Hit
from pages.components.words import LABELS, clock


def video_card(hit: Hit) -> None:
    """Draw one hit: the player at the moment, the title, how well it matches, and what was seen.

    Texts that came with a file go through st.text, which reads neither HTML nor Markdown.
    """
    with st.container(border=True, gap="xsmall", key=f"card-{hit.video_id}"):
        player(hit.url, hit.start_s, hit.title)
        with st.container(gap=None):
            st.text(hit.title)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            if hit.confidence:
                label, colour = LABELS[hit.confidence]
                st.badge(label, color=colour)
            moment = f"from {clock(hit.start_s)} · " if int(hit.start_s) else ""
            st.caption(f"{moment}{clock(hit.duration_s)}")
        if hit.seen:
            st.caption(" · ".join(hit.seen))


def player(url: str, start_s: float, title: str) -> None:
    """Draw a player that fetches by URL (never by path: Streamlit would hold the whole file in memory)."""
    st.video(url, start_time=int(start_s), alt=title)
