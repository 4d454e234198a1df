"""From the videos that fit to hits: where each begins to answer, and what every part of the question contributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from core.discover import relevance
from core.discover.candidates import Fit, label
from core.discover.composition import Part, compose, summed
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

    def answering(
        self, fit: Fit, parts: Sequence[Part], copies: Sequence[tuple[str, ...]], tastes: np.ndarray | None
    ) -> tuple[Hit, ...]:
        """Return the candidates as hits, each with its reasons; `copies` are the titles folded into each."""
        target = compose(parts)
        moments: dict[str, tuple[Scored, ...]] = {}
        if fit.entries and target.any():
            ids = [entry.video_id for entry in fit.entries]
            found = self._index.search(target, limit=len(ids), per_video=MOMENTS, scope="clip", among=ids)
            moments = {match.video_id: match.scored for match in found}
        length = float(np.linalg.norm(summed(parts))) if parts else 1.0
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
            hit = self._hit(entry, clips) if clips else self.found(entry)
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

    def found(self, video: Entry) -> Hit:
        """Return a video nobody asked for at its most typical moment: the clip most like the whole."""
        clips = self._index.scroll(video_id=video.video_id, scope="clip")
        scored = [Scored(clip, float(clip.vector @ video.vector)) for clip in clips] or [Scored(video, 1.0)]
        best = max(scored, key=lambda one: one.score)
        return replace(self._hit(video, (best,)), seen=video.seen, moments=())

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
