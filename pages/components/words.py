"""Raw numbers as people read them."""

from __future__ import annotations

from core.models import Confidence

LABELS: dict[Confidence, tuple[str, str]] = {
    "high": ("Strong match", "green"),
    "medium": ("Related", "blue"),
    "low": ("Stretch", "gray"),
}


def clock(seconds: float) -> str:
    """Return a time in a video: 0:07, 12:30, 1:02:03."""
    whole = int(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def elapsed(seconds: float) -> str:
    """Return how long something took: 4 s, 2 min 05 s."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return a counted noun: 1 video, 1,204 videos."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def plain(text: str) -> str:
    """Return text escaped, so that Markdown shows it as it is."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()#+-.!|<>$:~&" else letter for letter in text)
