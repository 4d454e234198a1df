"""One video of the library: it plays, and can be renamed, tagged and deleted."""

from __future__ import annotations

from html import escape

import streamlit as st

from core.library.listing import Row
from core.services import Services
from pages.components.boundary import part, safely
from pages.components.library_labels import correct_labels
from pages.components.library_trash import delete_videos
from pages.components.library_why import jobs, reasons
from pages.components.services import file_url
from pages.components.state import state
from pages.components.video_card import most_like, player, seen_word
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
                with st.container(horizontal=True, vertical_alignment="center", key="library-ways"):
                    _ways_on(services, row)
                    reasons(services, row)
                    jobs(services, row)
                most_like(services, row.entry.video_id, "own", on_open=_open)
            with st.container(key="library-edit"):
                _edit_form(services, row)
                correct_labels(services, row)
                _facts(row)
                _delete(services, row)


def _edit_form(services: Services, row: Row) -> None:
    entry = row.entry
    with st.form(f"edit-{entry.video_id}", border=True):
        title = st.text_input(say("edit.title"), entry.title, key=f"title-{entry.video_id}")
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
    """Draw the ways to take it away, whole or a moment of it, and to what is like it in Discover."""
    entry = row.entry
    if address := file_url(entry.video_id):
        _take(say("take.whole"), address)
        with st.popover(say("take.moment"), icon=":material/content_cut:"):
            most = max(entry.duration_s, 1.0)
            start = st.number_input(say("take.from"), 0.0, most, 0.0, 0.5, key=f"from-{entry.video_id}")
            end = st.number_input(say("take.to"), 0.0, most, min(most, 10.0), 0.5, key=f"to-{entry.video_id}")
            if start < end:
                _take(say("take.cut", start=clock(start), end=clock(end)), file_url(entry.video_id, start, end) or "")
                st.caption(say("take.how"))
            else:
                st.caption(say("take.wrong"))
    if st.button(say("more"), icon=":material/explore:", key="library-like"):
        like = row.entry.video_id
        state.managed = ""
        st.switch_page("pages/discover.py", query_params={"like": like})


def _take(label: str, address: str) -> None:
    """Draw a link that saves a file: nothing of it goes through Streamlit, which would hold it in memory."""
    st.html(f'<a class="reel-take" download href="{escape(address)}">{escape(label)}</a>', width="content")


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


def _open(video_id: str) -> None:
    state.managed = video_id


def _leave() -> None:
    state.managed = ""
