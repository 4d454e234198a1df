"""The rules of VMAP 1.0.1 (IAB; sections 2.3 and 4) and of the VAST 3.0 inside, as far as ours can break them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

NAMESPACE = "{http://www.iab.net/videosuite/vmap}"
OFFSET = re.compile(r"\d{2}:[0-5]\d:[0-5]\d(\.\d{3})?|start|end|(100|[1-9]?\d)%|#[1-9]\d*")
TIME = re.compile(r"\d{2}:[0-5]\d:[0-5]\d(\.\d{3})?")
TYPE = re.compile(r"(linear|nonlinear|display)(,(linear|nonlinear|display))*")
TEMPLATES = ("vast1", "vast2", "vast3", "proprietary")


def check_vmap(text: str) -> list[ElementTree.Element]:
    """Assert that a document is VMAP; return its breaks."""
    root = ElementTree.fromstring(text.encode())
    assert root.tag == f"{NAMESPACE}VMAP"
    assert root.get("version") == "1.0"
    breaks = list(root)
    for one in breaks:
        assert one.tag in (f"{NAMESPACE}AdBreak", f"{NAMESPACE}Extensions")
        assert OFFSET.fullmatch(one.get("timeOffset", "")), one.attrib
        assert TYPE.fullmatch(one.get("breakType", "")), one.attrib
        assert {*one.keys()} <= {"timeOffset", "breakType", "breakId", "repeatAfter"}, one.attrib
        _check_order(one, [f"{NAMESPACE}{name}" for name in ("AdSource", "TrackingEvents", "Extensions")])
        for source in one.iter(f"{NAMESPACE}AdSource"):
            _check_source(source, text)
    ids = [one.get("breakId") for one in breaks]
    assert len({*ids}) == len(ids)
    return breaks


def _check_order(parent: ElementTree.Element, allowed: list[str]) -> None:
    """Assert that the children are among these, each once at most, in this order: a sequence of a schema."""
    names = [child.tag for child in parent]
    assert [name for name in allowed if name in names] == names, names


def _check_source(source: ElementTree.Element, text: str) -> None:
    assert {*source.keys()} <= {"id", "allowMultipleAds", "followRedirects"}, source.attrib
    for name in ("allowMultipleAds", "followRedirects"):
        assert source.get(name) in (None, "true", "false")
    (content,) = source  # exactly one of three
    kind = content.tag.removeprefix(NAMESPACE)
    if kind == "AdTagURI":
        assert content.get("templateType") in TEMPLATES
        assert (content.text or "").strip()
        assert f"<![CDATA[{content.text}]]>" in text
        return
    assert kind == "VASTAdData"
    (vast,) = content  # as XML, not inside a CDATA section
    assert vast.tag == "VAST"
    assert vast.get("version") == "3.0"
    for ad in vast:
        assert ad.tag == "Ad"
        (inline,) = ad
        names = [child.tag for child in inline]
        assert names == ["AdSystem", "AdTitle", "Impression", "Creatives"]
        assert inline.findtext("AdTitle")
        (linear,) = inline.iter("Linear")
        _check_order(linear, ["Icons", "CreativeExtensions", "Duration", "TrackingEvents", "AdParameters",
                              "VideoClicks", "MediaFiles"])  # fmt: skip
        assert TIME.fullmatch(linear.findtext("Duration", ""))
        for file in linear.iter("MediaFile"):
            assert file.get("delivery") in ("progressive", "streaming")
            assert re.fullmatch(r"video/\w+", file.get("type", ""))
            assert int(file.get("width", "")) > 0
            assert int(file.get("height", "")) > 0
            assert (file.text or "").strip()
