"""Which job may add a content to the library: one at a time, so that nothing is stored, encoded or paid for twice."""

from __future__ import annotations

from collections.abc import Iterable


class Claims:
    """Hold at most one job a content, by the SHA-256 of the file.

    By the content and not by the video's id: what names a video may depend on more than its bytes, and two jobs with
    the same bytes would then store the same objects side by side. Not safe by itself: the queue's lock guards it.
    """

    def __init__(self, held: Iterable[tuple[str, str]] = ()) -> None:
        """Begin with (content, job id) pairs that an earlier run left claimed."""
        self._holders = dict(held)

    def take(self, content: str, job_id: str) -> str:
        """Claim a content for a job if nobody has, and return the job that holds it now."""
        return self._holders.setdefault(content, job_id)

    def drop(self, content: str | None, job_id: str) -> None:
        """Give up a content; nothing happens where the job does not hold it."""
        if content is not None and self._holders.get(content) == job_id:
            del self._holders[content]
