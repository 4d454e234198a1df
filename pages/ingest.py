"""Ingest: drop videos, watch each being checked, stored, embedded and indexed, see what the encoder saw."""

import streamlit as st

from core.models import Job, Stage
from pages.components.chrome import heading, set_page
from pages.components.ingest_panel import add_samples_button, upload_box
from pages.components.services import page_services
from pages.components.video_card import most_like, player, title, whole_second
from pages.components.words import clock, elapsed, plural

ROWS_SHOWN = 40
READY_PER_PAGE = 6
DOING = {
    Stage.QUEUED: ("Waiting", ":material/schedule:"),
    Stage.CHECKING: ("Checking", ":material/fact_check:"),
    Stage.STORING: ("Storing", ":material/save:"),
    Stage.EMBEDDING: ("Embedding", ":material/visibility:"),
    Stage.INDEXING: ("Indexing", ":material/database:"),
    Stage.FAILED: ("Failed", ":material/error:"),
    Stage.CANCELLED: ("Cancelled", ":material/block:"),
}

set_page("Ingest")
services = page_services()


def show_jobs() -> None:
    """Draw everything on its way, then what has arrived. Runs again by itself while there is work."""
    jobs = services.jobs.jobs()
    working = [job for job in jobs if not job.stage.is_over]
    stopped = [job for job in jobs if job.stage in (Stage.FAILED, Stage.CANCELLED)]
    ready = [job for job in jobs if job.stage is Stage.READY]
    if bool(working) != st.session_state.get("was-working", bool(working)):
        st.session_state["was-working"] = bool(working)
        st.rerun()
    st.session_state["was-working"] = bool(working)
    if working:
        show_overall(working, len(ready))
        show_cost()
    rows = stopped + sorted(working, key=lambda job: -job.overall)
    for job in rows[:ROWS_SHOWN]:
        show_row(job)
    if len(rows) > ROWS_SHOWN:
        st.caption(f"and {plural(len(rows) - ROWS_SHOWN, 'more file')} waiting")
    if ready:
        show_ready(ready)


def show_overall(working: list[Job], ready: int) -> None:
    total = len(working) + ready
    done = (ready + sum(job.overall for job in working)) / total
    st.progress(done, text=f"{ready} of {plural(total, 'file')} ready · you can leave this page, the work goes on")


def show_cost() -> None:
    """Say how many minutes a paid encoder is going to charge for; it begins when all files are checked."""
    if not services.encoder.info.paid:
        return
    waiting = services.jobs.to_encode()
    if waiting.seconds or waiting.unchecked:
        more = f", and {plural(waiting.unchecked, 'file')} not checked yet" if waiting.unchecked else ""
        name = services.encoder.info.name
        st.info(
            f"{name} will use {waiting.seconds / 60:.1f} minutes of your plan for these files{more}.",
            icon=":material/payments:",
        )


def show_row(job: Job) -> None:
    """Draw one file on its way, or one that did not arrive: name, stage, bar, time, reason, what can be done."""
    word, icon = DOING[job.stage]
    with st.container(border=True, gap="xxsmall", key=f"row-{job.id}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            with st.container(key=f"name-{job.id}"):
                st.text(job.filename)
            if job.stage in (Stage.QUEUED, Stage.FAILED, Stage.CANCELLED):
                st.badge(word, icon=icon, color="red" if job.stage is Stage.FAILED else "gray")
            else:
                st.progress(job.overall, text=f"{icon} {word} · {job.progress:.0%}", width=280)
            st.caption(elapsed(job.elapsed_s), width=64)
            if job.stage.is_over:
                st.button("Retry", icon=":material/replay:", key=f"retry-{job.id}", on_click=retry, args=[job.id])
            else:
                st.button("Cancel", key=f"cancel-{job.id}", on_click=services.jobs.cancel, args=[job.id])
        if job.reason:
            st.text(job.reason)


def retry(job_id: str) -> None:
    services.jobs.retry(job_id)


def show_ready(ready: list[Job]) -> None:
    """Draw the files that arrived, newest first, with what was seen in each and what is like it."""
    with st.container(horizontal=True, vertical_alignment="center", key="ready-heading"):
        st.subheader(f"{plural(len(ready), 'video')} ready", anchor=False)
        st.button("Clear this list", type="tertiary", on_click=services.jobs.clear, help="The videos stay.")
    pages = -(-len(ready) // READY_PER_PAGE)
    page = st.pagination(pages, key="ready-page") if pages > 1 else 1
    with st.grid(3, min_column_width=280, key="ready"):
        for job in ready[(page - 1) * READY_PER_PAGE : page * READY_PER_PAGE]:
            show_arrived(job)


def show_arrived(job: Job) -> None:
    hit = services.discover.show(job.video_id) if job.video_id else None
    with st.container(border=True, gap="xsmall", key=f"arrived-{job.id}"):
        if hit is None:
            st.text(job.filename)
            st.caption("No longer in the library.")
            return
        player(hit.url, whole_second(hit.start_s, hit.end_s), hit.title)
        title(hit.title, job.id)
        if job.duplicate and job.reason:
            st.text(job.reason)
        else:
            st.caption(f"{clock(hit.duration_s)} · ready after {elapsed(job.elapsed_s)}")
        if hit.seen:
            with st.container(horizontal=True, gap="xsmall"):
                for word in hit.seen:
                    st.badge(word, color="violet")
        most_like(services, hit.video_id, key=job.id)


heading("Ingest", "Drop videos and watch them being checked, stored, embedded and indexed.", services, badge_every_s=2)
upload_box(services)
add_samples_button(services)
working = any(not job.stage.is_over for job in services.jobs.jobs())
st.fragment(run_every=1.0 if working else 5.0)(show_jobs)()
