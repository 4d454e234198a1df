"""What a link to a page shows where it is posted: title, words and a picture, in the language of who asks.

Only where access is open is anything said of the library: what makes such previews is a program that nobody let in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from core.errors import AppError
from core.services import Services
from core.serving.shell import Opened, Preview
from pages.components.first_look import first_look
from pages.components.signin import TAGS, spoken
from pages.components.state import Language
from pages.components.wording import clock, named_in, say_in

PICTURES = {name: Path(__file__).with_name(name.removeprefix("/")) for name in ("/preview.png", "/favicon.png")}
PAGES = {"/library": "library.title", "/ingest": "ingest.title"}


def preview(services: Callable[[], Services], opened: Opened) -> Preview:
    """Return what a link to this page shows; `services` is called where the library is looked into."""
    language = spoken(opened.languages, opened.query.get("lang", ""))
    say = partial(say_in, language)
    title, text, picture = say(PAGES.get(opened.path, "discover.title")), say("preview.text"), "/preview.png"
    if opened.path == "/" and opened.who is not None and opened.who.kind == "open":
        try:
            found = _video(services(), opened.query, language) or _theme(services(), opened.query, language)
        except AppError:
            found = None  # the page itself says what is wrong
        if found is not None:
            title, text, picture = found[0], found[1] or text, found[2] or picture
    try:
        first, pictures = first_look(services, opened)
    except AppError:
        first, pictures = "", []
    return Preview(
        title=say("app.title", page=title),
        text=text,
        picture=f"{opened.base_url}{picture}" if picture.startswith("/") else picture,
        language=TAGS[language],
        site=say("app.name"),
        pictures=pictures,
        first=first,
    )


def _video(services: Services, query: Mapping[str, str], language: Language) -> tuple[str, str, str] | None:
    """Return title, words and poster of the video that a link names; None where it is not in the library."""
    if "watch" not in query:
        return None
    video = next(iter(services.index.retrieve([query["watch"]], with_vectors=False)), None)
    if video is None:
        return None
    second = query.get("t", "")
    start_s = min(int(second), int(video.duration_s)) if second.isascii() and second.isdecimal() else 0
    text = say_in(language, "preview.video", start=clock(start_s), length=clock(video.duration_s))
    return video.title, text, services.store.url(video.poster_key) if video.poster_key else ""


def _theme(services: Services, query: Mapping[str, str], language: Language) -> tuple[str, str, str] | None:
    """Return a title for the category and mood that a link asks for."""
    themes = services.taxonomy
    names = [
        one.label if one.own else named_in(language, kind, one.id, one.label)
        for kind, known in (("category", themes.categories), ("mood", themes.moods))
        for one in known
        if one.id in query.get(kind, "").split(",")
    ]
    return (" · ".join(names), "", "") if names else None
