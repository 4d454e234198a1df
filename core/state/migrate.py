"""Bring the tables of a subject to their newest revision.

The one place that loads Alembic, and itself loaded only when a database is not at its head: most starts never pay for
it.
"""

from __future__ import annotations

import threading

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from core.state.tables import Subject

SCRIPTS = "core.state:migrations"
LOCK = threading.Lock()
"""Held round `upgrade`: Alembic's scripts find their connection in a module-wide variable.

Take it before the database's own lock. Who held that one first would wait for a migration that waits for it.
"""


class UnknownRevision(Exception):
    """The database is at a revision that these scripts do not know: a newer app has been there."""


def upgrade(db: Connection, subject: Subject, revision: str | None) -> int:
    """Bring a subject from a revision (None: nothing is there yet) to its head; return how many revisions led there.

    All happens in the transaction that the caller has begun, and whose end is the caller's too. A database that says
    nothing of revisions is taken at the caller's word. Raises UnknownRevision, and what the database raises.
    """
    config = Config()
    config.set_main_option("script_location", SCRIPTS)
    config.attributes["connection"] = db
    scripts = ScriptDirectory.from_config(config)
    if revision is not None:
        try:
            scripts.get_revision(revision)
        except CommandError as error:
            raise UnknownRevision(revision) from error
        if not MigrationContext.configure(db).get_current_heads():
            command.stamp(config, revision)
    head = f"{subject.branch}@head"
    command.upgrade(config, head)
    return sum(1 for _ in scripts.iterate_revisions(head, "base"))
