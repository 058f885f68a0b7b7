"""What both transports share: from the tasks of one request or frame to a reply each."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import Connection

from runware_mock import journal
from runware_mock.clock import in_ms
from runware_mock.journal import Entry
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Item, Reply, Task, head_of, is_uuid, items_of, kind_of, rest_body
from runware_mock.services import Caller, Services
from runware_mock.storage import deliveries, undelivered
from runware_mock.tasks import TASKS, TaskType, unsupported
from runware_mock.tasks.results import echoed
from runware_mock.tasks.work import ContentGone, Load

_log = logging.getLogger(__name__)

# Light tasks run one after the other: side by side they would only hand the interpreter's lock to and fro.
_LIGHT_THREADS = 1
# Many may wait for the network at once.
_NETWORK_THREADS = 32
_TRIES = 5


class Engine:
    """Runs tasks in threads of three kinds, of which as many decode as there are cores."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._pools = {
            Load.LIGHT: ThreadPoolExecutor(_LIGHT_THREADS, "light"),
            Load.DECODING: ThreadPoolExecutor(services.settings.thread_count(), "decoding"),
            Load.WAITING_FOR_NETWORK: ThreadPoolExecutor(_NETWORK_THREADS, "network"),
        }

    def submit(self, tasks: Sequence[object], caller: Caller) -> list[Future[Reply]]:
        """Start the tasks of one request; a future that is cancelled before it began leaves nothing."""
        seen: set[str] = set()
        return [self._submit(task, caller, seen) for task in tasks]

    def close(self) -> None:
        """Finish what runs; begin nothing more."""
        for pool in self._pools.values():
            pool.shutdown(cancel_futures=True)

    def _submit(self, task: object, caller: Caller, seen: set[str]) -> Future[Reply]:
        try:
            checked, task_type = self._check(task)
            if not task_type.names_another:
                _refuse_repeated(str(checked["taskUUID"]).lower(), seen)
        except Refusal as refusal:
            refused: Future[Reply] = Future()
            refused.set_result(Reply.refused(refusal, task))
            return refused
        return self._pools[task_type.load(checked)].submit(self._run, checked, task_type, caller)

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

    def _run(self, task: Task, task_type: TaskType, caller: Caller) -> Reply:
        try:
            for _ in range(_TRIES):
                try:
                    return Reply(items=tuple(self._perform(task, task_type, caller)))
                except ContentGone:
                    continue
                except Refusal as refusal:
                    return self._refused(refusal, task, task_type, caller)
            _log.error("content of task %s was purged %d times just before it was used", task["taskUUID"], _TRIES)
        except Exception:  # noqa: BLE001 - a crash of the mock is answered as one, never as the service's word
            _log.exception("task %s failed inside the mock", task["taskUUID"])
        return Reply.refused(refuse("mockInternalError", "Its log says more."), task)

    def _perform(self, task: Task, task_type: TaskType, caller: Caller) -> list[Item]:
        work = task_type.run(task, self.services, caller)
        if isinstance(work, list):
            return work
        with self.services.database.writing() as connection:
            # Only here, where nobody else can write: the same task may have come in twice at once.
            if self._is_done(connection, task, caller):
                return self._repeated(connection, task, caller)
            items = work(connection)
            is_async = task_type.may_be_async and task.get("deliveryMethod") == "async"
            self._record(connection, task, caller, Entry("success", items), is_async=is_async)
            if task_type.may_be_async:
                self._notify(connection, task, caller, items, is_async=is_async)
        # "ACK: one per task, whatever numberResults"; the results are asked for with getResponse.
        return [echoed(task)] if is_async else items

    def _refused(self, refusal: Refusal, task: Task, task_type: TaskType, caller: Caller) -> Reply:
        reply = Reply.refused(refusal, task)
        if reply.error is not None and not task_type.names_another and not caller.dry_run:
            with self.services.database.writing() as connection:
                self._record(connection, task, caller, Entry("error", [reply.error]))
        return reply

    def _is_done(self, connection: Connection, task: Task, caller: Caller) -> bool:
        """Tell whether a task of this UUID succeeded; one that failed may be sent again, corrected."""
        since_at = self.services.clock.now_at() - in_ms(self.services.settings.conflict_window)
        return journal.is_done(connection, caller.account.id, str(task["taskUUID"]), since_at)

    def _repeated(self, connection: Connection, task: Task, caller: Caller) -> list[Item]:
        """Return the answer to this task if it never reached the client; else the taskUUID is simply used twice."""
        since_at = self.services.clock.now_at() - in_ms(self.services.settings.replay_window)
        frame = undelivered.take_answer(connection, caller.account.id, str(task["taskUUID"]), since_at)
        if frame is None:
            raise refuse("conflictTaskUUID", "Ask for its result with getResponse.")
        return items_of(frame)

    def _notify(self, connection: Connection, task: Task, caller: Caller, items: list[Item], *, is_async: bool) -> None:
        """Let the webhook know of each result, when it is ready: "one call per result"."""
        url = task.get("webhookURL")
        if isinstance(url, str):
            due_at = self._ready_at(is_async=is_async)
            for item in items:
                body = rest_body([Reply(items=(item,))])[1]
                deliveries.add(connection, caller.account.id, "POST", url, "application/json", body, due_at)

    def _ready_at(self, *, is_async: bool) -> int:
        return self.services.clock.now_at() + (in_ms(self.services.settings.processing_time) if is_async else 0)

    def _record(
        self, connection: Connection, task: Task, caller: Caller, entry: Entry, *, is_async: bool = False
    ) -> None:
        journal.record(
            connection,
            account_id=caller.account.id,
            at=self.services.clock.now_at(),
            ready_at=self._ready_at(is_async=is_async),
            transport=caller.transport,
            task_type=str(task["taskType"]),
            task_uuid=str(task["taskUUID"]),
            entry=entry,
        )


def _refuse_repeated(task_uuid: str, seen: set[str]) -> None:
    """Refuse the later of two tasks of the same UUID in one request, whichever would run first."""
    if task_uuid in seen:
        raise refuse("conflictTaskUUID", "It stands twice in this request.")
    seen.add(task_uuid)
