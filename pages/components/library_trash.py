"""Deleting with a way back: at once where it was pressed, and for a day in the trash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from core.services import Services
from core.state.trash import Trashed
from pages.components.boundary import part, safely
from pages.components.state import state
from pages.components.telling import tell
from pages.components.wording import clock, hours, plain, say

SHOWN = 100


def delete_videos(services: Services, video_ids: Sequence[str]) -> None:
    """Delete videos and offer to undo it. For callbacks."""
    deleted = services.library.trash.delete(video_ids)
    state.undoable = [video.video_id for video in deleted]
    state.picked = [one for one in state.picked if one not in video_ids]
    state.pick_turn += 1
    state.managed = ""
    st.toast(say("library.deleted", n=len(deleted)), icon=":material/delete:")


@part("undo")
def undo_bar(services: Services) -> None:
    """Offer to have back what was deleted last, as long as it is in the trash."""
    ids = set(state.undoable)
    there = [video for video in services.library.trash.videos() if video.video_id in ids] if ids else []
    if not there:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="undo"):
        what = plain(there[0].title) if len(there) == 1 else say("badge.videos", n=len(there))
        st.markdown(f":material/delete: {say('library.undo.what', what=what)}")
        st.button(
            say("library.undo"),
            icon=":material/undo:",
            key="undo-delete",
            on_click=safely(_restore, "undo"),
            args=[services, [video.video_id for video in there]],
        )
        st.button(say("library.undo.hide"), type="tertiary", key="undo-hide", on_click=safely(_hide))


@part("trash")
def trash_list(services: Services) -> None:
    """Draw what was deleted, when it goes for good, and the two ways out."""
    trash = services.library.trash
    returning, held, videos = trash.returning(), trash.held(), trash.videos()
    if returning:
        st.info(say("trash.returning", n=len(returning)), icon=":material/hourglass_top:")
    for video, why in held[:SHOWN]:
        _held_row(services, video, why)
    if not videos:
        if not held:
            with st.container(border=True, key="trash-empty"):
                st.text(say("trash.empty"))
        return
    with st.container(horizontal=True, vertical_alignment="center", key="trash-bar"):
        st.caption(say("trash.says", n=len(videos)), width="content")
        ids = [video.video_id for video in videos]
        st.button(say("trash.restore.all"), key="restore-all", on_click=safely(_restore, "trash"), args=[services, ids])
        with st.popover(say("trash.purge.all"), icon=":material/delete_forever:", key="purge-all-menu"):
            st.text(say("trash.purge.means", n=len(videos)))
            st.button(
                say("trash.purge.sure"),
                type="primary",
                key="purge-all",
                on_click=safely(_purge, "trash"),
                args=[services, ids],
            )
    for video in videos[:SHOWN]:
        _row(services, video)
    if len(videos) > SHOWN:
        st.caption(say("trash.more", n=len(videos) - SHOWN))


def _held_row(services: Services, video: Trashed, why: str | None) -> None:
    """Draw a video that was to come back and did not: it stays until somebody says what is to become of it."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"trashed-held-{video.video_id}"):
        caption = plain(say("trash.held.why", why=tell(why)) if why else say("trash.held"))
        _which(services, video, caption, key=f"title-trashed-held-{video.video_id}")
        st.button(
            say("trash.held.again"),
            icon=":material/restart_alt:",
            key=f"restore-{video.video_id}",
            on_click=safely(services.library.trash.restore, "trash"),
            args=[[video.video_id]],
        )
        st.button(
            say("trash.held.delete"),
            type="tertiary",
            key=f"delete-held-{video.video_id}",
            on_click=safely(delete_videos, "trash"),
            args=[services, [video.video_id]],
        )


def _which(services: Services, video: Trashed, caption: str, key: str) -> None:
    """Draw which video a row is about: its picture, its title and what is said of it."""
    if video.poster_key:
        st.image(services.store.url(video.poster_key), width=96, alt="")
    with st.container(gap=None, key=key):
        st.text(video.title)
        st.caption(caption)


def _row(services: Services, video: Trashed) -> None:
    left = services.library.trash.goes_at(video) - datetime.now(UTC)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key=f"trashed-{video.video_id}"):
        caption = f"{clock(video.duration_s)} · {say('trash.left', time=hours(left.total_seconds()))}"
        _which(services, video, caption, key=f"title-trashed-{video.video_id}")
        st.button(
            say("trash.restore"),
            icon=":material/restore_from_trash:",
            key=f"restore-{video.video_id}",
            on_click=safely(_restore, "trash"),
            args=[services, [video.video_id]],
        )
        st.button(
            say("trash.purge"),
            type="tertiary",
            key=f"purge-{video.video_id}",
            on_click=safely(_purge, "trash"),
            args=[services, [video.video_id]],
        )


def _restore(services: Services, video_ids: Sequence[str]) -> None:
    back = services.library.trash.restore(video_ids)
    _hide()
    st.toast(say("library.restored", n=back), icon=":material/undo:")


def _purge(services: Services, video_ids: Sequence[str]) -> None:
    removed = services.library.trash.purge(video_ids)
    st.toast(say("trash.purged", n=removed.videos), icon=":material/delete_forever:")


def _hide() -> None:
    state.undoable = []
