"""Roles, what each may do, and on whose behalf a request comes. All of it is data; `may` is the one question."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Role = Literal["viewer", "editor"]
NAME_CHARS = 40
"""As long as the name of a taste may be (state/taste.py)."""


class Action(StrEnum):
    """What can be done with a library and those who watch it."""

    WATCH = "watch"
    """Find videos and play them."""
    TASTE = "taste"
    """Like, dislike and see, for oneself."""
    ADD = "add"
    """Add videos, and so spend what an encoder charges."""
    MANAGE = "manage"
    """Edit, correct and delete videos, re-embed, get a model."""
    THEMES = "themes"
    """Add and remove own categories and moods: everybody sees them."""
    CHANNELS = "channels"
    """Save and remove channels: everybody sees them."""
    MEASURE = "measure"
    """Read what the server measures of itself."""


MAY: Mapping[Role, frozenset[Action]] = {
    "viewer": frozenset({Action.WATCH, Action.TASTE}),
    "editor": frozenset(Action),
}


@dataclass(frozen=True, slots=True)
class Identity:
    """On whose behalf something is asked."""

    role: Role
    kind: Literal["open", "password", "oidc", "token"]
    """How it is known: nobody is asked, a password all of a role share, an address a provider vouches for, a token."""
    name: str = ""
    """The address, or the token's name; blank where there is none."""

    @property
    def person(self) -> str | None:
        """Return the name under which likes are kept, where it is known who it is; None where a name is typed."""
        if self.kind != "oidc":
            return None
        if len(self.name) <= NAME_CHARS:
            return self.name
        digest = hashlib.sha256(self.name.encode()).hexdigest()[:12]
        return f"{self.name[: NAME_CHARS - 13]}~{digest}"

    @property
    def spender(self) -> str | None:
        """Return whom minutes that a service charges for are counted to; None where nobody is told apart."""
        return self.name or None


ANYBODY = Identity("editor", "open")
"""Who asks where access is open."""


def may(who: Identity | None, action: Action) -> bool:
    """Tell whether somebody may do something; nobody (None) may do nothing."""
    return who is not None and action in MAY[who.role]
