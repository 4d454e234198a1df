"""The jobs of all machines in PostgreSQL: rows, claims, pauses, and what was paid for.

A job is written down and handed to the engine (engine.py) in one transaction, so none is ever in one and not the other.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Double,
    RowMapping,
    Text,
    bindparam,
    cast,
    delete,
    extract,
    func,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from core.models import Stage
from core.state.base import JobRecord, SharedPause, Taken, TurnLost
from core.state.engine import Engine
from core.state.postgres import Database
from core.state.tables import CLAIMS, PAID, PAUSES, QUEUE

_NOW = cast(extract("epoch", func.clock_timestamp()), Double)
_MARK = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
_ALL_SEEN_BEFORE = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)
"""The first transaction that may not be over yet: what all before it have written is seen."""
_WRITTEN = {"changed": _NOW, "mark": _MARK}
_OVER = [stage.value for stage in Stage if stage.is_over]
_AGAIN = [Stage.FAILED.value, Stage.CANCELLED.value]
_JOB = [field.name for field in fields(JobRecord)]
_KEPT_DAYS = 30
"""How long what was paid for is remembered: longer than any service keeps results."""
_TIDYING_S = 60.0
"""How long a job that is over may hold a claim, to remove what it had stored."""
_SOME = 200
_ADD = insert(QUEUE)
_THIS = QUEUE.c.id == bindparam("of")
_OF_CONTENT = PAID.c.key == bindparam("of")
_ADOPT = text(
    "SELECT id FROM queue WHERE stage <> ALL(:over) AND changed < extract(epoch from clock_timestamp()) - :quiet_s "
    "AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs AS handed "
    "WHERE handed.queueing_lock = queue.id AND handed.status IN ('todo', 'doing')) LIMIT 1000"
)


class PostgresJobs:
    """The jobs, behind SharedJobs, and what machines must agree on, behind SharedRecord."""

    def __init__(self, database: Database, engine: Engine) -> None:
        self._database = database
        self._engine = engine
        engine.tend = self.adopt

    # The jobs

    def changes(self, since: int) -> tuple[list[Taken], int, int]:
        with self._reading() as db:
            mark = db.execute(select(_ALL_SEEN_BEFORE)).scalar_one()  # first: what comes after is seen the next time
            rows = db.execute(select(QUEUE).where(QUEUE.c.mark >= since).order_by(QUEUE.c.number)).mappings().all()
            count = db.execute(select(func.count()).select_from(QUEUE)).scalar_one()
            return [_taken(row) for row in rows], count, mark

    def add(self, jobs: Sequence[JobRecord]) -> None:
        fresh = {"turn": 0, "tries": 0, "away_since": 0.0, "held": False}
        with self._changing() as db:
            now, mark = db.execute(select(_NOW, _MARK)).one()
            rows = [_row(job) | fresh | {"changed": now, "mark": mark} for job in jobs]
            db.execute(_ADD, rows)
            self._engine.hand_over(db, [(job.id, None) for job in jobs])

    def take(self, job_id: str) -> Taken | None:
        change = (
            update(QUEUE)
            .where(_THIS, QUEUE.c.stage.not_in(_OVER))
            .values(_WRITTEN | {"turn": QUEUE.c.turn + 1})
            .returning(*QUEUE.c)
        )
        with self._changing() as db:
            row = db.execute(change, {"of": job_id}).mappings().first()
            return None if row is None else _taken(row)

    def save(self, taken: Taken) -> bool:
        job = taken.job
        values = {name: value for name, value in _row(job).items() if name not in ("id", "cancel", "created_at")}
        if job.stage.is_over:
            values["cancel"] = False
        values |= _WRITTEN | {"tries": taken.tries, "away_since": taken.away_since, "held": taken.held}
        change = update(QUEUE).where(_THIS, QUEUE.c.turn == taken.turn).values(values).returning(QUEUE.c.cancel)
        with self._changing() as db:
            row = db.execute(change, {"of": job.id}).first()
        if row is None:
            raise TurnLost(job.id)
        return bool(row[0])

    def again(self, taken: Taken, lock: str | None) -> bool:
        values = {name: value for name, value in _row(taken.job).items() if name not in ("id", "created_at")}
        values |= _WRITTEN | {"tries": 0, "away_since": 0.0, "held": False, "turn": QUEUE.c.turn + 1}
        change = update(QUEUE).where(_THIS, QUEUE.c.stage.in_(_AGAIN)).values(values)
        with self._changing() as db:
            if not db.execute(change, {"of": taken.job.id}).rowcount:
                return False
            self._engine.hand_over(db, [(taken.job.id, lock)])
            return True

    def ask_to_cancel(self, job_id: str) -> bool:
        change = update(QUEUE).where(_THIS, QUEUE.c.stage.not_in(_OVER)).values(_WRITTEN | {"cancel": True})
        with self._changing() as db:
            return bool(db.execute(change, {"of": job_id}).rowcount) and self._engine.take_back(db, job_id)

    def delete(self, job_ids: Sequence[str]) -> None:
        if job_ids:
            with self._changing() as db:
                db.execute(delete(QUEUE).where(QUEUE.c.id.in_(list(job_ids))))

    def adopt(self, quiet_s: float) -> None:
        """Hand over anew what is open and in nobody's hands (whoever had it was taken for dead and ended it all the
        same), and forget what was paid for long ago."""
        with self._changing() as db:
            left = db.execute(_ADOPT, {"over": _OVER, "quiet_s": quiet_s}).scalars().all()
            shown = self._engine.signs.seen(left) if left else set()
            self._engine.hand_over(db, [(job_id, None) for job_id in left if job_id not in shown])
            db.execute(delete(PAID).where(PAID.c.changed < _NOW - _KEPT_DAYS * 86400))

    # What machines agree on

    def claim(self, content: str, job_id: str) -> str:
        with self._changing() as db:
            now = db.execute(select(_NOW)).scalar_one()
            row = insert(CLAIMS).values(content=content, job_id=job_id, since=now)
            is_open = select(QUEUE.c.id).where(QUEUE.c.id == CLAIMS.c.job_id, QUEUE.c.stage.not_in(_OVER)).exists()
            # One that is over and holds it was cut off before it gave it up; one that has just taken it tidies up.
            left = ~is_open & (CLAIMS.c.since < now - _TIDYING_S)
            db.execute(
                row.on_conflict_do_update(index_elements=["content"], set_={"job_id": job_id, "since": now}, where=left)
            )
            return str(db.execute(select(CLAIMS.c.job_id).where(CLAIMS.c.content == content)).scalar_one())

    def drop(self, content: str, job_id: str) -> None:
        with self._changing() as db:
            db.execute(delete(CLAIMS).where(CLAIMS.c.content == content, CLAIMS.c.job_id == job_id))

    def left(self, scheme: str, for_s: float) -> list[tuple[str, str]]:
        needed = select(QUEUE.c.id).where(QUEUE.c.id == CLAIMS.c.job_id, QUEUE.c.stage != Stage.READY.value).exists()
        old = CLAIMS.c.content.startswith(scheme, autoescape=True) & (CLAIMS.c.since < _NOW - for_s)
        found = select(CLAIMS.c.content, CLAIMS.c.job_id).where(old, ~needed).order_by(CLAIMS.c.since).limit(_SOME)
        with self._reading() as db:
            return [(content, job_id) for content, job_id in db.execute(found)]

    def notes(self, content: str, job_id: str, turn: int) -> MutableMapping[str, str]:
        return _Notes(self, content, job_id, turn)

    def read_notes(self, content: str) -> dict[str, str]:
        with self._reading() as db:
            return dict(db.execute(select(PAID.c.name, PAID.c.value).where(_OF_CONTENT), {"of": content}).all())

    def write_note(self, content: str, name: str, value: str | None, job_id: str, turn: int) -> None:
        """Write a note down, or delete it; on the disk of the database before this returns. Raises TurnLost."""
        with self._changing() as db:
            db.exec_driver_sql("SET LOCAL synchronous_commit = on")  # it may be the receipt for paid work
            # Locked: no other turn begins, and reads the notes, before this note is there.
            mine = select(QUEUE.c.id).where(_THIS, QUEUE.c.turn == turn).with_for_update(read=True)
            if db.execute(mine, {"of": job_id}).first() is None:
                raise TurnLost(job_id)
            db.execute(delete(PAID).where(_OF_CONTENT, PAID.c.name == name), {"of": content})
            if value is not None:
                row = {"key": content, "name": name, "value": value, "changed": db.execute(select(_NOW)).scalar_one()}
                db.execute(insert(PAID), row)

    def pauses(self) -> dict[str, SharedPause]:
        with self._reading() as db:
            rows = db.execute(select(PAUSES)).mappings().all()
            return {row["encoder"]: SharedPause(**{k: v for k, v in row.items() if k != "encoder"}) for row in rows}

    def pause(self, encoder: str, pause: SharedPause | None) -> None:
        with self._changing() as db:
            db.execute(delete(PAUSES).where(PAUSES.c.encoder == encoder))
            if pause is not None:
                values = {field.name: getattr(pause, field.name) for field in fields(SharedPause)}
                db.execute(insert(PAUSES).on_conflict_do_nothing(), {"encoder": encoder, **values})

    def try_soon(self) -> None:
        with self._changing() as db:  # only what is said of the time: whose turn it is, and whether it is over, stays
            db.execute(update(PAUSES).values(next_probe=0.0, probes=0))

    def release(self, job_id: str) -> None:
        with self._changing() as db:
            db.execute(update(PAUSES).where(PAUSES.c.probe == job_id).values(probe=None))

    def probe(self, encoder: str, job_id: str) -> bool:
        is_open = select(QUEUE.c.id).where(QUEUE.c.id == PAUSES.c.probe, QUEUE.c.stage.not_in(_OVER)).exists()
        # One that is over and is to try it was cut off before it let go.
        free = ((PAUSES.c.probe.is_(None) | ~is_open) & (PAUSES.c.next_probe <= _NOW)) | (PAUSES.c.probe == job_id)
        with self._changing() as db:
            if db.execute(select(PAUSES.c.encoder).where(PAUSES.c.encoder == encoder)).first() is None:
                return True
            change = update(PAUSES).where(PAUSES.c.encoder == encoder, free).values(probe=job_id)
            return bool(db.execute(change).rowcount)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with self._database.translated("jobs"), self._database.engine.connect() as db:
            yield db

    @contextmanager
    def _changing(self) -> Iterator[Connection]:
        with self._database.translated("jobs"), self._database.engine.begin() as db:
            yield db


class _Notes(MutableMapping[str, str]):
    """What an encoder has noted of one content."""

    def __init__(self, jobs: PostgresJobs, content: str, job_id: str, turn: int) -> None:
        self._jobs = jobs
        self._content = content
        self._whose = (job_id, turn)
        self._held = jobs.read_notes(content)

    def __getitem__(self, name: str) -> str:
        return self._held[name]

    def __setitem__(self, name: str, value: str) -> None:
        self._jobs.write_note(self._content, name, value, *self._whose)
        self._held[name] = value

    def __delitem__(self, name: str) -> None:
        if name not in self._held:
            raise KeyError(name)
        self._jobs.write_note(self._content, name, None, *self._whose)
        del self._held[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)


def _row(job: JobRecord) -> dict[str, Any]:
    return {name: getattr(job, name) for name in _JOB if name != "number"} | {"stage": job.stage.value}


def _taken(row: RowMapping) -> Taken:
    job = JobRecord(**{name: row[name] for name in _JOB} | {"stage": Stage(row["stage"])})
    return Taken(job, row["turn"], row["tries"], row["away_since"], row["held"])
