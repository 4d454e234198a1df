"""Places as what players read: VMAP 1.0 with the ad inside as VAST 3.0, and a JSON list of cues.

Sources: IAB, Video Multiple Ad Playlist 1.0.1 (sections 2.3 and 4), Video Ad Serving Template 3.0 (section 2.2). VMAP
is about one video, the one whose player reads it. An ad that is a sentence has nothing to play: its breaks name an ad
server's address, where one is given, or stay empty, which VMAP allows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.dom.minidom import Document, Element

from core import __version__
from core.ads.models import Ad, Break, Placed, sentence
from core.errors import QueryError
from core.stores.base import CONTENT_TYPES

NAMESPACE = "http://www.iab.net/videosuite/vmap"
VAST_VERSION = "3.0"
MAX_TAG = 2000


def check_tag(tag: str) -> str:
    """Return an ad server's address. Raises QueryError for what is none that can stand in a playlist."""
    if tag and (
        not tag.startswith(("https://", "http://")) or len(tag) > MAX_TAG or not tag.isprintable() or "]]>" in tag
    ):
        raise QueryError("tag must be the address of an ad server, beginning with https://.")
    return tag


def vmap(ad: Ad, placed: Placed, address: Callable[[str], str], tag: str = "") -> str:
    """Return the VMAP document of one video; `address` returns where a player finds the file of a key of the store.

    With a tag, the address of an ad server, that one says what is played. Raises QueryError for a tag that is none.
    """
    check_tag(tag)
    document = Document()
    root = document.createElement("vmap:VMAP")
    root.setAttribute("xmlns:vmap", NAMESPACE)
    root.setAttribute("version", "1.0")
    document.appendChild(root)
    for number, one in enumerate(_in_time(placed), 1):
        place = _child(root, "vmap:AdBreak")
        place.setAttribute("timeOffset", "end" if one.kind == "end" else timestamp(one.at_s))
        place.setAttribute("breakType", "linear")
        place.setAttribute("breakId", f"break-{number}")
        if not tag and ad.media_key is None:
            continue
        source = _child(place, "vmap:AdSource")
        source.setAttribute("id", str(number))
        source.setAttribute("allowMultipleAds", "false")
        source.setAttribute("followRedirects", "true" if tag else "false")
        if tag:
            uri = _child(source, "vmap:AdTagURI")
            uri.setAttribute("templateType", "vast3")
            uri.appendChild(document.createCDATASection(tag))
        elif ad.media_key is not None:
            _vast(_child(source, "vmap:VASTAdData"), ad, address(ad.media_key), Path(ad.media_key).suffix)
    return document.toprettyxml(indent="  ", encoding="UTF-8").decode()


def cues(ad: Ad, placed: Placed, address: Callable[[str], str], labels: Mapping[str, str]) -> dict[str, Any]:
    """Return the places in one video as JSON, in order of time; `labels` names categories and moods by their ids."""
    entry = placed.entry
    return {
        "video_id": entry.video_id,
        "title": entry.title,
        "url": address(entry.media_key),
        "duration_s": round(entry.duration_s, 3),
        "ad": {
            "id": ad.id or None,
            "title": ad.title,
            "url": address(ad.media_key) if ad.media_key else None,
            "duration_s": round(ad.duration_s, 3) or None,
        },
        "cues": [cue(one, labels) for one in _in_time(placed)],
    }


def cue(one: Break, labels: Mapping[str, str]) -> dict[str, Any]:
    """Return a place as JSON."""
    return {
        "at_s": round(one.at_s, 3),
        "kind": one.kind,
        "score": round(one.score, 4),
        "match": round(one.match, 4),
        "reasons": [sentence(reason, labels) for reason in one.reasons],
    }


def timestamp(seconds: float) -> str:
    """Return a time as VMAP and VAST write it: 00:12:03.500."""
    thousandths = round(seconds * 1000)
    minutes, rest = divmod(thousandths, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _in_time(placed: Placed) -> list[Break]:
    return sorted(placed.breaks, key=lambda one: one.at_s)


def _vast(parent: Element, ad: Ad, url: str, suffix: str) -> None:
    """Write an ad that plays from one file."""
    vast = _child(parent, "VAST")
    vast.setAttribute("version", VAST_VERSION)
    one = _child(vast, "Ad")
    one.setAttribute("id", ad.id)
    inline = _child(one, "InLine")
    system = _child(inline, "AdSystem", "Moodreel")
    system.setAttribute("version", __version__)
    _child(inline, "AdTitle", ad.title)
    _child(inline, "Impression")  # required, and nobody here counts them
    linear = _child(_child(_child(inline, "Creatives"), "Creative"), "Linear")
    _child(linear, "Duration", timestamp(ad.duration_s))
    file = _child(_child(linear, "MediaFiles"), "MediaFile")
    for name, value in {
        "delivery": "progressive",
        "type": CONTENT_TYPES[suffix],
        "width": str(ad.width_px),
        "height": str(ad.height_px),
    }.items():
        file.setAttribute(name, value)
    file.appendChild(_document(file).createCDATASection(url))


def _child(parent: Element, name: str, text: str = "") -> Element:
    """Add an element, with a text if one is given, and return it."""
    document = _document(parent)
    element = document.createElement(name)
    if text:
        element.appendChild(document.createTextNode(text))
    parent.appendChild(element)
    return element


def _document(element: Element) -> Document:
    assert element.ownerDocument is not None
    return element.ownerDocument
