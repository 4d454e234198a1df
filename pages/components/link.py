"""Keep what is asked in the page's address, so that a link, a reload and the browser's Back bring it back.

Streamlit's own binding of widgets to the address writes the text on a button, icon and all; ours writes plain ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

Reader = Callable[[str], Any]
"""Turn what stands in the address ("" when nothing does) into a widget's value; nonsense becomes the default."""

_WRITTEN = "link-as-written"


def read_link(readers: Mapping[str, Reader]) -> None:
    """Set the widgets' values from the address when it is not what we wrote: a link was opened, or Back pressed.

    Call before the widgets are drawn; the names are their keys. Values of widgets that are not drawn are kept.
    """
    present = _present(readers)
    changed = st.session_state.get(_WRITTEN) != present
    for name, read in readers.items():
        if changed or name not in st.session_state:
            st.session_state[name] = read(present.get(name, ""))
        else:
            st.session_state[name] = st.session_state[name]
    st.session_state[_WRITTEN] = present


def write_link(values: Mapping[str, str]) -> None:
    """Write values into the address, leaving out what is empty; other parameters stay."""
    wanted = {name: value for name, value in values.items() if value}
    if _present(values) != wanted:
        others = {name: value for name, value in st.query_params.items() if name not in values}
        st.query_params.from_dict({**others, **wanted})
    st.session_state[_WRITTEN] = wanted


def _present(names: Mapping[str, object]) -> dict[str, str]:
    return {name: st.query_params[name] for name in names if st.query_params.get(name)}
