"""A video with its player at the matching moment, why it is there, and what can be done with it."""

from __future__ import annotations

import math

import streamlit as st

from core.errors import AppError
from core.models import Hit, Reason
from core.services import Services
from core.state.taste import Marks
from pages.components.ask import show_like, show_picture
from pages.components.words import LABELS, clock, plural

_SHOWN_PARTS = {"category": "Category", "words": "Words", "mood": "Mood", "similar": "Like", "picture": "Picture"}


def video_card(hit: Hit, services: Services, marks: Marks) -> None:
    """Draw one hit in the grid. Texts that came with a file go through st.text: neither HTML nor Markdown."""
    with st.container(border=True, gap="xsmall", key=f"card-{hit.video_id}"):
        moment_player(hit)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            if hit.confidence:
                label, colour = LABELS[hit.confidence]
                st.badge(label, color=colour)
            st.caption(clock(hit.duration_s))
        if hit.seen:
            st.caption(" · ".join(hit.seen))
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key=f"do-{hit.video_id}"):
            taste_buttons(hit, services, marks)
            like_menu(hit, services)
            why(hit)


@st.fragment
def moment_player(hit: Hit, *, autoplay: bool = False) -> None:
    """Draw the player, the title and chips for the matching moments; a chip seeks in place."""
    starts = list(dict.fromkeys(whole_second(moment.start_s, moment.end_s) for moment in hit.moments))
    best = whole_second(hit.start_s, hit.end_s)
    # The best moment is part of the key: another question must not find the chip of the one before pressed.
    key = f"moment-{hit.video_id}-{best}"
    start = st.session_state.get(key)
    player(hit.url, best if start not in starts else start, hit.title, autoplay=autoplay)
    title(hit.title, hit.video_id)
    if len(starts) > 1:
        st.pills(
            "Matching moments",
            sorted(starts),
            format_func=lambda second: f":material/play_arrow: {clock(second)}",
            default=best if best in starts else None,
            key=key,
            label_visibility="collapsed",
        )


def taste_buttons(hit: Hit, services: Services, marks: Marks) -> None:
    """Draw thumbs up and down and "seen" for the person whose taste counts."""
    state = {
        "like": (":material/thumb_up:", "More of this kind", hit.video_id in marks.likes),
        "dislike": (":material/thumb_down:", "Less of this kind", hit.video_id in marks.dislikes),
        "seen": (":material/visibility:", "Seen it", hit.video_id in marks.seen),
    }
    for mark, (icon, hint, on) in state.items():
        st.button(
            f"{hint}, undo" if on else hint,
            icon=icon,
            help=f"{hint} (press to undo)" if on else hint,
            type="primary" if on else "tertiary",
            key=f"{mark}-{hit.video_id}",
            on_click=_mark,
            args=[services, hit.video_id, mark, on],
        )


def like_menu(hit: Hit, services: Services) -> None:
    """Draw the ways to find more like a video: all of it, its moment, or one frame."""
    # A new key is a closed menu: it has done its work when something was found by it.
    key = f"menu-{hit.video_id}-{st.session_state.get('menus-used', 0)}"
    with st.popover(
        "More like this", icon=":material/auto_awesome_motion:", type="tertiary", help="More like this", key=key
    ):
        st.button("Like this video", key=f"more-{hit.video_id}", on_click=show_like, args=[hit.video_id])
        st.button(
            f"Like this moment ({clock(hit.start_s)})",
            key=f"moment-like-{hit.video_id}",
            on_click=show_like,
            args=[hit.video_id, (hit.start_s + hit.end_s) / 2],
        )
        if services.encoder.info.images:
            second = st.number_input(
                "Find the frame at second", 0.0, hit.duration_s, hit.start_s, 1.0, key=f"at-{hit.video_id}"
            )
            st.button("Like this frame", key=f"frame-{hit.video_id}", on_click=_frame, args=[services, hit, second])
            if problem := st.session_state.pop(f"frame-problem-{hit.video_id}", None):
                st.error(problem)


def why(hit: Hit) -> None:
    """Draw why a hit is there: what each part of the query contributed, what was seen, where."""
    with st.popover("Why this?", icon=":material/help:", type="tertiary", help="Why this?"):
        most = max((abs(reason.share) for reason in hit.reasons), default=0.0) or 1.0
        for reason in hit.reasons:
            _reason(reason, most)
        if hit.seen:
            st.caption("Seen at this moment")
            st.text(", ".join(hit.seen))
        st.caption("Moment")
        st.text(f"{clock(hit.start_s)} to {clock(hit.end_s)} of {clock(hit.duration_s)}")
        if hit.copies:
            st.caption(f"{plural(len(hit.copies), 'copy', 'copies')} folded into this card")
            for copy in hit.copies:
                st.text(copy)


def player(url: str, start_s: int, title: str, *, autoplay: bool = False) -> None:
    """Draw a player that fetches by URL (never by path: Streamlit would hold the whole file in memory)."""
    st.video(url, start_time=start_s, alt=title, autoplay=autoplay, muted=autoplay)


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
    similar = _similar(services, video_id, services.index.version)
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
def _similar(_services: Services, video_id: str, version: str) -> list[Hit]:
    """Ask for the most similar videos once for each state of the library: pages are drawn again every second."""
    return _services.discover.similar(video_id)


def _reason(reason: Reason, most: float) -> None:
    if reason.kind == "taste":
        liked = "nearer to what you like" if reason.score > 0 else "nearer to what you dislike"
        st.caption("Your taste")
        st.text(liked)
        return
    st.caption(_SHOWN_PARTS[reason.kind])
    st.text(reason.label)
    st.progress(min(max(reason.share / most, 0.0), 1.0))


def _mark(services: Services, video_id: str, mark: str, on: bool) -> None:
    profile = st.session_state.who
    if on:
        services.taste.unmark(profile, video_id, mark)
    else:
        services.taste.mark(profile, video_id, mark)
        said = {"like": "More of this kind from now on.", "dislike": "Less of this kind from now on.", "seen": "Noted."}
        st.toast(said[mark])


def _frame(services: Services, hit: Hit, second: float) -> None:
    try:
        show_picture(services.frame(hit.video_id, second))
    except AppError as error:
        st.session_state[f"frame-problem-{hit.video_id}"] = str(error)
