"""Putting files on the way into the library, from any page."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core import samples
from core.access.roles import Action
from core.errors import AppError, StoreError
from core.ingest.folder_watch import FolderWatch
from core.services import Services
from pages.components.boundary import fragment, paced, part, rerun, say_next, show_said
from pages.components.doors import is_open_to_others
from pages.components.state import state
from pages.components.uploads import session_id, uploaded
from pages.components.who import may, spender, why_not
from pages.components.wording import plain, say, tell

ARRIVING = "arriving"
LOOK_EVERY_S = 2.0
"""How often an empty library is asked whether it still is."""


@part("upload")
def upload_box(services: Services) -> None:
    """Take dropped files, hand them to the queue at once, and let go of their bytes."""
    is_full = _room(services) <= 0
    if is_full:
        st.info(_full(services), icon=":material/hourglass_top:")
    most = services.settings.max_upload_mb
    files = st.file_uploader(
        say("upload", megabytes=most),
        accept_multiple_files=True,
        max_upload_size=most,
        key=f"upload-{state.upload_turn}",
        help=say("upload.help"),
        disabled=is_full,
    )
    if files:
        _receive(services, files)
        # A new key is an empty uploader: the files are in the queue now and show up below.
        state.upload_turn += 1
        rerun()
    paced(_show_arriving, "", lambda: bool(services.arrivals.under_way(session_id())), idle_s=3.0)(services)


def _show_arriving(services: Services) -> None:
    """Show how far each upload is that this session sends, and say why one was not taken in."""
    session = session_id()
    for one in services.arrivals.under_way(session):
        total = max(one.total_bytes or 0, one.come_bytes, 1)
        text = say("arriving", filename=plain(one.filename), done=one.come_bytes / 1024**2, total=total / 1024**2)
        st.progress(one.come_bytes / total, text=text)
    for filename, problem in services.arrivals.refused(session):
        say_next(ARRIVING, say("upload.problem", filename=filename, problem=tell(problem)))
    show_said(ARRIVING)


def open_notice() -> None:
    """Say that nobody is asked who they are, where others than this machine's own people reach the app."""
    if is_open_to_others():
        st.caption(f":material/lock_open: {say('open')}")


def watch_line(services: Services) -> None:
    """Say in one line what comes of the folder that is watched, where one is."""
    if services.folder_watch is not None:
        fragment(_say_watched, every_s=5.0)(services.folder_watch)


def _say_watched(watch: FolderWatch) -> None:
    seen = watch.status()
    said = [say("watched", folder=plain(str(seen.folder)))]
    if seen.waiting or seen.looked:
        said.append(say("watched.waiting", n=seen.waiting))
    if seen.failed:
        said.append(say("watched.failed", n=seen.failed))
    if seen.gone:
        said.append(say("watched.gone", n=seen.gone))
    st.caption(f":material/folder_eye: {' · '.join(said)}")
    if seen.problem:
        st.caption(f":orange[:material/warning: {plain(tell(seen.problem))}]")


@part()
def show_cost(services: Services) -> None:
    """Say how many minutes a paid encoder is going to charge for; it begins when all files are checked."""
    if not services.encoder.info.paid:
        return
    _show_budget(services)
    waiting = services.jobs.to_encode()
    if waiting.seconds or waiting.unchecked:
        key = "jobs.cost.unchecked" if waiting.unchecked else "jobs.cost"
        encoder = plain(services.encoder.info.name)
        text = say(key, encoder=encoder, minutes=waiting.seconds / 60, n=waiting.unchecked)
        st.info(text, icon=":material/payments:")


def _show_budget(services: Services) -> None:
    """Say what of today's minutes is used, where there is a limit."""
    today = services.budget.today(spender()) if services.budget else None
    if today is None:
        return
    if today.most is not None:
        st.caption(say("budget", used=today.minutes, most=today.most))
    if today.most_each is not None:
        st.caption(say("budget.yours", used=today.yours, most=today.most_each))


@part("samples")
def add_samples_button(services: Services, then_go_to: str | None = None) -> None:
    """Draw the button that renders and adds the sample library."""
    room = _room(services)
    pressed = st.button(
        say("samples"),
        icon=":material/auto_awesome:",
        type="primary",
        help=say("samples.help", scenes=len(samples.SCENES)) if room > 0 else _full(services),
        disabled=room <= 0,
        key="add-samples",
    )
    if pressed:
        for scene in samples.SCENES[: max(room, 0)]:
            services.jobs.submit(f"sample:{scene.name}", f"{scene.name}.mp4", by=spender())
        if len(samples.SCENES) > room:
            say_next("samples", _full(services))
        if then_go_to:
            st.switch_page(then_go_to)
        rerun()


def show_empty_library(services: Services) -> None:
    """Say that there is nothing yet and offer the two ways to begin, or that the first videos are on their way.

    When the first one is there, or none comes any more, the page is drawn anew.
    """
    coming = _waiting(services) > 0
    with st.container(border=True, horizontal_alignment="center", key="empty"):
        title = "empty.coming" if coming else "empty.title"
        st.header(f":material/movie: {say(title)}", anchor=False, text_alignment="center")
        if coming:
            st.text(say("empty.coming.text"))
            if may(Action.ADD) and st.button(say("empty.coming.watch"), key="watch-first"):
                st.switch_page("pages/ingest.py")
        elif not may(Action.ADD):
            st.text(why_not(Action.ADD))
        else:
            st.text(say("empty.text"))
            with st.container(horizontal=True, horizontal_alignment="center"):
                add_samples_button(services, then_go_to="pages/ingest.py")
                if st.button(say("empty.add"), icon=":material/upload:"):
                    st.switch_page("pages/ingest.py")

    def look() -> None:
        if services.index.count().videos or coming != (_waiting(services) > 0):
            rerun()

    fragment(look, every_s=LOOK_EVERY_S)()


def at_work(services: Services) -> bool:
    """Tell whether files are on their way."""
    return any(not stage.is_over for stage in +services.jobs.counts())


def _room(services: Services) -> int:
    """Return how many more files may wait to come into the library."""
    return services.settings.limits.queue - _waiting(services)


def _full(services: Services) -> str:
    """Return the sentence that no more files are taken for now."""
    return say("queue.full", n=_waiting(services))


def _waiting(services: Services) -> int:
    return sum(not job.stage.is_over and not job.reembeds for job in services.jobs.jobs())


def _receive(services: Services, files: Sequence[UploadedFile]) -> None:
    """Hand over each file; one that cannot be taken does not keep the others out."""
    for file in files:
        try:
            with uploaded(services, file) as stream:
                if _room(services) <= 0:
                    raise StoreError(_full(services))
                services.jobs.receive(stream, file.name, by=spender())
        except AppError as error:
            say_next("upload", say("upload.problem", filename=file.name, problem=tell(error.sentence)))
