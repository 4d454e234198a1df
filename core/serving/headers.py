"""What browsers are told to hold every page and answer to."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable

_HOST = re.compile(r"[A-Za-z0-9.\-]+(:\d+)?|\[[0-9a-fA-F:.]+\](:\d+)?")
_PAGE_ICONS = "https://fonts.gstatic.com"
"""Where Streamlit gets the picture of a page's icon for the browser's tab, until the page sets ours."""
SIGN_IN_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'self'; base-uri 'none'"
)
"""For a page of ours without scripts."""


def script_hash(script: str) -> str:
    """Return a script as a Content-Security-Policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def content_policy(host: str, *, scripts: Iterable[str], media: Iterable[str], frame_ancestors: str) -> str:
    """Return the Content-Security-Policy of the pages.

    `host` is what the browser asked for, `scripts` the hashes of those that stand in pages, `media` the origins that
    hand out videos and posters beside this one. Streamlit's own styles are written into the page as it runs; its
    scripts are files of this origin.
    """
    sockets = f" ws://{host} wss://{host}" if _HOST.fullmatch(host) else ""  # older Safari: 'self' is no websocket
    sources = " ".join(media)
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' {' '.join(scripts)}".strip(),
            "style-src 'self' 'unsafe-inline'",
            f"img-src 'self' data: blob: {_PAGE_ICONS} {sources}".strip(),
            f"media-src 'self' blob: {sources}".strip(),
            "font-src 'self' data:",
            f"connect-src 'self'{sockets}",
            "worker-src 'self' blob:",
            "frame-src 'self'",
            "object-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            f"frame-ancestors {frame_ancestors}",
        )
    )


def frame_options(frame_ancestors: str) -> str | None:
    """Return the older header that says the same as frame-ancestors, where it can."""
    return {"'self'": "SAMEORIGIN", "'none'": "DENY"}.get(frame_ancestors)
