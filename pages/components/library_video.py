"""One video of the library: it plays, and can be renamed, tagged and deleted."""

from __future__ import annotations

import streamlit as st

from core.library.listing import Row
from core.services import Services
from pages.components.boundary import part, safely
from pages.components.library_trash import delete_videos
from pages.components.state import state
from pages.components.video_card import player, seen_word
from pages.components.wording import clock, day, language_word, megabytes, plain, say


def library_video(services: Services) -> None:
    """Draw the video that was opened, and the way back to the list."""
    back = safely(_leave)
    st.button(say("library.back"), icon=":material/arrow_back:", type="tertiary", key="library-back", on_click=back)
    with part("video"):
        row = services.library.listing.show(state.managed)
        if row is None:
            st.text(say("watch.gone"))
            return
        with st.container(horizontal=True, key="library-video"):
            with st.container(key="library-player"):
                if (hit := services.discover.show(row.entry.video_id)) is not None:
                    player(hit, services, 0, f"own-{row.entry.video_id}")
                _ways_on(services, row)
            with st.container(key="library-edit"):
                _edit_form(services, row)
                _facts(row)
                _delete(services, row)


def _edit_form(services: Services, row: Row) -> None:
    entry = row.entry
    with st.form(f"edit-{entry.video_id}", border=True):
        title = st.text_input(say("edit.title"), entry.title, max_chars=120, key=f"title-{entry.video_id}")
        tags = st.text_input(
            say("edit.tags"), ", ".join(row.tags), placeholder=say("edit.tags.example"), key=f"tags-{entry.video_id}"
        )
        if st.form_submit_button(say("edit.save"), type="primary"):
            with part():
                services.library.editor.edit(entry.video_id, title=title, tags=[tags])
                st.toast(say("edit.saved"), icon=":material/check:")


def _delete(services: Services, row: Row) -> None:
    st.button(
        say("library.delete"),
        icon=":material/delete:",
        key="delete-open",
        on_click=safely(delete_videos, "video"),
        args=[services, [row.entry.video_id]],
    )


def _ways_on(services: Services, row: Row) -> None:
    """Draw the way to what is like it, in Discover."""
    if st.button(say("more"), icon=":material/explore:", key="library-like"):
        like = row.entry.video_id
        state.managed = ""
        st.switch_page("pages/discover.py", query_params={"like": like})


def _facts(row: Row) -> None:
    entry = row.entry
    facts = {
        "library.fact.file": entry.filename,
        "library.column.length": clock(entry.duration_s),
        "library.fact.picture": f"{entry.width_px} × {entry.height_px}",
        "library.column.size": "" if row.size_bytes is None else megabytes(row.size_bytes),
        "library.column.added": day(entry.ingested_at),
        "badge.encoder": entry.encoder,
        "language": ", ".join(map(language_word, entry.subtitle_languages)),
        "library.fact.seen": ", ".join(map(seen_word, entry.seen)),
    }
    lines = [f"| {say(name)} | {plain(value)} |" for name, value in facts.items() if value]
    with st.container(key="library-facts"):
        st.markdown("\n".join(["| | |", "|-|-|", *lines]))


def _leave() -> None:
    state.managed = ""
