"""Letting the app see: getting the model that looks at pictures, from a page, at a press."""

from __future__ import annotations

import streamlit as st

from core.encoders import clip_models
from core.encoders.clip_download import Getter
from core.services import Services
from pages.components.boundary import paced, safely
from pages.components.wording import plain, say, tell

EVERY_S = 0.7


def model_panel(services: Services) -> None:
    """Offer the model where the app may choose its encoder and has none that sees; show how it comes. Else nothing."""
    getter = services.getter
    if getter is None or not (services.may_see or getter.state.stage == "ready"):
        return
    # What answers may be another encoder when it ends: the page is drawn anew.
    paced(_draw, "model", lambda: not getter.state.is_over, EVERY_S, idle_s=None)(services, getter)


def _draw(services: Services, getter: Getter) -> None:
    getting = getter.state
    model = getting.model or clip_models.named(services.settings.clip_model)
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="model"):
        if getting.stage == "ready":
            behind = services.serving.is_behind
            st.text(say("model.ready.behind" if behind else "model.ready"))
        elif getting.is_over:
            with st.container(gap="xxsmall"):
                st.text(say("model.why"))
                if getting.reason:
                    st.error(plain(tell(getting.reason)))
            key = "model.get" if getting.stage == "idle" else "model.again"
            label = say(key, gigabytes=model.size_bytes / 1e9)
            start = safely(getter.start, "model")
            st.button(label, icon=":material/visibility:", key="get-model", on_click=start, args=[model])
        else:
            share = getting.done_bytes / (getting.total_bytes or 1)
            done, total = getting.done_bytes / 1e6, getting.total_bytes / 1e6
            st.progress(min(share, 1.0), text=say(f"model.{getting.stage}", done=done, total=total))
            st.button(say("job.cancel"), key="cancel-model", on_click=safely(getter.cancel, "model"))
