"""What stands around every page: style, heading, and the badge that says which backends are live."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from core.services import Services
from pages.components.boundary import begin_run, fragment, paced, part, safely
from pages.components.doors import STYLE, page_script, routes_are_served
from pages.components.state import Language, state
from pages.components.who import described, sign_out_button, who
from pages.components.wording import named, plain, say, tell

LOGO = Path(__file__).with_name("logo.svg")
LANGUAGE = Path(__file__).with_name("language.html")
MARK = Path(__file__).with_name("mark.svg")


KEYS = {"/": "search", "← →": "step", "Tab · Enter": "play", "N": "next", "Esc": "leave", "?": "help"}
"""What keys do on Discover; Streamlit and posters.html listen to them."""


def set_page(title: str) -> None:
    """Set what the browser shows of this page, our style and the way to the other language. Call first."""
    state.speak()
    st.set_page_config(page_title=say("app.title", page=title), page_icon=str(MARK), layout="wide")
    st.logo(str(LOGO), size="large")
    # Streamlit's button for files speaks English alone; the style shows this instead.
    st.html(f"<style>:root {{ --choose-files: {json.dumps(say('upload.press'), ensure_ascii=False)} }}</style>")
    if not routes_are_served.is_set():  # else it has come with the page, before anything is drawn
        st.html(STYLE)
    language_switch()
    begin_run()


def page_bar(pages: Sequence[StreamlitPage]) -> None:
    """Draw the pages at the bottom of a phone's screen, where Streamlit would fold its own menu away."""
    with st.container(horizontal=True, wrap=False, horizontal_alignment="distribute", gap=None, key="page-bar"):
        for page in pages:
            if page.visibility == "visible":
                st.page_link(page)


def keys_help() -> None:
    """Draw the button that tells the keys; the script of the posters presses it at "?"."""
    with st.container(key="keys-help"):
        if st.button(say("keys"), icon=":material/keyboard:", type="tertiary", key="keys"):
            st.dialog(say("keys"))(_keys)()


def _keys() -> None:
    for key, what in KEYS.items():
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(plain(key), color="gray")
            st.text(say(f"keys.{what}"))


def language_switch() -> None:
    """Draw the way to the other language, named in it, and tell browsers and screen readers which one this is."""
    other: Language = "en" if state.language == "zh" else "zh"
    with st.container(key="language-switch"):
        st.button(
            say("other.language"),
            type="tertiary",
            help=say("other.language.help"),
            key="other-language",
            on_click=safely(state.speak),
            args=[other],
        )
        tag = "zh-Hans" if state.language == "zh" else "en"
        st.html(page_script(LANGUAGE, LANGUAGE=tag), unsafe_allow_javascript=True)


def presenting() -> None:
    """Hide all that is not a video, for showing to others."""
    hidden = ".stAppHeader, .stToolbar, .st-key-language-switch, .st-key-page-bar { display: none !important }"
    st.html(f"<style>{hidden} .stMainBlockContainer {{ padding-top: 1rem }}</style>")


def heading(title: str, subtitle: str, services: Services, grows: Callable[[], bool] | None = None) -> None:
    """Draw a page's heading with the badge of the live backends beside it, kept fresh where the library may grow."""
    with st.container(horizontal=True, vertical_alignment="center", key="heading"):
        with st.container(gap=None):
            st.title(title, anchor=False)
            st.caption(subtitle)
        with st.container(width="content"):
            (paced(badge, "", grows, busy_s=2.0, idle_s=10.0) if grows else fragment(badge))(services)


def unseen_heading(title: str) -> None:
    """Draw a page's heading for screen readers only, where the videos begin at once."""
    with st.container(key="unseen-heading"):
        st.title(title, anchor=False)


def badge(services: Services) -> None:
    """Say what the encoder can do; on pressing it, which encoder, index and store are live and how much they hold."""
    with part(show=_badge_down):
        counts, info = services.index.count(), services.encoder.info
        rows = {
            "badge.library": say("badge.videos", n=counts.videos),
            "badge.encoder": info.name,
            "badge.index": say("badge.index.value", n=counts.clips, index=say(f"backend.{services.index.name}")),
            "badge.store": say(f"backend.{services.store.name}"),
            "badge.sees": _phrases(info.sees),
            "badge.blind": _phrases(info.blind_to),
        }
        if status := services.reembed.status():
            rows["badge.filling"] = say(
                "badge.filling.value", encoder=status.encoder, done=status.done, total=status.total
            )
        elif services.serving.is_behind:
            rows["badge.set"] = services.serving.configured.info.name
        if services.is_outgrown:
            rows["badge.outgrown"] = say("badge.outgrown.value")
        label = say("badge.recognises" if info.recognises else "badge.measures")
        with st.popover(label, icon=":material/visibility:", type="tertiary", key="badge"):
            for name, value in rows.items():
                st.caption(say(name))
                st.text(value)
            known = who()
            if known is not None and known.kind != "open":
                st.caption(say("badge.you"))
                st.text(described(known))
                sign_out_button()


def _phrases(phrases: tuple[str, ...]) -> str:
    return say("list").join(named("sees", phrase, phrase) for phrase in phrases)


def _badge_down(sentence: str) -> None:
    """Say in the badge's place why there is none."""
    with st.popover(say("badge.down"), icon=":material/cloud_off:", key="badge-down"):
        st.text(tell(sentence))
