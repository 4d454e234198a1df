"""Library: everything that is in it, searched by name; edit, delete with a day to undo it, place ads."""

from collections.abc import Callable, Mapping

import streamlit as st

from core.access.roles import Action
from core.services import Services
from pages.components.boundary import fragment, part, show_nothing
from pages.components.carry_panel import carry_panel, import_box
from pages.components.chrome import heading, set_page
from pages.components.damage_notice import damage_notice
from pages.components.ingest_panel import show_empty_library
from pages.components.library_ads import ads_tab
from pages.components.library_list import library_list
from pages.components.library_own import own_list
from pages.components.library_trash import trash_list, undo_bar
from pages.components.library_trends import trends_tab
from pages.components.library_video import library_video
from pages.components.places import place, place_of
from pages.components.poster import poster_script
from pages.components.services import page_services
from pages.components.state import KEPT, LIBRARY_TABS, LibraryTab, state
from pages.components.wording import megabytes, say

TABS: Mapping[LibraryTab, Callable[[Services], None]] = {
    "videos": library_list,
    "trends": trends_tab,
    "own": own_list,
    "ads": ads_tab,
    "trash": trash_list,
    "carry": carry_panel,
}

set_page(say("library.title"))
services = page_services(say("library.title"), Action.MANAGE)


def is_empty() -> bool:
    with part(show=show_nothing):  # the list asks the same service, and says what is wrong with it
        return not services.index.count().videos and not services.library.trash.videos()
    return False


@part("storage")
def show_storage() -> None:
    """Say what the library takes, what is free, and what is on its way."""
    storage, videos = services.library.listing.storage(), services.index.count().videos
    said = [say("badge.videos", n=videos), say("library.used", size=megabytes(storage.used_bytes))]
    if storage.free_bytes is not None:
        said.append(say("library.free", size=megabytes(storage.free_bytes)))
    working = sum(not job.stage.is_over for job in services.jobs.jobs())
    if working:
        said.append(say("library.working", n=working))
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="library-storage"):
        st.caption(" · ".join(said), width="content")
        if working and st.button(say("library.watch"), type="tertiary", key="watch-work"):
            st.switch_page("pages/ingest.py")


def show_tabs() -> None:
    state.library_tab = state.library_tab or LIBRARY_TABS[0]
    st.segmented_control(
        say("library.tabs"),
        LIBRARY_TABS,
        format_func=lambda tab: say(f"library.tab.{tab}"),
        key="library_tab",
        required=True,
        label_visibility="collapsed",
        persist_state=KEPT,
    )
    with place_of(state.library_tab, LIBRARY_TABS):
        TABS[state.library_tab](services)


heading(say("library.title"), say("library.subtitle"), services)
damage_notice(services)
if is_empty():
    show_empty_library(services)
    import_box(services)
    st.stop()
fragment(show_storage, every_s=5.0)()
with place("undo"):
    undo_bar(services)
with place_of("one" if state.managed else "all", ("one", "all")):
    if state.managed:
        library_video(services)
    else:
        show_tabs()
poster_script()
