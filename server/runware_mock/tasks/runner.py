"""What both transports share: from the tasks of one request or frame to a reply each."""

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from itertools import groupby

from msgspec.structs import replace

from runware_mock.cores import roaming_pool
from runware_mock.faults.event import Event
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Reply, Task, head_of, is_uuid, kind_of
from runware_mock.services import Caller, Services
from runware_mock.storage.database import Clashed
from runware_mock.storage.outage import crash
from runware_mock.tasks import TASKS, TaskType, models, unsupported
from runware_mock.tasks.batch import GroupingThread
from runware_mock.tasks.recording import Asked, Recorder, Undone
from runware_mock.tasks.work import ContentGone, Load, Work

_log = logging.getLogger(__name__)

# Many may wait for the network at once.
_NETWORK_THREADS = 32
_TRIES = 5
# A reply that is to come.
Pending = Future[Reply]
# What stands for the type of a task that is refused before anybody knows it.
_NO_TYPE = TaskType(models.AnyTask, unsupported.run, stores=lambda _task: False)


class Runner:
    """Runs tasks in threads of three kinds, of which as many decode as there are cores.

    Light tasks run one after the other: side by side they would only hand the interpreter's lock to and fro.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self._recorder = Recorder(services)
        self.light = GroupingThread(self._run_group, "light")
        network = roaming_pool(_NETWORK_THREADS, "network")
        self._pools = {Load.WAITING_FOR_NETWORK: network}
        if services.files.are_objects:
            # Whatever brings or reads a file waits for the storage; the codec bounds how many decode at once.
            self._pools |= {Load.STORING: network, Load.DECODING: network}
        else:
            self._pools[Load.DECODING] = roaming_pool(services.settings.thread_count(), "decoding")

    def submit(self, tasks: Sequence[object], caller: Caller) -> list[Pending]:
        """Start the tasks of one request; one whose reply is cancelled before it began leaves nothing."""
        seen: set[str] = set()
        return [self._submit(task, caller, seen) for task in tasks]

    def waiting(self) -> int:
        """Return how many tasks wait for a thread."""
        return self.light.waiting() + sum(pool._work_queue.qsize() for pool in set(self._pools.values()))  # noqa: SLF001 - nothing else tells

    def close(self) -> None:
        """Finish what runs; begin nothing more."""
        self.light.close()
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

    def _submit(self, task: object, caller: Caller, seen: set[str]) -> Pending:
        try:
            checked, task_type = self._check(task)
            if not task_type.names_another:
                _refuse_repeated(str(checked["taskUUID"]).lower(), seen)
        except Refusal as refusal:
            return self.light.submit(Asked(task if isinstance(task, dict) else {}, _NO_TYPE, caller, refusal))
        asked = Asked(checked, task_type, caller)
        pool = self._pools.get(task_type.load(checked))
        return self.light.submit(asked) if pool is None else pool.submit(self._run, asked)

    def _check(self, task: object) -> tuple[Task, TaskType]:
        """Check what every task must have: a known taskType and a taskUUID."""
        if not isinstance(task, dict):
            raise refuse("invalidRequest", f"A task is {kind_of(task)}, not an object.")
        name = task.get("taskType")
        task_type = TASKS.get(name) if isinstance(name, str) else None
        if task_type is None:
            given = f"{head_of(name)} is none of them" if "taskType" in task else "It is missing"
            supported = ", ".join(sorted((*(TASKS.keys() - unsupported.NAMES), "authentication", "ping")))
            raise refuse("invalidTaskType", f"{given}. Supported task types are: {supported}.")
        task_uuid = task.get("taskUUID")
        if not isinstance(task_uuid, str) or not is_uuid(task_uuid, v4=self.services.settings.uuid == "v4"):
            raise refuse(
                "invalidTaskUUID", f"The value is {head_of(task_uuid)}." if "taskUUID" in task else "It is missing."
            )
        return task, task_type

    def _run_group(self, group: Sequence[Asked]) -> list[Reply]:
        """Answer light tasks with one transaction for all; one that asks about another waits for what is before it."""
        replies: list[Reply] = []
        # What cannot be read now cannot be written below, where it is answered for.
        with suppress(Exception):
            self.services.refresh()
        for runs_alone, asked in groupby(group, key=self._runs_alone):
            together = list(asked)
            alone = runs_alone or len(together) == 1
            replies += [self._run(one, is_fresh=True) for one in together] if alone else self._run_together(together)
        return replies

    def _runs_alone(self, asked: Asked) -> bool:
        return (
            asked.task_type.names_another
            or self.services.quotas.is_on
            or self.services.live.is_planned(asked.caller.account.id)
        )

    def _run_together(self, group: Sequence[Asked]) -> list[Reply]:
        try:
            works = [self._work(asked) for asked in group]
            written = self._recorder.written
            with self.services.database.writing(*{asked.caller.account.id for asked in group}) as connection:
                return [written(connection, asked, work) for asked, work in zip(group, works, strict=True)]
        except Exception:  # noqa: BLE001 - whichever task it was, it must not spoil the others
            return [self._run(asked) for asked in group]

    def _run(self, asked: Asked, *, is_fresh: bool = False) -> Reply:
        try:
            if not is_fresh:
                self.services.refresh()
            asked = self._meeting_faults(asked)
            if self.services.quotas.is_on:
                asked = self._within_quotas(asked)
            for _ in range(_TRIES):
                work = self._work(asked)
                if isinstance(work, list):
                    return Reply(items=tuple(work), response_plan=asked.response_plan)
                try:
                    with self.services.database.writing(asked.caller.account.id) as connection:
                        return self._recorder.written(connection, asked, work)
                except (ContentGone, Clashed):
                    continue
                except Refusal as refusal:
                    with self.services.database.writing(asked.caller.account.id) as connection:
                        return self._recorder.written(connection, asked, refusal)
            _log.error("task %s was in the way of others %d times", asked.task_uuid, _TRIES)
            return self._recorder.crashed(asked, refuse("mockInternalError", "Its log says more."))
        except Exception as error:  # noqa: BLE001 - a crash of the mock is answered as one, never as the service's word
            _log.exception("task %s failed inside the mock", asked.task_uuid)
            return self._recorder.crashed(asked, crash(error))

    def _meeting_faults(self, asked: Asked) -> Asked:
        """Return the task with the faults that it meets."""
        if asked.refused is not None:
            return asked
        caller = asked.caller
        if not self.services.live.is_planned(caller.account.id):
            return asked
        sources = {name: value for name, value in asked.task.items() if name != "webhookURL"}
        fetches = asked.task_type.load(sources) is Load.WAITING_FOR_NETWORK
        task_type = str(asked.task["taskType"])
        event = Event("task", caller.transport, task_type, asked.task_uuid, caller.plan, fetches)
        met = self.services.faults.meet(caller.account.id, event)
        return replace(asked, met=met) if met else asked

    def _within_quotas(self, asked: Asked) -> Asked:
        """Return the task, refused where its account has no more to spend."""
        if asked.task_type.names_another:
            return asked
        account_id = asked.caller.account.id
        stores = asked.refused is None and not asked.caller.dry_run and asked.task_type.stores(asked.task)
        refusal = self.services.quotas.refusal(account_id, self.services.moment(account_id), stores=stores)
        if refusal is not None and stores:
            with self.services.database.reading() as connection:
                # One that was sent again because its answer was lost stores nothing more.
                refusal = None if self._recorder.is_done(connection, asked) else refusal
        return asked if refusal is None else replace(asked, refused=refusal)

    def _work(self, asked: Asked) -> Work | Refusal | Undone:
        """Do the heavy part of a task; return what is left to write, or why it is refused."""
        if asked.refused is not None:
            return asked.refused
        services = self.services
        for one in asked.met:
            if refusal := one.fault.refusal(asked.task):
                return refusal
            if not one.fault.works:
                return Undone()
            services = replace(services, fetch=one.fault.spoiled(services.fetch))
        try:
            return asked.task_type.work(asked.task, services, asked.caller)
        except Refusal as refusal:
            # As a copy: the one that was raised holds all that was at hand there, and would be held by it in turn.
            return refusal.but()


def _refuse_repeated(task_uuid: str, seen: set[str]) -> None:
    """Refuse the later of two tasks of the same UUID in one request, whichever would run first."""
    if task_uuid in seen:
        raise refuse("conflictTaskUUID", "It stands twice in this request.")
    seen.add(task_uuid)
