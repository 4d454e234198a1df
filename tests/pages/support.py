"""A page as AppTest runs it, and what of it a person can read."""

from __future__ import annotations

import re
from pathlib import Path

from streamlit.testing.v1 import AppTest

from core.models import Stage
from core.services import Services
from tests.fakes import make_entries

ROOT = Path(__file__).parents[2]
READABLE = ("text", "caption", "markdown", "error", "info", "warning", "header", "subheader", "title", "toast")


def open_page(name: str, **query: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / f"{name}.py"), default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    return app.run()


def add(services: Services, path: Path, filename: str | None = None) -> str:
    """Put a file into the library as a person does; return the video's id."""
    job = services.jobs.submit(path, filename)
    services.jobs.wait([job.id], timeout_s=120)
    job = services.jobs.job(job.id)
    assert job.stage is Stage.READY, job.reason
    return job.video_id


def add_entries(services: Services, number: int, words: str) -> list[str]:
    """Put videos that nobody filmed into the index, found by these words, none like another; return their ids."""
    (vector,) = services.encoder.encode_text([words])
    ids = []
    for n in range(number):
        own = vector.copy()
        own[n] += 0.6
        entries = make_entries(f"{words} {n}", info=services.encoder.info, clips=1, vectors=[own, own])
        services.index.upsert(entries)
        ids.append(entries[0].video_id)
    return ids


def texts(app: AppTest) -> list[str]:
    return [element.value for element in app.text]


def urls(app: AppTest) -> list[str]:
    return [element.proto.url for element in app.get("video")]


def shown(app: AppTest) -> list[str]:
    """Return what the cards can play, by title: first the posters, then the open players."""
    posters = [button.label for button in app.button if str(button.key).startswith("play-")]
    named = [re.sub(r"\\(.)", r"\1", label).removeprefix("Play ") for label in posters]
    return named + [element.proto.alt for element in app.get("video")]


def readable(app: AppTest) -> str:
    """Return all text on the page, Markdown's escapes taken off."""
    found = [str(getattr(element, "value", "")) for kind in READABLE for element in app.get(kind)]
    return re.sub(r"\\(.)", r"\1", "\n".join(found))


def press(app: AppTest, label: str) -> AppTest:
    """Press the first button of this label."""
    return next(button for button in app.button if button.label == label).click().run()
