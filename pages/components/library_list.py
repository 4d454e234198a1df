"""The videos of the library as a grid or a table: searched, filtered, ordered, a page at a time, and selected."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape

import streamlit as st

from core.discover.taxonomy import Kind, Theme
from core.library.listing import ARRANGED, Asked, Page, Row, categories_of, moods_of
from core.properties import PROPERTIES
from core.services import Services
from pages.components.ask import theme_name
from pages.components.boundary import part, safely
from pages.components.doors import page_url
from pages.components.library_trash import delete_videos
from pages.components.state import KEPT, LIBRARY_VIEWS, pressed, state
from pages.components.wording import clock, day, language_word, megabytes, plain, say

PER_PAGE = {"grid": 24, "table": 50}
BADGES = 3
"""Labels on a card; all of them are on the page of the video."""
_ICONS = {"grid": ":material/grid_view:", "table": ":material/table_rows:"}


@part("list")
def library_list(services: Services) -> None:
    """Draw the ways to find videos, those that were found, and what can be done with the selected ones."""
    state.library_view = state.library_view or LIBRARY_VIEWS[0]
    _controls(services)
    size = PER_PAGE[state.library_view]
    asked = _asked(services, size)
    page = services.library.listing.page(asked)
    if page.total and not page.rows:  # the last page lost its last video
        state.library_turn += 1
        page = services.library.listing.page(_asked(services, size))
    _selection_bar(services, page)
    if not page.total:
        with st.container(border=True, key="library-nothing"):
            st.text(say("library.nothing"))
        return
    if state.library_view == "table":
        _table(services, page)
    else:
        _grid(services, page)
    pages = -(-page.total // size)
    if pages > 1:
        with st.container(horizontal=True, horizontal_alignment="center"):
            st.pagination(pages, key=_pages_key(), persist_state=KEPT)


def _controls(services: Services) -> None:
    with st.container(horizontal=True, vertical_alignment="center", key="library-find"):
        st.text_input(
            say("library.name"),
            key="library-name",
            placeholder=say("library.name.example"),
            icon=":material/search:",
            on_change=safely(_begin_anew),
            label_visibility="collapsed",
            persist_state=KEPT,
        )
        st.selectbox(
            say("tune.order"),
            ARRANGED,
            format_func=lambda one: say(f"arrange.{one}"),
            key="library-arrange",
            on_change=safely(_begin_anew),
            label_visibility="collapsed",
            width=190,
            persist_state=KEPT,
        )
        with st.popover(say("tune"), icon=":material/tune:", key="library-filters"):
            _filters(services)
        st.segmented_control(
            say("view"),
            LIBRARY_VIEWS,
            format_func=lambda view: f"{_ICONS[view]} {say(f'library.view.{view}')}",
            key="library_view",
            required=True,
            on_change=safely(_begin_anew),
            label_visibility="collapsed",
            width="content",
            persist_state=KEPT,
        )


def _filters(services: Services) -> None:
    counts = services.library.listing.counts()
    kinds: Sequence[Kind] = ("category", "mood")
    for kind in kinds:
        asked = _labels_asked(services, kind)
        themes = {one.id: one for one in services.taxonomy.themes(kind) if counts[kind].get(one.id) or one.id in asked}
        if themes:
            _choose(say(f"ask.{kind}"), f"library-{kind}", list(themes), partial(_counted, kind, themes, counts[kind]))
    for row in PROPERTIES.values():
        if row.options:
            _choose(say(row.name), f"library-{row.name}", row.options, partial(_value, row.name))


def _value(name: str, value: str) -> str:
    return say(f"{name}.{value}")


def _counted(kind: Kind, themes: Mapping[str, Theme], counts: Mapping[str, int], id_: str) -> str:
    return f"{plain(theme_name(kind, themes[id_]))} · {counts.get(id_, 0)}"


def _choose(label: str, key: str, options: Sequence[str], text: Callable[[str], str]) -> None:
    st.pills(
        label,
        options,
        selection_mode="multi",
        format_func=text,
        key=key,
        on_change=safely(_begin_anew),
        persist_state=KEPT,
    )


def _asked(services: Services, size: int) -> Asked:
    return Asked(
        name=pressed("library-name") or "",
        categories=_labels_asked(services, "category"),
        moods=_labels_asked(services, "mood"),
        filters={name: tuple(chosen) for name in PROPERTIES if (chosen := pressed(f"library-{name}"))},
        arrange=pressed("library-arrange") or ARRANGED[0],
        limit=size,
        offset=((pressed(_pages_key()) or 1) - 1) * size,
    )


def _labels_asked(services: Services, kind: Kind) -> tuple[str, ...]:
    """Return the categories or moods that are pressed, and are still there."""
    known = {theme.id for theme in services.taxonomy.themes(kind)}
    return tuple(id_ for id_ in pressed(f"library-{kind}") or () if id_ in known)


def _pages_key() -> str:
    return f"library-page-{state.library_turn}"


def _begin_anew() -> None:
    """Show the first page: what is on it has changed."""
    state.library_turn += 1


def _selection_bar(services: Services, page: Page) -> None:
    """Say how many there are, or how many are selected and what can be done with them."""
    picked = state.picked
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="library-bar"):
        if not picked:
            st.caption(say("library.found", n=page.total), width="content")
        else:
            st.markdown(f"**{say('library.picked', n=len(picked))}**", width="content")
            st.button(
                say("library.delete"),
                icon=":material/delete:",
                type="primary",
                key="delete-picked",
                on_click=safely(delete_videos, "list"),
                args=[services, list(picked)],
            )
            st.button(say("library.pick.none"), key="pick-none", on_click=safely(_pick), args=[[]])
        ids = [row.entry.video_id for row in page.rows]
        if ids and not set(ids) <= set(picked):
            every = [*picked, *(id_ for id_ in ids if id_ not in picked)]
            st.button(say("library.pick.all"), type="tertiary", key="pick-all", on_click=safely(_pick), args=[every])


def _pick(video_ids: list[str]) -> None:
    """Select these and no others; boxes and rows are drawn anew with that."""
    state.picked = video_ids
    state.pick_turn += 1


def _toggle(video_id: str) -> None:
    picked = state.picked
    state.picked = [one for one in picked if one != video_id] if video_id in picked else [*picked, video_id]


def _grid(services: Services, page: Page) -> None:
    with st.grid(4, min_column_width=160, key="library-grid"):
        for row in page.rows:
            _card(services, row)


def _card(services: Services, row: Row) -> None:
    entry = row.entry
    with st.container(gap="xsmall", key=f"have-{entry.video_id}"), part():
        picture = ""
        if entry.poster_key:
            address = escape(page_url(services.store.url(entry.poster_key)))
            picture = f'<img class="reel-poster" loading="lazy" alt="" src="{address}">'
        with st.container(gap=None, key=f"poster-{entry.video_id}"):  # its place is kept until the picture is drawn
            st.html(
                f'<div class="reel">{picture}<div class="reel-facts"><span>{clock(entry.duration_s)}</span></div></div>'
            )
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key=f"line-{entry.video_id}"):
            st.checkbox(
                say("library.pick", title=plain(entry.title)),
                value=entry.video_id in state.picked,
                key=f"pick-{state.pick_turn}-{entry.video_id}",
                on_change=safely(_toggle),
                args=[entry.video_id],
                label_visibility="collapsed",
                width="content",
            )
            st.button(
                plain(entry.title),
                type="tertiary",
                key=f"open-{entry.video_id}",
                on_click=safely(_open),
                args=[entry.video_id],
            )
        st.caption(_facts(row))
        labels = _labels(services, row)
        if labels:
            with st.container(horizontal=True, gap="xsmall"):
                for label in labels[:BADGES]:
                    st.badge(plain(label), color="violet")


def _facts(row: Row) -> str:
    size = [] if row.size_bytes is None else [megabytes(row.size_bytes)]
    return " · ".join([*size, day(row.entry.ingested_at)])


def _labels(services: Services, row: Row) -> list[str]:
    """Return the categories and moods of a video as people read them."""
    return [*_named(services, "category", categories_of(row.entry)), *_named(services, "mood", moods_of(row.entry))]


def _named(services: Services, kind: Kind, ids: Sequence[str]) -> list[str]:
    return [theme_name(kind, theme) for theme in services.taxonomy.themes(kind) if theme.id in ids]


def _table(services: Services, page: Page) -> None:
    """Draw a table whose rows can be selected; what is selected on other pages stays."""
    ids = [row.entry.video_id for row in page.rows]
    key = f"library-table-{state.pick_turn}-{state.library_turn}-{pressed(_pages_key()) or 1}"
    chosen = [number for number, id_ in enumerate(ids) if id_ in state.picked]
    config = st.column_config
    st.dataframe(
        [_cells(services, row) for row in page.rows],
        hide_index=True,
        row_height=44,
        height="content",
        key=key,
        on_select=safely(_take_rows),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": chosen, "columns": [], "cells": []}},
        column_config={
            "poster": config.ImageColumn("", width=72),
            "title": config.TextColumn(say("library.column.title"), width="medium", pinned=True),
            "length": config.TextColumn(say("library.column.length"), width=70),
            "size": config.TextColumn(say("library.column.size"), width=80),
            "added": config.TextColumn(say("library.column.added"), width=100),
            "categories": config.ListColumn(say("ask.category")),
            "moods": config.ListColumn(say("ask.mood")),
            "encoder": config.TextColumn(say("badge.encoder")),
            "language": config.TextColumn(say("language")),
        },
    )
    state.table_rows = {key: ids}
    if len(chosen) == 1 and len(state.picked) == 1:
        title = plain(page.rows[chosen[0]].entry.title)
        st.button(say("library.open", title=title), key="open-picked", on_click=safely(_open), args=[state.picked[0]])


def _take_rows() -> None:
    """Take over which rows of the table on the screen are selected."""
    for key, ids in state.table_rows.items():
        rows = pressed(key)["selection"]["rows"]
        others = [one for one in state.picked if one not in ids]
        state.picked = [*others, *(ids[number] for number in rows if number < len(ids))]


def _cells(services: Services, row: Row) -> dict[str, object]:
    entry = row.entry
    poster = services.store.url(entry.poster_key) if entry.poster_key else None
    return {
        "poster": poster and page_url(poster),
        "title": entry.title,
        "length": clock(entry.duration_s),
        "size": "" if row.size_bytes is None else megabytes(row.size_bytes),
        "added": day(entry.ingested_at),
        "categories": _named(services, "category", categories_of(entry)),
        "moods": _named(services, "mood", moods_of(entry)),
        "encoder": entry.encoder,
        "language": ", ".join(map(language_word, entry.subtitle_languages)),
    }


def _open(video_id: str) -> None:
    state.managed = video_id
