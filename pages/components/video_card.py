"""A video with its player at the matching moment, as every page shows it."""

from __future__ import annotations

import math

import streamlit as st

from core.models import Hit
from core.services import Services
from pages.components.words import LABELS, clock


def video_card(hit: Hit) -> None:
    """Draw one hit: the player at the moment, the title, how well it matches, and what was seen.

    Texts that came with a file go through st.text, which reads neither HTML nor Markdown.
    """
    with st.container(border=True, gap="xsmall", key=f"card-{hit.video_id}"):
        start = whole_second(hit.start_s, hit.end_s)
        player(hit.url, start, hit.title)
        title(hit.title, hit.video_id)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            if hit.confidence:
                label, colour = LABELS[hit.confidence]
                st.badge(label, color=colour)
            moment = f"from {clock(start)} · " if start else ""
            st.caption(f"{moment}{clock(hit.duration_s)}")
        if hit.seen:
            st.caption(" · ".join(hit.seen))


def player(url: str, start_s: int, title: str) -> None:
    """Draw a player that fetches by URL (never by path: Streamlit would hold the whole file in memory)."""
    st.video(url, start_time=start_s, alt=title)


def whole_second(start_s: float, end_s: float) -> int:
    """Return the first whole second inside a moment: a player starts at one, and the one before is another shot."""
    up = math.ceil(start_s)
    return up if up < end_s else int(start_s)


def title(text: str, key: str) -> None:
    """Draw a title on one line, as plain text."""
    with st.container(key=f"title-{key}"):
        st.text(text)


def most_like(services: Services, video_id: str, key: str) -> None:
    """Draw the posters and titles of the videos most like one, or nothing while it is alone."""
    similar = _similar(services, video_id, services.index.count().videos)
    if not similar:
        return
    st.caption("Most like it")
    with st.grid(3, min_column_width=60, wrap=False, gap="xsmall", key=f"like-{key}"):
        for hit in similar:
            with st.container(gap="xxsmall"):
                if hit.poster_url:
                    st.image(hit.poster_url, width="stretch", alt="")
                st.text(hit.title)


@st.cache_data(max_entries=500, show_spinner=False)
def _similar(_services: Services, video_id: str, videos: int) -> list[Hit]:
    """Ask for the most similar videos once for each size of the library: pages are drawn again every second."""
    return _services.discover.similar(video_id)
