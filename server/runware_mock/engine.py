"""What both transports share: from the tasks of one request or frame to a reply each."""

import logging
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import groupby

from sqlalchemy import Connection

from runware_mock import journal
from runware_mock.clock import in_ms
from runware_mock.faults.occasion import Met, Occasion, performance_of
from runware_mock.grouping import GroupingThread
from runware_mock.journal import Entry, Outcome
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.keys import without_real_keys
from runware_mock.protocol.messages import Item, Reply, Task, head_of, is_uuid, items_of, kind_of, rest_body
from runware_mock.protocol.performance import Performance, retried_after
from runware_mock.services import Caller, Services
from runware_mock.storage import deliveries, media, undelivered
from runware_mock.storage.database import Clashed
from runware_mock.storage.outage import crash
from runware_mock.tasks import TASKS, TaskType, unsupported
from runware_mock.tasks.results import echoed
from runware_mock.tasks.work import ContentGone, Load, Work

_log = logging.getLogger(__name__)

# Many may wait for the network at once.
_NETWORK_THREADS = 32
_TRIES = 5
# Where an answer names what the task has stored.
_STORED = frozenset(("imageUUID", "mediaUUID", "guideImageUUID", "maskImageUUID", "videoUUID", "audioUUID"))
# What stands for the type of a task that is refused before anybody knows it.
_NO_TYPE = TaskType(unsupported.run, stores=lambda _task: False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A task of a known type, or what was sent instead and why it is `refused`."""

    task: Task
    task_type: TaskType
    caller: Caller
    refused: Refusal | None = None
    met: tuple[Met, ...] = ()
    began_s: float = field(default_factory=time.perf_counter)

    @property
    def task_uuid(self) -> str:
        return str(self.task.get("taskUUID", ""))

    @property
    def leaves_an_entry(self) -> bool:
        return not self.task_type.names_another and not self.caller.dry_run

    @property
    def performance(self) -> Performance | None:
        return performance_of(self.met) if self.met else None


class _Undone:
    """Stands for the work of a task that a fault has kept from being done."""


class Engine:
    """Runs tasks in threads of three kinds, of which as many decode as there are cores.

    Light tasks run one after the other: side by side they would only hand the interpreter's lock to and fro.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self._light = GroupingThread(self._run_group, "light")
        network = ThreadPoolExecutor(_NETWORK_THREADS, "network")
        self._pools = {Load.WAITING_FOR_NETWORK: network}
        if services.files.are_objects:
            # Whatever brings or reads a file waits for the storage; the codec bounds how many decode at once.
            self._pools |= {Load.STORING: network, Load.DECODING: network}
        else:
            self._pools[Load.DECODING] = ThreadPoolExecutor(services.settings.thread_count(), "decoding")

    def submit(self, tasks: Sequence[object], caller: Caller) -> list[Future[Reply]]:
        """Start the tasks of one request; a future that is cancelled before it began leaves nothing."""
        seen: set[str] = set()
        return [self._submit(task, caller, seen) for task in tasks]

    def waiting(self) -> int:
        """Return how many tasks wait for a thread."""
        return self._light.waiting() + sum(pool._work_queue.qsize() for pool in set(self._pools.values()))  # noqa: SLF001 - nothing else tells

    def close(self) -> None:
        """Finish what runs; begin nothing more."""
        self._light.close()
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

    def _submit(self, task: object, caller: Caller, seen: set[str]) -> Future[Reply]:
        try:
            checked, task_type = self._check(task)
            if not task_type.names_another:
                _refuse_repeated(str(checked["taskUUID"]).lower(), seen)
        except Refusal as refusal:
            return self._light.submit(_Asked(task if isinstance(task, Mapping) else {}, _NO_TYPE, caller, refusal))
        asked = _Asked(checked, task_type, caller)
        pool = self._pools.get(task_type.load(checked))
        return self._light.submit(asked) if pool is None else pool.submit(self._run, asked)

    def _check(self, task: object) -> tuple[Task, TaskType]:
        """Check what every task must have: a known taskType and a taskUUID."""
        if not isinstance(task, Mapping):
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

    def _run_group(self, group: Sequence[_Asked]) -> list[Reply]:
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

    def _runs_alone(self, asked: _Asked) -> bool:
        return (
            asked.task_type.names_another
            or self.services.quotas.is_on
            or self.services.live.is_planned(asked.caller.account.id)
        )

    def _run_together(self, group: Sequence[_Asked]) -> list[Reply]:
        try:
            works = [self._work(asked) for asked in group]
            with self.services.database.writing(*{asked.caller.account.id for asked in group}) as connection:
                return [self._written(connection, asked, work) for asked, work in zip(group, works, strict=True)]
        except Exception:  # noqa: BLE001 - whichever task it was, it must not spoil the others
            return [self._run(asked) for asked in group]

    def _run(self, asked: _Asked, *, is_fresh: bool = False) -> Reply:
        try:
            if not is_fresh:
                self.services.refresh()
            asked = self._meeting_faults(asked)
            if self.services.quotas.is_on:
                asked = self._within_quotas(asked)
            for _ in range(_TRIES):
                work = self._work(asked)
                if isinstance(work, list):
                    return Reply(items=tuple(work), performance=asked.performance)
                try:
                    with self.services.database.writing(asked.caller.account.id) as connection:
                        return self._written(connection, asked, work)
                except (ContentGone, Clashed):
                    continue
                except Refusal as refusal:
                    with self.services.database.writing(asked.caller.account.id) as connection:
                        return self._written(connection, asked, refusal)
            _log.error("task %s was in the way of others %d times", asked.task_uuid, _TRIES)
            return self._crashed(asked, refuse("mockInternalError", "Its log says more."))
        except Exception as error:  # noqa: BLE001 - a crash of the mock is answered as one, never as the service's word
            _log.exception("task %s failed inside the mock", asked.task_uuid)
            return self._crashed(asked, crash(error))

    def _meeting_faults(self, asked: _Asked) -> _Asked:
        """Return the task with the faults that it meets."""
        if asked.refused is not None:
            return asked
        caller = asked.caller
        if not self.services.live.is_planned(caller.account.id):
            return asked
        sources = {name: value for name, value in asked.task.items() if name != "webhookURL"}
        fetches = asked.task_type.load(sources) is Load.WAITING_FOR_NETWORK
        task_type = str(asked.task["taskType"])
        occasion = Occasion("task", caller.transport, task_type, asked.task_uuid, caller.plan, fetches)
        met = self.services.faults.meet(caller.account.id, occasion)
        return replace(asked, met=met) if met else asked

    def _within_quotas(self, asked: _Asked) -> _Asked:
        """Return the task, refused where its account has no more to spend."""
        if asked.task_type.names_another:
            return asked
        account_id = asked.caller.account.id
        stores = asked.refused is None and not asked.caller.dry_run and asked.task_type.stores(asked.task)
        refusal = self.services.quotas.refusal(account_id, self.services.moment(account_id), stores=stores)
        if refusal is not None and stores:
            with self.services.database.reading() as connection:
                # One that was sent again because its answer was lost stores nothing more.
                refusal = None if self._is_done(connection, asked) else refusal
        return asked if refusal is None else replace(asked, refused=refusal)

    def _work(self, asked: _Asked) -> Work | Refusal | _Undone:
        """Do the heavy part of a task; return what is left to write, or why it is refused."""
        if asked.refused is not None:
            return asked.refused
        services = self.services
        for one in asked.met:
            if refusal := one.fault.refusal(asked.task):
                return refusal
            if not one.fault.works:
                return _Undone()
            services = replace(services, fetch=one.fault.spoiled(services.fetch))
        try:
            return asked.task_type.run(asked.task, services, asked.caller)
        except Refusal as refusal:
            # As a copy: the one that was raised holds all that was at hand there, and would be held by it in turn.
            return replace(refusal)

    def _written(self, connection: Connection, asked: _Asked, work: Work | Refusal | _Undone) -> Reply:
        """Write a task's effect and its journal entry; raises Refusal or ContentGone where the effect cannot be."""
        if isinstance(work, list):
            return Reply(items=tuple(work), performance=asked.performance)
        if isinstance(work, _Undone):
            self._record(connection, asked, "fault", [])
            return Reply(performance=asked.performance)
        if isinstance(work, Refusal):
            performance = retried_after(work.retry_after_s, asked.performance)
            reply = replace(Reply.refused(work, asked.task or None), performance=performance)
            if asked.leaves_an_entry:
                outcome: Outcome = "crash" if work.is_ours else "error"
                self._record(connection, asked, outcome, [reply.error] if reply.error else [])
            return reply
        # Only here, where nobody else can write for the account: the same task may have come in twice at once.
        if self._is_done(connection, asked):
            return Reply(items=tuple(self._repeated(connection, asked)), performance=asked.performance)
        done = work(connection)
        if self.services.quotas.is_on and asked.task_type.stores(asked.task):
            self.services.quotas.check(
                connection, asked.caller.account.id, self.services.moment(asked.caller.account.id)
            )
        self._set_times(connection, asked, done.items)
        is_async = asked.task_type.may_be_async and asked.task.get("deliveryMethod") == "async"
        self._record(connection, asked, "success", done.items, done.audit, is_async=is_async)
        if asked.task_type.may_be_async:
            self._notify(connection, asked, done.items, is_async=is_async)
        # "ACK: one per task, whatever numberResults"; the results are asked for with getResponse.
        items = (echoed(asked.task),) if is_async else tuple(done.items)
        return Reply(items=items, performance=asked.performance)

    def _set_times(self, connection: Connection, asked: _Asked, items: list[Item]) -> None:
        """Let what the task has stored vanish or appear when its faults say so."""
        for one in asked.met:
            if times := one.fault.media_times(self.services.now_at(asked.caller.account.id)):
                media.set_times(
                    connection, [str(item[name]) for item in items for name in _STORED & item.keys()], **times
                )

    def _crashed(self, asked: _Asked, crashed: Refusal) -> Reply:
        reply = Reply.refused(crashed, asked.task)
        try:
            with self.services.database.writing(asked.caller.account.id) as connection:
                self._record(connection, asked, "crash", [reply.error] if reply.error else [])
        except Exception:  # noqa: BLE001 - what broke the task may well keep its entry from being written, too
            task_type = _column(asked.task.get("taskType"), 64, asked)
            self.services.tally.task(task_type, "crash", time.perf_counter() - asked.began_s, 0, [])
        return reply

    def _is_done(self, connection: Connection, asked: _Asked) -> bool:
        """Tell whether a task of this UUID succeeded; one that failed may be sent again, corrected."""
        since_at = self.services.now_at(asked.caller.account.id) - in_ms(self.services.settings.conflict_window)
        return journal.is_done(connection, asked.caller.account.id, asked.task_uuid, since_at)

    def _repeated(self, connection: Connection, asked: _Asked) -> list[Item]:
        """Return the answer to this task if it never reached the client; else the taskUUID is simply used twice."""
        since_at = self.services.now_at(asked.caller.account.id) - in_ms(self.services.settings.replay_window)
        frame = undelivered.take_answer(connection, asked.caller.account.id, asked.task_uuid, since_at)
        if frame is None:
            raise refuse("conflictTaskUUID", "Ask for its result with getResponse.")
        return items_of(frame)

    def _notify(self, connection: Connection, asked: _Asked, items: list[Item], *, is_async: bool) -> None:
        """Let the webhook know of each result, when it is ready: "one call per result"."""
        url = asked.task.get("webhookURL")
        if isinstance(url, str):
            due_at = self._ready_at(asked, is_async=is_async)
            for item in items:
                body = rest_body([Reply(items=(item,))])[1]
                deliveries.add(connection, asked.caller.account.id, "POST", url, "application/json", body, due_at)

    def _ready_at(self, asked: _Asked, *, is_async: bool) -> int:
        return self.services.now_at(asked.caller.account.id) + (
            in_ms(self.services.settings.processing_time) if is_async else 0
        )

    def _record(
        self,
        connection: Connection,
        asked: _Asked,
        outcome: Outcome,
        answer: list[Item],
        audit: Mapping[str, object] | None = None,
        *,
        is_async: bool = False,
    ) -> None:
        entry = Entry(
            outcome=outcome,
            answer=answer,
            account_id=asked.caller.account.id,
            at=self.services.now_at(asked.caller.account.id),
            ready_at=self._ready_at(asked, is_async=is_async),
            transport=asked.caller.transport,
            task_type=_column(asked.task.get("taskType"), 64, asked),
            task_uuid=_column(asked.task.get("taskUUID"), 36, asked),
            task=asked.task,
            client=asked.caller.client,
            duration_us=int((time.perf_counter() - asked.began_s) * 1_000_000),
            audit=audit,
            faults=[one.told() for one in asked.met],
        )
        self.services.journal.record(connection, entry)


def _column(value: object, longest: int, asked: _Asked) -> str:
    """Return what a column of that length can hold of a value that, where it was refused, may be anything."""
    text = value if isinstance(value, str) else ""
    return (without_real_keys(text) if asked.refused else text)[:longest]


def _refuse_repeated(task_uuid: str, seen: set[str]) -> None:
    """Refuse the later of two tasks of the same UUID in one request, whichever would run first."""
    if task_uuid in seen:
        raise refuse("conflictTaskUUID", "It stands twice in this request.")
    seen.add(task_uuid)
