"""Commit the outcome of a task: its effect, its journal entry and its webhooks, in one transaction; then reply."""

import logging
from collections.abc import Mapping, Sequence

from msgspec import Struct, field
from msgspec.structs import replace
from sqlalchemy import Connection

from runware_mock.clock import in_ms, monotonic_s
from runware_mock.faults.base import LONGEST_DELAY
from runware_mock.faults.lifecycle import Stage, waits_ms
from runware_mock.faults.matching import Met, response_plan_of
from runware_mock.faults.webhooks import Call, WebhookFault
from runware_mock.protocol.errors import Refusal, refuse
from runware_mock.protocol.messages import Item, Reply, Task, items_of, webhook_body
from runware_mock.protocol.redaction import without_real_keys
from runware_mock.protocol.response_plan import ResponsePlan, retried_after
from runware_mock.services import Caller, Services
from runware_mock.storage import deliveries, journal, media
from runware_mock.storage.deliveries import JSON, Request, call_entry
from runware_mock.storage.journal import NOTHING_SENT, JournalEntry, Kind, Outcome
from runware_mock.tasks import TaskType
from runware_mock.tasks.results import echoed
from runware_mock.tasks.work import Work

_log = logging.getLogger(__name__)

# The fields of an answer that name what the task has stored.
_STORED = frozenset(("imageUUID", "mediaUUID", "guideImageUUID", "maskImageUUID", "videoUUID", "audioUUID"))

_LONGEST_URL_CHARS = 8192
_LOST = "A fault plan has lost this call."


class Job(Struct, frozen=True):
    """A task of a known type, or whatever was sent instead, with the refusal in `refused`."""

    task: Task
    task_type: TaskType
    caller: Caller
    refused: Refusal | None = None
    met: tuple[Met, ...] = ()
    # The faults that its webhook meets.
    met_by_webhook: tuple[Met, ...] = ()
    began_s: float = field(default_factory=monotonic_s)

    @property
    def task_uuid(self) -> str:
        """The taskUUID as it was sent."""
        return str(self.task.get("taskUUID", ""))

    @property
    def webhook_url(self) -> str | None:
        """Where to send each result or error, if anywhere; that of a refused task is unchecked."""
        url = self.task.get("webhookURL")
        if not self.task_type.may_be_async or not isinstance(url, str) or len(url) > _LONGEST_URL_CHARS:
            return None
        return url if url.lower().startswith(("http://", "https://")) else None

    @property
    def kind(self) -> Kind:
        """What the journal calls it."""
        return "lookup" if self.task_type.names_another else "task"

    @property
    def is_async(self) -> bool:
        """Whether the client asks for the result later."""
        return self.task_type.may_be_async and self.task.get("deliveryMethod") == "async"

    @property
    def lifecycle(self) -> list[Stage]:
        """The stages that a rule puts before the answer."""
        return next((one.stages for one in self.met if one.stages), [])

    @property
    def fails_late(self) -> bool:
        """Whether a rule lets the task fail at the end of its lifecycle."""
        refusing = next((one for one in self.met if one.fault.refusal(self.task) is not None), None)
        return self.refused is None and refusing is not None and bool(refusing.stages)

    @property
    def response_plan(self) -> ResponsePlan | None:
        """How the transport must answer, by the faults that were met."""
        return response_plan_of(self.met) if self.met else None


class NotDone:
    """The work of a task that a fault prevents."""


class Committer:
    """Commits the outcomes of tasks."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._conflict_window_ms = in_ms(services.settings.conflict_window)
        self._processing_ms = in_ms(services.settings.processing_time)

    def commit(self, connection: Connection, job: Job, work: Work | Refusal | NotDone) -> Reply:
        """Write the effect of a task and its journal entry; raises Refusal or ContentGone if that is impossible."""
        if isinstance(work, list):
            return Reply(items=tuple(work), response_plan=job.response_plan)
        if isinstance(work, NotDone):
            # The transport notes what it sends instead.
            entry_id = self._record(connection, job, "fault", [])
            return Reply(response_plan=job.response_plan, entry_id=entry_id)
        if isinstance(work, Refusal):
            return self._refused(connection, job, work)
        # Checked here, where no other transaction can write for the account: the same task may have come twice at once.
        if self.is_done(connection, job):
            return Reply(items=tuple(self._repeated(connection, job)), response_plan=job.response_plan)
        done = work(connection)
        if self._services.quotas.is_on and job.task_type.stores(job.task):
            self._services.quotas.check(connection, job.caller.account.id, self._services.moment(job.caller.account.id))
        self._set_times(connection, job, done.items)
        waits = waits_ms(job.lifecycle, len(done.items))
        if job.is_async and not job.lifecycle:
            waits = [self._processing_ms] * len(done.items)
        entry_id = self._record(connection, job, "success", done.items, 200, done.audit, max(waits, default=0))
        self._notify(connection, job, done.items, waits)
        # "ACK: one per task, whatever numberResults"; the results are asked for with getResponse.
        if job.is_async:
            return Reply((echoed(job.task),), response_plan=job.response_plan, entry_id=entry_id)
        return Reply(
            tuple(done.items),
            response_plan=job.response_plan,
            is_streamed=done.is_streamed,
            entry_id=entry_id,
            ready_at=self._ready_at(job, waits),
        )

    def _refused(self, connection: Connection, job: Job, work: Refusal) -> Reply:
        """Record a refusal and reply with it, at the end of the task's lifecycle if it has one."""
        response_plan = retried_after(work.retry_after_s, job.response_plan)
        reply = replace(Reply.refused(work, job.task or None), response_plan=response_plan)
        if not job.caller.dry_run:
            outcome: Outcome = "crash" if work.is_ours else "error"
            errors = [reply.error] if reply.error else []
            waits = waits_ms(job.lifecycle, 1) if job.fails_late else [0]
            is_acknowledged = job.fails_late and job.is_async
            status = 200 if is_acknowledged else work.status
            entry_id = self._record(connection, job, outcome, errors, status, takes_ms=waits[0])
            if outcome == "error" and work.code != "conflictTaskUUID":
                self._notify(connection, job, errors, waits, is_error=True)
            if is_acknowledged:
                return Reply((echoed(job.task),), response_plan=job.response_plan, entry_id=entry_id)
            reply = replace(reply, entry_id=entry_id, ready_at=self._ready_at(job, waits))
        return reply

    def _ready_at(self, job: Job, waits: list[int]) -> tuple[int, ...]:
        """Return when each part of a reply is there, if a rule makes the client wait."""
        now_at = self._services.now_at(job.caller.account.id)
        return tuple(now_at + wait_ms for wait_ms in waits) if any(waits) else ()

    def looked_up(self, job: Job, items: list[Item]) -> Reply:
        """Reply with items that have no effect; the entry of a lookup is left out if the database takes none now."""
        reply = Reply(tuple(items), response_plan=job.response_plan)
        if not job.caller.dry_run:
            try:
                with self._services.database.writing(job.caller.account.id) as connection:
                    return replace(reply, entry_id=self._record(connection, job, "success", items, 200))
            except Exception as error:  # noqa: BLE001 - whatever it is, the answer is there
                _log.warning("the journal lacks a %s: %s", job.task.get("taskType"), error)
        return reply

    def _set_times(self, connection: Connection, job: Job, items: list[Item]) -> None:
        """Set when the task's media vanish or appear, if its faults say so."""
        for one in job.met:
            if times := one.fault.media_times(self._services.now_at(job.caller.account.id)):
                media.set_times(
                    connection, [str(item[name]) for item in items for name in _STORED & item.keys()], **times
                )

    def crashed(self, job: Job, crashed: Refusal) -> Reply:
        """Record the mock's crash, if the database lets it, and return the reply that reports it."""
        reply = Reply.refused(crashed, job.task)
        try:
            with self._services.database.writing(job.caller.account.id) as connection:
                entry_id = self._record(connection, job, "crash", [reply.error] if reply.error else [], crashed.status)
                return replace(reply, entry_id=entry_id)
        except Exception:  # noqa: BLE001 - what broke the task may well keep its entry from being written, too
            task_type = _column(job.task.get("taskType"), 64, job)
            self._services.metrics.task(task_type, "crash", monotonic_s() - job.began_s, 0, [])
        return reply

    def is_done(self, connection: Connection, job: Job) -> bool:
        """Return whether a task of this UUID has succeeded; a failed one may be corrected and sent again."""
        since_at = self._services.now_at(job.caller.account.id) - self._conflict_window_ms
        return journal.is_done(connection, job.caller.account.id, job.task_uuid, since_at)

    def _repeated(self, connection: Connection, job: Job) -> list[Item]:
        """Return this task's answer if it never reached the client; else raises the refusal conflictTaskUUID."""
        since_at = self._services.now_at(job.caller.account.id) - in_ms(self._services.settings.replay_window)
        frames = deliveries.take_frames_of(connection, job.caller.account.id, job.task_uuid, since_at)
        if not frames:
            raise refuse("conflictTaskUUID", "Ask for its result with getResponse.")
        return [item for frame in frames for item in items_of(frame)]

    def _notify(
        self, connection: Connection, job: Job, items: list[Item], waits: list[int], *, is_error: bool = False
    ) -> None:
        """Queue a webhook for each result when it is ready, "one call per result", or for the error."""
        url = job.webhook_url
        if url is None:
            return
        account_id, is_flat = job.caller.account.id, self._services.settings.webhook_body == "flat"
        now_at = self._services.now_at(account_id)
        calls: Sequence[Call] = [
            Call(item, now_at + wait_ms, is_error) for item, wait_ms in zip(items, waits, strict=True)
        ]
        for one in job.met_by_webhook:
            if isinstance(one.fault, WebhookFault):
                calls = one.fault.changed(calls)
        for call in calls:
            request = Request("POST", url, JSON, webhook_body(call.item, is_error=call.is_error, flat=is_flat))
            if call.is_lost:
                entry = call_entry(request, account_id, call.due_at, status=NOTHING_SENT, problem=_LOST)
                self._services.journal.record(connection, entry)
            else:
                # No call is due later: one that seems so is made at once, as the clock was set back.
                due_at = call.due_at + min(call.delay_ms, in_ms(LONGEST_DELAY))
                deliveries.add(connection, account_id, request, due_at)

    def _record(
        self,
        connection: Connection,
        job: Job,
        outcome: Outcome,
        answer: list[Item],
        status: int | None = None,
        audit: Mapping[str, object] | None = None,
        takes_ms: int = 0,
    ) -> int:
        now_at = self._services.now_at(job.caller.account.id)
        entry = JournalEntry(
            outcome=outcome,
            answer=answer,
            account_id=job.caller.account.id,
            at=now_at,
            ready_at=now_at + takes_ms,
            transport=job.caller.transport,
            task_type=_column(job.task.get("taskType"), 64, job),
            task_uuid=_column(job.task.get("taskUUID"), 36, job),
            task=job.task,
            client=job.caller.client,
            duration_us=int((monotonic_s() - job.began_s) * 1_000_000),
            audit=audit,
            faults=[one.as_json(is_async=job.is_async) for one in (*job.met, *job.met_by_webhook)],
            kind=job.kind,
            # Frames have no status.
            status=status if job.caller.transport == "rest" else None,
        )
        return self._services.journal.record(connection, entry)


def _column(value: object, longest: int, job: Job) -> str:
    """Return as much of a value as a column of that length holds; the value of a refused job may be anything."""
    text = value if isinstance(value, str) else ""
    return (without_real_keys(text) if job.refused else text)[:longest]
