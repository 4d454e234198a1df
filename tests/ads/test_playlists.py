"""Places as VMAP and as JSON cues: what players read."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest

from core.ads.models import Ad, Break, Placed, Reason
from core.ads.playlists import check_tag, cues, timestamp, vmap
from core.errors import QueryError
from tests.ads.vmap_rules import NAMESPACE, check_vmap
from tests.fakes import make_entries

CLIP = Ad("ad-1", 'Boots & "more" <now>', np.zeros(3), False, (), (), {}, "ad-1.mp4", "ad-1.jpg", 5.25, 640, 360)
WORDS = Ad("", "a quiet hotel", np.zeros(3), True, (), (), {})
PLACED = Placed(
    make_entries("Wolf")[0],
    (
        Break(61.5, "end", 0.5, 0.6, (Reason("end"),)),
        Break(3725.0404, "cut", 0.9, 0.8, (Reason("cut"), Reason("quiet", 8.0), Reason("mood", label="calm"))),
    ),
)


def address(key: str) -> str:
    return f"https://example.org/{key}?a=1&b=2"


def test_a_clip_is_inside_as_vast() -> None:
    end, cut = check_vmap(vmap(CLIP, PLACED, address))
    assert [one.get("timeOffset") for one in (end, cut)] == ["end", "01:02:05.040"]
    (file,) = cut.iter("MediaFile")
    assert file.text == "https://example.org/ad-1.mp4?a=1&b=2"
    assert (file.get("type"), file.get("width"), file.get("height")) == ("video/mp4", "640", "360")
    assert cut.findtext(".//AdTitle") == 'Boots & "more" <now>'
    assert cut.findtext(".//Duration") == "00:00:05.250"


def test_an_ad_server_is_named_where_one_is_given() -> None:
    text = vmap(CLIP, PLACED, address, "https://ads.example.org/tag?x=1&y=[TIME]")
    for one in check_vmap(text):
        (uri,) = one.iter(f"{NAMESPACE}AdTagURI")
        assert uri.text == "https://ads.example.org/tag?x=1&y=[TIME]"
        assert not list(one.iter("VAST"))


def test_a_sentence_alone_leaves_breaks_to_be_filled() -> None:
    for one in check_vmap(vmap(WORDS, PLACED, address)):
        assert len(one) == 0


@pytest.mark.parametrize("tag", ["javascript:alert(1)", "https://x/]]><a>", "https://x/\n", "https://" + "x" * 3000])
def test_what_is_no_address_is_refused(tag: str) -> None:
    with pytest.raises(QueryError, match="ad server"):
        vmap(CLIP, PLACED, address, tag)
    assert check_tag("") == ""


def test_cues_are_in_order_of_time_with_their_reasons() -> None:
    told = cues(CLIP, PLACED, address, {"calm": "Calm"})
    assert [cue["at_s"] for cue in told["cues"]] == [61.5, 3725.04]
    assert told["cues"][1]["reasons"] == [
        "One shot ends here and another begins.",
        "The sound is 8 dB quieter than usual, and nobody speaks.",
        "What was just seen feels like the ad: Calm.",
    ]
    assert told["ad"]["url"] == "https://example.org/ad-1.mp4?a=1&b=2"
    assert cues(WORDS, PLACED, address, {})["ad"] == {
        "id": None, "title": "a quiet hotel", "url": None, "duration_s": None
    }  # fmt: skip


def test_times() -> None:
    assert [timestamp(s) for s in (0, 59.9996, 3600)] == ["00:00:00.000", "00:01:00.000", "01:00:00.000"]


def test_the_rules_themselves_find_mistakes() -> None:
    text = vmap(CLIP, PLACED, address)
    for right, wrong in (('breakType="linear"', 'breakType="loud"'), ('timeOffset="end"', 'timeOffset="later"'),
                         ('vmap" version="1.0"', 'vmap"'), ("progressive", "fast"), (' breakId=', ' name='),
                         ("<Duration>00:00:05.250</Duration>", "")):  # fmt: skip
        with pytest.raises(AssertionError):
            check_vmap(text.replace(right, wrong))
    with pytest.raises(ElementTree.ParseError):
        check_vmap(text[:-3])
