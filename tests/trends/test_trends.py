"""Trends are worked out in the background, once for each state of a library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.errors import Unavailable
from core.services import Services, build
from core.settings import Settings
from core.trends import trends as module
from core.trends.trends import State, Trends
from tests.fakes import make_entries


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    services = build(Settings(data_dir=tmp_path))
    yield services
    services.close()


def put(services: Services, title: str) -> None:
    (vector,) = services.encoder.encode_text([title])
    entries = make_entries(title, info=services.encoder.info, clips=1, vectors=[vector, vector], tags={})
    services.index.upsert(services.discover.with_labels(entries))


def known(trends: Trends) -> State:
    trends._not_before_s = 0.0
    trends.now()
    assert trends.wait(120)
    return trends.now()


def test_it_is_worked_out_once_and_again_when_the_library_changed(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    find = module.find
    monkeypatch.setattr(module, "find", lambda discover: asked.append(1) or find(discover))
    put(services, "grey wolf animal")
    first = services.trends.now()
    assert first.found is None
    assert first.is_old
    told = known(services.trends)
    assert not told.is_old
    assert told.found is not None
    assert [point.title for point in told.found.map.points] == ["grey wolf animal"]
    assert known(services.trends).found is told.found
    assert asked == [1]
    put(services, "tax office")
    again = services.trends.now()
    assert again.is_old
    assert again.found is told.found  # what was known serves until then
    assert len(known(services.trends).found.entries) == 2


def test_an_empty_library_has_an_empty_map(services: Services) -> None:
    told = known(services.trends).found
    assert told is not None
    assert told.map.points == told.map.clusters == ()


def test_what_goes_wrong_is_said_and_tried_again(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(discover: object) -> None:
        raise Unavailable("Qdrant does not answer.")

    put(services, "grey wolf animal")
    with monkeypatch.context() as patch:
        patch.setattr(module, "find", fail)
        assert known(services.trends).problem == "Qdrant does not answer."
    told = known(services.trends)
    assert told.problem is None
    assert told.found is not None


def test_a_sample_says_how_many_there_are(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.clusters, "MOST", 3)
    monkeypatch.setattr(module.clusters.sampled, "__defaults__", (3,))
    for number in range(5):
        put(services, f"wolf number {number}")
    told = known(services.trends).found
    assert told is not None
    assert (len(told.map.points), told.map.total, len(told.entries)) == (3, 5, 5)
