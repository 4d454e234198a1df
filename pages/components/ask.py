"""The ways to ask: words, categories, moods, a picture, and the fine tuning; all of it in the page's address."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import get_args

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.discover.taxonomy import Theme
from core.errors import AppError
from core.languages import language_code, language_name
from core.models import LENGTHS, SHAPES, SOUNDS, Facets, Filters, Query, Sort
from core.services import Services
from pages.components.extras import keep_menu
from pages.components.link import read_link, write_link
from pages.components.words import plain

ANY = "any"
MAX_WORDS = 200
DEFAULT = Query()
VIEWS = ("grid", "feed")
ME = "Me"
SORTS = {
    "match": "Best match",
    "newest": "Newest first",
    "oldest": "Oldest first",
    "shortest": "Shortest first",
    "longest": "Longest first",
}
FACETS = {
    "length": ("Length", LENGTHS, {"under-10s": "under 10 s", "10s-1min": "to 1 min", "1-10min": "to 10 min"}),
    "shape": ("Shape", SHAPES, {}),
    "sound": ("Sound", SOUNDS, {"with-sound": "with sound"}),
}
_KEPT = ("category", "mood", "length", "shape", "sound", "language")


def read_state(services: Services) -> None:
    """Take over what the address asks for. Call before anything is drawn."""
    themes = services.taxonomy
    several = {
        "category": [theme.id for theme in themes.categories],
        "mood": [theme.id for theme in themes.moods],
        **{name: list(options) for name, (_, options, _) in FACETS.items()},
    }
    readers = {name: _several(allowed) for name, allowed in several.items()}
    readers["mood"] = lambda text: _several(several["mood"])(text) or [ANY]
    readers |= {
        "language": _languages,
        "q": lambda text: text[:MAX_WORDS],
        "strength": _number(DEFAULT.strength),
        "variety": _number(0.0),
        "sort": lambda text: text if text in get_args(Sort) else "match",
        "like": lambda text: text[:64],
        "at": lambda text: text[:12],
        "who": lambda text: text[:40] or ME,
        "unseen": bool,
        "view": lambda text: text if text in VIEWS else "grid",
        "video": lambda text: text[:64],
        "present": bool,
        "play": bool,
    }
    read_link(readers)


def write_state() -> None:
    """Write what is asked for into the address."""
    state = st.session_state
    values = {name: ",".join(one for one in state[name] if one != ANY) for name in _KEPT}
    values |= {name: state[name] for name in ("q", "like", "at")}
    values |= {name: "1" if state[name] else "" for name in ("unseen", "present", "play")}
    values["strength"] = _shown(state.strength, DEFAULT.strength)
    values["variety"] = _shown(state.variety, 0.0)
    values["sort"] = "" if state.sort == "match" else state.sort
    values["who"] = "" if state.who == ME else state.who
    values["view"] = "" if state.view == "grid" else state.view
    values["video"] = state.video if state.view == "feed" else ""
    write_link(values)


def asked(limit: int) -> Query:
    """Return the query that the page's state asks."""
    state = st.session_state
    at = state.at.replace(".", "", 1)
    return Query(
        text=state.q.strip(),
        categories=tuple(state.category),
        moods=tuple(mood for mood in state.mood if mood != ANY),
        strength=state.strength,
        like=state.like or None,
        like_at_s=float(state.at) if at.isdecimal() else None,
        picture=state.get("picture"),
        profile=state.who.strip() or ME,
        hide_seen=state.unseen,
        variety=state.variety,
        filters=Filters(tuple(state.length), tuple(state.shape), tuple(state.sound), tuple(state.language)),
        sort=state.sort,
        limit=limit,
    )


def question_key() -> tuple[object, ...]:
    """Return what tells one question from another, whatever its view or page."""
    state = st.session_state
    return (state.q, *state.category, *state.mood, state.like, state.at, id(state.get("picture")))


def words_box(services: Services) -> DeltaGenerator:
    """Draw the search in words and by a picture; return where the tuning goes, once the results have been counted."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="words"):
        st.text_input(
            "Search in words",
            key="q",
            placeholder="Say what should happen in it: a dog on grass, storm at sea, robots …",
            icon=":material/search:",
            label_visibility="collapsed",
            max_chars=MAX_WORDS,
            on_change=_restart,
        )
        if services.encoder.info.images:
            with st.popover("Picture", icon=":material/image_search:", help="Find videos that look like a picture"):
                _picture_box()
        keep_menu(services)
        return st.popover("Tune", icon=":material/tune:", help="Variety, filters, order, whose taste")


def category_pills(services: Services) -> None:
    """Draw the categories with how many videos each finds; those that find none are faded."""
    counts = services.discover.counts()
    themes = {theme.id: theme for theme in services.taxonomy.categories}
    _pills("Category", "category", themes, lambda id_: _counted(themes[id_], counts.get(id_, 0)))


def mood_pills(services: Services) -> None:
    """Draw the moods, and how strong they are beside what else is asked."""
    moods = {theme.id: theme for theme in services.taxonomy.moods}
    feed = st.session_state.view == "feed"
    _pills("Mood", "mood", [ANY, *moods], lambda id_: _labelled(moods[id_]) if id_ in moods else "Any", hide_label=feed)
    others = not feed and (st.session_state.category or st.session_state.q.strip() or st.session_state.like)
    if st.session_state.mood != [ANY] and others:
        st.slider(
            "Mood strength",
            0.0,
            1.0,
            step=0.05,
            key="strength",
            format="percent",
            on_change=_restart,
            help="At the left only what you asked for counts, at the right only the mood.",
            width=420,
        )


def chips() -> None:
    """Draw what is asked for beside words, category and mood, each with a way to drop it."""
    state = st.session_state
    if not state.like and state.get("picture") is None:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if state.like:
            text = "More like this moment" if state.at else "More like this video"
            st.button(text, icon=":material/close:", on_click=drop_like, help="Drop this", key="drop-like")
        if state.get("picture") is not None:
            st.image(state.picture, width=96)
            st.button("Like this picture", icon=":material/close:", on_click=_drop_picture, help="Drop this")


def show_like(video_id: str, at_s: float | None = None) -> None:
    """Ask for more like a video, or like a moment of it; what else was asked is dropped."""
    st.session_state.update(like=video_id, at="" if at_s is None else f"{at_s:.2f}", q="", category=[], view="grid")
    st.session_state.pop("picture", None)
    _close_menus()
    _restart()


def show_category(id_: str) -> None:
    """Ask for one category and nothing else."""
    st.session_state.update(category=[id_], mood=[ANY], q="", like="", at="")
    st.session_state.update(length=[], shape=[], sound=[], language=[])
    st.session_state.pop("picture", None)
    _restart()


def show_picture(rgb: np.ndarray) -> None:
    """Ask for videos that look like a picture; what else was asked is dropped."""
    _close_menus()
    st.session_state.update(picture=rgb, like="", at="", q="", category=[], view="grid")
    _restart()


def drop_like() -> None:
    st.session_state.update(like="", at="")
    _restart()


def _drop_picture() -> None:
    st.session_state.pop("picture", None)
    st.session_state["picture-turn"] = st.session_state.get("picture-turn", 0) + 1


def _picture_box() -> None:
    turn = st.session_state.setdefault("picture-turn", 0)
    file = st.file_uploader("Drop a picture", type=["jpg", "jpeg", "png", "webp", "gif", "bmp"], key=f"picture-{turn}")
    if file is not None:
        from core.discover.pictures import decode_image

        try:
            rgb = decode_image(file)
        except AppError as error:
            st.error(str(error))
            return
        st.session_state["picture-turn"] = turn + 1
        show_picture(rgb)
        st.rerun()


def tuning(services: Services) -> None:
    """Draw variety, order, filters with what they would leave, and whose taste counts."""
    st.slider("Variety: from the closest to a surprise", 0.0, 1.0, step=0.1, key="variety", format="percent")
    st.selectbox("Order", list(SORTS), format_func=SORTS.__getitem__, key="sort")
    facets = st.session_state.get("facets")
    for name, (label, options, words) in FACETS.items():
        counts = getattr(facets, name + "s", {}) if facets else {}
        st.pills(
            label,
            list(options),
            selection_mode="multi",
            format_func=lambda id_, words=words, counts=counts: (
                words.get(id_, id_.replace("-", " ")) + (f" · {counts[id_]}" if id_ in counts else "")
            ),
            key=name,
        )
    _language_pills(facets)
    st.text_input(
        "Whose taste counts", key="who", max_chars=40, help="Any name. Likes are kept under it on this machine."
    )
    st.button(
        "Forget this taste", icon=":material/restart_alt:", on_click=services.taste.reset, args=[st.session_state.who]
    )
    st.checkbox("Hide what I have seen", key="unseen")
    st.toggle("Mix several categories and moods", key="mix", persist_state="session")


def _language_pills(facets: Facets | None) -> None:
    """Draw the languages of subtitles that occur; those that are asked for too, so that they can be dropped."""
    counts = facets.languages if facets else {}
    codes = list(dict.fromkeys([*counts, *st.session_state.language]))
    if codes:
        st.pills(
            "Subtitles",
            codes,
            selection_mode="multi",
            format_func=lambda code: plain(language_name(code)) + (f" · {counts[code]}" if code in counts else ""),
            key="language",
        )


def _pills(
    label: str, key: str, options: Collection[str], text: Callable[[str], str], hide_label: bool = False
) -> None:
    st.pills(
        label,
        list(options),
        selection_mode="multi",
        format_func=text,
        key=key,
        on_change=_keep_newest,
        args=[key, list(st.session_state[key])],
        label_visibility="collapsed" if hide_label else "visible",
    )


def _keep_newest(key: str, before: Sequence[str]) -> None:
    """Let a press replace what was pressed before, unless several are mixed; "any" goes with nothing else."""
    now = list(st.session_state[key])
    new = [one for one in now if one not in before]
    if new and (not st.session_state.get("mix") or ANY in new):
        now = new[-1:]
    elif new:
        now = [one for one in now if one != ANY]
    st.session_state[key] = now or ([ANY] if key == "mood" else [])
    _restart()


def _close_menus() -> None:
    st.session_state["menus-used"] = st.session_state.get("menus-used", 0) + 1


def _restart() -> None:
    st.session_state.video = ""


def _labelled(theme: Theme) -> str:
    return f":material/{theme.icon}: {plain(theme.label)}"


def _counted(theme: Theme, count: int) -> str:
    return f"{_labelled(theme)} · {count}" if count else f":gray[{_labelled(theme)}]"


def _several(allowed: Collection[str]):
    return lambda text: [one for one in dict.fromkeys(text.split(",")) if one in allowed]


def _languages(text: str) -> list[str]:
    codes = (language_code(one) for one in text[:MAX_WORDS].split(","))
    return list(dict.fromkeys(code for code in codes if code))


def _number(default: float):
    def read(text: str) -> float:
        digits = text.replace(".", "", 1)
        value = float(text) if digits.isdecimal() and len(digits) < 8 else default
        return min(max(value, 0.0), 1.0)

    return read


def _shown(value: float, default: float) -> str:
    return "" if abs(value - default) < 0.005 else f"{value:g}"
