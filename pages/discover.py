"""Discover: press a category, set a mood, say a word; matching videos play at the matching moment."""

import streamlit as st

from core.errors import AppError
from core.models import Filters, Hit, Query, Results
from pages.components import ask, extras, views
from pages.components.chrome import heading, presenting, set_page
from pages.components.ingest_panel import add_samples_button
from pages.components.services import page_services
from pages.components.words import plain, plural

PAGE_SIZE = 12
FEED_SIZE = 48

set_page("Discover")
services = page_services()


def describe(query: Query) -> str:
    """Return in words what was asked for."""
    words = [services.taxonomy.category(name).label for name in query.categories]
    words += [services.taxonomy.mood(name).label.lower() for name in query.moods]
    words += [f"“{query.text}”"] if query.text else []
    words += ["more like a video"] if query.like else []
    words += ["more like a picture"] if query.picture is not None else []
    return " · ".join(words) or "you"


def show_empty_library() -> None:
    with st.container(border=True, horizontal_alignment="center", key="empty"):
        st.subheader(":material/movie: Your library is empty", anchor=False, text_alignment="center")
        st.text("Add videos of your own, or start with a small library of animated scenes drawn on the spot.")
        with st.container(horizontal=True, horizontal_alignment="center"):
            add_samples_button(services, then_go_to="pages/ingest.py")
            if st.button("Add my videos", icon=":material/upload:"):
                st.switch_page("pages/ingest.py")


def show_nothing_found(query: Query, results: Results) -> None:
    with st.container(border=True, key="nothing"):
        st.subheader(":material/search_off: Nothing here matches that", anchor=False)
        st.text(f"No video in the library fits {describe(query)}.")
        if query.filters != Filters() and sum(results.facets.sounds.values()):
            st.caption("Some do without the filters: look under Tune.")
        if query.text:
            st.caption("Try other or fewer words.")
        if results.alternatives:
            st.caption("Nearest to it in your library:")
            with st.container(horizontal=True, gap="xsmall"):
                for id_ in results.alternatives:
                    label = services.taxonomy.category(id_).label
                    st.button(plain(label), key=f"instead-{id_}", on_click=ask.show_category, args=[id_])


def show_hits(hits: tuple[Hit, ...], total: int) -> None:
    marks = services.taste.marks(st.session_state.who)
    if st.session_state.view == "feed":
        views.feed(hits, total, services, marks)
        return
    views.grid(hits, services, marks)
    if total > len(hits) and len(hits) < 100 and st.button("Show more", icon=":material/expand_more:", width="stretch"):
        st.session_state.shown += PAGE_SIZE
        st.rerun()


def show_results(query: Query) -> None:
    results = services.discover.search(query)
    st.session_state.facets = results.facets
    if not results.hits:
        show_nothing_found(query, results)
        return
    if st.session_state.view == "grid" and not st.session_state.present:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="found"):
            st.text(f"{plural(results.total, 'video')} for {describe(query)}")
            views.view_controls()
    if results.all_seen:
        st.caption("You have seen all that fits, so here it is again.")
    show_hits(results.hits, results.total)
    if st.session_state.view == "feed" and not st.session_state.present:
        views.view_controls()


def page_limit() -> int:
    """Return how many hits to ask for; a new question starts with one page again."""
    if state.get("asked-before") != ask.question_key():
        state.update({"asked-before": ask.question_key(), "shown": PAGE_SIZE})
    return FEED_SIZE if state.view == "feed" else min(state.shown, 100)


ask.read_state(services)
state, tune = st.session_state, None
if state.present:
    presenting()
    views.leave_presenting()
elif state.view == "grid":
    heading("Discover", "Videos by what happens in them and how they feel.", services)
if not services.index.count().videos:
    show_empty_library()
    st.stop()
if not state.present and state.view == "grid":
    extras.channel_bar(services)
    tune = ask.words_box(services)
    ask.category_pills(services)
if not state.present or state.view == "feed":
    ask.mood_pills(services)
ask.chips()
ask.write_state()
question = ask.asked(page_limit())
try:
    if question.asks or services.discover.knows_taste(question.profile):
        show_results(question)
    else:
        st.text("Press a category, set a mood or say a word. Until then, some of what is in your library:")
        show_hits(tuple(services.discover.browse(PAGE_SIZE)), PAGE_SIZE)
except AppError as error:
    st.error(str(error))
if tune:
    with tune:
        ask.tuning(services)
