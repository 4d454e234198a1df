"""A video with its poster or its player at the matching moment, why it is there, and what can be done with it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Literal

import streamlit as st

from core.ingest.captions import caption_language
from core.models import Confidence, Hit, Reason
from core.services import Services
from core.state.taste import Mark, Marks
from pages.components import ask
from pages.components.boundary import fragment, part, rerun, safely, show_line, show_nothing, show_said
from pages.components.poster import play_next, poster, share
from pages.components.state import pressed, state
from pages.components.undo import offer_undo
from pages.components.wording import clock, language_word, named, plain, say

_COLOURS: dict[Confidence, Literal["green", "blue", "gray"]] = {"high": "green", "medium": "blue", "low": "gray"}
_MARK_ICONS: dict[Mark, str] = {
    "like": ":material/thumb_up:",
    "dislike": ":material/thumb_down:",
    "seen": ":material/visibility:",
}


def video_card(hit: Hit, services: Services, marks: Marks, *, best: bool = False, shelf: str = "") -> None:
    """Draw one hit: its poster, or its player where it was pressed or is the best answer. On a shelf, what can be done
    with it appears with the player. Texts that came with a file go through st.text: neither HTML nor Markdown."""
    with st.container(gap="xsmall", key=f"card-{shelf}{hit.video_id}"):
        fragment(_card)(hit, services, marks, best, shelf)


def _card(hit: Hit, services: Services, marks: Marks, best: bool, shelf: str) -> None:
    key = f"{shelf}{hit.video_id}"
    starts, first, chips, chosen = _moments(hit, key)
    start = chosen or first
    opened = best or chosen is not None or key in state.playing
    if opened:
        player(hit, services, start, key, autoplay=True, muted=best and chosen is None)
    else:
        poster(hit, start, key, partial(_play, key), moment=not shelf)
    if opened and hit.confidence:
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"head-{key}"):
            title(hit.title, key)
            match_badge(hit)
    else:
        title(hit.title, key)
    if best:
        what_is_seen(hit, services)
    if shelf and not opened:
        return
    if len(starts) > 1:
        _moment_pills(starts, chips, first if best else None)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"do-{key}"):
        taste_buttons(hit, services, marks, shelf)
        like_button(hit, shelf)
        share(hit, start)
        details(hit, services, shelf, marks)
        if opened:
            play_next()
    show_said(taste_place(hit))


def _moments(hit: Hit, key: str) -> tuple[list[int], int, str, int | None]:
    """Return the seconds at which a video matches, the best of them, the key of its chips, and which was pressed."""
    starts = list(dict.fromkeys(whole_second(moment.start_s, moment.end_s) for moment in hit.moments))
    best = whole_second(hit.start_s, hit.end_s)
    # The best moment is part of the key: another question must not find the chip of the one before pressed.
    chips = f"moment-{key}-{best}"
    start = pressed(chips)
    return sorted(starts), best, chips, start if start in starts else None


def _moment_pills(starts: Sequence[int], key: str, default: int | None) -> None:
    st.pills(
        say("card.moments"),
        starts,
        format_func=lambda second: f":material/play_arrow: {clock(second)}",
        default=default if default in starts else None,
        key=key,
        label_visibility="collapsed",
    )


def _play(key: str) -> None:
    state.playing = [*state.playing, key]


def what_is_seen(hit: Hit, services: Services) -> None:
    """Draw what is striking about the moment, for this library, in words that people use."""
    with part(show=show_nothing):  # a detail: who does not answer is said where the categories are
        if words := striking_words(hit, services):
            st.caption(plain(" · ".join(words)))


def striking_words(hit: Hit, services: Services) -> list[str]:
    """Return in words that people use what few other videos of the library have."""
    return [seen_word(word) for word in services.discover.striking(hit.seen)]


def seen_word(word: str) -> str:
    """Return how people say what an encoder saw."""
    return named("seen", word, word)


def moment_player(hit: Hit, services: Services) -> None:
    """Draw the player of the feed, the title and chips for the matching moments; a chip seeks in place."""
    fragment(_moment_player)(hit, services)


def _moment_player(hit: Hit, services: Services) -> None:
    starts, first, chips, chosen = _moments(hit, hit.video_id)
    player(hit, services, chosen or first, hit.video_id, autoplay=True, muted=True)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small", key="feed-head"):
        title(hit.title, hit.video_id)
        if len(starts) > 1:
            _moment_pills(starts, chips, first)


def preview(hit: Hit, services: Services, key: str) -> None:
    """Draw a video's poster, or its player once it was pressed, where nothing was asked."""
    start = whole_second(hit.start_s, hit.end_s)
    if key in state.playing:
        player(hit, services, start, key, autoplay=True)
    else:
        poster(hit, start, key, partial(_play, key))


def match_badge(hit: Hit) -> None:
    """Draw how well a hit answers what was asked, if anything was."""
    if hit.confidence:
        st.badge(say(f"match.{hit.confidence}"), color=_COLOURS[hit.confidence])


def taste_buttons(hit: Hit, services: Services, marks: Marks, shelf: str = "") -> None:
    """Draw thumbs up and down for the person whose taste counts; draw `taste_place` below."""
    with st.container(horizontal=True, gap="xxsmall", width="content", key=f"thumbs-{shelf}{hit.video_id}"):
        _mark_button(hit, services, "like", hit.video_id in marks.likes, shelf)
        _mark_button(hit, services, "dislike", hit.video_id in marks.dislikes, shelf)


def _mark_button(hit: Hit, services: Services, mark: Mark, on: bool, shelf: str) -> None:
    name = say(f"mark.{mark}")
    if st.button(
        say("mark.undo", mark=name) if on else name,
        icon=_MARK_ICONS[mark],
        help=say("mark.undo.help", mark=name) if on else name,
        type="primary" if on else "tertiary",
        key=f"{mark}-{shelf}{hit.video_id}",
        on_click=safely(_mark, taste_place(hit)),
        args=[services, hit.video_id, mark, on],
    ):
        rerun()  # it changes the order of all cards, not only this one


def taste_place(hit: Hit) -> str:
    """Return where it is said what the taste buttons could not do."""
    return f"taste-{hit.video_id}"


def like_button(hit: Hit, shelf: str = "") -> None:
    """Draw the way to more like a video, in one press."""
    like = safely(ask.show_like)
    if st.button(say("more"), type="tertiary", key=f"more-{shelf}{hit.video_id}", on_click=like, args=[hit.video_id]):
        rerun()


def details(hit: Hit, services: Services, shelf: str, marks: Marks) -> None:
    """Draw why a hit is there, and the ways on from its moment or one frame of it."""
    place = f"menu-{shelf}{hit.video_id}"
    # A new key is a closed menu: it has done its work when something was found by it.
    menu = st.popover(say("why"), type="tertiary", key=f"{place}-{state.menus_used}")
    with menu, part(place):
        _why(hit, services)
        st.caption(say("why.on"))
        if st.button(
            say("more.moment", time=clock(hit.start_s)),
            key=f"moment-like-{shelf}{hit.video_id}",
            on_click=safely(ask.show_like, place),
            args=[hit.video_id, (hit.start_s + hit.end_s) / 2],
        ):
            rerun()
        if services.encoder.info.images:
            second = st.number_input(
                say("more.second"), 0.0, hit.duration_s, hit.start_s, 1.0, key=f"at-{shelf}{hit.video_id}"
            )
            if st.button(
                say("more.frame"),
                key=f"frame-{shelf}{hit.video_id}",
                on_click=safely(_frame, place),
                args=[services, hit.video_id, second],
            ):
                rerun()
        _mark_button(hit, services, "seen", hit.video_id in marks.seen, shelf)


def _why(hit: Hit, services: Services) -> None:
    """Draw what each part of the query contributed, what was seen, where."""
    most = max((abs(reason.share) for reason in hit.reasons), default=0.0) or 1.0
    for reason in hit.reasons:
        _reason(reason, most, services)
    if hit.seen:
        st.caption(say("why.seen"))
        st.text(say("list").join(map(seen_word, hit.seen)))
    st.caption(say("why.moment"))
    st.text(say("why.span", start=clock(hit.start_s), end=clock(hit.end_s), length=clock(hit.duration_s)))
    if hit.copies:
        st.caption(say("why.copies", n=len(hit.copies)))
        for copy in hit.copies:
            st.text(copy)


def player(
    hit: Hit, services: Services, start_s: int, key: str, *, autoplay: bool = False, muted: bool = False
) -> None:
    """Draw a player that fetches by URL (never by path: Streamlit would hold the whole file in memory).

    The key tells `poster_script` which players begin by themselves. The subtitles are those of the video, first the
    ones in the language of who reads: players show the first.
    """
    tracks: dict[str, str | Path | bytes | BytesIO] = {}
    is_foreign = {key: caption_language(key).partition("-")[0] != state.language for key in hit.caption_keys}
    with part(show=show_line):
        for track in sorted(is_foreign, key=is_foreign.__getitem__):
            language = caption_language(track)
            label = language_word(language) if language else say("language")
            number = sum(one.startswith(label) for one in tracks)
            tracks[f"{label} {number + 1}" if number else label] = _caption(services, track).encode()
    with st.container(gap=None, key=f"{'plays' if autoplay else 'shows'}-{key}"):
        st.video(hit.url, start_time=start_s, alt=hit.title, autoplay=autoplay, muted=muted, subtitles=tracks or None)


def whole_second(start_s: float, end_s: float) -> int:
    """Return the first whole second inside a moment: a player starts at one, and the one before is another shot."""
    up = math.ceil(start_s)
    return up if up < end_s else int(start_s)


def title(text: str, key: str) -> None:
    """Draw a title on one line, as plain text."""
    with st.container(key=f"title-{key}"):
        st.text(text)


@part()
def most_like(services: Services, video_id: str, key: str, on_open: Callable[[str], None] | None = None) -> None:
    """Draw the posters and titles of the videos most like one, or nothing while it is alone; `on_open` makes their
    titles buttons."""
    similar = services.discover.similar(video_id)
    if not similar:
        return
    st.caption(say("similar"))
    with st.grid(3, min_column_width=60, wrap=False, gap="xsmall", key=f"like-{key}"):
        for hit in similar:
            with st.container(gap="xxsmall"):
                if hit.poster_url:
                    st.image(hit.poster_url, width="stretch", alt="")
                if on_open is None:
                    st.text(hit.title)
                else:
                    st.button(
                        plain(hit.title),
                        type="tertiary",
                        key=f"like-{key}-{hit.video_id}",
                        on_click=safely(on_open),
                        args=[hit.video_id],
                    )


@st.cache_data(max_entries=500, show_spinner=False)
def _caption(_services: Services, key: str) -> str:
    """Fetch a track of subtitles once: its key is made of the content of the video, so it never changes."""
    return _services.caption(key)


def _reason(reason: Reason, most: float, services: Services) -> None:
    st.caption(say(f"why.{reason.kind}"))
    if reason.kind == "taste":
        st.text(say("why.taste.liked" if reason.score > 0 else "why.taste.disliked"))
        return
    st.text(_reason_name(reason, services))
    st.progress(min(max(reason.share / most, 0.0), 1.0))


def _reason_name(reason: Reason, services: Services) -> str:
    if reason.kind == "picture":
        return say("why.yours")
    if reason.kind == "category":
        return ask.theme_name("category", services.taxonomy.category(reason.label))
    if reason.kind == "mood":
        return ask.theme_name("mood", services.taxonomy.mood(reason.label))
    return reason.label


def _mark(services: Services, video_id: str, mark: Mark, on: bool) -> None:
    profile = ask.profile()
    if on:
        services.taste.unmark(profile, video_id, mark)
    else:
        services.taste.mark(profile, video_id, mark)
        if mark == "like":
            st.toast(say("marked.like"))
        else:  # the video may go from the page, and with it the button that takes this back
            offer_undo(say(f"marked.{mark}"), partial(services.taste.unmark, profile, video_id, mark))


def _frame(services: Services, video_id: str, second: float) -> None:
    ask.show_picture(services.frame(video_id, second))
