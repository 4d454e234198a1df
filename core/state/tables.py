"""The tables of what people and jobs leave behind, and how they are split into subjects.

A subject is a few tables with a history of their own: an Alembic branch (migrations/), and on SQLite a file. Queries
are written against these tables in portable SQL, so that another database needs no second copy of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Double,
    Float,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA = MetaData()

JOBS = Table(
    "jobs",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("progress", Float, nullable=False),
    Column("worked_s", Float, nullable=False),
    Column("reason", Text),
    Column("duplicate", Boolean, nullable=False),
    Column("cancel", Boolean, nullable=False),
    Column("claimed", Boolean, nullable=False),
    Column("untidy", Boolean, nullable=False),
    Column("work", Text, nullable=False),
    UniqueConstraint("id", name="uq_jobs_id"),
)
NOTES = Table(
    "notes",
    METADATA,
    Column("job_id", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
PROFILES = Table(
    "profiles",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    sqlite_with_rowid=False,
)
MARKS = Table(
    "marks",
    METADATA,
    # A new row gets the highest number yet: their order is the order of time, whatever the clock does.
    Column("number", Integer, primary_key=True),
    Column("profile", Text, nullable=False),
    Column("video_id", Text, nullable=False),
    Column("mark", Text, nullable=False),
    UniqueConstraint("profile", "video_id", "mark", name="uq_marks_profile"),
    CheckConstraint("mark IN ('like', 'dislike', 'seen')", name="ck_marks_mark"),
)
CHANNELS = Table(
    "channels",
    METADATA,
    Column("number", Integer, primary_key=True),
    Column("key", Text, nullable=False),
    Column("slug", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("key", name="uq_channels_key"),
    UniqueConstraint("slug", name="uq_channels_slug"),
)
TEXTS = Table(
    "texts",
    METADATA,
    Column("encoder", Text, primary_key=True),
    Column("text", Text, primary_key=True),
    # Nanoseconds since 1970.
    Column("used", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Index("by_use", "encoder", "used"),
    sqlite_with_rowid=False,
)
DOCUMENTS = Table(
    "documents",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("text", Text, nullable=False),
)
CORRECTIONS = Table(
    "corrections",
    METADATA,
    Column("content_sha256", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("theme", Text, primary_key=True),
    Column("holds", Boolean, nullable=False),
    Column("made_at", Text, nullable=False),
    CheckConstraint("kind IN ('category', 'mood')", name="ck_corrections_kind"),
    sqlite_with_rowid=False,
)
TRASH = Table(
    "trash",
    METADATA,
    Column("video_id", Text, primary_key=True),
    Column("content_sha256", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("filename", Text, nullable=False),
    Column("media_key", Text, nullable=False),
    Column("poster_key", Text),
    Column("duration_s", Float, nullable=False),
    Column("deleted_at", Text, nullable=False),
    Column("state", Text, nullable=False),
    CheckConstraint("state IN ('trashed', 'restoring', 'purging')", name="ck_trash_state"),
    Index("by_content", "content_sha256"),
)
TRASHED_ENTRIES = Table(
    "trashed_entries",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("video_id", Text, nullable=False),
    Column("encoder", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("vector", LargeBinary, nullable=False),
    Index("by_video", "video_id"),
)
WATCHED = Table(
    "watched",
    METADATA,
    # Both as JSON writes them: a name may be no text.
    Column("folder", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("size_bytes", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("changed_ns", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("state", Text, nullable=False),
    Column("job", Text, nullable=False),
    CheckConstraint("state IN ('sent', 'added', 'failed', 'gone')", name="ck_watched_state"),
    sqlite_with_rowid=False,
)
SPENDING = Table(
    "spending",
    METADATA,
    Column("number", Integer, primary_key=True),
    # UTC, ISO 8601.
    Column("day", Text, nullable=False),
    Column("by", Text),
    Column("seconds", Float, nullable=False),
    Index("by_day", "day", "by"),
)
QUEUE = Table(
    "queue",
    METADATA,
    Column("number", BigInteger, Identity(), primary_key=True),
    Column("id", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("progress", Float, nullable=False),
    Column("worked_s", Float, nullable=False),
    Column("reason", Text),
    Column("duplicate", Boolean, nullable=False),
    Column("cancel", Boolean, nullable=False),
    Column("claimed", Boolean, nullable=False),
    Column("untidy", Boolean, nullable=False),
    Column("work", Text, nullable=False),
    # How often a worker has taken it: what one writes that has lost it to another is not written.
    Column("turn", Integer, nullable=False),
    Column("tries", Integer, nullable=False),
    # Seconds since 1970 of the database's clock, as `changed` is.
    Column("away_since", Double, nullable=False),
    Column("held", Boolean, nullable=False),
    Column("changed", Double, nullable=False),
    # The number of the transaction that wrote it. A time would not do to find what is new: one that was taken before
    # another can be written for all to see long after it.
    Column("mark", BigInteger, nullable=False),
    UniqueConstraint("id", name="uq_queue_id"),
    Index("queue_by_mark", "mark"),
)
CLAIMS = Table(
    "claims",
    METADATA,
    Column("content", Text, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("since", Double, nullable=False),
)
PAUSES = Table(
    "pauses",
    METADATA,
    Column("encoder", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("next_probe", Double, nullable=False),
    Column("probes", Integer, nullable=False),
    Column("probe", Text),
)
PAID = Table(
    "paid",
    METADATA,
    # The content and the encoder: what is paid for is paid for once, whichever job asks.
    Column("key", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("changed", Double, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Subject:
    """A few tables that are kept, and migrated, together."""

    branch: str
    """The label of its revisions."""
    head: str
    """Its newest revision, said here so that a database that is there already needs no Alembic to be recognised."""
    holds: str
    """What it holds, in sentences for a person."""
    table: Table
    """One of its tables in every revision. Release 0.1.0 wrote no revision: where this table is, it is the first."""

    @property
    def first(self) -> str:
        """Return its first revision, the tables of release 0.1.0."""
        return f"{self.branch}_0001"


SUBJECTS = {
    subject.branch: subject
    for subject in (
        Subject("jobs", "jobs_0001", "jobs", JOBS),
        Subject("taste", "taste_0001", "likes and dislikes", MARKS),
        Subject("channels", "channels_0001", "channels", CHANNELS),
        Subject("texts", "texts_0001", "encoded texts", TEXTS),
        Subject("corrections", "corrections_0001", "corrected categories and moods", CORRECTIONS),
        Subject("spending", "spending_0001", "minutes that were spent", SPENDING),
        Subject("trash", "trash_0001", "deleted videos", TRASH),
        Subject("watch", "watch_0001", "files seen in the watched folder", WATCHED),
    )
}
"""What there is wherever it is kept."""
SHARED = {
    subject.branch: subject
    for subject in (
        Subject("documents", "documents_0001", "own categories and calibration", DOCUMENTS),
        Subject("queue", "queue_0001", "jobs", QUEUE),
    )
}
"""What is in files of its own, or of no use, where one process has the library to itself."""
