"""One row a property: a made-up one shows up wherever properties do, and each of ours reads what it should."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from core import __main__ as command_line
from core.discover import taxonomy
from core.discover.search import Discover
from core.errors import QueryError
from core.index.base import to_payload
from core.library.spaces import Serving
from core.models import Query
from core.properties import PROPERTIES, Property
from core.services import Services
from core.serving.routes import routes
from core.settings import Settings
from core.state.opening import open_state
from tests.fakes import FAKE_INFO, FakeEncoder, MemorySpaces, MemoryStore, make_entries

INITIAL = Property("initial", "The first letter of its title.", lambda entry: [entry.title[0]], "initial", ("a", "b"))


@pytest.fixture
def services(tmp_path):
    info = replace(FAKE_INFO, dimension=2048)
    encoder, spaces, store = FakeEncoder(info), MemorySpaces(), MemoryStore()
    index = spaces.make(info, complete=True)
    for title in ("animals", "big animals"):
        index.upsert(make_entries(title, info=info))
    discover = Discover(encoder=encoder, index=index, store=store, taxonomy=taxonomy.load())
    serving = Serving(spaces, encoder, encoder_of=lambda space: encoder, discover_over=lambda *_: discover)
    state = open_state(tmp_path, None)
    return Services(
        Settings(data_dir=tmp_path),
        store,
        serving,
        jobs=None,
        taste=None,
        channels=None,
        reembed=None,
        library=None,
        state=state,
        themes=state.document("taxonomy.toml"),
        ads=None,
        trends=None,
    )


@pytest.fixture
def initial(monkeypatch):
    monkeypatch.setitem(PROPERTIES, "initial", INITIAL)


@pytest.mark.usefixtures("initial")
class TestOneRowMore:
    def test_it_is_counted_and_filters(self, services):
        results = services.discover.search(Query(categories=("animals",)))
        assert results.facets["initial"] == {"a": 1, "b": 1}
        results = services.discover.search(Query(categories=("animals",), filters={"initial": ("b",)}))
        assert [hit.title for hit in results.hits] == ["big animals"]

    def test_it_can_be_asked_for_over_http_and_is_documented(self, services):
        client = TestClient(Starlette(routes=routes(lambda: services)))
        found = client.post("/search", json={"category": "animals", "initial": ["b"]}).json()
        assert [hit["filename"] for hit in found] == ["big animals.mp4"]
        refused = client.post("/search", json={"category": "animals", "initial": "z"})
        assert refused.status_code == 400
        assert refused.json() == {
            "error": "There is no initial 'z'. Choose of: a, b.",
            "details": {"initial": ["a", "b"]},
        }
        search = client.get("/api/docs").json()["paths"]["/search"]["post"]
        schema = search["requestBody"]["content"]["application/json"]["schema"]["properties"]["initial"]
        assert schema["oneOf"][0] == {"type": "string", "enum": ["a", "b"]}
        assert schema["description"] == "The first letter of its title."

    def test_the_command_line_has_it(self, services, monkeypatch, capsys):
        monkeypatch.setattr(command_line, "load", lambda: None)
        monkeypatch.setattr(command_line, "build", lambda settings, **_: services)
        monkeypatch.setattr(Services, "close", lambda self: None)
        assert command_line.main(["search", "--category", "animals", "--initial", "b", "--json"]) == 0
        assert [hit["filename"] for hit in json.loads(capsys.readouterr().out)] == ["big animals.mp4"]
        assert command_line.main(["search", "--category", "animals", "--initial", "z"]) == 1
        assert "Choose of: a, b." in capsys.readouterr().err
        with pytest.raises(SystemExit):
            command_line.main(["search", "--help"])
        assert "--initial" in capsys.readouterr().out


def test_without_the_row_it_is_gone(services):
    assert "initial" not in services.discover.search(Query(categories=("animals",))).facets
    with pytest.raises(SystemExit):
        command_line.main(["search", "--initial", "b"])


@pytest.mark.parametrize(
    ("name", "changes", "values"),
    [
        ("length", {"duration_s": 9.99}, {"under-10s"}),
        ("length", {"duration_s": 10.0}, {"10s-1min"}),
        ("length", {"duration_s": 600.0}, {"over-10min"}),
        ("shape", {"width_px": 1920, "height_px": 1080}, {"landscape"}),
        ("shape", {"width_px": 1080, "height_px": 1920}, {"portrait"}),
        ("shape", {"width_px": 1080, "height_px": 1000}, {"square"}),
        ("shape", {"width_px": 0, "height_px": 0}, {"portrait"}),
        ("sound", {"has_audio": True}, {"with-sound"}),
        ("sound", {"has_audio": False}, {"silent"}),
        ("language", {"subtitle_languages": ("pt-br", "en")}, {"pt-br", "pt", "en"}),
        ("language", {}, set()),
    ],
)
def test_each_property_is_read_from_an_entry(name, changes, values):
    entry = make_entries("A", **changes)[0]
    assert PROPERTIES[name].of(entry) == values
    assert all(PROPERTIES[name].read(value) == value for value in values)


def test_a_text_is_read_as_the_value_it_stands_for():
    assert PROPERTIES["language"].read_all(["GER", "de", "pt-BR"]) == ("de", "pt-br")
    for name, text, allowed in (("shape", "round", "portrait"), ("language", "English", "pt-BR")):
        with pytest.raises(QueryError) as caught:
            PROPERTIES[name].read(text)
        assert allowed in str(caught.value)
        assert allowed in caught.value.details[name]


def test_what_an_index_will_keep_of_properties_replaces_nothing_it_keeps():
    keys = [row.payload_key for row in PROPERTIES.values()]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & to_payload(make_entries("A")[0]).keys()
