"""The page that asks for a password, as HTML: it stands before the app and needs no script."""

from __future__ import annotations

import base64
from functools import partial
from html import escape
from pathlib import Path
from string import Template

from pages.components.state import Language
from pages.components.wording import say_in

PAGE = Path(__file__).with_name("signin.html")
MARK = Path(__file__).with_name("mark.svg")


def sign_in_page(target: str, sentence: str, languages: str) -> str:
    """Return the page, with a sentence for what was wrong before, and where it leads.

    `languages` is what the browser says it speaks (Accept-Language), the preferred one first.
    """
    language: Language = "zh" if languages.lower().startswith("zh") else "en"
    say = partial(say_in, language)
    mark = base64.b64encode(MARK.read_bytes()).decode()
    return Template(PAGE.read_text("utf-8")).substitute(
        language={"en": "en", "zh": "zh-Hans"}[language],
        title=escape(say("signin.title")),
        text=escape(say("signin.text")),
        label=escape(say("signin.password")),
        press=escape(say("signin.press")),
        wrong=f'<p class="wrong" role="alert" id="wrong">{escape(sentence)}</p>' if sentence else "",
        described=' aria-describedby="wrong" aria-invalid="true"' if sentence else "",
        target=escape(target),
        mark=f"data:image/svg+xml;base64,{mark}",
    )
