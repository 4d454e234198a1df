"""Channels (searches with a name and a link) and a person's own categories and moods."""

from __future__ import annotations

from functools import partial
from typing import get_args

import streamlit as st

from core.access.roles import Action
from core.discover.taxonomy import Kind, Theme
from core.names import identity
from core.services import Services
from core.state.channels import Channel
from pages.components.boundary import fragment, part, rerun, safely, show_nothing
from pages.components.reembed_panel import reembed_hint
from pages.components.state import Part, state
from pages.components.undo import offer_undo
from pages.components.who import may, why_not
from pages.components.wording import plain, say, tell

WORTH_SAYING = 200
"""Videos from which working out what they answer takes long enough to be spoken of."""


@part("channels")
def channel_bar(services: Services) -> None:
    """Draw the saved channels; pressing one plays it on by itself."""
    channels = services.channels.channels()
    if not channels:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="channels"):
        st.caption(say("channels"), width="content")
        for channel in channels:
            st.button(
                plain(channel.name),
                icon=":material/live_tv:",
                key=f"channel-{channel.slug}",
                on_click=safely(_tune_in, "channels"),
                args=[channel],
            )


def keep_menu(services: Services) -> None:
    """Draw the ways to keep something: this search as a channel, an own category or mood."""
    with st.popover(say("keep"), icon=":material/bookmark_add:", help=say("keep.help")):
        with part("keep-channel"):
            _channel_form(services) if may(Action.CHANNELS) else st.text(why_not(Action.CHANNELS))
        with part("keep-theme"):
            _own_themes(services) if may(Action.THEMES) else st.text(why_not(Action.THEMES))


def _channel_form(services: Services) -> None:
    if state.fits_a_link:
        _save_form(services)
    else:
        st.text(say("channel.no.map" if state.of_map else "channel.no.picture"))
    for channel in services.channels.channels():
        st.button(
            say("channel.remove", name=plain(channel.name)),
            type="tertiary",
            icon=":material/delete:",
            key=f"remove-{channel.slug}",
            on_click=safely(_remove_channel, "keep-channel"),
            args=[services, channel],
        )


def _save_form(services: Services) -> None:
    with st.form("channel", border=False):
        key = f"channel-name-{state.forms_done}"
        name = st.text_input(say("channel.name"), placeholder=say("channel.example"), key=key)
        if st.form_submit_button(say("channel.save")):
            with part():
                _save(services, name)
                state.forms_done += 1
                rerun()


def _save(services: Services, name: str) -> None:
    """Save the search as a channel; what one of that name was before is offered back."""
    before = {identity(channel.name): channel for channel in services.channels.channels()}
    channel = services.channels.save(name, list(state.link(Part.VIEW, Part.PLACE).items()))
    replaced = before.get(identity(channel.name))
    if replaced is None or replaced == channel:
        st.toast(say("channel.saved", name=plain(channel.name)))
    else:
        undo = partial(services.channels.save, replaced.name, replaced.link)
        offer_undo(say("channel.replaced", name=replaced.name), undo)


def _remove_channel(services: Services, channel: Channel) -> None:
    order = [one.slug for one in services.channels.channels()]
    services.channels.delete(channel.slug)
    offer_undo(say("channel.removed", name=channel.name), partial(services.channels.put_back, channel, order))


def _own_themes(services: Services) -> None:
    theme_form(services)
    for kind in get_args(Kind):
        for theme in services.taxonomy.themes(kind):
            if theme.own:
                st.button(
                    say("own.remove", name=plain(theme.label)),
                    type="tertiary",
                    icon=":material/delete:",
                    key=f"own-{kind}-{theme.id}",
                    on_click=safely(_remove_theme, "keep-theme"),
                    args=[services, kind, theme],
                )


def _remove_theme(services: Services, kind: Kind, theme: Theme) -> None:
    offer_undo(say("own.removed", name=theme.label), services.own_themes.remove(kind, theme.id))


def theme_form(services: Services, kind: Kind | None = None) -> None:
    """Draw the form that adds an own category or mood, of this kind or of one to be chosen."""
    with st.form(f"own-theme-{kind or 'any'}", border=False):
        kinds: tuple[Kind, ...] = get_args(Kind)
        if kind is None:
            of = st.radio(say("own.kind"), kinds, format_func=lambda one: say(f"own.kind.{one}"), horizontal=True)
        else:
            of = kind
        key = f"{kind or 'any'}-{state.forms_done}"
        example = say("own.name.example")
        label = st.text_input(say("own.name"), placeholder=example, key=f"theme-name-{key}")
        phrases = st.text_area(say("own.phrases"), placeholder=say("own.phrases.example"), key=f"theme-phrases-{key}")
        if st.form_submit_button(say("own.add")):
            with part():
                theme = services.add_theme(of, label, [line.strip() for line in phrases.splitlines() if line.strip()])
                st.toast(say(f"own.added.{of}", name=plain(theme.label)))
                state.forms_done += 1
                rerun()


def _tune_in(channel: Channel) -> None:
    """Open a channel as its link would: one video after the other."""
    state.open({**dict(channel.link), "view": "feed", "play": "1"})


def notices(services: Services) -> None:
    """Say what a person should know of the encoder before asking."""
    reading(services)
    labelling(services)
    if state.view == "grid" and not state.present and may(Action.MANAGE):
        reembed_hint(services)


def reading(services: Services) -> None:
    """Say how far the encoder is with the texts that every search needs, until it knows them all."""
    if services.reading() is not None:
        fragment(_reading, "reading", every_s=2.0)(services)


def _reading(services: Services) -> None:
    told = services.reading()
    if told is None:
        rerun()
    elif told.problem is None:
        st.info(say("reading", known=told.known, total=told.total), icon=":material/hourglass_top:")
    else:
        problem = plain(tell(told.problem))
        text = say("reading.problem", known=told.known, total=told.total, problem=problem)
        st.warning(text, icon=":material/hourglass_pause:")


def labelling(services: Services) -> None:
    """Say how far a larger library is with what its videos answer, until all have it."""
    with part(show=show_nothing):  # it asks the index, and who searches hears why that does not answer
        told = services.relabel.progress() if services.relabel else None
        if told is not None and told.total >= WORTH_SAYING:
            fragment(_labelling, "labelling", every_s=2.0)(services)


def _labelling(services: Services) -> None:
    told = services.relabel.progress() if services.relabel else None
    if told is None:
        rerun()
    elif told.problem is None:
        key = "labels.pending" if services.discover.labelled().answer else "labels.first"
        st.info(say(key, done=told.done, total=told.total), icon=":material/hourglass_top:")
    elif services.reading() is None:
        problem = plain(tell(told.problem))
        st.warning(say("labels.problem", done=told.done, total=told.total, problem=problem))
