"""Discover: press a category, set a mood, say a word; matching videos play at the matching moment."""

import streamlit as st

from core.errors import AppError
from core.models import Hit, Query
from core.taxonomy import Theme
from pages.components.chrome import heading, set_page
from pages.components.ingest_panel import add_samples_button
from pages.components.link import read_link, write_link
from pages.components.services import page_services
from pages.components.video_card import video_card
from pages.components.words import plural

PAGE_SIZE = 12
MAX_WORDS = 200
ANY = "any"

set_page("Discover")
services = page_services()
taxonomy = services.taxonomy
categories = {theme.id: theme for theme in taxonomy.categories}
moods = {theme.id: theme for theme in taxonomy.moods}


def button_text(theme: Theme) -> str:
    return f":material/{theme.icon}: {theme.label}"


def describe(query: Query) -> str:
    """Return in words what was asked for."""
    words = [categories[query.category].label] if query.category else []
    words += [moods[query.mood].label.lower()] if query.mood else []
    words += [f"“{query.text}”"] if query.text else []
    return " · ".join(words)


def choose() -> Query:
    """Draw the three ways to ask and return what is asked; the page's address carries all of it."""
    read_link(
        {
            "q": lambda text: text[:MAX_WORDS],
            "category": lambda id_: id_ if id_ in categories else None,
            "mood": lambda id_: id_ if id_ in moods else ANY,
        }
    )
    text = st.text_input(
        "Search in words",
        key="q",
        placeholder="Say what should happen in it: a dog on grass, storm at sea, robots …",
        icon=":material/search:",
        label_visibility="collapsed",
        max_chars=MAX_WORDS,
    )
    category = st.pills(
        "Category", list(categories), format_func=lambda id_: button_text(categories[id_]), key="category"
    )
    mood = st.pills(
        "Mood",
        [ANY, *moods],
        format_func=lambda id_: button_text(moods[id_]) if id_ in moods else "Any",
        required=True,
        key="mood",
    )
    query = Query(text=(text or "").strip(), category=category, mood=None if mood == ANY else mood)
    write_link({"q": query.text, "category": query.category, "mood": query.mood})
    return query


def show_empty_library() -> None:
    with st.container(border=True, horizontal_alignment="center", key="empty"):
        st.markdown("### :material/movie: Your library is empty")
        st.text("Add videos of your own, or start with a small library of animated scenes drawn on the spot.")
        with st.container(horizontal=True, horizontal_alignment="center"):
            add_samples_button(services, then_go_to="pages/ingest.py")
            if st.button("Add my videos", icon=":material/upload:"):
                st.switch_page("pages/ingest.py")


def show_nothing_found(query: Query) -> None:
    with st.container(border=True, key="nothing"):
        st.markdown("### :material/search_off: Nothing here matches that")
        st.text(f"No video in the library fits {describe(query)}.")
        if query.text:
            st.caption("Try other or fewer words; this encoder matches words with titles, tags and subtitles.")
        if query.mood and (query.category or query.text):
            st.caption("Set the mood to Any.")
        st.caption("Press another category, or add more videos on the Ingest page.")


def show_grid(hits: list[Hit]) -> None:
    with st.grid(3, min_column_width=280, key="results"):
        for hit in hits:
            video_card(hit)


def show_results(query: Query) -> None:
    asked = (query.text, query.category, query.mood)
    if st.session_state.get("asked") != asked:
        st.session_state.update(asked=asked, shown=PAGE_SIZE)
    shown = st.session_state.shown
    # One more than is shown tells whether there is more to show.
    hits = services.discover.search(Query(*asked, limit=min(shown + 1, 100)))
    if not hits:
        show_nothing_found(query)
        return
    more = len(hits) > shown
    counted = plural(min(len(hits), shown), "video") + (" and more" if more else "")
    st.text(f"{counted} for {describe(query)}")
    show_grid(hits[:shown])
    if more and st.button("Show more", icon=":material/expand_more:", width="stretch"):
        st.session_state.shown += PAGE_SIZE
        st.rerun()


heading("Discover", "Videos by what happens in them and how they feel.", services)
if not services.index.count().videos:
    show_empty_library()
    st.stop()
query = choose()
if not (query.text or query.category or query.mood):
    st.text("Press a category, set a mood or say a word. Until then, some of what is in your library:")
    show_grid(services.discover.browse(PAGE_SIZE))
    st.stop()
try:
    show_results(query)
except AppError as error:
    st.error(str(error))
