"""Procrastinate, the engine of the jobs that machines share: the one place that knows it.

A file on its way is one job of its queue `files`, named by the id of our row (as its queueing lock), and run again and
again until the file is over; its `lock` is the content, so that of two files with the same bytes one is worked on at a
time. Workers say every few seconds that they live. What one had that says nothing any more is taken up by another: the
periodic task `tend` sees to that, on a queue and a worker of its own, so that long files do not keep it waiting. One
that is only late to say so, on a machine with too much to do, still shows its files (signs.py) and is given longer.

Procrastinate's tables come with its version (requirements.txt holds it to one minor version): an update that changes
them brings its own migration, which goes into a revision of ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

import procrastinate
from procrastinate import exceptions, jobs, retry
from procrastinate.job_context import JobContext
from sqlalchemy import Connection, text

from core.priority import step_back
from core.state.base import Again
from core.state.postgres import CONNECT_S, Database
from core.state.signs import SignsOfLife

logger = logging.getLogger(__name__)
logging.getLogger("procrastinate").setLevel(logging.WARNING)

FILES, TEND = "files", "tend"
LOST_S = 30.0
"""After how long without a sign of life a worker is taken for dead."""
SIGNS = 3
"""Signs of life in that time."""
PATIENCE = 10
"""How many times as long is waited for one that still shows its files: it lives, but it may hang."""
LOOK_S = 0.5
"""How often a worker looks for jobs, beside being told of them: those whose time has come are not told of."""
UNEXPECTED_S = 5.0
"""After how long a job is taken up again that could not be worked on at all (the database was away …)."""
_BATCH = 1000
_HURRY = text(
    "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo' AND queue_name = :queue "
    "AND scheduled_at IS NOT NULL"
)
_TAKE_BACK = text(
    "SELECT procrastinate_cancel_job_v1(id, false, true) FROM procrastinate_jobs "
    "WHERE queueing_lock = :of AND status = 'todo' FOR UPDATE SKIP LOCKED"
)
_WORKED_ON = text("SELECT 1 FROM procrastinate_jobs WHERE queueing_lock = :of AND status IN ('todo', 'doing')")


class _TakeUpAgain(Exception):
    def __init__(self, again: Again) -> None:
        super().__init__("to be taken up again")
        self.again = again


class _Retry(retry.BaseRetryStrategy):
    """Run a job again as it says; and one whose worker stops or that nobody foresaw, soon."""

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> retry.RetryDecision:
        again = exception.again if isinstance(exception, _TakeUpAgain) else None
        if again is None:
            stops = isinstance(exception, (asyncio.CancelledError, exceptions.JobAborted))
            again = Again(0.0 if stops else UNEXPECTED_S)
        wait: dict[str, Any] = {"retry_in": {"seconds": again.in_s}} if again.in_s > 0 else {}
        return retry.RetryDecision(priority=again.priority, lock=again.lock, **wait)


class Engine:
    """Hand jobs to workers, and be one. `prepare` makes the engine's tables; call it before anything else."""

    def __init__(self, database: Database, *, lost_s: float = LOST_S) -> None:
        self._database = database
        self._lost_s = lost_s
        self._work: Callable[[str, str | None], Again | None] | None = None
        self.signs = SignsOfLife(database)
        self.tend: Callable[[float], None] = lambda quiet_s: None
        """Called now and then by one machine; see PostgresJobs.adopt."""
        self._deferring = self._app(procrastinate.SyncPsycopgConnector(conninfo=database.url))
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def prepare(self) -> None:
        """Make the tables of the engine, if they are not there. Raises AppError."""
        with self._database.translated("jobs"), self._database.change("procrastinate") as db:
            if db.execute(text("SELECT to_regclass('procrastinate_jobs')")).scalar() is None:
                db.exec_driver_sql(self._deferring.schema_manager.get_schema().replace("%", "%%"))

    # Handing over, in the transaction of whoever writes the job down

    def hand_over(self, db: Connection, handed: Sequence[tuple[str, str | None]]) -> None:
        """Hand jobs (id, lock) to whoever works, in their order."""
        driver = db.connection.driver_connection
        for start in range(0, len(handed), _BATCH):
            some = [
                self._deferring.tasks[FILES]
                .configure(connection=driver, queueing_lock=job_id, lock=lock)
                .job.evolve(task_kwargs={"job_id": job_id})
                for job_id, lock in handed[start : start + _BATCH]
            ]
            self._deferring.job_manager.batch_defer_jobs(some, connection=driver)

    def take_back(self, db: Connection, job_id: str) -> bool:
        """Take a job back that nobody has begun; return whether nobody works on it, nor will."""
        db.execute(_TAKE_BACK, {"of": job_id})
        return db.execute(_WORKED_ON, {"of": job_id}).first() is None

    def hurry(self) -> None:
        with self._database.translated("jobs"), self._database.engine.begin() as db:
            db.execute(_HURRY, {"queue": FILES})

    # Working

    def start(self, work: Callable[[str, str | None], Again | None], at_once: int) -> None:
        self._work = work
        thread = threading.Thread(target=self._run, args=(at_once,), name="jobs", daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, timeout_s: float) -> bool:
        self._stopped.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None:
            with contextlib.suppress(RuntimeError):  # it has just ended
                loop.call_soon_threadsafe(task.cancel)
        for thread in self._threads:
            thread.join(timeout_s)
        self.signs.close()
        return not any(thread.is_alive() for thread in self._threads)

    def _run(self, at_once: int) -> None:
        """Be a worker until stopped; come back after a pause where the database was away."""
        while not self._stopped.is_set():
            try:
                asyncio.run(self._serve(at_once))
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001
                # The thread must live: it does all the work that is done here.
                if not self._stopped.is_set():
                    logger.warning("Work on jobs has to wait: %s", error)
            self._stopped.wait(LOOK_S)

    async def _serve(self, at_once: int) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        if self._stopped.is_set():
            return
        connector = procrastinate.PsycopgConnector(
            conninfo=self._database.url, min_size=1, max_size=at_once + 4, timeout=CONNECT_S * 2
        )
        app = self._app(connector)
        how: dict[str, Any] = {
            "wait": True,
            "install_signal_handlers": False,
            "delete_jobs": "always",
            "fetch_job_polling_interval": LOOK_S,
            "update_heartbeat_interval": self._lost_s / SIGNS,
            "stalled_worker_timeout": self._lost_s * PATIENCE,
            "shutdown_graceful_timeout": 10.0,
        }
        async with app.open_async():
            workers = [
                asyncio.create_task(app.run_worker_async(queues=[FILES], concurrency=at_once, name=FILES, **how)),
                asyncio.create_task(app.run_worker_async(queues=[TEND], concurrency=1, name=TEND, **how)),
            ]
            try:
                await asyncio.wait(workers, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for worker in workers:
                    worker.cancel()
                await asyncio.gather(*workers, return_exceptions=True)

    def _app(self, connector: Any) -> procrastinate.App:
        app = procrastinate.App(connector=connector)

        @app.task(name=FILES, queue=FILES, pass_context=True, retry=_Retry())
        async def files(context: JobContext, job_id: str) -> None:
            again = await _in_a_thread(lambda: self._worked(job_id, context.job.lock))
            if again is not None:
                raise _TakeUpAgain(again)

        seconds = min(30, max(1, round(self._lost_s / SIGNS)))

        @app.periodic(cron=f"* * * * * */{seconds}")
        @app.task(name=TEND, queue=TEND, queueing_lock=TEND)
        async def tend(timestamp: int) -> None:
            stalled = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._lost_s))
            if stalled:
                longer = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._lost_s * PATIENCE)
                given_up = {job.id for job in longer}
                shown = await _in_a_thread(lambda: self.signs.seen(str(job.queueing_lock) for job in stalled))
                stalled = [job for job in stalled if job.id in given_up or job.queueing_lock not in shown]
            for job in stalled:
                await self._take_from(app, job)
            await _in_a_thread(lambda: self.tend(self._lost_s))

        return app

    @staticmethod
    async def _take_from(app: procrastinate.App, job: jobs.Job) -> None:
        """Put a job of a worker that is dead back into the queue, if it is one of ours and is not there already."""
        assert job.id is not None, "what the database returns has an id"
        is_there = job.queue != FILES
        try:
            if not is_there:
                await app.job_manager.retry_job(job)
        except exceptions.UniqueViolation:  # it was over, and a person has asked for it again since
            is_there = True
        except exceptions.ConnectorException:  # its worker lives, and has just ended it
            return
        if is_there:
            with contextlib.suppress(exceptions.ConnectorException):
                await app.job_manager.finish_job_by_id_async(job.id, jobs.Status.FAILED, delete_job=True)

    def _worked(self, job_id: str, lock: str | None) -> Again | None:
        assert self._work is not None, "a worker that was started has something to do"
        with self.signs.of(job_id):
            return self._work(job_id, lock)


async def _in_a_thread(work: Callable[[], Any]) -> Any:
    """Run something that blocks, in a daemon thread of its own: it never keeps the process from ending."""
    loop, done = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

    def tell(result: Any, error: BaseException | None) -> None:
        if not done.done():
            if error is None:
                done.set_result(result)
            else:
                done.set_exception(error)

    def run() -> None:
        step_back()
        try:
            result, error = work(), None
        except BaseException as raised:  # noqa: BLE001 – it is handed on, whatever it is
            result, error = None, raised
        with contextlib.suppress(RuntimeError):  # the loop has ended before: nobody listens any more
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="job", daemon=True).start()
    return await done
