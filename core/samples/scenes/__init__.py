"""The scenes. Each module enters its own into the playbill."""

from core.samples.playbill import PLAYS
from core.samples.scenes import action, ads, comics, journeys, lessons, tales, wild

__all__ = ["PLAYS", "action", "ads", "comics", "journeys", "lessons", "tales", "wild"]
