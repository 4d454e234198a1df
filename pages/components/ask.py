"""The ways to ask: words, categories, moods, a picture, and the fine tuning; all of it in the page's address."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import get_args

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.access.roles import Action
from core.discover.taxonomy import Kind, Theme
from core.errors import AppError
from core.models import Facets, Query, Results, Sort
from core.properties import PROPERTIES, Property
from core.services import Services
from core.state.taste import Marks, profile_name
from pages.components.boundary import part, safely, show_error, show_line
from pages.components.chrome import badge
from pages.components.extras import keep_menu
from pages.components.services import shared_services
from pages.components.state import ANY, FILTERS, ME, PageState, Part, Row, pressed, state
from pages.components.undo import offer_undo
from pages.components.uploads import uploaded
from pages.components.who import may, person, why_not
from pages.components.wording import language_word, named, plain, say, tell

PICTURES = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "avif"]
NAMES_OF_VALUES: Mapping[str, Callable[[str], str]] = {"language": language_word}
"""What names the values of a property with an open vocabulary; without it they are shown as they are."""


def asked(limit: int, taste_of: str | None) -> Query:
    """Return the query that the page's state asks, ranked for this person's taste if there is one."""
    return Query(
        text=state.q.strip(),
        categories=tuple(state.category),
        moods=tuple(state.moods),
        strength=state.strength,
        like=state.like or None,
        like_at_s=state.at_s,
        among=tuple(state.among),
        picture=state.picture,
        profile=taste_of,
        hide_seen=state.unseen,
        variety=state.variety,
        filters=state.filters,
        sort=state.sort,
        limit=limit,
        offset=state.start,
    )


def described(query: Query, services: Services) -> str:
    """Return in words what was asked for."""
    words = [theme_name("category", services.taxonomy.category(name)) for name in query.categories]
    words += [theme_name("mood", services.taxonomy.mood(name)).lower() for name in query.moods]
    words += [say("found.words", words=query.text)] if query.text else []
    words += [say("found.among", n=len(query.among))] if query.among else []
    words += [say("found.like")] if query.like and not query.among else []
    words += [say("found.picture")] if query.picture is not None else []
    return " · ".join(words) or say("found.taste")


def nothing_found(query: Query, results: Results, services: Services) -> None:
    """Say that nothing answers, why that may be, and what to ask instead."""
    with st.container(border=True, key="nothing"):
        st.header(f":material/search_off: {say('nothing.title')}", anchor=False)
        st.text(say("nothing.text", asked=described(query, services)))
        if query.filters and any(any(counts.values()) for counts in results.facets.values()):
            st.caption(say("nothing.filters"))
            # Here and not under Filters alone: the feed has none.
            st.button(
                say("nothing.filters.off"),
                icon=":material/filter_list_off:",
                key="filters-off",
                on_click=safely(state.reset),
                args=[Part.FILTERS],
            )
        if query.text:
            st.caption(say("nothing.words"))
        if results.alternatives:
            st.caption(say("nothing.instead"))
            with st.container(horizontal=True, gap="xsmall"):
                for id_ in results.alternatives:
                    label = plain(theme_name("category", services.taxonomy.category(id_)))
                    st.button(label, key=f"instead-{id_}", on_click=safely(show_category), args=[id_])


def theme_name(kind: Kind, theme: Theme) -> str:
    """Return what a category or mood is called; one that a person added is called as they typed it."""
    return theme.label if theme.own else named(kind, theme.id, theme.label)


def profile() -> str:
    """Return whose taste counts: that of who is signed in, else a name that was typed.

    A name that cannot be one does not count; its field says why.
    """
    if (known := person()) is not None:
        return known
    try:
        return profile_name(state.who)
    except AppError:
        return ME


def taste(services: Services) -> tuple[str | None, Marks]:
    """Return whose taste ranks, and the marks; nobody's where they cannot be read, which is said here."""
    with part("taste"):
        return profile(), services.taste.marks(profile())
    return None, Marks()


def words_box(services: Services) -> DeltaGenerator:
    """Draw the search in words and by a picture; return where the tuning goes, once the results have been counted."""
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall", key="words"):
        st.text_input(
            say("ask.words"),
            key=PageState.q.name,
            placeholder=say("ask.words.example"),
            icon=":material/search:",
            label_visibility="collapsed",
        )
        if services.encoder.info.images:
            with st.popover(
                say("ask.picture"),
                icon=":material/image_search:",
                help=say("ask.picture.help"),
                key=f"picture-menu-{state.menus_used}",
            ):
                _picture_box()
        keep_menu(services)
        return st.popover(say("tune"), icon=":material/filter_list:", help=say("tune.help"))


def category_pills(services: Services) -> None:
    """Draw on one line the categories that find something, with how many videos, most first, and all of a person's own;
    a press opens all."""
    counts: Mapping[str, int] | None = None
    with part(show=show_line):
        counts = services.discover.counts(state.filters, profile() if state.unseen else None)
    themes = {theme.id: theme for theme in services.taxonomy.categories}
    ids = list(themes)
    if counts is not None:
        known = counts
        ids.sort(key=lambda id_: -known.get(id_, 1))
        if any(known.values()) and not state.all_categories:
            ids = [id_ for id_ in ids if known.get(id_, 1) or id_ in state.category or themes[id_].own]
    open_ = "all" if state.all_categories else "line"
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small", key=f"categories-{open_}"):
        _pills(say("ask.category"), PageState.category, ids, lambda id_: _counted(themes[id_], counts))
        st.button(
            say("ask.category.less" if state.all_categories else "ask.category.more"),
            icon=":material/expand_less:" if state.all_categories else ":material/expand_more:",
            key="more-categories",
            type="tertiary",
            on_click=safely(_toggle_categories),
        )


def _toggle_categories() -> None:
    state.all_categories = not state.all_categories


def mood_pills(services: Services) -> None:
    """Draw the moods on one line, and at its end how strong they are beside what else is asked."""
    moods = {theme.id: theme for theme in services.taxonomy.moods}

    def text(id_: str) -> str:
        return _labelled("mood", moods[id_]) if id_ in moods else say("ask.mood.any")

    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="small", key="moods"):
        _pills(say("ask.mood"), PageState.mood, [ANY, *moods], text)
        others = state.category or state.q.strip() or state.like
        if state.view != "feed" and state.moods and others:
            with st.popover(say("ask.strength.now", share=state.strength), icon=":material/tune:", key="strength-menu"):
                st.slider(
                    say("ask.strength"),
                    0.0,
                    1.0,
                    step=0.05,
                    key=PageState.strength.name,
                    format="percent",
                    help=say("ask.strength.help"),
                )
        if state.view != "feed":
            badge(services)


def has_chips() -> bool:
    """Tell whether anything is asked for beside words, category and mood."""
    return bool(state.like) or state.picture is not None


def chips() -> None:
    """Draw what is asked for beside words, category and mood, each with a way to drop it."""
    if not has_chips():
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="chips"):
        if state.like:
            text = say("chip.moment" if state.at else "chip.video")
            if state.among:
                text = say("chip.among", n=len(state.among))
            st.button(
                text, icon=":material/close:", on_click=safely(_drop_like), help=say("chip.drop"), key="drop-like"
            )
        if state.picture is not None:
            st.image(state.picture, width=96)
            st.button(
                say("chip.picture"),
                icon=":material/close:",
                on_click=safely(_drop_picture),
                help=say("chip.drop"),
                key="drop-picture",
            )
    if state.of_map and not state.among:
        st.caption(say("chip.among.gone", n=state.of_map))


def show_like(video_id: str, at_s: float | None = None) -> None:
    """Ask for more like a video, or like a moment of it."""
    state.ask(like=video_id, at="" if at_s is None else f"{at_s:.2f}")


def show_among(video_ids: Sequence[str]) -> None:
    """Ask for these videos, the first of which is the most typical."""
    state.ask(like=video_ids[0], among=list(video_ids), of_map=len(video_ids))


def show_category(id_: str) -> None:
    """Ask for one category."""
    state.ask(category=[id_])


def show_picture(rgb: np.ndarray) -> None:
    """Ask for videos that look like a picture."""
    state.ask(picture=rgb)


def tuning(services: Services, facets: Facets | None) -> None:
    """Draw variety, order, filters with what they would leave (once something was found), and whose taste counts."""
    st.slider(say("tune.variety"), 0.0, 1.0, step=0.1, key=PageState.variety.name, format="percent")
    st.selectbox(
        say("tune.order"), get_args(Sort), format_func=lambda sort: say(f"sort.{sort}"), key=PageState.sort.name
    )
    for row in PROPERTIES.values():
        _property_pills(row, facets[row.name] if facets else {})
    _whose_taste(services)
    st.checkbox(say("tune.unseen"), key=PageState.unseen.name)
    st.toggle(say("tune.mix"), key=PageState.mix.name, persist_state="session")


def _whose_taste(services: Services) -> None:
    """Draw whose taste counts, and the way to forget it."""
    if (known := person()) is not None:
        st.caption(say("tune.who"))
        st.text(say("tune.who.yours", name=known))
    else:
        _typed_name()
    with part("forget"):
        st.button(
            say("tune.forget"),
            icon=":material/restart_alt:",
            on_click=safely(_forget, "forget"),
            args=[services, profile()],
        )


def _forget(services: Services, name: str) -> None:
    if forgotten := services.taste.reset(name):
        offer_undo(say("tune.forgotten", name=name), partial(services.taste.take, forgotten))


def _typed_name() -> None:
    """Draw the field for the name whose taste counts, and what is wrong with it."""
    st.text_input(say("tune.who"), key=PageState.who.name, placeholder=ME, help=say("tune.who.help"))
    if state.who.strip():
        try:
            profile_name(state.who)
        except AppError as error:
            show_error(say("tune.who.instead", problem=tell(error.sentence), name=ME))


def _property_pills(row: Property, counts: Mapping[str, int]) -> None:
    """Draw the values of a property with what each would leave: all there are, or of an open vocabulary those that
    occur and those that are asked for, so that they can be dropped."""

    def text(value: str) -> str:
        name = say(f"{row.name}.{value}") if row.options else NAMES_OF_VALUES.get(row.name, str)(value)
        return plain(name) + (f" · {counts[value]}" if value in counts else "")

    values = row.options or tuple(dict.fromkeys([*counts, *FILTERS[row.name].value]))
    if values:
        st.pills(say(row.name), values, selection_mode="multi", format_func=text, key=row.name)


def _picture_box() -> None:
    with part("picture"):
        if not may(Action.ADD):  # an upload is one, whatever is in it
            st.text(why_not(Action.ADD))
            st.caption(say("ask.picture.instead"))
            return
        key = f"picture-{state.picture_turn}"
        st.file_uploader(
            say("ask.picture.drop"), type=PICTURES, key=key, on_change=safely(_take_picture, "picture"), args=[key]
        )


def _take_picture(key: str) -> None:
    from core.discover.pictures import decode_image

    file = pressed(key)
    if file is not None:
        state.picture_turn += 1  # the uploader is empty again, whatever comes of the file
        with uploaded(shared_services(), file) as stream:
            show_picture(decode_image(stream))


def _drop_picture() -> None:
    state.picture = None


def _drop_like() -> None:
    state.like = state.at = ""
    state.among, state.of_map = [], 0


def _pills(label: str, row: Row[list[str]], options: Collection[str], text: Callable[[str], str]) -> None:
    st.pills(
        label,
        list(options),
        selection_mode="multi",
        format_func=text,
        key=row.name,
        on_change=safely(_keep_newest),
        args=[row, list(row.value)],
        label_visibility="collapsed",
    )


def _keep_newest(row: Row[list[str]], before: Sequence[str]) -> None:
    """Let a press replace what was pressed before, unless several are mixed; "any" goes with nothing else."""
    now = list(row.value)
    new = [one for one in now if one not in before]
    if new and (not state.mix or ANY in new):
        now = new[-1:]
    elif new:
        now = [one for one in now if one != ANY]
    row.value = now or list(row.default)


def _labelled(kind: Kind, theme: Theme) -> str:
    return f":material/{theme.icon}: {plain(theme_name(kind, theme))}"


def _counted(theme: Theme, counts: Mapping[str, int] | None) -> str:
    """Return a category's label with its count, faded at none; as it is where it could not be counted."""
    label = _labelled("category", theme)
    if counts is None or theme.id not in counts:
        return label
    count = counts[theme.id]
    return f"{label} · {count}" if count else f":gray[{label}]"
