"""A video before it is asked for: its poster, which plays when pressed, and the script that all posters share."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.models import Hit
from pages.components.boundary import safely
from pages.components.doors import page_script
from pages.components.services import page_url
from pages.components.wording import clock, plain, say

SCRIPT = Path(__file__).with_name("posters.html")


def poster(hit: Hit, start_s: int, key: str, on_press: Callable[[], None]) -> None:
    """Draw a poster with length and match: a button that a keyboard reaches and a screen reader names.

    The picture is fetched when it comes near the screen, the video when it is pointed at or pressed.
    """
    picture = (
        f'<img class="reel-poster" loading="lazy" alt="" src="{escape(page_url(hit.poster_url))}">'
        if hit.poster_url
        else ""
    )
    match = f'<span class="reel-{hit.confidence}">{say(f"match.{hit.confidence}")}</span>' if hit.confidence else ""
    with st.container(gap=None, key=f"poster-{key}"):
        st.html(
            f'<div class="reel" data-video="{escape(page_url(hit.url))}" data-start="{start_s}">{picture}'
            f'<div class="reel-facts">{match}<span>{clock(hit.duration_s)}</span></div></div>'
        )
        st.button(
            say("card.play", title=plain(hit.title)),
            icon=":material/play_arrow:",
            key=f"play-{key}",
            on_click=safely(on_press),
            width="stretch",
        )


def share(hit: Hit, start_s: int) -> None:
    """Draw the button that copies a link to a video at a moment."""
    link = escape(f"?{urlencode({'watch': hit.video_id, 't': start_s})}")
    st.html(
        f'<button type="button" class="reel-share" data-share="{link}"><span>{say("share")}</span>'
        f'<span role="status">{say("share.done")}</span></button>',
        width="content",
    )


def poster_script() -> None:
    """Let posters play when pointed at, links be copied, and pressed pills stay in sight. Call once a page, last."""
    st.html(page_script(SCRIPT), unsafe_allow_javascript=True)
