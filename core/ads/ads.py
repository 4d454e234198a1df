"""All that places ads, wired: the ads that are kept, the rhythms of videos, and what finds places."""

from __future__ import annotations

from dataclasses import dataclass

from core.ads.book import AdBook
from core.ads.placing import Placing
from core.ads.rhythm import Rhythms


@dataclass(frozen=True, slots=True)
class Ads:
    """What a person has to place, and what places it."""

    book: AdBook
    rhythms: Rhythms
    placing: Placing
