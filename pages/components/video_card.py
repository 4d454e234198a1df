"""A video with its player at the matching moment, why it is there, and what can be done with it."""

from __future__ import annotations

import math
from typing import Literal

import streamlit as st

from core.models import Confidence, Hit, Reason
from core.services import Services
from core.state.taste import Mark, Marks
from pages.components import ask
from pages.components.boundary import fragment, part, safely, show_said
from pages.components.state import pressed, state
from pages.components.wording import clock, plain, say

_COLOURS: dict[Confidence, Literal["green", "blue", "gray"]] = {"high": "green", "medium": "blue", "low": "gray"}
_MARK_ICONS: dict[Mark, str] = {
    "like": ":material/thumb_up:",
    "dislike": ":material/thumb_down:",
    "seen": ":material/visibility:",
}


def video_card(hit: Hit, services: Services, marks: Marks) -> None:
    """Draw one hit in the grid. Texts that came with a file go through st.text: neither HTML nor Markdown."""
    with st.container(border=True, gap="xsmall", key=f"card-{hit.video_id}"):
        moment_player(hit)
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
            match_badge(hit)
            st.caption(clock(hit.duration_s))
        if hit.seen:
            st.caption(plain(" · ".join(hit.seen)))
        with st.container(horizontal=True, vertical_alignment="center", gap="xxsmall", key=f"do-{hit.video_id}"):
            taste_buttons(hit, services, marks)
            like_menu(hit, services)
            why(hit)
        show_said(taste_place(hit))


def moment_player(hit: Hit, *, autoplay: bool = False) -> None:
    """Draw the player, the title and chips for the matching moments; a chip seeks in place."""
    fragment(_moment_player)(hit, autoplay)


def _moment_player(hit: Hit, autoplay: bool) -> None:
    starts = list(dict.fromkeys(whole_second(moment.start_s, moment.end_s) for moment in hit.moments))
    best = whole_second(hit.start_s, hit.end_s)
    # The best moment is part of the key: another question must not find the chip of the one before pressed.
    key = f"moment-{hit.video_id}-{best}"
    start = pressed(key)
    player(hit.url, start if start in starts else best, hit.title, autoplay=autoplay)
    title(hit.title, hit.video_id)
    if len(starts) > 1:
        st.pills(
            say("card.moments"),
            sorted(starts),
            format_func=lambda second: f":material/play_arrow: {clock(second)}",
            default=best if best in starts else None,
            key=key,
            label_visibility="collapsed",
        )


def match_badge(hit: Hit) -> None:
    """Draw how well a hit answers what was asked, if anything was."""
    if hit.confidence:
        st.badge(say(f"match.{hit.confidence}"), color=_COLOURS[hit.confidence])


def taste_buttons(hit: Hit, services: Services, marks: Marks) -> None:
    """Draw thumbs up and down and "seen" for the person whose taste counts; draw `taste_place` below."""
    marked: dict[Mark, bool] = {
        "like": hit.video_id in marks.likes,
        "dislike": hit.video_id in marks.dislikes,
        "seen": hit.video_id in marks.seen,
    }
    for mark, on in marked.items():
        name = say(f"mark.{mark}")
        st.button(
            say("mark.undo", mark=name) if on else name,
            icon=_MARK_ICONS[mark],
            help=say("mark.undo.help", mark=name) if on else name,
            type="primary" if on else "tertiary",
            key=f"{mark}-{hit.video_id}",
            on_click=safely(_mark, taste_place(hit)),
            args=[services, hit.video_id, mark, on],
        )


def taste_place(hit: Hit) -> str:
    """Return where it is said what the taste buttons could not do."""
    return f"taste-{hit.video_id}"


def like_menu(hit: Hit, services: Services) -> None:
    """Draw the ways to find more like a video: all of it, its moment, or one frame."""
    place = f"menu-{hit.video_id}"
    with (
        st.popover(
            say("more"),
            icon=":material/auto_awesome_motion:",
            type="tertiary",
            help=say("more"),
            # A new key is a closed menu: it has done its work when something was found by it.
            key=f"{place}-{state.menus_used}",
        ),
        part(place),
    ):
        like = safely(ask.show_like, place)
        st.button(say("more.video"), key=f"more-{hit.video_id}", on_click=like, args=[hit.video_id])
        st.button(
            say("more.moment", time=clock(hit.start_s)),
            key=f"moment-like-{hit.video_id}",
            on_click=like,
            args=[hit.video_id, (hit.start_s + hit.end_s) / 2],
        )
        if services.encoder.info.images:
            second = st.number_input(
                say("more.second"), 0.0, hit.duration_s, hit.start_s, 1.0, key=f"at-{hit.video_id}"
            )
            st.button(
                say("more.frame"),
                key=f"frame-{hit.video_id}",
                on_click=safely(_frame, place),
                args=[services, hit.video_id, second],
            )


def why(hit: Hit) -> None:
    """Draw why a hit is there: what each part of the query contributed, what was seen, where."""
    with st.popover(say("why"), icon=":material/help:", type="tertiary", help=say("why")):
        most = max((abs(reason.share) for reason in hit.reasons), default=0.0) or 1.0
        for reason in hit.reasons:
            _reason(reason, most)
        if hit.seen:
            st.caption(say("why.seen"))
            st.text(", ".join(hit.seen))
        st.caption(say("why.moment"))
        st.text(say("why.span", start=clock(hit.start_s), end=clock(hit.end_s), length=clock(hit.duration_s)))
        if hit.copies:
            st.caption(say("why.copies", n=len(hit.copies)))
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


@part()
def most_like(services: Services, video_id: str, key: str) -> None:
    """Draw the posters and titles of the videos most like one, or nothing while it is alone."""
    similar = _similar(services, video_id, services.index.version)
    if not similar:
        return
    st.caption(say("similar"))
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
    st.caption(say(f"why.{reason.kind}"))
    if reason.kind == "taste":
        st.text(say("why.taste.liked" if reason.score > 0 else "why.taste.disliked"))
        return
    st.text(reason.label)
    st.progress(min(max(reason.share / most, 0.0), 1.0))


def _mark(services: Services, video_id: str, mark: Mark, on: bool) -> None:
    profile = ask.profile()
    if on:
        services.taste.unmark(profile, video_id, mark)
    else:
        services.taste.mark(profile, video_id, mark)
        st.toast(say(f"marked.{mark}"))


def _frame(services: Services, video_id: str, second: float) -> None:
    ask.show_picture(services.frame(video_id, second))
