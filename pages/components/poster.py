"""A video before it is asked for: its poster, which plays when pressed, and the script that all posters share."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from core.models import Hit
from pages.components.boundary import safely
from pages.components.doors import page_script, page_url
from pages.components.services import still_url
from pages.components.wording import clock, plain, say

SCRIPT = Path(__file__).with_name("posters.html")
TIME = "TIME"
"""What the script replaces by the time at which a person stopped: only their own browser knows it."""


def poster(hit: Hit, start_s: int, key: str, on_press: Callable[[], None], *, moment: bool = False) -> None:
    """Draw a poster, or a picture of the moment, with length and match: a button that a keyboard reaches and a screen
    reader names.

    The picture is fetched when it comes near the screen, the video when it is pointed at or pressed. Where this browser
    has stopped in the middle of the video, the script offers to go on from there.
    """
    pictures = [page_url(hit.poster_url)] if hit.poster_url else []
    if moment and (still := still_url(hit)) is not None:
        pictures.append(still)  # over the poster: until it is there, that shows
    picture = "".join(f'<img class="reel-poster" loading="lazy" alt="" src="{escape(url)}">' for url in pictures)
    match = f'<span class="reel-{hit.confidence}">{say(f"match.{hit.confidence}")}</span>' if hit.confidence else ""
    with st.container(gap=None, key=f"poster-{key}"):
        st.html(
            f'<div class="reel" data-video="{escape(page_url(hit.url))}" data-start="{start_s}">{picture}'
            f'<div class="reel-facts">{match}<span>{clock(hit.duration_s)}</span></div>'
            f'<button type="button" class="reel-go-on" data-says="{escape(say("card.go-on", time=TIME))}"></button>'
            f"</div>"
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


def play_next() -> None:
    """Draw the button that plays the card after this one; the script presses its poster."""
    st.html(f'<button type="button" class="reel-share" data-next>{escape(say("card.next"))}</button>', width="content")


def poster_script() -> None:
    """Let posters play when pointed at, links be copied, and pressed pills stay in sight. Call once a page, last."""
    st.html(page_script(SCRIPT), unsafe_allow_javascript=True)
