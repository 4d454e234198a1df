"""Where an ad belongs: what it is, what its brand avoids, and the places, each with its reasons and a preview."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Collection, Sequence
from html import escape
from pathlib import Path
from typing import TypeVar

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core import samples
from core.ads.book import Kept
from core.ads.models import Ad, Avoid, Break, Placed, Proposals, Reason, Rules, Wanted
from core.ads.playlists import cues, vmap
from core.discover.taxonomy import Kind
from core.ingest.arrivals import spool
from core.library.listing import Asked
from core.models import Progress
from core.services import Services
from pages.components.ask import theme_name
from pages.components.boundary import part, rerun, safely
from pages.components.doors import page_script, page_url
from pages.components.state import AD_SOURCES, KEPT, pressed, state
from pages.components.uploads import uploaded
from pages.components.wording import clock, plain, say, tell

SCRIPT = Path(__file__).with_name("breaks.html")
CHOICES = 200
"""Videos of the library that can be chosen from at once; of more, those that have a name."""
Number = TypeVar("Number", int, float)
_RULES = Rules()


@part("ads")
def ads_tab(services: Services) -> None:
    """Draw what is asked of an ad, and where it belongs."""
    st.caption(say("ads.how"))
    with st.container(key="ads-ask"):
        ad = _which(services)
        avoid = _avoid(services)
        with st.container(horizontal=True, vertical_alignment="center", key="ads-go"):
            pressed = st.button(
                say("ads.find"),
                icon=":material/search:",
                type="primary",
                key="ads-find",
                # A sentence is known only when its field is left, and the press is what leaves it.
                disabled=ad is None and state.ad_source != "words",
            )
            rules = _rules()
        wanted = None if ad is None else Wanted(ad[0], ad[1], "", avoid, rules)
        if pressed:
            _find(services, wanted)
    if state.proposals is not None and state.proposals[0] == wanted:  # else something else was asked since
        _show(services, state.proposals[1])
    st.html(page_script(SCRIPT), unsafe_allow_javascript=True)


def _find(services: Services, wanted: Wanted | None) -> None:
    state.proposals = None
    if wanted is None:
        st.error(say("ads.words.missing"))
        return
    bar = st.progress(0.0, say("ads.looking"))
    state.proposals = wanted, services.ads.placing.propose(wanted, _teller(bar, "ads.looking"))
    bar.empty()


def _teller(bar: DeltaGenerator, words: str, begins: float = 0.0, share: float = 1.0) -> Progress:
    """Return what shows on a bar how far a piece of the work is that begins there and is this share of the whole.

    Work tells its progress for every frame; each hundredth of the bar is one message to the browser.
    """
    shown = -1.0

    def tell(done: float) -> None:
        nonlocal shown
        at = round(min(begins + share * done, 1.0), 2)
        if at != shown:
            shown = at
            bar.progress(at, say(words))

    return tell


def _which(services: Services) -> tuple[str, str] | None:
    """Draw the ways to say which ad; return its id, or a sentence, None as long as nothing is said."""
    state.ad_source = state.ad_source or AD_SOURCES[0]
    st.segmented_control(
        say("ads.which"),
        AD_SOURCES,
        format_func=lambda source: say(f"ads.source.{source}"),
        key="ad_source",
        required=True,
        persist_state=KEPT,
    )
    if state.ad_source == "words":
        text = st.text_input(
            say("ads.words"), key="ads-words", placeholder=say("ads.words.example"), persist_state=KEPT
        )
        return ("", text) if text.strip() else None
    if state.ad_source == "video":
        return _from_library(services)
    return _ours(services)


def _from_library(services: Services) -> tuple[str, str] | None:
    listing, name = services.library.listing, ""
    if services.index.count().videos > CHOICES:
        name = st.text_input(
            say("ads.video.name", n=CHOICES),
            key="ads-video-name",
            placeholder=say("library.name.example"),
            icon=":material/search:",
            persist_state=KEPT,
        )
    titles = {
        row.entry.video_id: row.entry.title for row in listing.page(Asked(name, arrange="title", limit=CHOICES)).rows
    }
    if not titles:
        st.caption(say("ads.video.none"))
    known = pressed("ads-video")
    if known and known not in titles and (row := listing.show(known)) is not None:
        titles = {known: row.entry.title, **titles}  # what was chosen stays, whatever name is looked for next
    chosen = st.selectbox(
        say("ads.video"),
        list(titles),
        format_func=lambda id_: titles.get(id_, ""),
        index=None,
        key="ads-video",
        persist_state=KEPT,
    )
    return (chosen, "") if chosen else None


def _ours(services: Services) -> tuple[str, str] | None:
    """Draw the ads that are kept, to choose, remove and add."""
    kept = {one.id: one for one in services.ads.book.all()}
    chosen = None
    if kept:
        chosen = st.pills(
            say("ads.kept"),
            list(kept),
            format_func=lambda id_: plain(kept[id_].title),
            key=f"ads-kept-{state.ad_turn}",
            persist_state=KEPT,
        )
    with st.container(horizontal=True, vertical_alignment="center", key="ads-add"):
        # A new key is a closed menu: it has done its work when there is another ad.
        with st.popover(say("ads.add"), icon=":material/add:", key=f"ads-add-menu-{state.ad_turn}"):
            _add(services, {one.filename for one in kept.values()})
        if chosen:
            st.button(
                say("ads.remove"),
                icon=":material/delete:",
                type="tertiary",
                key="ads-remove",
                on_click=safely(_remove, "ads"),
                args=[services, chosen],
            )
    if chosen:
        _show_ad(services, kept[chosen])
    return (chosen, "") if chosen else None


@part("ads-add")
def _add(services: Services, filenames: Collection[str]) -> None:
    """Draw the two ways to an ad: dropping one, and the samples that are not there yet."""
    if services.encoder.info.paid:
        st.caption(say("ads.paid", encoder=plain(services.encoder.info.name)))
        return
    _drop(services)
    missing = [scene for scene in samples.ADS if f"{scene.name}.mp4" not in filenames]
    if missing and st.button(say("ads.samples", n=len(missing)), icon=":material/auto_awesome:", key="ads-samples"):
        _draw_samples(services, missing)


def _draw_samples(services: Services, missing: Sequence[samples.Scene]) -> None:
    bar = st.progress(0.0, say("ads.drawing"))
    with tempfile.TemporaryDirectory(dir=services.settings.data_dir) as folder:
        for number, scene in enumerate(missing):
            file = Path(folder) / f"{scene.name}.mp4"
            samples.render(scene.name, file, _teller(bar, "ads.drawing", number / len(missing), 1 / len(missing)))
            services.ads.book.add(file, file.name)
    _begin_anew()
    rerun()


def _drop(services: Services) -> None:
    most = services.settings.max_upload_mb
    file = st.file_uploader(say("ads.drop"), max_upload_size=most, key=f"ads-drop-{state.ad_turn}")
    if file is None:
        return
    bar = st.progress(0.0, say("ads.reading"))
    with tempfile.TemporaryDirectory(dir=services.settings.data_dir) as folder:
        path = Path(folder) / "ad"
        with uploaded(services, file) as stream:
            spool(stream, path)
        services.ads.book.add(path, file.name, _teller(bar, "ads.reading"))
    _begin_anew()
    rerun()


def _begin_anew() -> None:
    """Draw an empty uploader and nothing chosen: what there is to choose has changed."""
    state.ad_turn += 1
    state.proposals = None


def _remove(services: Services, ad_id: str) -> None:
    services.ads.book.remove(ad_id)
    _begin_anew()


def _show_ad(services: Services, kept: Kept) -> None:
    with st.container(key="ads-chosen"):
        st.video(services.store.url(kept.media_key), alt=kept.title)


def _avoid(services: Services) -> Avoid:
    with st.container(horizontal=True, key="ads-avoid"):
        chosen: dict[Kind, list[str]] = {}
        kinds: Sequence[Kind] = ("mood", "category")
        for kind in kinds:
            names = {theme.id: theme_name(kind, theme) for theme in services.taxonomy.themes(kind)}
            chosen[kind] = st.multiselect(
                say(f"ads.avoid.{kind}"),
                list(names),
                format_func=names.__getitem__,
                key=f"ads-avoid-{kind}",
                placeholder="",
                persist_state=KEPT,
            )
        words = st.text_input(
            say("ads.avoid.words"),
            key="ads-avoid-words",
            placeholder=say("ads.avoid.words.example"),
            persist_state=KEPT,
        )
    parts = [word.strip() for word in words.replace("，", ",").split(",")]
    return Avoid(tuple(chosen["category"]), tuple(chosen["mood"]), tuple(filter(None, parts)))


def _rules() -> Rules:
    with st.popover(say("ads.rules"), icon=":material/tune:", key="ads-rules"):
        first = _number("first", 0.0, 3600.0, _RULES.first_s, 1.0)
        apart = _number("apart", 0.0, 3600.0, _RULES.apart_s, 5.0)
        most = _number("most", 1, 20, _RULES.most, 1)
        videos = _number("videos", 1, 20, _RULES.videos, 1)
    return Rules(first, apart, most, videos)


def _number(name: str, least: Number, most: Number, usual: Number, step: Number) -> Number:
    return st.number_input(say(f"ads.rules.{name}"), least, most, usual, step, key=f"ads-{name}", persist_state=KEPT)


def _show(services: Services, found: Proposals) -> None:
    """Draw the places, best video first, and what was left out."""
    places = sum(len(placed.breaks) for placed in found.placed)
    if places:
        with st.container(key="ads-found"):
            st.header(say("ads.found", n=places, videos=say("badge.videos", n=len(found.placed))), anchor=False)
    else:
        with st.container(border=True, key="ads-nothing"):
            st.text(say("ads.nothing"))
    if found.avoided:
        st.caption(f":material/shield: {say('ads.avoided', n=found.avoided)}")
    for sentence in found.unreadable:
        st.caption(f":material/broken_image: {plain(tell(sentence))}")
    for placed in found.placed:
        with part():
            _video(services, found.ad, placed)


def _video(services: Services, ad: Ad, placed: Placed) -> None:
    entry = placed.entry
    with st.container(border=True, key=f"places-{entry.video_id}"):
        with st.container(horizontal=True, vertical_alignment="center", key=f"places-head-{entry.video_id}"):
            if entry.poster_key:
                st.image(services.store.url(entry.poster_key), width=112, alt="")
            with st.container(gap=None, key=f"title-places-{entry.video_id}"):
                st.text(entry.title)
                st.caption(clock(entry.duration_s))
            _downloads(services, ad, placed)
        for one in sorted(placed.breaks, key=lambda one: one.at_s):
            _place(services, ad, placed, one)


def _downloads(services: Services, ad: Ad, placed: Placed) -> None:
    name = placed.entry.video_id
    st.download_button(
        say("ads.vmap"),
        vmap(ad, placed, _address(services)),
        file_name=f"{name}.vmap.xml",
        mime="application/xml",
        key=f"vmap-{name}",
        icon=":material/download:",
    )
    labels = {theme.id: theme.label for kind in ("category", "mood") for theme in services.taxonomy.themes(kind)}
    st.download_button(
        say("ads.cues"),
        json.dumps(cues(ad, placed, _address(services), labels), ensure_ascii=False, indent=2),
        file_name=f"{name}.cues.json",
        mime="application/json",
        key=f"cues-{name}",
        icon=":material/data_object:",
    )


def _address(services: Services) -> Callable[[str], str]:
    """Return what tells where a player elsewhere finds the file of a key: beside the page that is shown."""
    base = (st.context.url or "").rpartition("/library")[0]

    def address(key: str) -> str:
        url = services.store.url(key)
        return f"{base}{url}" if url.startswith("/") else url

    return address


def _place(services: Services, ad: Ad, placed: Placed, one: Break) -> None:
    """Draw a place: when, why, and what it would be like."""
    key = f"{placed.entry.video_id}-{round(one.at_s * 1000)}"
    with st.container(gap="xsmall", key=f"place-{key}"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"place-head-{key}"):
            st.markdown(f"**{say('ads.at.end') if one.kind == 'end' else clock(one.at_s)}**", width="content")
            st.badge(say("ads.match", share=one.match), color="violet")
            st.caption(" · ".join(_why(services, reason) for reason in one.reasons))
        st.html(_preview(services, ad, placed, one))


def _preview(services: Services, ad: Ad, placed: Placed, one: Break) -> str:
    """Return the button that plays the last seconds before, the ad, and on; breaks.html listens to it."""
    data = {
        "break": "",
        "at": f"{one.at_s:.3f}",
        "kind": one.kind,
        "video": page_url(services.store.url(placed.entry.media_key)),
        "ad": page_url(services.store.url(ad.media_key)) if ad.media_key else "",
        "words": ad.title,
        **{phase: say(f"ads.{phase}") for phase in ("before", "during", "after")},
    }
    attributes = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    return (
        f'<div class="reel-try"><button type="button" {attributes}>▶ {escape(say("ads.preview"))}</button>'
        f'<div class="reel-break" hidden></div></div>'
    )


def _why(services: Services, reason: Reason) -> str:
    name = ""
    if reason.why == "mood":
        name = theme_name("mood", services.taxonomy.mood(reason.label))
    elif reason.why == "category":
        name = theme_name("category", services.taxonomy.category(reason.label))
    return plain(say(f"ads.why.{reason.why}", name=name, value=reason.value))
