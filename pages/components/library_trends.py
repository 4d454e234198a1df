"""What the library is made of: a map of everything, what came when, what is liked, missing, double and alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import altair as alt
import streamlit as st

from core.discover.taxonomy import Kind
from core.models import Entry
from core.services import Services
from core.trends.clusters import Cluster, Map, Point
from core.trends.history import PERIODS
from core.trends.trends import Found
from pages.components import ask
from pages.components.ask import theme_name
from pages.components.boundary import fragment, part, rerun, safely
from pages.components.doors import page_url
from pages.components.state import MAP_COLOURS, state
from pages.components.video_card import player
from pages.components.wording import day, plain, say, tell

if TYPE_CHECKING:
    from pandas import DataFrame

T = TypeVar("T", bound=str)
COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#e15759", "#76b7b2", "#edc948", "#b07aa1", "#ff9da7", "#9c755f", "#a0cbe8",
           "#d37295", "#8cd17d", "#b6992d", "#d4a6c8", "#79706e")  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
NOTHING = "#a09aa6"
"""Colour of what has none of the labels."""
RING = "#808080"
"""Around the point that was pressed; it can be seen on light and dark."""
MAP_PX, TIME_PX, LEGEND_COLUMNS = 360, 220, 3
"""Height of a chart without its legend, and labels in a row of that."""
DENSE = 300
"""Points from which on they are small, and hardly any number would be seen below them."""
BADGE = "#5c5566"
"""Below the number of a cluster that lies on top of its points."""
SHOWN_THEMES = 10
"""Categories that get a colour of their own over time; the others are one."""


@part("trends")
def trends_tab(services: Services) -> None:
    """Draw what is known; as long as it is being worked out, say so and look again."""
    told = services.trends.now()
    if told.problem is not None:
        st.error(plain(tell(told.problem)))
    if told.is_old:
        fragment(_waiting, "trends-waiting", every_s=1.0)(services)
    if told.found is None:
        return
    if not told.found.entries:
        return
    with st.container(key="trends"):
        _found(services, told.found)


def _found(services: Services, found: Found) -> None:
    _map(services, found.map)
    _over_time(services, found)
    with st.container(horizontal=True, key="trends-facts"):
        with st.container(key="trends-taste"):
            _taste(services, found.entries)
        with st.container(key="trends-missing"):
            _missing(services, found)
    _copies(services, found)
    _alone(services, found)


def _waiting(services: Services) -> None:
    if not services.trends.now().is_old:
        rerun()
    st.info(say("trends.working"), icon=":material/hourglass_top:")


def _map(services: Services, told: Map) -> None:
    """Draw the map: a press plays a video, a frame drawn round some opens them in Discover."""
    st.header(say("trends.map"), anchor=False)
    shown = say("trends.map.sample", n=len(told.points), total=told.total) if told.total > len(told.points) else ""
    st.caption(f"{say('trends.map.how')} {shown}".strip())
    state.map_colour = state.map_colour or MAP_COLOURS[0]
    st.segmented_control(
        say("trends.colour"),
        MAP_COLOURS,
        format_func=lambda one: say(f"trends.colour.{one}"),
        key="map_colour",
        required=True,
        label_visibility="collapsed",
    )
    chosen = st.altair_chart(
        _chart(services, told),
        key=f"trends-map-{state.map_colour}",
        on_select=safely(_keep_selection),
        alt=say("trends.map.alt"),
    )
    ids = _selected(told, chosen.get("selection", {}))
    if len(ids) == 1:
        _play(services, ids[0])
    elif ids:
        st.button(
            say("trends.open", n=len(ids)),
            icon=":material/explore:",
            type="primary",
            key="open-selected",
            on_click=safely(_open, "trends"),
            args=[services, ids],
        )
    _clusters(services, told)
    if state.to_discover:
        state.to_discover = False
        st.switch_page("pages/discover.py", query_params=state.link())


def _keep_selection() -> None:
    """Draw the page anew: what is selected comes from the chart."""


def _clusters(services: Services, told: Map) -> None:
    """Draw a button for each cluster: what it is called, how many it has; it opens them in Discover."""
    with st.grid(3, min_column_width=240, gap="small", key="trends-clusters"):
        for number, (cluster, name) in enumerate(zip(told.clusters, cluster_names(services, told), strict=True)):
            with st.container(border=True, gap="xsmall", key=f"cluster-{number}"):
                st.button(
                    plain(f"{number + 1} · {name}"),
                    icon=":material/explore:",
                    type="tertiary",
                    key=f"open-cluster-{number}",
                    help=say("trends.open", n=len(cluster.video_ids)),
                    on_click=safely(_open, "trends"),
                    args=[services, cluster.video_ids],
                )
                words = say("list").join(cluster.name.words)
                st.caption(plain(" · ".join(filter(None, [say("badge.videos", n=len(cluster.video_ids)), words]))))


def cluster_names(services: Services, told: Map) -> list[str]:
    """Return what the clusters are called; of those that would be called the same, their words are told too."""
    names = [_cluster_name(services, cluster) for cluster in told.clusters]
    often = Counter(names)
    return [
        " · ".join([name, *cluster.name.words[:1]]) if often[name] > 1 else name
        for name, cluster in zip(names, told.clusters, strict=True)
    ]


def _cluster_name(services: Services, cluster: Cluster) -> str:
    """Return what a cluster is called: its mood and categories, or else its words."""
    moods = _names(services, "mood", cluster.name.moods)
    categories = _names(services, "category", cluster.name.categories)
    if categories:
        categories[1:] = [_within(name) for name in categories[1:]]
    named = [*moods, *([say("trends.and").join(categories)] if categories else [])]
    if len(named) == 2:
        return say("shelf.pair", mood=named[0], category=_within(named[1]))
    words = say("list").join(cluster.name.words)
    return named[0] if named else f"{words[:1].upper()}{words[1:]}" or say("trends.mixed")


def _within(name: str) -> str:
    """Return a name as it stands inside of another one: 3D stays 3D."""
    return name if any(letter.isdigit() for letter in name) else name.lower()


def _theme_names(services: Services, kind: Kind) -> dict[str, str]:
    """Return what all categories or moods are called, by id."""
    return {theme.id: theme_name(kind, theme) for theme in services.taxonomy.themes(kind)}


def _names(services: Services, kind: Kind, ids: Sequence[str]) -> list[str]:
    themes = _theme_names(services, kind)
    return [themes[id_] for id_ in ids if id_ in themes]


def _chart(services: Services, told: Map) -> alt.LayerChart:
    rows = _rows(services, told)
    is_dense = len(rows) >= DENSE
    labels = [
        {"x": cluster.x, "y": cluster.y, "number": str(number), "name": name}
        for number, (cluster, name) in enumerate(zip(told.clusters, cluster_names(services, told), strict=True), 1)
    ]
    picked = alt.selection_point(name="picked", fields=["id"], on="click")
    numbered = alt.selection_point(name="numbered", fields=["number"], on="click")
    area = alt.selection_interval(name="area", encodings=["x", "y"])
    bare = alt.Axis(labels=False, ticks=False, domain=False, grid=False, title=None)
    x, y = alt.X("x:Q", axis=bare, scale=alt.Scale(padding=24)), alt.Y("y:Q", axis=bare, scale=alt.Scale(padding=24))
    points = (
        alt.Chart(rows)
        .mark_circle(size=40 if is_dense else 130, cursor="pointer")
        .encode(
            x=x,
            y=y,
            color=_colour(rows),
            opacity=alt.condition(numbered & area, alt.value(0.95), alt.value(0.3)),
            stroke=alt.condition(picked, alt.value(RING), alt.value("#00000030"), empty=False),
            strokeWidth=alt.condition(picked, alt.value(3), alt.value(0.5), empty=False),
            description="title:N",
            tooltip=[
                alt.Tooltip("title:N", title="title"),  # vega-tooltip draws these two as a heading and a picture
                alt.Tooltip("image:N", title="image"),
                alt.Tooltip("category:N", title=say("ask.category")),
                alt.Tooltip("mood:N", title=say("ask.mood")),
                alt.Tooltip("added:N", title=say("library.column.added")),
            ],
        )
        .add_params(picked, area)
    )
    numbers = alt.Chart(alt.Data(values=labels)).encode(
        x=x, y=y, tooltip=[alt.Tooltip("name:N", title="title")], description="name:N"
    )
    name = numbers.encode(text="number:N").add_params(numbered)
    colours = rows[state.map_colour].nunique() if state.map_colour != "date" else 2 * LEGEND_COLUMNS
    if is_dense:
        badge = numbers.mark_circle(size=520, color=BADGE, opacity=0.92, cursor="pointer")
        layers = [points, badge, name.mark_text(fontSize=13, fontWeight=700, color="white", cursor="pointer")]
    else:  # points last: where a number is under one, a press is meant for the point
        layers = [name.mark_text(fontSize=22, fontWeight=800, color="#7d7688", cursor="pointer", dy=-14), points]
    return alt.layer(*layers).properties(height=MAP_PX + _legend_px(colours)).configure_view(stroke=None)


def _colour(rows: DataFrame) -> alt.Color:
    """Return how points are coloured; what has none of the labels is grey and comes last."""
    if state.map_colour == "date":
        legend = alt.Legend(title=None, orient="bottom", gradientLength=240)
        return alt.Color("at:T", scale=alt.Scale(scheme="viridis"), legend=legend)
    none = say("trends.none")
    labels = sorted({*rows[state.map_colour]}, key=lambda label: (label == none, label))
    colours = [NOTHING if label == none else COLOURS[n % len(COLOURS)] for n, label in enumerate(labels)]
    return alt.Color(f"{state.map_colour}:N", scale=alt.Scale(domain=labels, range=colours), legend=_legend())


def _legend() -> alt.Legend:
    """Return a legend below a chart, as many labels in a row as a phone has room for."""
    return alt.Legend(
        title=None, orient="bottom", columns=LEGEND_COLUMNS, symbolLimit=40, symbolSize=90, symbolStrokeWidth=0,
        labelLimit=120, rowPadding=2,
    )  # fmt: skip


def _legend_px(labels: int) -> int:
    """Return what a legend of so many labels takes of a chart's height."""
    return 24 + 17 * -(-labels // LEGEND_COLUMNS) if labels else 0


def _rows(services: Services, told: Map) -> DataFrame:
    """Return the points as the chart takes them, in the words of who reads.

    A frame goes to the browser beside the drawing. Rows inside of it would each be checked by Altair, and where the
    address of one poster changes the map would be drawn anew.
    """
    import pandas as pd

    names = {kind: _theme_names(services, kind) for kind in KINDS}
    rows = pd.DataFrame([_row(services, names, point) for point in told.points])
    return rows.assign(at=pd.to_datetime(rows["at"], format="ISO8601", utc=True))


def _row(services: Services, names: Mapping[Kind, Mapping[str, str]], point: Point) -> dict[str, Any]:
    none = say("trends.none")
    return {
        "id": point.video_id,
        "x": round(point.x, 4),
        "y": round(point.y, 4),
        "number": str(point.cluster + 1),
        "title": point.title,
        "category": names["category"].get(point.category, none),
        "mood": names["mood"].get(point.mood, none),
        "added": day(point.added_at),
        "at": point.added_at,
        "image": page_url(services.store.url(point.poster_key)) if point.poster_key else "",
    }


def _selected(told: Map, selection: Mapping[str, Any]) -> list[str]:
    """Return the videos that were pressed, those of a number that was, or those that are framed on the chart."""
    ids = {row.get("id") for row in selection.get("picked") or ()}
    if found := [point.video_id for point in told.points if point.video_id in ids]:
        return found
    numbers = {row.get("number") for row in selection.get("numbered") or ()}
    if found := [id_ for n, one in enumerate(told.clusters, 1) if str(n) in numbers for id_ in one.video_ids]:
        return found
    area = selection.get("area") or {}
    if not {"x", "y"} <= {*area}:
        return []
    (left, right), (low, high) = sorted(area["x"]), sorted(area["y"])
    return [point.video_id for point in told.points if left <= point.x <= right and low <= point.y <= high]


def _play(services: Services, video_id: str) -> None:
    hit = services.discover.show(video_id)
    if hit is None:
        return
    with st.container(key="trends-plays"):
        player(hit, services, 0, f"map-{video_id}", autoplay=True)
        with st.container(horizontal=True, vertical_alignment="center", key="trends-playing"):
            st.text(hit.title)
            st.button(
                say("library.open", title=plain(hit.title)), key="open-point", on_click=safely(_manage), args=[video_id]
            )


def _manage(video_id: str) -> None:
    state.managed = video_id


def _open(services: Services, video_ids: Sequence[str]) -> None:
    """Show these videos in Discover, the most typical first."""
    ask.show_among(video_ids)
    state.to_discover = True


def _choice(name: str, options: Sequence[T]) -> T:
    """Draw options side by side, one of which is pressed, first the first; return it."""
    chosen = st.segmented_control(
        say(name),
        options,
        format_func=lambda one: say(f"{name}.{one}"),
        default=options[0],
        required=True,
        key=name.replace(".", "-"),
        label_visibility="collapsed",
    )
    return options[0] if chosen is None else chosen


def _over_time(services: Services, told: Found) -> None:
    st.header(say("trends.time"), anchor=False)
    with st.container(horizontal=True, key="trends-time"):
        period = _choice("trends.period", PERIODS)
        kind = _choice("trends.colour", KINDS)
    found = told.added[kind, period]
    totals: dict[str, int] = {}
    for one in found:
        totals[one.theme] = totals.get(one.theme, 0) + one.count
    most = sorted(totals, key=lambda theme: -totals[theme])[:SHOWN_THEMES]
    names = _theme_names(services, kind)
    rows = [
        {
            "since": one.since.isoformat(),
            "theme": names.get(one.theme, say("trends.none")) if one.theme in most else say("trends.others"),
            "count": one.count,
        }
        for one in found
    ]
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar(size=alt.expr("min(28, 0.85 * bandwidth('x'))"))  # one week alone is no wall
        .encode(
            x=alt.X("since:O", title=None, axis=alt.Axis(labelAngle=0, labelOverlap=True)),
            y=alt.Y("sum(count):Q", title=say("trends.count.each"), axis=alt.Axis(tickMinStep=1, format="d")),
            color=alt.Color(
                "theme:N",
                title=None,
                scale=alt.Scale(range=[*COLOURS]),
                legend=_legend(),
            ),
            tooltip=[
                alt.Tooltip("since:N", title=say("trends.since")),
                alt.Tooltip("theme:N", title=say(f"trends.colour.{kind}")),
                alt.Tooltip("sum(count):Q", title=say("trends.count")),
            ],
        )
        .properties(height=TIME_PX + _legend_px(len({row["theme"] for row in rows})))
    )
    st.altair_chart(chart, key="trends-added", alt=say("trends.time"))


def _taste(services: Services, entries: Sequence[Entry]) -> None:
    """Draw what this person likes and has seen, by category."""
    st.header(say("trends.taste"), anchor=False)
    marks = services.taste.marks(ask.profile())
    names = _theme_names(services, "category")
    rows = []
    for which, ids in (("liked", {*marks.likes}), ("seen", {*marks.seen})):
        counted: dict[str, int] = {}
        for entry in entries:
            if entry.video_id in ids:
                for label in entry.categories or ():
                    counted[label] = counted.get(label, 0) + 1
        rows += [
            {"which": say(f"trends.{which}"), "category": names[label], "count": count}
            for label, count in counted.items()
            if label in names
        ]
    if not rows:
        st.caption(say("trends.taste.none"))
        return
    chart = (
        alt.Chart(alt.Data(values=rows))
        .mark_bar()
        .encode(
            y=alt.Y("category:N", title=None, sort="-x"),
            x=alt.X("count:Q", title=say("trends.count"), axis=alt.Axis(tickMinStep=1, format="d")),
            color=alt.Color("which:N", title=None, scale=alt.Scale(range=[COLOURS[3], COLOURS[0]])),
            yOffset="which:N",
        )
    )
    st.altair_chart(chart, key="trends-liked", alt=say("trends.taste"))


def _missing(services: Services, found: Found) -> None:
    st.header(say("trends.missing"), anchor=False)
    lines = []
    for one in found.missing:
        moods, categories = _names(services, "mood", [one.mood]), _names(services, "category", [one.category])
        if moods and categories:
            lines.append(say("trends.missing.pair", mood=moods[0].lower(), category=_within(categories[0])))
    if lines:
        st.text("\n".join(lines))
    else:
        st.caption(say("trends.missing.none"))


def _copies(services: Services, found: Found) -> None:
    if not found.copies:
        return
    titles = {entry.video_id: entry.title for entry in found.entries}
    st.header(say("trends.copies"), anchor=False)
    st.caption(say("trends.copies.how"))
    for number, group in enumerate(found.copies):
        with st.container(horizontal=True, gap="small", key=f"copies-{number}"):
            for video_id in group:
                _link(f"copy-{number}-{video_id}", video_id, titles.get(video_id, ""))


def _alone(services: Services, found: Found) -> None:
    if not found.alone:
        return
    titles = {entry.video_id: entry.title for entry in found.entries}
    st.header(say("trends.alone"), anchor=False)
    st.caption(say("trends.alone.how"))
    with st.container(horizontal=True, gap="small", key="trends-alone"):
        for video_id in found.alone:
            _link(f"alone-{video_id}", video_id, titles.get(video_id, ""))


def _link(key: str, video_id: str, title: str) -> None:
    st.button(plain(title), key=key, on_click=safely(_manage), args=[video_id])
