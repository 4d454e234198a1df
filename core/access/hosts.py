"""Under which names the app may be asked for, and from which pages."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


def host_name(host: str) -> str | None:
    """Return the name in a Host header, in lower case and without port; None for what is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    if parts.netloc != host or parts.username is not None or parts.hostname is None:
        return None
    return parts.hostname.rstrip(".")


def is_allowed_host(host: str | None, allowed: Sequence[str]) -> bool:
    """Tell whether a Host header is one of those that are allowed; any is where none is named.

    The names of this machine for itself always are: a page that had its own name point here still asks by that name.
    """
    if not allowed:
        return True
    name = host_name(host or "")
    if name is None:
        return False
    for one in (*LOOPBACK_NAMES, *allowed):
        pattern = one.strip("[]")
        if name == pattern or (pattern.startswith("*.") and name.endswith(pattern[1:])):
            return True
    return False


def is_own_origin(origin: str | None, hosts: Collection[str | None]) -> bool:
    """Tell whether a request comes from a page of ours or from a program, which sends no Origin."""
    if origin is None:
        return True
    try:
        return bool(origin) and urlsplit(origin).netloc in {host for host in hosts if host}
    except ValueError:  # a bracket that is never closed, for one
        return False
