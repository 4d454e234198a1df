"""From an ad to the moments at which it belongs: in few words, after what is like it, where nothing is torn apart.

**Which videos.** The nearest to the ad by the library's own search, each by how it stands out (core/discover/
relevance.py), and by how alike the two feel: the cosine of how far they stand out to every mood, and to every
category. Raw closeness would not do, for some videos are near everything.

**Which moments.** Only gaps between shots (rhythm.py), in a lull of the sound, not while somebody speaks by its sound
or by the subtitles, not before `first_s` and `apart_s` from each other. Each is judged by the clip that ends there,
seen half as itself and half as its video, as all else here is.

**What the brand avoids** rules a video out as a whole, and a place by the clips on both sides: no likeness makes up for
it. Already half of what would make an answer is too much (`WARY`), for a place that is not taken costs little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np

from core.ads.models import Ad, Avoid, Break, Placed, Proposals, Reason, Rules, Wanted
from core.ads.rhythm import Gap, Rhythm, Rhythms
from core.discover import relevance
from core.discover.composition import Part
from core.discover.labels import KINDS, Labels, seen_through, standing_key
from core.discover.search import MAX_LIMIT, Discover
from core.discover.taxonomy import Kind
from core.errors import EncoderError, MediaError, QueryError, Sentence
from core.index.base import Index, Where
from core.ingest import stored
from core.ingest.captions import spans
from core.models import Entry, Progress, Query, ignore_progress
from core.stores.base import Store

POOL = 48
"""Videos that are compared."""
LOOKED_AT = 3
"""Videos whose gaps are looked for at most, for each that is wanted: some have none that will do."""
WARY = 0.5
"""Share of the standing of an answer from which a category or mood is there that a brand avoids."""
MATCH = (0.4, 0.3, 0.3)
"""What nearness, mood and category count in a match."""
PLAIN = 2.0
"""Length of the standings to all themes of a kind below which they are mostly chance."""
LULL_DB = 3.0
"""How much quieter than usual it must be around a gap."""
CALM_DB = 15.0
"""As quiet as can be asked for."""
SPOKEN = 0.25
"""From here on it is taken for speech: what ordinary videos have is 0.17 on average, talk is above 0.3."""
LULL_SHARE = 0.2
"""What the gap itself counts beside the match."""
END_SHARE = 0.5
"""Of what a gap counts, at the end of a video: many have gone by then."""
BESIDE_S = 0.1
"""From a gap into the clips on both sides of it."""
AT_LEAST = 0.55
"""Match from which an ad may belong somewhere, where the two have something in common as well."""
MAY_LACK = 1
"""Of a mood, a category (where the ad has any) and nearness, all but so many must speak for a place: one of three is
right in a third of all cases, two are in two thirds (bench/ads.py)."""
VERY_NEAR = 0.8
"""So near, nothing else need be in common."""


class Placing:
    """Find places for ads. Safe to use from several threads; raises what index, store and encoder raise."""

    def __init__(
        self,
        discover: Callable[[], Discover],
        store: Store,
        rhythms: Rhythms,
        kept: Callable[[str], Ad | None],
    ) -> None:
        """`kept` returns an ad that is kept beside the library, by its id."""
        self._discover = discover
        self._store = store
        self._rhythms = rhythms
        self._kept = kept

    def propose(self, wanted: Wanted, on_progress: Progress = ignore_progress) -> Proposals:
        """Return the places where an ad belongs. Raises QueryError saying what to change."""
        discover = self._discover()
        wanted = _checked(wanted, discover)
        ad = self._ad(wanted, discover)
        near, avoided = self._nearest(ad, wanted, discover)
        rules, placed, unreadable = wanted.rules, list[Placed](), list[Sentence]()
        look = near[: rules.videos * LOOKED_AT]
        for number, entry in enumerate(look):
            if len(placed) >= rules.videos:
                break

            def tell(done: float, begun: int = number) -> None:
                on_progress((begun + done) / len(look))

            try:
                rhythm, spoken = self._rhythms.of(entry, tell), self._spoken(entry)
            except (MediaError, EncoderError) as error:
                unreadable.append(Sentence("{title}: {problem}", title=entry.title, problem=error.sentence))
                continue
            if breaks := self._breaks(ad, entry, rhythm, spoken, wanted, discover):
                placed.append(Placed(entry, tuple(breaks)))
        on_progress(1.0)
        placed.sort(key=lambda one: -one.score)
        return Proposals(ad, tuple(placed), avoided, tuple(unreadable))

    def _ad(self, wanted: Wanted, discover: Discover) -> Ad:
        if wanted.text.strip():
            return words_ad(wanted.text, discover)
        if (ad := self._kept(wanted.ad)) is not None:
            return ad
        entries = list(discover.index.scroll(video_id=wanted.ad))
        if not any(entry.scope == "video" for entry in entries):
            raise QueryError("There is no ad and no video {id!r} here. Take the id of one that there is.", id=wanted.ad)
        return video_ad(entries, discover)

    def _nearest(self, ad: Ad, wanted: Wanted, discover: Discover) -> tuple[list[Entry], int]:
        """Return the videos that suit an ad, best first; and how many are left out."""
        if wanted.video:
            entries = discover.index.retrieve([wanted.video])
            if not entries:
                raise QueryError("There is no video {id!r} in the library.", id=wanted.video)
        else:
            entries = list(discover.candidates([part_of(ad)], POOL, exclude=[ad.id]).entries)
        avoid = wanted.avoid
        about, themes = _about(avoid.words, discover), _themes(avoid, discover)
        texts = _texts(discover.index, entries) if avoid.words or themes else {}
        suiting = []
        for entry in entries:
            labels = discover.labels([entry])
            # A file may say itself what it is, whatever an encoder makes of it; what a person said goes before.
            said = {kind: discover.said(entry.content_sha256, kind) for kind in KINDS}
            names = [name for (kind, id_), name in themes.items() if said[kind].get(id_) is not False]
            named = entry.video_id in about or has_word(texts.get(entry.video_id, ""), [*avoid.words, *names])
            if not named and not _is_labelled(entry, avoid) and not is_avoided(labels, avoid, discover):
                suiting.append((match(ad, nearness(ad, entry.vector, discover), labels), entry))
        suiting.sort(key=lambda one: -one[0])
        return [entry for _, entry in suiting], len(entries) - len(suiting)

    def _breaks(
        self,
        ad: Ad,
        entry: Entry,
        rhythm: Rhythm,
        spoken: Sequence[tuple[float, float]],
        wanted: Wanted,
        discover: Discover,
    ) -> list[Break]:
        clips = discover.index.retrieve([entry.video_id], scope="clip")
        known: dict[float, tuple[Labels, float]] = {}

        def judged(clip: Entry) -> tuple[Labels, float]:
            """Return what a moment answers, and how near it is."""
            if clip.start_s not in known:
                vector = seen_through(clip.vector, entry.vector)
                labels = discover.labels([replace(clip, scope="video", vector=vector)])
                known[clip.start_s] = labels, nearness(ad, vector, discover)
            return known[clip.start_s]

        found = []
        for gap in rhythm.gaps:
            if not may_interrupt(gap, rhythm, wanted.rules, spoken):
                continue
            before, after = _clip_at(clips, gap.at_s - BESIDE_S), _clip_at(clips, gap.at_s + BESIDE_S)
            beside = [clip for clip in (before, after) if clip is not None]
            if any(is_avoided(judged(clip)[0], wanted.avoid, discover) for clip in beside):
                continue
            labels, near = judged(before or entry)
            fits, why = match(ad, near, labels), reasons(ad, gap, near, labels)
            if fits >= AT_LEAST and (near >= VERY_NEAR or have_enough_in_common(ad, why)):
                score = (1 - LULL_SHARE) * fits + LULL_SHARE * calm(gap)
                found.append(Break(min(gap.at_s, entry.duration_s), gap.kind, score, fits, why))
        return _apart(found, wanted.rules)

    def _spoken(self, entry: Entry) -> list[tuple[float, float]]:
        """Return when subtitles stand, of any language: somebody speaks then."""
        return [span for key in entry.caption_keys for span in spans(stored.text_of(self._store, key))]


def words_ad(text: str, discover: Discover) -> Ad:
    """Return a sentence as an ad. Raises QueryError for one that says nothing to the encoder."""
    (part,) = discover.parts(Query(text=text))
    if not part.vector.any():
        raise QueryError("The encoder knows none of these words. Say in others what the ad shows.")
    labels = discover.labels([_entry_of(part.vector, discover)])
    return Ad("", text.strip(), part.vector, True, labels.categories, labels.moods, labels.standings)


def video_ad(entries: Sequence[Entry], discover: Discover) -> Ad:
    """Return a video as an ad, of its own entry and those of its clips."""
    whole = next(entry for entry in entries if entry.scope == "video")
    labels = discover.labels(entries)
    return Ad(
        whole.video_id,
        whole.title,
        whole.vector,
        False,
        labels.categories,
        labels.moods,
        labels.standings,
        whole.media_key,
        whole.poster_key,
        whole.duration_s,
        whole.width_px,
        whole.height_px,
    )


def _entry_of(vector: np.ndarray, discover: Discover) -> Entry:
    """Return an entry of nothing but a vector, for who judges entries."""
    return Entry("", "video", 0.0, 0.0, vector, "", "", "", None, 0.0, 0, 0, False, discover.encoder.info.name, "", "")


def part_of(ad: Ad) -> Part:
    """Return an ad as what is searched for."""
    return Part("words" if ad.is_words else "similar", ad.title, ad.vector, 1.0)


def nearness(ad: Ad, vector: np.ndarray, discover: Discover) -> float:
    """Return how near a video or moment is to an ad, 0 to 1: 0.5 where a search would call it related."""
    standing = discover.standings(part_of(ad), vector[None])[0]
    return relevance.score(float(standing), discover.encoder.info.calibration)


def is_avoided(labels: Labels, avoid: Avoid, discover: Discover) -> bool:
    """Tell whether a moment is of a category or mood that is avoided, or half of it."""
    ids: Mapping[Kind, Sequence[str]] = {"category": avoid.categories, "mood": avoid.moods}
    most = WARY * discover.encoder.info.calibration.fits
    return any(labels.standings.get(standing_key(kind, id_), 0.0) >= most for kind in KINDS for id_ in ids[kind])


def _is_labelled(entry: Entry, avoid: Avoid) -> bool:
    """Tell whether it is kept of a video that it is of a category that is avoided: its best moment counts there.

    A mood comes and goes in a long video, so it is looked for in the video as a whole and beside the place.
    """
    return not {*(entry.categories or ())}.isdisjoint(avoid.categories)


def _themes(avoid: Avoid, discover: Discover) -> dict[tuple[Kind, str], str]:
    """Return the names of the categories and moods that are avoided, by kind and id."""
    themes = discover.taxonomy
    return {
        **{("category", id_): themes.category(id_).label for id_ in avoid.categories},
        **{("mood", id_): themes.mood(id_).label for id_ in avoid.moods},
    }


def _about(words: Sequence[str], discover: Discover) -> set[str]:
    """Return the videos that answer a word, whether or not it is written anywhere."""
    found: set[str] = set()
    for word in filter(None, map(str.strip, words)):
        hits = discover.search(Query(text=word, limit=MAX_LIMIT, fold=False, facets=False)).hits
        found |= {hit.video_id for hit in hits if hit.confidence in ("high", "medium")}
    return found


def _texts(index: Index, entries: Sequence[Entry]) -> dict[str, str]:
    """Return all that is written of videos, by their ids."""
    among = Where({"video_id": [entry.video_id for entry in entries]})
    return {
        one.video_id: " ".join((one.title, one.filename, *(one.tags or {}).values(), one.subtitles or "", *one.seen))
        for one in index.scroll(scope="video", where=among, with_vectors=False)
    }


def has_word(text: str, words: Sequence[str]) -> bool:
    """Tell whether a text has one of these words, whatever its case and its ending: "storm" is in "thunderstorms".

    A short word must stand alone, or "war" would be in "warm" and "award".
    """
    folded = text.casefold()
    for word in (word.strip().casefold() for word in words):
        if word.isascii() and len(word) < 5:
            if re.search(rf"(?<![a-z0-9]){re.escape(word)}(?:e?s)?(?![a-z0-9])", folded):
                return True
        elif word and word in folded:
            return True
    return False


def match(ad: Ad, near: float, labels: Labels) -> float:
    """Return how well an ad goes with a moment, 0 to 1: near in meaning, alike in mood and in what it is about."""
    alike = [_alike(ad.standings, labels.standings, kind) for kind in ("mood", "category")]
    return float(np.dot(MATCH, [near, *alike]))


def _alike(one: Mapping[str, float], other: Mapping[str, float], kind: str) -> float:
    """Return how alike two stand out to the themes of a kind, from 0 (against each other) to 1; 0.5 where one of them
    hardly stands out to any."""
    keys = [key for key in one if key in other and key.startswith("mood_") == (kind == "mood")]
    left, right = np.array([one[key] for key in keys]), np.array([other[key] for key in keys])
    lengths = max(float(np.linalg.norm(left)), PLAIN) * max(float(np.linalg.norm(right)), PLAIN)
    return (float(left @ right) / lengths + 1) / 2


def may_interrupt(gap: Gap, rhythm: Rhythm, rules: Rules, spoken: Sequence[tuple[float, float]]) -> bool:
    """Tell whether a gap is late enough, in a lull, and nobody speaks in it."""
    is_lull = gap.quiet_db is None or gap.quiet_db >= LULL_DB or gap.kind == "end"
    is_spoken = gap.speech >= SPOKEN and gap.quiet_db is not None and gap.quiet_db < CALM_DB
    if gap.kind == "end":
        is_spoken = False  # what is said is over
    told = any(start_s < gap.at_s < end_s for start_s, end_s in spoken)
    early = gap.at_s < rules.first_s
    last = gap.kind != "end" and rhythm.duration_s - gap.at_s < min(rules.first_s, rules.apart_s)
    return is_lull and not (is_spoken or told or early or last)


def calm(gap: Gap) -> float:
    """Return how little a break interrupts at a gap, 0 to 1."""
    quiet = 1.0 if gap.quiet_db is None else float(np.clip(gap.quiet_db / CALM_DB, 0.0, 1.0))
    return (END_SHARE if gap.kind == "end" else 1.0) * (0.4 + 0.6 * quiet)


def reasons(ad: Ad, gap: Gap, near: float, labels: Labels) -> tuple[Reason, ...]:
    """Return what speaks for a place."""
    found = [Reason(gap.kind)]
    if gap.quiet_db is None:
        found.append(Reason("silent"))
    elif gap.kind != "end":
        found.append(Reason("quiet", gap.quiet_db))
    common: list[tuple[str, tuple[str, ...], tuple[str, ...]]] = [
        ("mood", ad.moods, labels.moods),
        ("category", ad.categories, labels.categories),
    ]
    for why, mine, theirs in common:
        found += [Reason(cast(Kind, why), label=id_) for id_ in mine if id_ in theirs][:2]
    if near >= 0.5:
        found.append(Reason("near", near))
    return tuple(found)


def have_enough_in_common(ad: Ad, why: Sequence[Reason]) -> bool:
    """Tell whether an ad and what was just seen have enough kinds of things in common."""
    could = {"near", *(["mood"] if ad.moods else []), *(["category"] if ad.categories else [])}
    return len({reason.why for reason in why} & could) >= max(len(could) - MAY_LACK, 1)


def _clip_at(clips: Sequence[Entry], at_s: float) -> Entry | None:
    return next((clip for clip in clips if clip.start_s <= at_s < clip.end_s), None)


def _apart(found: Sequence[Break], rules: Rules) -> list[Break]:
    """Return the best places that are far enough from each other, best first."""
    taken: list[Break] = []
    for one in sorted(found, key=lambda one: -one.score):
        if len(taken) < rules.most and all(abs(one.at_s - other.at_s) >= rules.apart_s for other in taken):
            taken.append(one)
    return taken


def _checked(wanted: Wanted, discover: Discover) -> Wanted:
    """Return what is wanted with the ids of what is avoided. Raises QueryError."""
    if bool(wanted.ad) == bool(wanted.text.strip()):
        raise QueryError("Say which ad: the id of one, or a sentence about it, not both.")
    themes, avoid = discover.taxonomy, wanted.avoid
    categories = tuple(themes.category(name).id for name in avoid.categories)
    moods = tuple(themes.mood(name).id for name in avoid.moods)
    return replace(wanted, avoid=replace(avoid, categories=categories, moods=moods))
