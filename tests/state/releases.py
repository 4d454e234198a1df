"""The files that released versions wrote, made with their own SQL, copied from their source."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

FILES_0_1_0 = {
    "jobs": """
CREATE TABLE jobs (
    number     INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    created_at TEXT NOT NULL,
    stage      TEXT NOT NULL,
    progress   REAL NOT NULL,
    worked_s   REAL NOT NULL,
    reason     TEXT,
    duplicate  INTEGER NOT NULL,
    cancel     INTEGER NOT NULL,
    claimed    INTEGER NOT NULL,
    untidy     INTEGER NOT NULL,
    work       TEXT NOT NULL
);
CREATE TABLE notes (
    job_id TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (job_id, name)
) WITHOUT ROWID;
PRAGMA user_version = 1;
INSERT INTO jobs VALUES
    (1, 'a1', '2026-11-23T10:00:00.000+00:00', 'ready', 1.0, 2.5, 'Already here.', 1, 0, 0, 0, '{"step": 5}'),
    (3, 'b2', '2026-11-23T10:00:01.000+00:00', 'embedding', 0.25, 1.5, NULL, 0, 1, 1, 1, '{"step": 3}');
INSERT INTO notes VALUES ('b2', 'task', 'paid-1');
""",
    "taste": """
CREATE TABLE profiles (key TEXT PRIMARY KEY, name TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE marks (
    number   INTEGER PRIMARY KEY,
    profile  TEXT NOT NULL,
    video_id TEXT NOT NULL,
    mark     TEXT NOT NULL CHECK (mark IN ('like', 'dislike', 'seen')),
    UNIQUE (profile, video_id, mark)
);
PRAGMA user_version = 1;
INSERT INTO profiles VALUES ('anna', 'Anna');
INSERT INTO marks VALUES
    (1, 'anna', 'v1', 'like'), (2, 'anna', 'v2', 'seen'), (5, 'anna', 'v2', 'dislike'), (7, 'anna', 'v3', 'like');
""",
    "channels": """
CREATE TABLE channels (
    number     INTEGER PRIMARY KEY,
    key        TEXT NOT NULL UNIQUE,
    slug       TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    link       TEXT NOT NULL,
    created_at TEXT NOT NULL
);
PRAGMA user_version = 1;
INSERT INTO channels VALUES
    (1, 'lobby', 'lobby', 'Lobby', '[["category", "nature"], ["mood", "calm"]]', '2026-11-23T10:00:00+00:00');
""",
    # This file carried no version.
    "texts": """
CREATE TABLE IF NOT EXISTS texts (
    encoder TEXT NOT NULL,
    text    TEXT NOT NULL,
    used    INTEGER NOT NULL,
    vector  BLOB NOT NULL,
    PRIMARY KEY (encoder, text)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_use ON texts (encoder, used);
""",
}


def write_0_1_0(path: Path, branch: str) -> Path:
    """Write the file that release 0.1.0 kept a subject in, with something in it."""
    with closing(sqlite3.connect(path)) as db:
        if branch != "texts":
            db.execute("PRAGMA journal_mode = WAL")
        db.executescript(FILES_0_1_0[branch])
    return path
