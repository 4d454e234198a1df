"""Videos that came into the library while a page stands open, offered above it."""

from __future__ import annotations

import streamlit as st

from core.services import Services
from pages.components.boundary import fragment, part, rerun, show_nothing
from pages.components.ingest_panel import at_work
from pages.components.wording import say

BUSY_S, IDLE_S = 2.0, 10.0
"""How often it is looked whether something came: while files are on their way, and else."""


@part(show=show_nothing)  # the answer asks the same service, and says what is wrong with it
def news(services: Services) -> None:
    """Offer to show what came since the page was drawn. Nothing moves by itself: somebody may be watching."""
    known = services.index.count().videos
    fragment(offer, every_s=BUSY_S if at_work(services) else IDLE_S)(services, known)


@part(show=show_nothing)
def offer(services: Services, known: int) -> None:
    """Draw how many videos there are beyond those that are known; a press draws the page with them."""
    new = services.index.count().videos - known
    if new > 0:
        with st.container(key="news"):
            if st.button(say("news", n=new), icon=":material/arrow_upward:", type="primary", key="show-news"):
                rerun()
