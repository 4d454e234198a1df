"""Taking a library elsewhere, and taking one in: exports are written into, and found in, the folder that is set."""

from __future__ import annotations

import streamlit as st

from core.library.carrying import Found, Status
from core.services import Services
from pages.components.boundary import paced, part, safely
from pages.components.state import pressed, state
from pages.components.wording import day, megabytes, plain, say, tell

PLACE = "carry"
SHOWN = 20


def carry_panel(services: Services) -> None:
    """Draw what is under way or how it ended, else both ways. Runs again by itself while something is under way."""
    carrying = services.library.carrying
    paced(_panel, PLACE, lambda: _is_going(carrying.status()), idle_s=None)(services)


def import_box(services: Services) -> None:
    """Draw only the way in, for a library that is empty, where there is anything to take in."""
    status = services.library.carrying.status()
    if status is not None or services.library.carrying.found():
        carry_panel(services)


def _panel(services: Services) -> None:
    carrying = services.library.carrying
    status = carrying.status()
    if status is not None:
        with st.container(border=True, gap="xsmall", key="carry-status"):
            _show_status(services, status)
    if _is_going(status):
        return
    if services.index.count().videos:
        with st.container(border=True, gap="xsmall", key="carry-out"):
            _export_box(services)
    if found := carrying.found():
        with st.container(border=True, gap="xsmall", key="carry-in"):
            st.markdown(f"**{say('carry.in')}**")
            st.caption(say("carry.in.means"))
            for one in found[:SHOWN]:
                _row(services, one)


def _is_going(status: Status | None) -> bool:
    return status is not None and not status.over


def _export_box(services: Services) -> None:
    carrying = services.library.carrying
    st.markdown(f"**{say('carry.out')}**")
    st.caption(say("carry.out.means", folder=plain(str(carrying.folder))))
    with st.container(horizontal=True, vertical_alignment="bottom", key="carry-name-row"):
        st.text_input(say("carry.name"), say("carry.name.example"), key="carry-name")
        st.button(
            say("carry.export"),
            icon=":material/drive_file_move:",
            key="carry-export",
            on_click=safely(_start_export, PLACE),
            args=[services],
        )


def _row(services: Services, one: Found) -> None:
    manifest = one.manifest
    with st.container(horizontal=True, vertical_alignment="center", key=f"carry-{one.name}"):
        with st.container(gap=None, key=f"carry-text-{one.name}"):
            st.text(one.name)
            if manifest.complete:
                size = megabytes(manifest.size_bytes)
                st.caption(say("carry.holds", n=manifest.videos, size=size, day=day(manifest.made_at)))
            else:
                st.caption(f":orange[{say('carry.incomplete')}]")
        st.button(
            say("carry.import"),
            icon=":material/place_item:",
            key=f"carry-import-{one.name}",
            on_click=safely(_start_import, PLACE),
            args=[services, one.name],
            disabled=not manifest.complete,
        )


def _show_status(services: Services, status: Status) -> None:
    carrying = services.library.carrying
    name = plain(status.name)
    if not status.over:
        text = say("carry.exporting" if status.kind == "export" else "carry.importing", name=name)
        st.progress(status.fraction, text=text)
        st.button(say("job.cancel"), key="carry-cancel", on_click=safely(carrying.cancel, PLACE))
        return
    with part():
        _show_outcome(status, name)
    with st.container(horizontal=True, key="carry-over"):
        if status.cancelled or status.error:
            st.button(
                say("carry.again"),
                type="primary",
                key="carry-again",
                on_click=safely(carrying.start, PLACE),
                args=[status.kind, status.name],
            )
        st.button(say("library.undo.hide"), type="tertiary", key="carry-hide", on_click=safely(carrying.put_away))


def _show_outcome(status: Status, name: str) -> None:
    if status.error:
        st.markdown(f":material/error: **{say('carry.stopped')}**")
        st.text(tell(status.error))
    elif status.cancelled:
        st.markdown(f":material/pause_circle: {say('carry.cancelled')}")
    elif status.exported:
        size = megabytes(status.exported.size_bytes)
        st.markdown(f":material/check: {say('carry.exported', n=status.exported.videos, size=size, name=name)}")
    elif status.imported:
        came = status.imported
        st.markdown(f":material/check: {say('carry.imported', n=came.videos)}")
        if came.present:
            st.caption(say("carry.present", n=came.present))
        if came.restored:
            st.caption(say("carry.restored", n=came.restored))
    if status.problems:
        st.markdown(f":orange[:material/warning: {say('carry.problems', n=len(status.problems))}]")
        for problem in status.problems[:SHOWN]:
            st.text(tell(problem))
        if len(status.problems) > SHOWN:
            st.caption(say("trash.more", n=len(status.problems) - SHOWN))


def _start_export(services: Services) -> None:
    services.library.carrying.start("export", pressed("carry-name") or say("carry.name.example"))


def _start_import(services: Services, name: str) -> None:
    services.library.carrying.start("import", name)
    state.library_tab = "carry"  # of an empty library there was none: how it ends is said there
