"""What stands around every page: style, heading, and the badge that says which backends are live."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.services import Services

STYLE = Path(__file__).with_name("style.css")
LOGO = Path(__file__).with_name("logo.svg")
MARK = Path(__file__).with_name("mark.svg")
NAMES = {"edge": "Qdrant Edge, in this app", "server": "Qdrant server", "folder": "local folder", "s3": "S3"}


def set_page(title: str) -> None:
    """Set what the browser shows of this page, and our style. Call first."""
    st.set_page_config(page_title=f"{title} · Moodreel", page_icon=str(MARK), layout="wide")
    st.logo(str(LOGO), size="large")
    st.html(STYLE)


def presenting() -> None:
    """Hide all that is not a video, for showing to others."""
    st.html("<style>.stAppHeader, .stToolbar { display: none } .stMainBlockContainer { padding-top: 1rem }</style>")


def heading(title: str, subtitle: str, services: Services, badge_every_s: float | None = None) -> None:
    """Draw a page's heading with the badge of the live backends beside it, kept fresh where the library grows."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="heading"):
        with st.container(gap=None):
            st.title(title, anchor=False)
            st.caption(subtitle)
        with st.container(width="content"):
            st.fragment(run_every=badge_every_s)(badge)(services)


def badge(services: Services) -> None:
    """Say which encoder, index and store are live and how much is in the library; more on pressing it."""
    counts, info = services.index.count(), services.encoder.info
    with st.popover(f"{counts.videos:,} videos · {info.name}", icon=":material/database:", key="badge"):
        rows = {
            "Encoder": info.name,
            "Index": f"{NAMES[services.index.name]} · {counts.clips:,} clips",
            "Store": NAMES[services.store.name],
            "It sees": ", ".join(info.sees),
            "It does not see": ", ".join(info.blind_to),
        }
        for name, value in rows.items():
            st.caption(name)
            st.text(value)
