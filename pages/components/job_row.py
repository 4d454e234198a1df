"""One file on its way into the library, as a row, and the heading of those that did not arrive."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.models import Job, Stage
from core.services import Services
from pages.components.boundary import part, safely
from pages.components.wording import elapsed, say, tell

ICONS = {
    Stage.QUEUED: ":material/schedule:",
    Stage.CHECKING: ":material/fact_check:",
    Stage.STORING: ":material/save:",
    Stage.EMBEDDING: ":material/visibility:",
    Stage.INDEXING: ":material/database:",
    Stage.FAILED: ":material/error:",
    Stage.CANCELLED: ":material/block:",
}


def job_row(job: Job, services: Services, *, can_go: bool = False) -> None:
    """Draw one file on its way, or one that did not arrive: name, stage, bar, time, reason, what can be done.

    `can_go` lets one that is over be put away.
    """
    word, icon, place = say(f"job.{job.stage}"), ICONS[job.stage], f"job-{job.id}"
    if job.drawing:
        word, icon = say("job.drawing"), ":material/draw:"
    with st.container(border=True, gap="xxsmall", key=f"row-{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(key=f"name-{job.id}"):
                st.text(job.filename)
            if job.stage in (Stage.QUEUED, Stage.FAILED, Stage.CANCELLED):
                st.badge(word, icon=icon, color="red" if job.stage is Stage.FAILED else "gray")
            else:
                st.progress(
                    job.overall, text=f"{icon} {say('job.progress', stage=word, progress=job.progress)}", width=280
                )
            st.caption(elapsed(job.elapsed_s), width=64)
            if job.stage.is_over:
                retry = safely(services.jobs.retry, place)
                st.button(
                    say("job.retry"), icon=":material/replay:", key=f"retry-{job.id}", on_click=retry, args=[job.id]
                )
                if can_go:
                    forget = safely(services.jobs.forget, place)
                    st.button(
                        say("job.dismiss"), type="tertiary", key=f"dismiss-{job.id}", on_click=forget, args=[[job.id]]
                    )
            else:
                cancel = safely(services.jobs.cancel, place)
                st.button(say("job.cancel"), key=f"cancel-{job.id}", on_click=cancel, args=[job.id])
        with part(place):
            if job.reason:
                st.text(tell(job.reason))


@part("stopped")
def show_stopped(stopped: Sequence[Job], services: Services) -> None:
    """Say how many files did not arrive, and let all of them be put away."""
    with st.container(horizontal=True, vertical_alignment="center", key="stopped-heading"):
        st.header(say("stopped", n=len(stopped)), anchor=False)
        forget = safely(services.jobs.forget, "stopped")
        st.button(
            say("ready.clear"),
            type="tertiary",
            key="clear-stopped",
            on_click=forget,
            args=[[job.id for job in stopped]],
            help=say("stopped.clear.help"),
        )
