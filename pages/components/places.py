"""Where the parts of a page stand: each keeps its place, whether the others are drawn or not.

Streamlit tells the parts of a page by their number. Where one is left out, those that follow take the places of others
and, until they are drawn, what stood in them: everything jumps. Putting an empty element there first does not help, for
of two things that are drawn in one place, one right after the other, the server may send the second alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator


def place(name: str, drawn: bool = True) -> DeltaGenerator:
    """Return the place of what may be left out: what stood in it is gone at once, and not when all else is drawn.

    It has no box of its own: what is in it stands as if beside it.
    """
    return st.container(key=f"slot-{name}") if drawn else st.empty()


def place_of(one: str, all_: Sequence[str], kind: str = "slot") -> DeltaGenerator:
    """Return the place of one of several parts that are never shown together; nothing is left of the others."""
    places = [st.container(key=f"{kind}-{name}") if name == one else st.empty() for name in all_]
    return places[all_.index(one)]
