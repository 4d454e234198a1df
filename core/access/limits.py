"""How much may be asked of the app: by each visitor, and in all. Read and checked here, held by Settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.errors import Sentence, SettingsError


@dataclass(frozen=True, slots=True)
class Limits:
    """None is no limit."""

    minutes_a_day: float | None = None
    """Minutes of video that TwelveLabs may be given in a day (UTC), by all."""
    minutes_a_day_each: float | None = None
    """The same, for each of those who are known by name."""
    requests_a_second: float = 20.0
    """Searches and other requests to routes that work, by each visitor, in the long run."""
    requests_a_second_in_all: float = 200.0
    uploads_at_once: int = 8
    """By each visitor. A browser sends six at once."""
    uploads_at_once_in_all: int = 32
    sessions: int = 50
    """Open pages of each visitor."""
    sessions_in_all: int = 500
    queue: int = 5000
    """Files that may wait to come into the library before pages take no more."""


def read(get: Callable[[str], str | None]) -> Limits:
    """Return the limits that the settings say; `get` returns the text of a variable. Raises SettingsError."""
    usual = Limits()

    def minutes(name: str) -> float | None:
        text = get(name)
        return None if text is None else _number(name, text, 0.0, 1e6)

    def whole(name: str, value: int) -> int:
        return int(_number(name, get(name) or str(value), 1, 1e6, whole=True))

    return Limits(
        minutes_a_day=minutes("TWELVELABS_MINUTES_A_DAY"),
        minutes_a_day_each=minutes("TWELVELABS_MINUTES_A_DAY_EACH"),
        requests_a_second=_number("MAX_REQUESTS_A_SECOND", get("MAX_REQUESTS_A_SECOND") or "20", 0.1, 1e6),
        requests_a_second_in_all=_number(
            "MAX_REQUESTS_A_SECOND_IN_ALL", get("MAX_REQUESTS_A_SECOND_IN_ALL") or "200", 0.1, 1e6
        ),
        uploads_at_once=whole("MAX_UPLOADS_AT_ONCE", usual.uploads_at_once),
        uploads_at_once_in_all=whole("MAX_UPLOADS_AT_ONCE_IN_ALL", usual.uploads_at_once_in_all),
        sessions=whole("MAX_SESSIONS", usual.sessions),
        sessions_in_all=whole("MAX_SESSIONS_IN_ALL", usual.sessions_in_all),
        queue=whole("MAX_QUEUE", usual.queue),
    )


def _number(name: str, text: str, least: float, most: float, *, whole: bool = False) -> float:
    kind = Sentence("a whole number" if whole else "a number")
    is_number = text.isascii() and (text.isdecimal() or (not whole and text.replace(".", "", 1).isdecimal()))
    if not is_number or not least <= float(text) <= most:
        raise SettingsError(
            "{name} is {text!r}. Set it to {kind} from {least:g} to {most:,.0f}.",
            name=name,
            text=text,
            kind=kind,
            least=least,
            most=most,
        )
    return float(text)
