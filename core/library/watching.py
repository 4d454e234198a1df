"""Notice what another app has written into a document that all of them share."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

from core.errors import AppError
from core.rounds import Rounds
from core.state.base import Document
from core.state.opening import State

logger = logging.getLogger(__name__)
EVERY_S = 3.0
CHANGES = "changes"
"""The document whose text is another one after a video was renamed or corrected."""


def tell(state: State) -> None:
    """Let the other apps of a library, if there may be any, know that something was changed of its videos."""
    if state.is_shared:
        try:
            state.document(CHANGES).write(uuid.uuid4().hex)
        except AppError as error:  # it is changed all the same; they see it when they look for themselves
            logger.warning("Other apps are not told of a change: %s", error)


def started(*watched: tuple[Document, Callable[[], None]]) -> list[Rounds]:
    """Look at documents now and then from now on, and say which is another one."""
    watches = [watch(document, on_change) for document, on_change in watched]
    for one in watches:
        one.start()
    return watches


def watch(document: Document, on_change: Callable[[], None], *, every_s: float = EVERY_S) -> Rounds:
    """Return rounds that look at a document and say when it is another one, and at first."""
    seen: list[str | None] = []

    def look() -> None:
        text = document.read()
        if seen != [text]:
            on_change()
            seen[:] = [text]

    return Rounds(f"look at {document}", look, every_s)
