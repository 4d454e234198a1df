"""What a video is, by category and mood: what the encoder says, and what a person says against it."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from core.discover.taxonomy import Kind, Theme
from core.library.listing import Row, categories_of, moods_of
from core.services import Services
from pages.components.ask import theme_name
from pages.components.boundary import part, rerun, safely
from pages.components.wording import plain, say


@part("correct")
def correct_labels(services: Services, row: Row) -> None:
    """Draw the labels of a video; pressed, one that is there goes, and what a person said is taken back."""
    kinds: tuple[Kind, ...] = get_args(Kind)
    with st.container(border=True, gap="xsmall", key="library-labels"):
        for kind in kinds:
            answers = categories_of(row.entry) if kind == "category" else moods_of(row.entry)
            said = services.library.corrections.of(row.entry.content_sha256, kind)
            themes = services.taxonomy.themes(kind)
            shown = [theme for theme in themes if theme.id in answers or theme.id in said]
            st.caption(say(f"ask.{kind}"))
            with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key=f"labels-{kind}"):
                for theme in shown:
                    _label(services, row, kind, theme, said.get(theme.id))
                _add(services, row, kind, [theme for theme in themes if theme not in shown])
        st.caption(say("correct.how"))


def _label(services: Services, row: Row, kind: Kind, theme: Theme, said: bool | None) -> None:
    name = plain(theme_name(kind, theme))
    yours = say("correct.yours" if said else "correct.yours.not", name=name)
    st.button(
        name if said is None else yours,
        icon=":material/close:" if said is None else ":material/undo:",
        help=say("correct.not", name=name) if said is None else say("correct.back", name=name),
        type="primary" if said else "secondary",
        key=f"label-{kind}-{theme.id}",
        on_click=safely(services.correct, "correct"),
        args=[row.entry.video_id, kind, theme.id, False if said is None else None],
    )


def _add(services: Services, row: Row, kind: Kind, themes: list[Theme]) -> None:
    names = {theme.id: plain(theme_name(kind, theme)) for theme in themes}
    chosen = st.menu_button(
        say("correct.add"),
        list(names),
        format_func=names.__getitem__,
        icon=":material/add:",
        type="tertiary",
        key=f"add-{kind}",
    )
    if chosen:
        services.correct(row.entry.video_id, kind, chosen, True)
        rerun()
