"""Ingest: drop videos, watch each being checked, stored, embedded and indexed, see what the encoder saw."""

from collections import Counter
from functools import partial

import streamlit as st

from core.access.roles import Action
from core.models import Job, Stage
from pages.components.boundary import fragment, paced, part, rerun, safely, show_nothing
from pages.components.chrome import heading, set_page
from pages.components.damage_notice import damage_notice
from pages.components.ingest_panel import add_samples_button, at_work, open_notice, show_cost, upload_box, watch_line
from pages.components.job_row import job_row, show_stopped
from pages.components.model_panel import model_panel
from pages.components.poster import poster_script
from pages.components.reembed_panel import reembed_panel
from pages.components.services import page_services
from pages.components.video_card import most_like, preview, striking_words, title
from pages.components.wording import clock, elapsed, say, tell

ROWS_SHOWN = 40
READY_PER_PAGE = 6
LOOK_EVERY_S = 5.0
set_page(say("ingest.title"))
services = page_services(say("ingest.title"), Action.ADD)


def show_jobs() -> None:
    """Draw everything on its way, then what has arrived. Runs again by itself while there is work."""
    jobs = [job for job in services.jobs.jobs() if not job.reembeds]
    working = [job for job in jobs if not job.stage.is_over]
    stopped = [job for job in jobs if job.stage in (Stage.FAILED, Stage.CANCELLED)]
    ready = [job for job in jobs if job.stage is Stage.READY]
    if working:
        show_overall(working, len(ready))
        show_pause()
        show_cost(services)
    if len(stopped) > 1:
        show_stopped(stopped, services)
    rows = stopped + sorted(working, key=lambda job: -job.overall)
    for job in rows[:ROWS_SHOWN]:
        job_row(job, services, can_go=True)
    if len(rows) > ROWS_SHOWN:
        st.caption(say("jobs.more", n=len(rows) - ROWS_SHOWN))
    if ready:
        show_ready(ready)


def show_overall(working: list[Job], ready: int) -> None:
    total = len(working) + ready
    done = (ready + sum(job.overall for job in working)) / total
    st.progress(done, text=say("jobs.overall", ready=ready, n=total))


@part("pause")
def show_pause() -> None:
    """Say why the encoder takes nothing now, when it is tried again, and let it be tried at once."""
    pause = services.jobs.pause()
    if pause is None:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="pause"):
        with st.container(gap="xxsmall"):
            st.markdown(f":orange[:material/pause_circle: {say('pause', n=pause.waiting)}]")
            st.text(tell(pause.reason))
            if pause.retry_in_s is None:
                st.caption(say("pause.trying"))
            else:
                st.caption(say("pause.next", time=elapsed(pause.retry_in_s)))
        try_now = safely(services.jobs.try_now, "pause")
        st.button(say("pause.try"), key="try-now", on_click=try_now, disabled=pause.retry_in_s is None)


def show_ready(ready: list[Job]) -> None:
    """Draw the files that arrived, newest first, with what was seen in each and what is like it."""
    with st.container(horizontal=True, vertical_alignment="center", key="ready-heading"):
        st.header(say("ready", n=len(ready)), anchor=False)
        clear = safely(services.jobs.forget, "ready")
        ids = [job.id for job in ready]
        st.button(say("ready.clear"), type="tertiary", on_click=clear, args=[ids], help=say("ready.clear.help"))
    with part("ready"):
        pages = -(-len(ready) // READY_PER_PAGE)
        page = st.pagination(pages, key="ready-page") if pages > 1 else 1
    with st.grid(3, min_column_width=280, key="ready"):
        for job in ready[(page - 1) * READY_PER_PAGE : page * READY_PER_PAGE]:
            show_arrived(job)


def show_arrived(job: Job) -> None:
    with st.container(border=True, gap="xsmall", key=f"arrived-{job.id}"), part():
        hit = services.discover.show(job.video_id) if job.video_id else None
        if hit is None:
            st.text(job.filename)
            st.caption(say("ready.gone"))
            return
        preview(hit, services, f"arrived-{job.id}")
        title(hit.title, job.id)
        if job.duplicate and job.reason:
            st.text(tell(job.reason))
        else:
            st.caption(say("ready.after", length=clock(hit.duration_s), time=elapsed(job.elapsed_s)))
        if words := striking_words(hit, services):
            with st.container(horizontal=True, gap="xsmall"):
                for word in words:
                    st.badge(word, color="violet")
        most_like(services, hit.video_id, key=job.id)


def look(known: Counter[Stage]) -> None:
    """Draw the page anew when files have come or gone since: from another page, or by somebody else."""
    if services.jobs.counts() != known:
        rerun()


is_at_work = partial(at_work, services)
heading(say("ingest.title"), say("ingest.subtitle"), services, is_at_work)
open_notice()
damage_notice(services)
upload_box(services)
add_samples_button(services)
watch_line(services)
model_panel(services)
paced(reembed_panel, "", lambda: services.reembed.status() is not None, busy_s=2.0)(services)
paced(show_jobs, "jobs", is_at_work, idle_s=None)()
with part(show=show_nothing):  # the rows ask the same, and say what is wrong
    if not is_at_work():
        fragment(look, every_s=LOOK_EVERY_S)(services.jobs.counts())
poster_script()
