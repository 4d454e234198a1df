"""What a person is told, asked and shown when the encoder that is set is not the one that answers."""

from __future__ import annotations

import streamlit as st

from core.ingest.reembed import Status
from core.services import Services
from pages.components.boundary import part, safely
from pages.components.job_row import job_row
from pages.components.wording import elapsed, plain, say, tell

PLACE = "reembed"
FAILED_SHOWN = 10


@part(PLACE)
def reembed_panel(services: Services) -> None:
    """Offer to re-embed the library, show how far that is, and afterwards offer to free what is old."""
    status = services.reembed.status()
    if status is not None:
        with st.container(border=True, key="reembed"):
            _show_status(services, status)
    elif services.serving.is_behind:
        with st.container(border=True, key="reembed"):
            _offer(services)
    elif old := services.serving.others():
        _offer_to_free(services, old)


@part(PLACE)
def reembed_hint(services: Services) -> None:
    """Say on other pages, in one line, that another encoder answers than the one that is set, and where that ends."""
    status, serving = services.reembed.status(), services.serving
    if problem := serving.now.problem:
        st.warning(plain(tell(problem)), icon=":material/visibility_off:")
    if status is not None and serving.is_behind:
        st.caption(say("reembed.hint.going", encoder=plain(status.encoder), done=status.done, total=status.total))
    elif serving.is_behind:
        label = say("reembed.hint", new=plain(serving.configured.info.name))
        if st.button(label, icon=":material/sync_alt:", type="tertiary", key="reembed-hint"):
            st.switch_page("pages/ingest.py")


def _offer(services: Services) -> None:
    serving, plan = services.serving, services.reembed.plan()
    old, new = plain(serving.serving.name), plain(plan.encoder.name)
    st.markdown(f"**{say('reembed.title', new=new)}**")
    st.text(tell(serving.now.problem or "") or say("reembed.means", old=serving.serving.name, new=plan.encoder.name))
    st.caption(say("reembed.takes", n=plan.videos, there=plan.present, time=elapsed(plan.takes_s), old=old))
    agreed = True
    if plan.encoder.paid and plan.seconds:
        minutes = plan.seconds / 60
        agreed = st.checkbox(say("reembed.pay", encoder=new, minutes=minutes), key="reembed-agreed")
    start = safely(services.reembed.start, PLACE)
    st.button(say("reembed.start"), type="primary", key="reembed-start", on_click=start, disabled=not agreed)


def _show_status(services: Services, status: Status) -> None:
    new, old = plain(status.encoder), plain(services.serving.serving.name)
    st.markdown(f"**{say('reembed.going', new=new)}**")
    text = say("reembed.progress", done=status.done, n=status.total, time=elapsed(status.left_s), old=old)
    st.progress(status.done / max(status.total, 1), text=text)
    if status.problem:
        st.text(tell(status.problem))
    for job in status.failed[:FAILED_SHOWN]:
        job_row(job, services)
    with st.container(horizontal=True):
        st.button(say("job.cancel"), key="reembed-cancel", on_click=safely(services.reembed.cancel, PLACE))
        if status.waits:
            without = safely(services.reembed.go_on_without, PLACE)
            label, hint = say("reembed.without", n=len(status.failed)), say("reembed.without.help")
            st.button(label, key="reembed-without", on_click=without, help=hint)


def _offer_to_free(services: Services, old: list[str]) -> None:
    names = ", ".join(map(plain, old))
    with st.container(horizontal=True, vertical_alignment="center", key="reembed-old"):
        st.caption(say("reembed.old", names=names))
        free = safely(services.reembed.free_old, PLACE)
        with st.popover(say("reembed.free"), icon=":material/delete_sweep:"):
            st.text(say("reembed.free.means", names=", ".join(old)))
            st.button(say("reembed.free"), key="reembed-free", on_click=free)
