"""Channels (searches with a name and a link) and a person's own categories and moods."""

from __future__ import annotations

import streamlit as st

from core.errors import AppError
from core.services import Services
from core.state.channels import Channel
from pages.components.words import plain


def channel_bar(services: Services) -> None:
    """Draw the saved channels; pressing one plays it on by itself."""
    channels = services.channels.channels()
    if not channels:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="channels"):
        st.caption("Channels")
        for channel in channels:
            st.button(
                plain(channel.name),
                icon=":material/live_tv:",
                key=f"channel-{channel.slug}",
                on_click=_tune_in,
                args=[channel],
            )


def keep_menu(services: Services) -> None:
    """Draw the ways to keep something: this search as a channel, an own category or mood."""
    with st.popover(
        "Keep", icon=":material/bookmark_add:", help="Save this search as a channel; add your own category or mood"
    ):
        with st.form("channel", border=False, clear_on_submit=True):
            name = st.text_input("Save this search as a channel", placeholder="Calm nature for the lobby", max_chars=60)
            if st.form_submit_button("Save channel"):
                _save_channel(services, name)
        for channel in services.channels.channels():
            st.button(
                f"Remove {plain(channel.name)}",
                type="tertiary",
                icon=":material/delete:",
                key=f"remove-{channel.slug}",
                on_click=services.channels.delete,
                args=[channel.slug],
            )
        with st.form("own-theme", border=False, clear_on_submit=True):
            kind = st.radio("Add your own", ["category", "mood"], horizontal=True)
            label = st.text_input("Name", max_chars=30, placeholder="Cosy")
            phrases = st.text_area("A few phrases, one a line", placeholder="warm light in a small room\nrain outside")
            if st.form_submit_button("Add"):
                _add_theme(services, kind, label, phrases)


def _save_channel(services: Services, name: str) -> None:
    link = [(key, value) for key, value in st.query_params.items() if key not in ("video", "view", "present", "play")]
    try:
        channel = services.channels.save(name, link)
    except AppError as error:
        st.error(str(error))
        return
    st.toast(f"Saved {plain(channel.name)}.")
    st.rerun()


def _add_theme(services: Services, kind: str, label: str, phrases: str) -> None:
    try:
        services.add_theme(kind, label, [line.strip() for line in phrases.splitlines() if line.strip()])
    except AppError as error:
        st.error(str(error))
        return
    st.rerun()


def _tune_in(channel: Channel) -> None:
    """Open a channel as its link would: one video after the other."""
    st.query_params.from_dict({**dict(channel.link), "view": "feed", "play": "1"})
