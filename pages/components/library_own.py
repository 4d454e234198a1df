"""Own categories, moods and channels: rename, reword, reorder and delete them, with what that would do seen first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

import streamlit as st

from core.discover.taxonomy import Kind, Theme
from core.library.own_themes import Effect
from core.services import Services
from core.state.channels import Channel
from pages.components.ask import theme_name
from pages.components.boundary import PAGE, part, rerun, safely
from pages.components.extras import theme_form
from pages.components.state import state
from pages.components.undo import offer_undo, undo_offer
from pages.components.wording import plain, say

KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody is about to do to a category or mood; no words stand for its removal."""

    kind: Kind
    id: str
    words: tuple[str, tuple[str, ...]] | None
    effect: Effect | None
    """None until it was asked for."""


def own_list(services: Services) -> None:
    """Draw everything that people added of their own."""
    with st.container(key="own-list"):
        for kind in KINDS:
            with part(f"own-{kind}"):
                _themes(services, kind)
        with part("own-channels"):
            _channels(services)
    undo_offer()


def _themes(services: Services, kind: Kind) -> None:
    themes = services.taxonomy.themes(kind)
    own = [theme for theme in themes if theme.own]
    st.header(say(f"own.list.{kind}"), anchor=False)
    if not own:
        st.caption(say(f"own.none.{kind}"))
    for place, theme in enumerate(own):
        with st.container(border=True, gap="xsmall", key=f"own-row-{kind}-{theme.id}"):
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                with st.container(gap=None, key=f"own-words-{kind}-{theme.id}"):
                    st.markdown(f"**{plain(theme.label)}**")
                    st.caption(plain(say("list").join(theme.prompts)))
                _moves(f"{kind}-{theme.id}", place, len(own), partial(_move_theme, services, kind, own, place))
                _button("edit", f"{kind}-{theme.id}", _open, [Draft(kind, theme.id, None, None)], f"own-{kind}")
                _button("delete", f"{kind}-{theme.id}", _ask_removal, [services, kind, theme], f"own-{kind}")
            _editor(services, kind, theme)
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"own-more-{kind}"):
        with st.popover(say(f"own.new.{kind}"), icon=":material/add:", key=f"own-new-{kind}"):
            theme_form(services, kind)
        others = {theme.id: theme for theme in themes if not theme.own}
        chosen = st.selectbox(
            say(f"own.reword.{kind}"),
            list(others),
            index=None,
            placeholder="",
            width=320,
            format_func=lambda id_: theme_name(kind, others[id_]),
            key=f"own-shipped-{kind}-{state.own_turn}",
        )
        if chosen:
            _open(Draft(kind, chosen, None, None))
            rerun()
    draft = state.own_draft
    if draft is not None and draft.kind == kind and draft.id in others:
        with st.container(border=True, key=f"own-row-{kind}-{draft.id}"):
            _editor(services, kind, others[draft.id])


def _editor(services: Services, kind: Kind, theme: Theme) -> None:
    """Draw the form of the one that is being changed, and what the change would do once that was asked for."""
    draft = state.own_draft
    if draft is None or (draft.kind, draft.id) != (kind, theme.id):
        return
    removes = draft.words is None and draft.effect is not None
    if not removes:
        with st.form(f"own-edit-{kind}-{theme.id}", border=False):
            label = st.text_input(say("own.name"), theme.label, key=f"own-label-{kind}-{theme.id}")
            phrases = st.text_area(say("own.phrases"), "\n".join(theme.prompts), key=f"own-phrases-{kind}-{theme.id}")
            if st.form_submit_button(say("own.try"), icon=":material/preview:", key=f"own-try-{kind}-{theme.id}"):
                state.own_draft = draft = Draft(kind, theme.id, None, None)
                with part():
                    words = label, tuple(line.strip() for line in phrases.splitlines() if line.strip())
                    effect = services.own_themes.effect(kind, theme.id, words)
                    state.own_draft = draft = Draft(kind, theme.id, words, effect)
    if draft.effect is not None:
        _show_effect(services, draft, draft.effect, theme)
    with st.container(horizontal=True, gap="small", key=f"own-end-{kind}-{theme.id}"):
        if draft.effect is not None:
            st.button(
                say("own.delete" if removes else "own.save"),
                type="primary",
                key=f"own-do-{kind}-{theme.id}",
                on_click=safely(_do, f"own-{kind}"),
                args=[services, draft, theme],
            )
        st.button(say("own.cancel"), key=f"own-cancel-{kind}-{theme.id}", on_click=safely(_open), args=[None])


def _show_effect(services: Services, draft: Draft, effect: Effect, theme: Theme) -> None:
    """Say what a change would do: how many videos it finds now and then, which come and go, and what else changes."""
    lines = [say("own.effect" if draft.words else "own.effect.gone", before=effect.before, after=effect.after)]
    if effect.gained:
        lines.append(say("own.effect.gained", titles=plain(say("list").join(effect.gained))))
    if effect.lost:
        lines.append(say("own.effect.lost", titles=plain(say("list").join(effect.lost))))
    for other, before, after in effect.others:
        kind: Kind = "category" if other in services.taxonomy.categories else "mood"
        label = plain(theme_name(kind, other))
        lines.append(say("own.effect.other", name=label, before=before, after=after))
    asking = [one.name for one in services.channels.channels() if _asks(one, draft.kind, theme.id)]
    if asking:
        lines.append(say("own.effect.channels", names=plain(say("list").join(asking))))
    if not effect.is_all:
        lines.append(say("own.effect.some", looked_at=effect.looked_at, n=effect.videos))
    st.info("\n\n".join(lines), icon=":material/preview:")


def _asks(channel: Channel, kind: Kind, id_: str) -> bool:
    return any(key == kind and id_ in value.split(",") for key, value in channel.link)


def _channels(services: Services) -> None:
    channels = services.channels.channels()
    st.header(say("channels"), anchor=False)
    if not channels:
        st.caption(say("own.none.channels"))
    for place, channel in enumerate(channels):
        slug = channel.slug
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", gap="xsmall", key=f"own-row-channel-{slug}"
        ):
            with st.container(gap=None, key=f"own-words-channel-{slug}"):
                st.markdown(f"**{plain(channel.name)}**")
            _moves(f"channel-{slug}", place, len(channels), partial(_move_channel, services, channels, place))
            menu = st.popover(say("own.edit"), icon=":material/edit:", type="tertiary", key=f"own-edit-channel-{slug}")
            with menu, st.form(f"own-channel-{slug}", border=False), part():
                name = st.text_input(say("own.name"), channel.name, key=f"own-name-channel-{slug}")
                st.caption(say("own.channel.rename"))
                if st.form_submit_button(say("own.save"), key=f"own-rename-{slug}"):
                    services.channels.rename(slug, name)
                    undo = partial(services.channels.rename, slug, channel.name)
                    offer_undo(say("own.saved", name=name), undo)
                    rerun()
            _button("delete", f"channel-{slug}", _remove_channel, [services, channel], "own-channels")


def _moves(key: str, place: int, many: int, move: Callable[[int], None]) -> None:
    """Draw the two ways to another place in a list of so many."""
    if many > 1:
        _button("up", key, move, [-1], disabled=not place)
        _button("down", key, move, [1], disabled=place == many - 1)


ICONS = {"up": "arrow_upward", "down": "arrow_downward", "edit": "edit", "delete": "delete"}


def _button(
    what: str, key: str, press: Callable[..., None], args: list[Any], place: str = PAGE, disabled: bool = False
) -> None:
    st.button(
        say(f"own.{what}"),
        icon=f":material/{ICONS[what]}:",
        type="tertiary",
        key=f"own-{what}-{key}",
        on_click=safely(press, place),
        args=args,
        disabled=disabled,
    )


def _open(draft: Draft | None) -> None:
    state.own_draft = draft
    state.own_turn += 1


def _ask_removal(services: Services, kind: Kind, theme: Theme) -> None:
    _open(Draft(kind, theme.id, None, services.own_themes.effect(kind, theme.id, None)))


def _do(services: Services, draft: Draft, theme: Theme) -> None:
    own = services.own_themes
    if draft.words is None:
        offer_undo(say("own.removed", name=theme.label), own.remove(draft.kind, draft.id))
    else:
        undo = own.change(draft.kind, draft.id, *draft.words)
        offer_undo(say("own.saved", name=draft.words[0]), undo)
    _open(None)


def _moved(ids: Sequence[str], place: int, by: int) -> list[str]:
    order = list(ids)
    order.insert(place + by, order.pop(place))
    return order


def _move_theme(services: Services, kind: Kind, own: Sequence[Theme], place: int, by: int) -> None:
    undo = services.own_themes.arrange(kind, _moved([theme.id for theme in own], place, by))
    offer_undo(say("own.moved", name=own[place].label), undo)


def _move_channel(services: Services, channels: Sequence[Channel], place: int, by: int) -> None:
    before = [channel.slug for channel in channels]
    services.channels.arrange(_moved(before, place, by))
    offer_undo(say("own.moved", name=channels[place].name), partial(services.channels.arrange, before))


def _remove_channel(services: Services, channel: Channel) -> None:
    order = [one.slug for one in services.channels.channels()]
    services.channels.delete(channel.slug)
    offer_undo(say("channel.removed", name=channel.name), partial(services.channels.put_back, channel, order))
