"""Everything that looks after a library, wired: its list, editing, deleting, and what people say against encoders."""

from __future__ import annotations

from dataclasses import dataclass

from core.library.carrying import Carrying
from core.library.editing import Editor
from core.library.listing import Listing
from core.library.moments import Moments
from core.library.removal import Trash
from core.library.stills import Stills
from core.state.corrections import Corrections


@dataclass(frozen=True, slots=True)
class Library:
    """What a person has, and what can be done with it."""

    listing: Listing
    editor: Editor
    trash: Trash
    corrections: Corrections
    moments: Moments
    carrying: Carrying
    stills: Stills
