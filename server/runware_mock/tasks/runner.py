"""Run the tasks of one request or frame: check, meet faults, work, commit. Each task gets one reply."""

import dataclasses
import logging
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from difflib import get_close_matches
from itertools import groupby

from msgspec.structs import replace

from runware_mock.faults.base import Event
from runware_mock.faults.matching import Met
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import UUID_OF_ANY_FORM, UUID_V4, Reply, Task, head_of, kind_of
from runware_mock.services import Caller, Services
from runware_mock.storage.database import Clashed, crash
from runware_mock.tasks import NO_STAND_IN, TASKS, UNSUPPORTED, TaskType
from runware_mock.tasks.batch import BatchThread
from runware_mock.tasks.commit import Committer, Job, NotDone
from runware_mock.tasks.results import with_given
from runware_mock.tasks.validation import misspelled
from runware_mock.tasks.work import ContentGone, Load, Work

_log = logging.getLogger(__name__)

# Many tasks may wait for the network at once.
_NETWORK_THREADS = 32
_TRIES = 5
# No name of a parameter or task type is longer.
_NAME_CHARS = 64
# A reply that is to come.
Pending = Future[Reply]
_SUPPORTED = sorted((*(TASKS.keys() - set(UNSUPPORTED)), "authentication", "ping"))
# A task with two names is listed by its first only, to keep the message short.
_SECOND_NAMES = TASKS.keys() - {id(row): name for name, row in reversed(list(TASKS.items()))}.values()
_LISTED = ", ".join(name for name in _SUPPORTED if name not in _SECOND_NAMES)


class Runner:
    """Runs tasks in threads: all small ones in one thread, the others in pools by what they mostly do.

    As many decode at once as the machine has cores. Small tasks run one after the other: in parallel they would only
    pass Python's interpreter lock around, and together they need one transaction.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self._committer = Committer(services)
        self._small = BatchThread(self._run_batch, "small-tasks")
        network = ThreadPoolExecutor(_NETWORK_THREADS, "network")
        self._pools = {Load.WAITING_FOR_NETWORK: network}
        if services.blobs.are_objects:
            # Tasks that write or read a file wait for the object storage; the codec limits how many decode at once.
            self._pools |= {Load.STORING: network, Load.DECODING: network}
        else:
            self._pools[Load.DECODING] = ThreadPoolExecutor(services.settings.thread_count(), "decoding")
        self._pending: set[Pending] = set()

    def submit(self, tasks: Sequence[object], caller: Caller) -> list[Pending]:
        """Start the tasks of one request; a task has no effect if its future is cancelled before it begins."""
        seen: set[str] = set()
        futures = [self._submit(task, caller, seen) for task in tasks]
        for future in futures:
            self._pending.add(future)
            future.add_done_callback(self._pending.discard)
        return futures

    def waiting(self) -> int:
        """Return how many tasks wait for a thread."""
        return sum(not future.running() for future in list(self._pending))

    def close(self) -> None:
        """Finish what runs; start nothing more."""
        self._small.close()
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

    def _submit(self, task: object, caller: Caller, seen: set[str]) -> Pending:
        try:
            checked, task_type = self._check(task)
            if not task_type.names_another:
                _refuse_repeated(str(checked["taskUUID"]).lower(), seen)
        except Refusal as refusal:
            return self._small.submit(Job(task if isinstance(task, dict) else {}, NO_STAND_IN, caller, refusal))
        job = Job(checked, task_type, caller)
        pool = self._pools.get(task_type.load(checked))
        return self._small.submit(job) if pool is None else self._start(pool, job)

    def _start(self, pool: ThreadPoolExecutor, job: Job) -> Pending:
        """Run a job in a thread of a pool; if it gets no thread, it fails alone."""
        pending: Pending = Future()

        def run() -> None:
            if pending.set_running_or_notify_cancel():
                pending.set_result(self._run(job))

        try:
            started = pool.submit(run)
        except RuntimeError as error:
            # Cancel it: the pool would run it once it has a thread, long after the client was told of the failure.
            if pending.cancel():
                _log.exception("task %s failed inside the mock", job.task_uuid)
                return self._small.submit(replace(job, refused=crash(error)))
        else:
            # The pool may be closed before the job's turn.
            started.add_done_callback(lambda one: pending.cancel() if one.cancelled() else None)
        return pending

    def _check(self, task: object) -> tuple[Task, TaskType]:
        """Return the task and its type; raises the refusal of one without a known taskType or a valid taskUUID."""
        if not isinstance(task, dict):
            raise refuse("invalidRequest", f"A task is {kind_of(task)}, not an object.")
        name = task.get("taskType")
        task_type = TASKS.get(name) if isinstance(name, str) else None
        if task_type is None:
            raise refuse("invalidTaskType", f"{_about_type(task)} Supported: {_LISTED}.")
        task_uuid = task.get("taskUUID")
        form = UUID_V4 if self.services.settings.uuid == "v4" else UUID_OF_ANY_FORM
        if not isinstance(task_uuid, str) or not form.fullmatch(task_uuid):
            is_there = "taskUUID" in task
            hint = f"The value is {head_of(task_uuid)}." if is_there else _missing("taskUUID", task)
            refusal = refuse("invalidTaskUUID", hint)
            raise refusal if form is UUID_V4 else refusal.but(message=refusal.message.replace("UUID v4", "UUID"))
        return task, task_type

    def _run_batch(self, batch: Sequence[Job]) -> list[Reply]:
        """Answer small tasks in one transaction; one that asks about another runs after those before it."""
        replies: list[Reply] = []
        # If the database cannot be read, the writing below fails, too, and is answered there.
        with suppress(Exception):
            self.services.refresh()
        for runs_alone, jobs in groupby(batch, key=self._runs_alone):
            together = list(jobs)
            alone = runs_alone or len(together) == 1
            replies += [self._run(job, is_fresh=True) for job in together] if alone else self._run_together(together)
        return replies

    def _runs_alone(self, job: Job) -> bool:
        return (
            job.task_type.names_another
            or self.services.quotas.is_on
            or self.services.clocks.is_planned(job.caller.account.id)
        )

    def _run_together(self, jobs: Sequence[Job]) -> list[Reply]:
        try:
            works = [self._work(job) for job in jobs]
            with self.services.database.writing(*{job.caller.account.id for job in jobs}) as connection:
                return [self._committer.commit(connection, job, work) for job, work in zip(jobs, works, strict=True)]
        except Exception:  # noqa: BLE001 - whichever task it was, it must not spoil the others
            return [self._run(job) for job in jobs]

    def _run(self, job: Job, *, is_fresh: bool = False) -> Reply:
        try:
            if not is_fresh:
                self.services.refresh()
            job = self._with_faults(job)
            if self.services.quotas.is_on:
                job = self._within_quotas(job)
            for _ in range(_TRIES):
                work = self._work(job)
                try:
                    return self._commit(job, work)
                except (ContentGone, Clashed):
                    continue
                except Refusal as refusal:
                    return self._commit(job, refusal)
            _log.error("task %s clashed with others %d times", job.task_uuid, _TRIES)
            return self._committer.crashed(job, refuse("mockInternalError", "Its log says more."))
        except Exception as error:  # noqa: BLE001 - a crash of the mock is answered as one, never as the service's word
            _log.exception("task %s failed inside the mock", job.task_uuid)
            return self._committer.crashed(job, crash(error))

    def _commit(self, job: Job, work: Work | Refusal | NotDone) -> Reply:
        if isinstance(work, list):
            return self._committer.looked_up(job, work)
        with self.services.database.writing(job.caller.account.id) as connection:
            reply = self._committer.commit(connection, job, work)
        return replace(reply, faults=tuple(one.kind for one in job.met)) if job.met else reply

    def _with_faults(self, job: Job) -> Job:
        """Return the job with the planned faults that it meets."""
        caller = job.caller
        if job.refused is not None or not self.services.clocks.is_planned(caller.account.id):
            return job
        sources = {name: value for name, value in job.task.items() if name != "webhookURL"}
        fetches = job.task_type.load(sources) is Load.WAITING_FOR_NETWORK
        event = Event.of_task(job.task, caller.transport, caller.plan, fetches=fetches)
        met = self.services.faults.meet(caller.account.id, event)
        by_webhook: tuple[Met, ...] = ()
        if job.webhook_url is not None:
            by_webhook = self.services.faults.meet(caller.account.id, dataclasses.replace(event, point="webhook"))
        return replace(job, met=met, met_by_webhook=by_webhook) if met or by_webhook else job

    def _within_quotas(self, job: Job) -> Job:
        """Return the job, refused if its account has used up its quota."""
        if job.task_type.names_another:
            return job
        account_id = job.caller.account.id
        stores = job.refused is None and not job.caller.dry_run and job.task_type.stores(job.task)
        refusal = self.services.quotas.refusal(account_id, self.services.moment(account_id), stores=stores)
        if refusal is not None and stores:
            with self.services.database.reading() as connection:
                # A task sent again because its answer was lost stores nothing more.
                refusal = None if self._committer.is_done(connection, job) else refusal
        return job if refusal is None else replace(job, refused=refusal)

    def _work(self, job: Job) -> Work | Refusal | NotDone:
        """Do the heavy part of a task; return what is left to write, or the refusal."""
        if job.refused is not None:
            return job.refused
        services = self.services
        for one in job.met:
            if refusal := one.fault.refusal(job.task):
                return refusal
            if not one.fault.works:
                return NotDone()
            services = replace(services, fetch=one.fault.spoiled(services.fetch), given=one.given or services.given)
        try:
            return with_given(job.task_type.work(job.task, services, job.caller), services.given)
        except Refusal as refusal:
            # A copy, since the traceback of the raised one keeps the picture's bytes in memory.
            return refusal.but()


def _about_type(task: Task) -> str:
    """Return what is wrong with a taskType, and which one was probably meant."""
    if "taskType" not in task:
        return _missing("taskType", task)
    name = task["taskType"]
    known = {one.lower(): one for one in _SUPPORTED}
    near = get_close_matches(name.lower(), known, 1) if isinstance(name, str) and len(name) < _NAME_CHARS else []
    meant = f" Did you mean {known[near[0]]}?" if near else ""
    return f"{head_of(name)} is not a task type.{meant}"


def _missing(parameter: str, task: Task) -> str:
    return f"It is missing. {misspelled(parameter, task)}".rstrip()


def _refuse_repeated(task_uuid: str, seen: set[str]) -> None:
    """Refuse the second of two tasks with the same UUID in one request, whichever would run first."""
    if task_uuid in seen:
        raise refuse("conflictTaskUUID", "Another task in this request has the same taskUUID.")
    seen.add(task_uuid)
