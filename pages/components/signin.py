"""The page that asks for a password, as HTML: it stands before the app and needs no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import partial
from html import escape
from pathlib import Path
from string import Template
from typing import cast
from urllib.parse import parse_qsl

from pages.components.state import Language
from pages.components.wording import say_in, tell_in

FULL = Path(__file__).with_name("full.html")
TAGS: Mapping[Language, str] = {"en": "en", "zh": "zh-Hans"}
PAGE = Path(__file__).with_name("signin.html")
MARK = Path(__file__).with_name("mark.svg")


def full_page(languages: str) -> str:
    """Return the page that says that there is no place now, in a language that the browser speaks."""
    language = spoken(languages)
    return Template(FULL.read_text("utf-8")).substitute(
        title=escape(say_in(language, "full.title")),
        text=escape(say_in(language, "full.text")),
        language=TAGS[language],
    )


def spoken(languages: str, asked: str = "") -> Language:
    """Return the language that a link asks for, else that of who speaks these (Accept-Language, the first one)."""
    if asked in TAGS:
        return cast(Language, asked)
    return "zh" if languages.lower().startswith("zh") else "en"


def sign_in_page(target: str, sentence: str, languages: str) -> str:
    """Return the page, with a sentence for what was wrong before, and where it leads.

    `languages` is what the browser says it speaks (Accept-Language), the preferred one first; a link may say another.
    """
    language = spoken(languages, dict(parse_qsl(target.partition("?")[2])).get("lang", ""))
    say = partial(say_in, language)
    mark = base64.b64encode(MARK.read_bytes()).decode()
    return Template(PAGE.read_text("utf-8")).substitute(
        language=TAGS[language],
        site=escape(say("app.name")),
        about=escape(say("preview.text")),
        title=escape(say("signin.title")),
        text=escape(say("signin.text")),
        label=escape(say("signin.password")),
        press=escape(say("signin.press")),
        wrong=f'<p class="wrong" role="alert" id="wrong">{escape(tell_in(language, sentence))}</p>' if sentence else "",
        described=' aria-describedby="wrong" aria-invalid="true"' if sentence else "",
        target=escape(target),
        mark=f"data:image/svg+xml;base64,{mark}",
    )
