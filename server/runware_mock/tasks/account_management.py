"""accountManagement: what programs ask about their account, often before their first upload."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from runware_mock.protocol.messages import Item
from runware_mock.services import Caller, Services
from runware_mock.storage import journal
from runware_mock.tasks.models import AccountManagement
from runware_mock.tasks.results import checked, echoed
from runware_mock.tasks.work import Done, Work

_DAY_MS = 86_400_000
# Organizations are derived from the account, so that a client sees the same one each time.
_ORGANIZATIONS = UUID("5f0c6c9e-6d1b-4c55-9d6f-0c3b6a2f7e11")


def run(task: AccountManagement, services: Services, caller: Caller) -> Work:
    """Return the account's organization, balance, key and usage, in the documented shape."""
    if caller.dry_run:
        return checked(task, "accountManagement")
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
