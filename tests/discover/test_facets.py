"""Properties are counted each with the filters for the others, of a server all at the same time."""

from __future__ import annotations

import threading
from collections.abc import Mapping

import pytest

from core.discover.facets import facets_of
from core.errors import Unavailable
from core.index.base import Where
from core.properties import PROPERTIES


def test_a_server_is_asked_for_all_at_once() -> None:
    together = threading.Barrier(len(PROPERTIES))

    def values(field: str, where: Where) -> Mapping[str, int]:
        together.wait(120)  # broken, unless all of them come
        return {"portrait": 3} if field == PROPERTIES["shape"].payload_key else {}

    found = facets_of(values, Where(), {}, far=True)
    assert list(found) == list(PROPERTIES)
    assert found["shape"]["portrait"] == 3


def test_what_one_of_them_says_is_raised() -> None:
    def values(field: str, where: Where) -> Mapping[str, int]:
        raise Unavailable("It sleeps.")

    with pytest.raises(Unavailable, match="It sleeps"):
        facets_of(values, Where(), {}, far=True)
