"""Addresses of machines, as settings and requests name them."""

from __future__ import annotations

import ipaddress


def is_loopback(address: str | None) -> bool:
    """Tell whether an address is this machine's own, by name or number; None, all addresses at once, is not."""
    if address is None:
        return False
    if address.lower() == "localhost" or address.lower().endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
