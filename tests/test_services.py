"""The library as it is opened from settings: a released one, with the encoder that filled it and with another."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from core import services
from core.encoders import registry
from core.errors import SettingsError
from core.index.base import Space
from core.library import watching
from core.models import EncoderInfo, Query, Stage
from core.services import Services
from core.settings import Settings
from tests.fakes import FAKE_INFO, FakeEncoder, make_entries
from tests.index.released import FILLED_BY, SEA, TRAIN, WOLF, unpack
from tests.servers.qdrant import QdrantServer
from tests.support import until

NEW = replace(FAKE_INFO, name="new-v2")


def build(data_dir: Path, info: EncoderInfo, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Return the services with a fake as the encoder that is set; the local one is a fake of its name."""
    monkeypatch.setattr(services, "open_encoder", lambda settings: FakeEncoder(info))
    monkeypatch.setattr(services, "_encoder_of", lambda settings, space: FakeEncoder(FILLED_BY))
    return services.build(Settings(data_dir=data_dir))


@pytest.mark.parametrize("info", [FILLED_BY, NEW])
def test_a_library_of_release_0_1_0_opens_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, info: EncoderInfo
) -> None:
    opened = build(unpack(tmp_path), info, monkeypatch)
    assert opened.encoder.info.name == "local-v2"
    assert opened.serving.is_behind == (info is NEW)
    assert {entry.video_id for entry in opened.index.scroll(scope="video")} == {WOLF, SEA}
    assert opened.taste.marks("ada").likes == (WOLF,)
    assert [channel.name for channel in opened.channels.channels()] == ["Calm water"]
    assert opened.taxonomy.category("harbours").own
    hit = opened.discover.show(SEA)
    assert (hit.title, hit.url) == ("Calm sea at dawn", f"/app/static/media/{SEA}.mp4")
    assert opened.store.exists(f"{SEA}.mp4")
    assert [hit.video_id for hit in opened.discover.similar(WOLF)] == [SEA]
    opened.jobs.start()
    over = {job.filename: job for job in opened.jobs.wait([job.id for job in opened.jobs.jobs()], 20)}
    assert (over["Night train.mp4"].stage, over["Night train.mp4"].video_id) == (Stage.READY, TRAIN)
    assert opened.index.count().videos == 3, "it went into the space that answers"
    opened.close()


@pytest.mark.parametrize(
    ("name", "dimension"),
    [
        ("twelvelabs/marengo3.0", 512),
        ("twelvelabs/marengo3.5/256", 256),
        ("twelvelabs/marengo3.0-vat", 3 * 512 + 1),
        ("twelvelabs/marengo3.5-va/128", 2 * 128 + 1),
        ("local-", 384),
    ],
)
def test_the_encoder_of_a_space_is_made_of_its_name(tmp_path: Path, name: str, dimension: int) -> None:
    settings = Settings(data_dir=tmp_path, twelvelabs_api_key="key", twelvelabs_model="marengo3.0")
    if name == "local-":
        name = services.open_encoder(Settings(data_dir=tmp_path, encoder="local")).info.name
    encoder = services._encoder_of(settings, Space(name, dimension, True))
    assert (encoder.info.name, encoder.info.dimension) == (name, dimension)


def test_every_encoder_knows_its_own_space() -> None:
    spaces = {
        "twelvelabs/marengo3.5": "twelvelabs",
        "bedrock/marengo-embed-3-0-v1": "bedrock",
        "clip-vit-b-32+local-v2": "clip",
        "siglip2-base-p16-224+local-v2": "clip",
        "local-v9": "local",
    }
    assert {space: registry.filler(space)[0].name for space in spaces} == spaces
    assert {row.name for row in registry.ENCODERS} == set(spaces.values())


@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        ("twelvelabs/marengo3.0", "TWELVE_LABS_API_KEY is not set. Set it"),
        ("siglip2-base-p16-224+local-v2", "python -m core model get siglip2"),
        ("somebody-elses-v9", "which this version of the app does not have"),
    ],
)
def test_an_encoder_that_cannot_be_had_says_what_to_set(tmp_path: Path, encoder: str, said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        services._encoder_of(Settings(data_dir=tmp_path), Space(encoder, 512, True))
    assert str(caught.value).startswith(f"The library was filled by {encoder}")
    assert said in str(caught.value)


def test_a_new_theme_stays_when_another_space_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = build(unpack(tmp_path), NEW, monkeypatch)
    opened.add_theme("category", "Ferries", ["a ferry at sea"])
    lane = opened.serving.fill(opened.serving.configured)
    lane.index.upsert(make_entries("Ferry at sea", info=NEW))
    assert opened.serving.complete(lane, lambda: True)
    assert opened.encoder.info == NEW
    assert opened.discover.taxonomy.category("ferries").own
    assert [hit.title for hit in opened.discover.browse(1).hits] == ["Ferry at sea"]
    opened.close()


def test_what_one_app_changes_of_a_video_another_one_sees(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "open_encoder", lambda settings: FakeEncoder(NEW))
    monkeypatch.setattr(watching, "watch", partial(watching.watch, every_s=0.1))
    with ExitStack() as stack:
        qdrant = stack.enter_context(QdrantServer())
        one, two = (
            stack.enter_context(
                closing(
                    services.build(
                        Settings(data_dir=tmp_path / name, database_url=database_url, qdrant_url=qdrant.url), workers=0
                    )
                )
            )
            for name in ("one", "two")
        )
        one.index.upsert(make_entries("Grey wolf", info=NEW))
        (video_id,) = (entry.video_id for entry in one.index.scroll(scope="video"))
        two.start()
        until(lambda: two.discover.labelled().is_all and two.discover.labelled().videos == 1)
        assert two.discover.counts()["food"] == 0
        assert one.correct(video_id, "category", "food", True)
        until(lambda: two.discover.counts()["food"] == 1)
        assert one.library.editor.edit(video_id, title="Red fox")
        until(lambda: [hit.title for hit in two.discover.search(Query(categories=("food",))).hits] == ["Red fox"])
        until(lambda: two.discover.labelled().is_all)


@pytest.mark.parametrize("where", ["embedded", "on a server"])
def test_what_is_said_of_a_video_holds_in_a_space_that_answers_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.setattr(services, "open_encoder", lambda settings: FakeEncoder(FAKE_INFO))
    with ExitStack() as stack:
        url = stack.enter_context(QdrantServer()).url if where == "on a server" else None
        opened = services.build(Settings(data_dir=tmp_path, qdrant_url=url), workers=0)
        stack.callback(opened.close)
        lane = opened.serving.fill(FakeEncoder(NEW))
        for index, encoder in ((opened.index, FAKE_INFO), (lane.index, NEW)):
            index.upsert(make_entries("animals", clips=1, info=encoder))
        lane.index.upsert(opened.serving.discover_of(lane).with_labels(list(lane.index.scroll())))
        (video_id,) = (entry.video_id for entry in lane.index.scroll(scope="video"))
        assert "animals" in lane.index.retrieve([video_id])[0].categories
        assert opened.correct(video_id, "category", "animals", False)
        assert "animals" not in opened.index.retrieve([video_id])[0].categories
        opened.serving.configured = lane.encoder
        assert opened.serving.complete(lane, lambda: True)
        while opened.relabel.one_batch():
            pass
        assert "animals" not in opened.index.retrieve([video_id])[0].categories
        assert opened.relabel.progress() is None
