"""All that places ads, wired: the ads that are kept, the rhythms of videos, and what finds places."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from core.ads.book import AdBook
from core.ads.placing import Placing
from core.ads.rhythm import Rhythms
from core.discover.search import Discover
from core.state.base import Document
from core.stores.base import Store


@dataclass(frozen=True, slots=True)
class Ads:
    """What a person has to place, and what places it."""

    book: AdBook
    rhythms: Rhythms
    placing: Placing


def wired_ads(
    document: Document, store: Store, folder: Path, discover: Callable[[], Discover], rhythms: Rhythms
) -> Ads:
    """Return what places ads in the videos of the space that answers; `folder` is for what encoders make of ads."""
    book = AdBook(document, store, folder, discover)
    return Ads(book, rhythms, Placing(discover, store, rhythms, book.ad))
