"""What Discover shows before anything is asked: shelves of videos, each a row to swipe that opens its search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from core.discover.shelves import LENGTH, Shelf, shelf, strengths, yours
from core.models import Hit
from core.services import Services
from core.state.taste import Marks
from pages.components import ask, views
from pages.components.boundary import part, safely, show_line
from pages.components.early import let_first_be_seen
from pages.components.state import state
from pages.components.video_card import video_card
from pages.components.wording import plain, say


def home(services: Services, marks: Marks, profile: str | None) -> bool:
    """Draw the shelves: for this person where there is a taste to go by, the newest, and what the library is strong in.

    Return whether they fill the page: where the library is strong in nothing yet, it is better shown whole.
    """
    strong: Sequence[tuple[str, str | None]] = ()
    with part(show=show_line):
        strong = strengths(services.discover)
    if not strong:
        return False
    with views.answer("home"):
        _shelves(strong, services, marks, profile)
    return True


def _shelves(strong: Sequence[tuple[str, str | None]], services: Services, marks: Marks, profile: str | None) -> None:
    """Draw each shelf as soon as it is known: the first is on the screen while the others are searched for."""
    with part(show=show_line):
        if liked := yours(services.discover, profile):
            _shelf("you", say("shelf.you"), liked, services, marks, show="you")
    with part():
        newest = services.discover.browse(LENGTH).hits
        _shelf("newest", say("shelf.newest"), newest, services, marks, show="newest")
    with part(show=show_line):
        for category, mood in strong:
            found = shelf(services.discover, category, mood, profile=profile)
            asked = {"category": [category], **({"mood": [mood]} if mood else {})}
            _shelf(f"{category}-{mood}", _name(found, services), found.hits, services, marks, **asked)


def watch(services: Services, marks: Marks) -> None:
    """Draw the video of a link, playing at its second, and what is most like it."""
    hit = services.discover.show(state.watch)
    st.button(say("watch.leave"), icon=":material/arrow_back:", type="tertiary", on_click=safely(state.ask))
    if hit is None:
        st.text(say("watch.gone"))
        return
    second = float(min(state.watch_s, int(hit.duration_s)))
    hit = replace(hit, start_s=second, end_s=max(hit.end_s, second + 1.0))
    views.grid([hit, *services.discover.similar(hit.video_id, LENGTH - 1)], services, marks, answer=True)


def _shelf(id_: str, name: str, hits: Sequence[Hit], services: Services, marks: Marks, **question: object) -> None:
    """Draw a row of cards under its name, and the way to the question that it answers."""
    with st.container(gap="xsmall", key=f"shelf-{id_}"):
        with st.container(
            horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"shelf-head-{id_}"
        ):
            st.header(plain(name), anchor=False)
            see_all = safely(partial(state.ask, **question))
            st.button(say("shelf.all"), type="tertiary", key=f"all-{id_}", help=plain(name), on_click=see_all)
        with st.container(horizontal=True, wrap=False, gap="small", key=f"reel-row-{id_}"):
            for number, hit in enumerate(hits):
                let_first_be_seen(number)
                video_card(hit, services, marks, shelf=f"{id_}-")


def _name(shelf: Shelf, services: Services) -> str:
    category = ask.theme_name("category", services.taxonomy.category(shelf.category))
    if shelf.mood is None:
        return category
    # "Calm nature", but "Calm 3D Animation".
    category = category.lower() if category[0].isalpha() else category
    mood = ask.theme_name("mood", services.taxonomy.mood(shelf.mood))
    return say("shelf.pair", mood=mood, category=category)
