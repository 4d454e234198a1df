"""The tab of trends on Library: the map, what came when, what is missing, double and alone."""

from __future__ import annotations

import json

from streamlit.dataframe_util import convert_arrow_bytes_to_pandas_df
from streamlit.testing.v1 import AppTest

from core.models import Query
from core.services import Services
from core.trends.clusters import Cluster, Map
from core.trends.naming import Name
from pages.components.library_trends import _selected, cluster_names
from tests.fakes import make_entries
from tests.pages.support import open_page, press, readable
from tests.pages.test_library import tab

TITLES = [
    *(f"grey wolf and dog {n}, animals" for n in range(4)),
    *(f"football match {n}, sports" for n in range(4)),
]


def put(services: Services) -> list[str]:
    """Put videos of two kinds into the index; return their ids."""
    ids = []
    for number, title in enumerate(TITLES):
        (vector,) = services.encoder.encode_text([title])
        entries = make_entries(
            title, info=services.encoder.info, clips=1, vectors=[vector, vector], tags={},
            ingested_at=f"2026-11-{2 + 7 * (number // 4):02d}T10:00:00+00:00",
        )  # fmt: skip
        services.index.upsert(services.discover.with_labels(entries))
        ids.append(entries[0].video_id)
    return ids


def trends(services: Services) -> AppTest:
    app = tab(open_page("library"), "trends")
    services.trends.wait(120)
    return app.run()


def rows_of(app: AppTest, number: int) -> list[dict]:
    """Return the rows that a chart of the page draws, of all its layers."""
    drawn = app.get("vega_lite_chart")[number].proto
    tables = [one.data.data for one in drawn.datasets] + [drawn.data.data]
    found = [convert_arrow_bytes_to_pandas_df(table) for table in tables if table]
    layers = json.loads(drawn.spec).get("layer", ())
    inside = [row for layer in layers for row in layer.get("data", {}).get("values", ())]
    return [row for table in found for row in table.to_dict("records")] + inside


def test_everything_is_on_the_map_and_clusters_are_named(services):
    put(services)
    app = trends(services)
    assert not app.exception
    rows = [row for row in rows_of(app, 0) if "title" in row]
    assert sorted(row["title"] for row in rows) == sorted(TITLES)
    assert all(row["image"].endswith(".jpg") for row in rows)
    buttons = [str(button.label).casefold() for button in app.button if str(button.key).startswith("open-cluster-")]
    assert len(buttons) == 2
    assert any("animals" in label for label in buttons)
    assert any("sports" in label for label in buttons)
    assert "4 videos" in readable(app)


def test_a_press_where_a_number_and_a_point_are_is_meant_for_the_point_of_few_and_the_number_of_many(
    services, monkeypatch
):
    def marks(app: AppTest) -> list[str]:
        layers = json.loads(app.get("vega_lite_chart")[0].proto.spec)["layer"]
        return [layer["mark"]["type"] for layer in layers]

    put(services)
    app = trends(services)
    assert marks(app) == ["text", "circle"]
    monkeypatch.setattr("pages.components.library_trends.DENSE", len(TITLES))
    assert marks(app.run()) == ["circle", "circle", "text"]


def test_clusters_that_would_be_called_the_same_are_told_apart_by_a_word(services):
    def cluster(words: tuple[str, ...], *categories: str) -> Cluster:
        return Cluster(Name(categories, (), words), 0.0, 0.0, ("a",))

    told = Map((), (cluster(("sea", "sand"), "nature"), cluster(("tree",), "nature"), cluster(("night", "dog"))), 3)
    assert cluster_names(services, told) == ["Nature · sea", "Nature · tree", "Night, dog"]


def test_what_came_when_by_week_and_month(services):
    put(services)
    app = trends(services)
    assert {row["since"] for row in rows_of(app, 1)} == {"2026-11-02", "2026-11-09"}
    app.segmented_control(key="trends-period").set_value("month").run()
    assert {row["since"] for row in rows_of(app, 1)} == {"2026-11-01"}


def test_what_is_liked_is_counted_for_who_looks(services):
    ids = put(services)
    assert "Nothing yet" in readable(trends(services))
    services.taste.mark("Me", ids[0], "like")
    app = trends(services)
    assert "Nothing yet" not in readable(app)
    liked = [row for row in rows_of(app, 2) if row["category"] == "Animals"]
    assert [row["count"] for row in liked] == [1]


def test_copies_and_what_is_alone_are_named(services):
    put(services)
    (vector,) = services.encoder.encode_text(["harbour ship"])
    for number in range(2):
        entries = make_entries(f"Ship {number}", info=services.encoder.info, clips=1, vectors=[vector] * 2, tags={})
        services.index.upsert(services.discover.with_labels(entries))
    app = trends(services)
    assert "Twice the same" in readable(app)
    labels = [str(button.label) for button in app.button if str(button.key).startswith("copy-")]
    assert {"Ship 0", "Ship 1"} <= {*labels}


def test_an_empty_library_has_no_map(services):
    assert "Your library is empty" in readable(open_page("library"))


def test_some_videos_alone_are_asked_for(services):
    ids = put(services)
    found = services.discover.search(Query(like=ids[0], among=tuple(ids[:3]), fold=False))
    assert {hit.video_id for hit in found.hits} == {*ids[:3]}
    assert services.discover.search(Query(like=ids[0], fold=False)).total == 7


def test_a_cluster_is_asked_for_in_discover_and_nothing_else(services):
    ids = put(services)
    app = trends(services)
    app.button(key="open-cluster-0").click().run()
    assert app.session_state["among"][0] == app.session_state["like"]
    assert {*app.session_state["among"]} in ({*ids[:4]}, {*ids[4:]})
    assert app.session_state["of_map"] == 4, "the address says how many they are"
    page = open_page("discover", like=app.session_state["like"], of_map="4")
    page.session_state["like"] = app.session_state["like"]
    page.session_state["among"] = list(app.session_state["among"])
    page.run()
    assert not page.exception
    assert "4 videos of the map" in [button.label for button in page.button]
    press(page, "4 videos of the map")
    assert not page.session_state["among"]
    assert not page.query_params


def test_a_press_on_a_point_and_a_frame_round_some_say_which_videos(services):
    ids = put(services)
    services.trends.now()
    assert services.trends.wait(120)
    told = services.trends.now().found.map
    assert _selected(told, {"picked": [{"id": ids[2]}]}) == [ids[2]]
    assert _selected(told, {}) == []
    one = next(cluster for cluster in told.clusters if ids[0] in cluster.video_ids)
    points = [point for point in told.points if point.video_id in one.video_ids]
    area = {axis: [getattr(points[0], axis) - 1e-6, getattr(points[0], axis) + 1e-6] for axis in ("x", "y")}
    assert ids[0] in _selected(told, {"picked": [], "area": area})
    number = told.clusters.index(one) + 1
    pressed = {"picked": [{}], "numbered": [{"number": str(number)}], "area": {}}
    assert {*_selected(told, pressed)} == {*one.video_ids}, "Vega says of the points only that they were not meant"
    assert _selected(told, {"picked": [{"id": ids[2]}], "numbered": [{}]}) == [ids[2]]
    everything = {"x": [9.0, -9.0], "y": [-9.0, 9.0]}
    assert {*_selected(told, {"area": everything})} == {*ids}
