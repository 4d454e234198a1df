"""Discover: press a category, set a mood, say a word; matching videos play at the matching moment."""

import streamlit as st

from core.models import Facets, Hit, Query, Results
from core.state.taste import Marks
from pages.components import ask, extras, views
from pages.components.boundary import part, safely, show_nothing
from pages.components.chrome import heading, presenting, set_page
from pages.components.ingest_panel import add_samples_button
from pages.components.model_panel import model_panel
from pages.components.services import page_services
from pages.components.state import PAGE_SIZE, state
from pages.components.wording import plain, say

FEED_SIZE, MOST_SHOWN = 48, 100

set_page(say("discover.title"))
services = page_services()


def describe(query: Query) -> str:
    """Return in words what was asked for."""
    words = [services.taxonomy.category(name).label for name in query.categories]
    words += [services.taxonomy.mood(name).label.lower() for name in query.moods]
    words += [say("found.words", words=query.text)] if query.text else []
    words += [say("found.like")] if query.like else []
    words += [say("found.picture")] if query.picture is not None else []
    return " · ".join(words) or say("found.taste")


def is_empty() -> bool:
    with part(show=show_nothing):  # badge and results ask the same service, and say what is wrong with it
        return not services.index.count().videos
    return False


def show_empty_library() -> None:
    with st.container(border=True, horizontal_alignment="center", key="empty"):
        st.subheader(f":material/movie: {say('empty.title')}", anchor=False, text_alignment="center")
        st.text(say("empty.text"))
        with st.container(horizontal=True, horizontal_alignment="center"):
            add_samples_button(services, then_go_to="pages/ingest.py")
            if st.button(say("empty.add"), icon=":material/upload:"):
                st.switch_page("pages/ingest.py")
    model_panel(services)


def show_nothing_found(query: Query, results: Results) -> None:
    with st.container(border=True, key="nothing"):
        st.subheader(f":material/search_off: {say('nothing.title')}", anchor=False)
        st.text(say("nothing.text", asked=describe(query)))
        if query.filters and any(any(counts.values()) for counts in results.facets.values()):
            st.caption(say("nothing.filters"))
        if query.text:
            st.caption(say("nothing.words"))
        if results.alternatives:
            st.caption(say("nothing.instead"))
            with st.container(horizontal=True, gap="xsmall"):
                for id_ in results.alternatives:
                    label = plain(services.taxonomy.category(id_).label)
                    st.button(label, key=f"instead-{id_}", on_click=safely(ask.show_category), args=[id_])


def show_hits(hits: tuple[Hit, ...], total: int, marks: Marks) -> None:
    if state.view == "feed":
        views.feed(hits, services, marks)
        return
    views.grid(hits, services, marks)
    if total > len(hits) and len(hits) < MOST_SHOWN:
        st.button(say("found.more"), icon=":material/expand_more:", width="stretch", on_click=safely(show_more))


def show_more() -> None:
    state.shown += PAGE_SIZE


def show_results(query: Query, marks: Marks) -> Facets:
    results = services.discover.search(query)
    if not results.hits:
        show_nothing_found(query, results)
        return results.facets
    if state.view == "grid" and not state.present:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="found"):
            st.text(say("found", n=results.total, asked=describe(query)))
            views.view_controls()
    if results.all_seen:
        st.caption(say("found.all-seen"))
    show_hits(results.hits, results.total, marks)
    if state.view == "feed" and not state.present:
        views.view_controls()
    return results.facets


@part()
def show_answer(query: Query, marks: Marks) -> Facets | None:
    """Draw what was asked for, or some of the library; return what filters would leave, where something was found."""
    if query.asks or (query.profile and services.discover.knows_taste(query.profile)):
        return show_results(query, marks)
    st.text(say("discover.unasked"))
    some = services.discover.browse(query.limit)
    show_hits(some.hits, some.total, marks)
    return None


state.read(services.taxonomy)
tune = None
if state.present:
    presenting()
    views.leave_presenting()
elif state.view == "grid":
    heading(say("discover.title"), say("discover.subtitle"), services)
extras.notices(services)
if is_empty():
    show_empty_library()
    st.stop()
if not state.present and state.view == "grid":
    extras.channel_bar(services)
    tune = ask.words_box(services)
    ask.category_pills(services)
if not state.present or state.view == "feed":
    ask.mood_pills(services)
ask.chips()
state.write()
profile, marks = ask.taste(services)
query = ask.asked(FEED_SIZE if state.view == "feed" else min(state.shown, MOST_SHOWN), profile)
facets = show_answer(query, marks)
if tune:
    with tune:
        ask.tuning(services, facets)
