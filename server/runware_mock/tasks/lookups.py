"""The tasks that ask about an account or an earlier task: accountManagement, getResponse and getTaskDetails.

"Poll `[{"taskType":"getResponse","taskUUID":"<original>"}]`"; "`taskType` is the original's, not `getResponse`";
"`status` appears only in poll answers".
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID, uuid5

from runware_mock.clock import in_ms
from runware_mock.faults.lifecycle import LIFECYCLE, phase_at
from runware_mock.protocol.errors import refuse, retold
from runware_mock.protocol.messages import Item
from runware_mock.services import Caller, Services
from runware_mock.storage import journal
from runware_mock.tasks.models import AccountManagement, GetResponse, GetTaskDetails
from runware_mock.tasks.results import echoed
from runware_mock.tasks.work import Done, Work

_DAY_MS = 86_400_000
# Organizations are derived from the account, so that a client sees the same one each time.
_ORGANIZATIONS = UUID("5f0c6c9e-6d1b-4c55-9d6f-0c3b6a2f7e11")
_UNKNOWN = "It was never sent with this API key, or has been forgotten since."


def run_account(task: AccountManagement, services: Services, caller: Caller) -> Work:
    """Return the account's organization, balance, key and usage, in the documented shape."""
    account, now_at = caller.account, services.now_at(caller.account.id)
    today_at = now_at - now_at % _DAY_MS
    since = {"total": 0, "today": today_at, "last7Days": now_at - 7 * _DAY_MS, "last30Days": now_at - 30 * _DAY_MS}
    with services.database.reading() as connection:
        requests = {name: journal.count_since(connection, account.id, at) for name, at in since.items()}
    seen = datetime.fromtimestamp(now_at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    key = {"name": "runware-mock", "apiKey": account.label, "description": "", "createdAt": seen, "enabled": True}
    item: Item = {
        **echoed(task.sent),
        "operation": task.operation,
        "organizationUUID": str(uuid5(_ORGANIZATIONS, str(account.id))),
        "organizationName": "runware-mock",
        "AIRSource": "runware-mock",
        # The current documentation shows an object, but clients of the live service read a number.
        "balance": services.settings.balance,
        "team": [{"name": "Developer", "email": "developer@example.com", "roles": ["Owner"], "joinedAt": seen}],
        "apiKeys": [{**key, "requests": requests["total"], "lastUsedAt": seen}],
        "usage": {name: {"credits": 0.0, "requests": count} for name, count in requests.items()},
    }
    return lambda _connection: Done([item])


def run_response(task: GetResponse, services: Services, caller: Caller) -> Work:
    """Return the items of the earlier task, each with `status`; raises its error, or taskNotFound."""
    account_id, now_at, polls = caller.account.id, services.now_at(caller.account.id), list[int]()
    with services.database.reading() as connection:
        entry = journal.find(connection, account_id, task.task_uuid, _since_at(services, caller))
        if entry is not None and entry.lifecycle:
            polls = journal.polled_at(connection, account_id, task.task_uuid, entry.id)
    if entry is None:
        raise refuse("taskNotFound", _UNKNOWN)
    processing: Item = {"taskType": entry.task_type, "taskUUID": task.task_uuid, "status": "processing"}
    # If the clock was set back to before the task, do not wait until it gets there again.
    if entry.lifecycle and entry.at <= now_at:
        phase = phase_at(LIFECYCLE.validate_python(entry.lifecycle), entry.at, polls, now_at)
        if phase is not None:
            there = entry.answer[: phase.results]
            # Guess: once there are results, each one that is missing is reported by itself.
            missing = len(entry.answer) - len(there) if there else 1
            return [*_succeeded(there), *({**processing, "progress": phase.progress} for _ in range(missing))]
    elif entry.at <= now_at < entry.ready_at:
        return [processing]
    if entry.outcome == "error":
        raise retold(entry.answer[0], status="error")
    return _succeeded(entry.answer)


def _succeeded(items: list[Item]) -> list[Item]:
    return [{**item, **_as_media(item), "status": "success"} for item in items]


def run_details(task: GetTaskDetails, services: Services, caller: Caller) -> Work:
    """Return the request and the response of an earlier task; long strings are cut."""
    with services.database.reading() as connection:
        entry = journal.find(connection, caller.account.id, task.task_uuid, _since_at(services, caller))
    if entry is None:
        raise refuse("taskNotFound", _UNKNOWN)
    response = {"data": entry.answer} if entry.outcome == "success" else {"data": [], "errors": entry.answer}
    return [{**echoed(task.sent), "request": [_readable(entry.task)], "response": response}]


def _since_at(services: Services, caller: Caller) -> int:
    """Return the instant since which tasks are remembered."""
    return services.now_at(caller.account.id) - in_ms(services.settings.conflict_window)


def _as_media(item: Item) -> Item:
    """Return an image's UUID and URL by their newer names, the only ones that the older Python SDK reads in a poll."""
    names = {"imageUUID": "mediaUUID", "imageURL": "mediaURL"}
    return {newer: item[older] for older, newer in names.items() if older in item}


def _readable(value: object) -> object:
    """Return a task from the journal, with each long string replaced by its beginning."""
    if isinstance(value, Mapping):
        if value.keys() == {"head", "chars", "sha256"}:
            return f"{value['head']}…"
        return {name: _readable(inner) for name, inner in value.items()}
    return [_readable(inner) for inner in value] if isinstance(value, list) else value
