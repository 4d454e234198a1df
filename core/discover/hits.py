"""From the videos that fit to hits: where each begins to answer, and what every part of the question contributed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from core.discover import relevance
from core.discover.candidates import Fit, label
from core.discover.composition import Part, compose, summed
from core.discover.labels import typical_moment
from core.index.base import Index
from core.models import Calibration, Entry, Hit, Moment, Reason, Scored
from core.stores.base import Store

MOMENTS = 4


class Hits:
    """Make hits of entries. Safe to use from several threads."""

    def __init__(self, index: Index, store: Store, calibration: Calibration) -> None:
        self._index = index
        self._store = store
        self._calibration = calibration

    def moments(self, parts: Sequence[Part], entries: Sequence[Entry]) -> Mapping[str, tuple[Scored, ...]]:
        """Return the clips of videos that are nearest to a query, best first, by the videos' ids."""
        target = compose(parts)
        if not entries or not target.any():
            return {}
        ids = [entry.video_id for entry in entries]
        found = self._index.search(target, limit=len(ids), per_video=MOMENTS, scope="clip", among=ids)
        return {match.video_id: match.scored for match in found}

    def answering(
        self,
        fit: Fit,
        parts: Sequence[Part],
        copies: Sequence[tuple[str, ...]],
        tastes: np.ndarray | None,
        moments: Mapping[str, tuple[Scored, ...]],
    ) -> tuple[Hit, ...]:
        """Return the candidates as hits, each with its reasons; `copies` are the titles folded into each."""
        length = float(np.linalg.norm(summed(parts))) if parts else 1.0
        found = iter(self.found([entry for entry in fit.entries if not moments.get(entry.video_id)]))
        hits = []
        for column, entry in enumerate(fit.entries):
            reasons = [
                Reason(
                    part.kind,
                    part.label,
                    float(fit.cosines[row, column]),
                    part.weight * float(fit.cosines[row, column]) / (length or 1.0),
                    float(fit.standings[row, column]),
                )
                for row, part in enumerate(parts)
            ]
            if tastes is not None:
                reasons.append(Reason("taste", "your taste", float(tastes[column]), 0.0, 0.0))
            clips = moments.get(entry.video_id)
            hit = self._hit(entry, clips) if clips else next(found)
            standing = float(fit.scores[column])
            hits.append(
                replace(
                    hit,
                    score=relevance.score(standing, self._calibration) if parts else standing,
                    confidence=label(parts, fit, column, self._calibration) if parts else None,
                    reasons=tuple(reasons),
                    copies=copies[column],
                )
            )
        return tuple(hits)

    def found(self, videos: Sequence[Entry]) -> list[Hit]:
        """Return videos nobody asked for, each at its most typical moment: the clip most like the whole."""
        unknown = [video.video_id for video in videos if video.typical_s is None]
        clips: dict[str, list[Entry]] = defaultdict(list)
        for clip in self._index.retrieve(unknown, scope="clip") if unknown else ():
            clips[clip.video_id].append(clip)
        hits = []
        for video in videos:
            if video.typical_s is None:
                moment = typical_moment(video, clips[video.video_id])
            else:
                moment = replace(video, start_s=video.typical_s[0], end_s=video.typical_s[1])
            hits.append(replace(self._hit(video, (Scored(moment, 1.0),)), seen=video.seen, moments=()))
        return hits

    def _hit(self, video: Entry, clips: Sequence[Scored]) -> Hit:
        best = clips[0].entry
        return Hit(
            video_id=video.video_id,
            title=video.title,
            filename=video.filename,
            url=self._store.url(video.media_key),
            poster_url=self._store.url(video.poster_key) if video.poster_key else None,
            start_s=best.start_s,
            end_s=best.end_s,
            duration_s=video.duration_s,
            width_px=video.width_px,
            height_px=video.height_px,
            has_audio=video.has_audio,
            ingested_at=video.ingested_at,
            score=clips[0].score,
            confidence=None,
            moments=tuple(Moment(clip.entry.start_s, clip.entry.end_s, clip.score) for clip in clips),
            seen=best.seen,
            caption_keys=video.caption_keys,
        )
