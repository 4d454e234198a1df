"""What the app writes down while it runs: lines for people or JSON, with the request they belong to and no secret."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TextIO

from core.errors import SettingsError

LEVELS = ("debug", "info", "warning", "error")
FORMATS = ("text", "json")
OURS = ("core", "pages")
"""The loggers of our modules."""
FACTS = ("method", "route", "status", "seconds", "who")
"""What a line may hold beside its sentence, where it is about a request."""
LEAST_SECRET_CHARS = 6
request_id: ContextVar[str] = ContextVar("request_id", default="")


@dataclass(frozen=True, slots=True)
class LogPolicy:
    """How much is written, and how."""

    level: str = "info"
    format: str = "text"


def read(get: Callable[[str], str | None]) -> LogPolicy:
    """Return what the settings say; `get` returns the text of a variable. Raises SettingsError."""
    found = {}
    for name, allowed in (("LOG_LEVEL", LEVELS), ("LOG_FORMAT", FORMATS)):
        text = (get(name) or ("info" if name == "LOG_LEVEL" else "text")).lower()
        if text not in allowed:
            raise SettingsError(
                "{name} is {text!r}. Set it to one of: {allowed}.", name=name, text=text, allowed=", ".join(allowed)
            )
        found[name] = text
    return LogPolicy(found["LOG_LEVEL"], found["LOG_FORMAT"])


def configure(policy: LogPolicy, secrets: Iterable[str | None], stream: TextIO | None = None) -> None:
    """Let our loggers write to a stream (None: stderr), in the place of what they wrote to before."""
    hidden = sorted({one for one in secrets if one and len(one) >= LEAST_SECRET_CHARS}, key=len, reverse=True)
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter((_Json if policy.format == "json" else _Text)(hidden))
    for name in OURS:
        logger = logging.getLogger(name)
        for old in [one for one in logger.handlers if isinstance(one.formatter, _Formatter)]:
            logger.removeHandler(old)
        logger.addHandler(handler)
        logger.setLevel(policy.level.upper())
        logger.propagate = False


class _Formatter(logging.Formatter):
    """Leave out secrets, wherever in a line they stand."""

    def __init__(self, hidden: list[str]) -> None:
        super().__init__()
        self._hidden = hidden

    def _clean(self, text: str) -> str:
        for secret in self._hidden:
            text = text.replace(secret, "•••")
        return text

    def _facts(self, record: logging.LogRecord) -> dict[str, object]:
        facts = {name: getattr(record, name) for name in FACTS if hasattr(record, name)}
        return {"request": request_id.get(), **facts} if request_id.get() else facts

    def _told(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class _Text(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        facts = "".join(f" {name}={value}" for name, value in self._facts(record).items())
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        return self._clean(f"{when} {record.levelname} {record.name}: {self._told(record)}{facts}")


class _Json(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": self._clean(self._told(record)),
        }
        facts = {name: self._clean(v) if isinstance(v, str) else v for name, v in self._facts(record).items()}
        return json.dumps({**line, **facts}, ensure_ascii=False)
