"""What is behind a video of the library: why it has its labels, what became of its files, and what is like it."""

from __future__ import annotations

from typing import get_args

import streamlit as st

from core.discover.labels import standing_key
from core.discover.taxonomy import Kind
from core.library.listing import Row
from core.models import Stage
from core.services import Services
from pages.components.ask import theme_name
from pages.components.boundary import part
from pages.components.job_row import job_row
from pages.components.video_card import seen_word
from pages.components.wording import day, elapsed, plain, say

SHOWN = 5


def reasons(services: Services, row: Row) -> None:
    """Draw how far a video stands out to what it shows most of, what was seen in it, and what a person said."""
    with st.popover(say("library.why"), icon=":material/help:", key="library-why"), part():
        standings = row.entry.standings
        if not standings:
            st.text(say("library.why.not-yet"))
            return
        calibration = services.encoder.info.calibration
        st.caption(say("library.why.means", fits=calibration.fits))
        kinds: tuple[Kind, ...] = get_args(Kind)
        for kind in kinds:
            said = services.library.corrections.of(row.entry.content_sha256, kind)
            known = [
                (standings[key], theme)
                for theme in services.taxonomy.themes(kind)
                if standings.get(key := standing_key(kind, theme.id), 0.0) > 0
                or (theme.id in said and key in standings)
            ]
            st.caption(say(f"ask.{kind}"))
            for standing, theme in sorted(known, key=lambda one: -one[0])[:SHOWN]:
                name = plain(theme_name(kind, theme))
                if theme.id in said:
                    name = say("correct.yours" if said[theme.id] else "correct.yours.not", name=name)
                text = say("library.why.one", name=name, standing=standing)
                st.progress(min(max(standing / calibration.strong, 0.0), 1.0), text=text)
        if row.entry.seen:
            st.caption(say("library.fact.seen"))
            st.text(say("list").join(map(seen_word, row.entry.seen)))


def jobs(services: Services, row: Row) -> None:
    """Draw what is known of the files that were added with this content, and of its being read anew."""
    with st.popover(say("library.jobs"), icon=":material/list_alt:", key="library-jobs"), part():
        mine = [job for job in services.jobs.jobs() if job.video_id == row.entry.video_id]
        if not mine:
            st.text(say("library.jobs.none"))
        for job in mine:
            if job.stage is not Stage.READY:
                job_row(job, services)
                continue
            with st.container(border=True, gap="xxsmall", key=f"row-{job.id}"):
                st.text(job.filename)
                st.caption(say("library.jobs.ready", day=day(job.created_at), time=elapsed(job.elapsed_s)))
                if job.reason:
                    st.text(job.reason)
        if mine and st.button(say("library.jobs.all"), type="tertiary", key="jobs-all"):
            st.switch_page("pages/ingest.py")
