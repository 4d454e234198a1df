"""Discover: press a category, set a mood, say a word; matching videos play at the matching moment."""

from dataclasses import replace

import streamlit as st

from core.access.roles import Action
from core.models import Facets, Query
from core.state.taste import Marks
from pages.components import ask, extras, home, views
from pages.components.boundary import part, show_nothing
from pages.components.chrome import keys_help, presenting, set_page, unseen_heading
from pages.components.early import let_parts_come
from pages.components.ingest_panel import show_empty_library
from pages.components.model_panel import model_panel
from pages.components.news import news
from pages.components.places import place
from pages.components.poster import poster_script
from pages.components.services import page_services
from pages.components.state import PAGE_SIZE, state
from pages.components.undo import undo_offer
from pages.components.who import may
from pages.components.wording import say

FEED_SIZE = 48

set_page(say("discover.title"))
services = page_services(say("discover.title"), Action.WATCH)


def is_empty() -> bool:
    with part(show=show_nothing):  # badge and results ask the same service, and say what is wrong with it
        return not services.index.count().videos
    return False


def found_line(text: str) -> None:
    if state.view == "grid" and not state.present:
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="found"):
            st.text(text)
            views.view_controls()


def show_results(query: Query, marks: Marks) -> Facets:
    results = views.page(lambda offset: services.discover.search(replace(query, offset=offset)), services)
    if not results.hits:
        with views.answer("nothing"):
            ask.nothing_found(query, results, services)
        return results.facets
    found = "found" if results.exact else "found.about"
    with views.answer(state.view):
        found_line(say(found, n=results.total, asked=ask.described(query, services)))
        if results.all_seen:
            st.caption(say("found.all-seen"))
        views.results(results, services, marks, answer=query.asks)
    return results.facets


@part()
def show_answer(query: Query, marks: Marks) -> Facets | None:
    """Draw what was asked for, or the library; return what filters would leave, where something was found."""
    knows_taste = bool(query.profile) and services.discover.knows_taste(query.profile)
    if query.asks or (knows_taste and (state.show == "you" or state.view == "feed")):
        return show_results(query, marks)
    if state.watch:
        with views.answer("watch"):
            home.watch(services, marks)
        return None
    some = views.page(lambda offset: services.discover.browse(query.limit, offset), services)
    shelved = some.total > PAGE_SIZE and state.view == "grid" and not (state.show or state.start)
    if shelved and home.home(services, marks, query.profile):
        return None
    with views.answer(state.view):
        found_line(say("shelf.newest"))
        views.results(some, services, marks, answer=False)
    return None


state.read(services.taxonomy)
tune = None
with place("top"):
    if state.present:
        presenting()
        views.leave_presenting()
    else:
        unseen_heading(say("discover.title"))
with place("notices"):
    extras.notices(services)
if is_empty():
    show_empty_library(services)
    if may(Action.MANAGE):
        model_panel(services)
    st.stop()
browses = not state.present and state.view == "grid"
with place("channels", browses):
    if browses:
        extras.channel_bar(services)
with place("search", browses):
    if browses:
        tune = ask.words_box(services)
        ask.category_pills(services)
with place("moods", browses or state.view == "feed"):
    if browses or state.view == "feed":
        ask.mood_pills(services)
with place("chips", ask.has_chips()):
    ask.chips()
state.write()
profile, marks = ask.taste(services)
let_parts_come()
query = ask.asked(FEED_SIZE if state.view == "feed" else state.shown, profile)
with place("answer"):
    facets = show_answer(query, marks)
feeds = state.view == "feed" and not state.present
with place("views", feeds):
    if feeds:
        views.view_controls()
if not state.present:
    keys_help()
if tune:
    with tune:
        ask.tuning(services, facets)
undo_offer()
with place("news", browses):
    if browses:
        news(services)
poster_script()
