"""What a person who looks after the library is told of files that are damaged, or were and are mended."""

from __future__ import annotations

import streamlit as st

from core.services import Services
from pages.components.wording import plain, say, tell


def damage_notice(services: Services) -> None:
    """Draw each thing there is to say, once the app has looked; nothing where all is whole."""
    told = services.damage.told if services.damage else ()
    if not told:
        return
    with st.container(border=True, key="damage"):
        st.markdown(f":orange[:material/healing: {say('damage.title', n=len(told))}]")
        for sentence in told:
            st.markdown(plain(tell(sentence)))
