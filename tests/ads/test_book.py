"""Ads that are kept: they have files and places, and no search finds them."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from core.ads.book import Kept, kept_of
from core.ads.models import Wanted
from core.errors import MediaError, QueryError, StoreError
from core.index.base import video_id
from core.models import Query
from core.services import Services
from tests.ads.conftest import Add
from tests.videos import make_video


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return make_video(tmp_path / "dog and puppy, animals.mp4", seconds=2, size=(64, 36), fps=5)


def test_a_clip_is_kept_placed_and_removed(services: Services, add: Add, clip: Path) -> None:
    for title in ("grey wolf and dog, animals", "tax office, law", "harbour ship", "football match"):
        add(title)
    told: list[float] = []
    kept = services.ads.book.add(clip, clip.name, told.append)
    assert kept.title == "Dog and puppy, animals"
    assert (kept.width_px, kept.height_px) == (64, 36)
    assert told[-1] == 1.0
    assert {kept.media_key, kept.poster_key} <= services.store.sizes().keys()
    assert services.ads.book.all() == (kept,)
    assert services.ads.book.add(clip, "again.mp4") == kept

    assert services.index.count().videos == 4
    hits = services.discover.search(Query(text="dog")).hits
    assert [hit.title for hit in hits] == ["grey wolf and dog, animals"]
    found = services.ads.placing.propose(Wanted(ad=kept.id))
    assert found.placed[0].entry.title == "grey wolf and dog, animals"
    assert found.ad.media_key == kept.media_key

    assert services.ads.book.remove(kept.id)
    assert not services.ads.book.remove(kept.id)
    assert services.ads.book.all() == ()
    assert not {kept.media_key, kept.poster_key} & services.store.sizes().keys()
    assert not list((services.settings.data_dir / "ads").iterdir())


def test_what_an_encoder_made_of_it_is_made_again_where_it_is_gone(services: Services, clip: Path) -> None:
    kept = services.ads.book.add(clip, clip.name)
    first = services.ads.book.ad(kept.id)
    for file in (services.settings.data_dir / "ads").glob("*.npz"):
        file.unlink()
    again = services.ads.book.ad(kept.id)
    assert first is not None
    assert again is not None
    assert again.vector == pytest.approx(first.vector, abs=1e-4)
    assert services.ads.book.ad("nobody") is None


def test_what_is_no_video_is_refused_and_leaves_nothing(services: Services, tmp_path: Path) -> None:
    text = tmp_path / "ad.mp4"
    text.write_text("no video")
    with pytest.raises(MediaError):
        services.ads.book.add(text, "ad.mp4")
    assert services.ads.book.all() == ()
    assert services.store.sizes() == {}
    assert not list((services.settings.data_dir / "ads").iterdir())


def test_an_encoder_that_charges_reads_no_ad(services: Services, clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services.encoder, "info", replace(services.encoder.info, paid=True))
    with pytest.raises(QueryError, match="Add the ad to the library"):
        services.ads.book.add(clip, clip.name)


def test_a_damaged_list_is_said(services: Services) -> None:
    (services.settings.data_dir / "ads.json").write_text("{")
    with pytest.raises(StoreError, match=r"ads\.json"):
        services.ads.book.all()


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "../../ads"},
        {"id": video_id("cd" * 32)},
        {"content_sha256": "zz" * 32},
        {"media_key": f"{video_id('ab' * 32)}.mp4"},
        {"media_key": f"ad-{video_id('ab' * 32)}.exe"},
        {"poster_key": "../ads.json"},
        {"duration_s": "5"},
        {"width_px": 0},
        {"title": None},
        {"tags": {"comment": 7}},
        {"tags": 7},
        {"added_at": "yesterday"},
        {"more": 1},
    ],
)
def test_a_row_that_this_app_did_not_write_is_none(wrong: dict[str, object]) -> None:
    content = "ab" * 32
    id_ = video_id(content)
    keys = (f"ad-{id_}.mp4", f"ad-{id_}.jpg")
    row = asdict(Kept(id_, "Dogs", "dogs.mp4", content, *keys, 5.0, 64, 36, {"comment": "x"}, "2026-11-26T05:27:00Z"))
    assert asdict(kept_of(row)) == row
    with pytest.raises((ValueError, KeyError, TypeError)):
        kept_of(row | wrong)
