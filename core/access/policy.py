"""What the settings say of access: read and checked here, held by Settings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from core.errors import SettingsError

Mode = Literal["open", "password", "oidc"]
MODES: tuple[Mode, ...] = get_args(Mode)
LEAST_PASSWORD_CHARS = 8
LEAST_SECRET_CHARS = 16
_TOKEN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,39}")
_MEMBER = re.compile(r"[^@\s,]*@[^@\s,]+")
_HOST = re.compile(r"(\*\.)?[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]")
_SOURCE = re.compile(r"'self'|'none'|(https?://)?(\*\.)?[A-Za-z0-9.-]+(:\d{1,5})?")


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A program that may come in; of its secret only the hash is kept."""

    name: str
    role: Literal["viewer", "editor"]
    sha256: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Policy:
    """Who may come in and as what, under which names the app is reached, and how much each may ask of it."""

    mode: Mode = "open"
    view_password: str | None = field(default=None, repr=False)
    edit_password: str | None = field(default=None, repr=False)
    editors: tuple[str, ...] = ()
    """Addresses, or @domain, in lower case."""
    viewers: tuple[str, ...] = ()
    tokens: tuple[ApiToken, ...] = ()
    session_minutes: int = 720
    secret: str | None = field(default=None, repr=False)
    """What sessions and media addresses are signed with; None: made once, and kept in DATA_DIR."""
    allowed_hosts: tuple[str, ...] = ()
    """Names under which the app may be asked for; none: any."""
    frame_ancestors: str = "'self'"
    """Which pages may show the app inside of theirs, as the Content-Security-Policy says it."""


def read(get: Callable[[str], str | None]) -> Policy:
    """Return the policy that the settings say; `get` returns the text of a variable. Raises SettingsError."""
    mode = (get("ACCESS") or MODES[0]).lower()
    if mode not in MODES:
        raise SettingsError("ACCESS is {mode!r}. Set it to one of: {modes}.", mode=mode, modes=", ".join(MODES))
    policy = Policy(
        mode=mode,
        view_password=_password("VIEW_PASSWORD", get("VIEW_PASSWORD")),
        edit_password=_password("EDIT_PASSWORD", get("EDIT_PASSWORD")),
        editors=_members("EDITORS", get("EDITORS")),
        viewers=_members("VIEWERS", get("VIEWERS")),
        tokens=_tokens(get("API_TOKENS")),
        session_minutes=_number("SESSION_MINUTES", get("SESSION_MINUTES") or "720", 1, 43_200),
        secret=_secret(get("ACCESS_SECRET")),
        allowed_hosts=_hosts(get("ALLOWED_HOSTS")),
        frame_ancestors=_sources(get("FRAME_ANCESTORS")),
    )
    if policy.mode == "password" and not (policy.view_password or policy.edit_password):
        raise SettingsError("ACCESS is password but neither EDIT_PASSWORD nor VIEW_PASSWORD is set. Set them.")
    if policy.mode == "password" and policy.view_password == policy.edit_password:
        raise SettingsError("VIEW_PASSWORD and EDIT_PASSWORD are the same. Set two different ones.")
    if policy.mode == "oidc" and not (policy.editors or policy.viewers):
        raise SettingsError(
            "ACCESS is oidc but neither EDITORS nor VIEWERS is set, so nobody could come in. Set them to addresses "
            "or @domain, separated by commas."
        )
    return policy


def _password(name: str, text: str | None) -> str | None:
    if text is not None and len(text) < LEAST_PASSWORD_CHARS:
        raise SettingsError(
            "{name} has {count} characters. Set it to at least {least}.",
            name=name,
            count=len(text),
            least=LEAST_PASSWORD_CHARS,
        )
    return text


def _secret(text: str | None) -> str | None:
    if text is not None and len(text) < 32:
        raise SettingsError("ACCESS_SECRET is too short. Set it to 32 random characters or more.")
    return text


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.strip() for one in (text or "").split(",") if one.strip()))


def _members(name: str, text: str | None) -> tuple[str, ...]:
    members = tuple(one.lower() for one in _listed(text))
    for one in members:
        if not _MEMBER.fullmatch(one):
            raise SettingsError(
                "{name} has {text!r}. Write addresses (anna@example.org) or domains (@example.org).",
                name=name,
                text=one,
            )
    return members


def _tokens(text: str | None) -> tuple[ApiToken, ...]:
    """Return the tokens. What is wrong with one is said by its place: its text may be a secret."""
    tokens: list[ApiToken] = []
    for number, one in enumerate(_listed(text), 1):
        name, _, rest = one.partition(":")
        role, _, secret = rest.partition(":")
        if not _TOKEN_NAME.fullmatch(name) or role not in ("viewer", "editor"):
            raise SettingsError(
                "Token {number} of API_TOKENS is not name:viewer:secret or name:editor:secret. Write it so.",
                number=number,
            )
        if len(secret) < LEAST_SECRET_CHARS:
            raise SettingsError(
                "The secret of token {number} of API_TOKENS is too short. Make it {least} random characters or more.",
                number=number,
                least=LEAST_SECRET_CHARS,
            )
        if any(token.name == name for token in tokens):
            raise SettingsError("Two of API_TOKENS are named {name}. Give each a name of its own.", name=name)
        tokens.append(
            ApiToken(name, "editor" if role == "editor" else "viewer", hashlib.sha256(secret.encode()).digest())
        )
    return tuple(tokens)


def _hosts(text: str | None) -> tuple[str, ...]:
    hosts = tuple(one.lower().rstrip(".") for one in _listed(text))
    for one in hosts:
        if not _HOST.fullmatch(one):
            raise SettingsError(
                "ALLOWED_HOSTS has {text!r}. Write names without port or path, as videos.example.org.", text=one
            )
    return hosts


def _sources(text: str | None) -> str:
    sources = (text or "'self'").replace(",", " ").split()
    for one in sources:
        if not _SOURCE.fullmatch(one):
            raise SettingsError(
                "FRAME_ANCESTORS has {text!r}. Set it to 'self', 'none', or origins such as https://example.org.",
                text=one,
            )
    return " ".join(sources)


def _number(name: str, text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or not least <= int(text) <= most:
        raise SettingsError(
            "{name} is {text!r}. Set it to a whole number from {least} to {most}.",
            name=name,
            text=text,
            least=least,
            most=most,
        )
    return int(text)
