"""Call a webhook again, as a control call."""

from typing import Any

import msgspec
from sqlalchemy import select

from runware_mock import control_models as models
from runware_mock.control.calls import ControlRefused, changing, not_found
from runware_mock.control.journal import Filter
from runware_mock.control_models import instant
from runware_mock.services import Services
from runware_mock.storage import deliveries
from runware_mock.storage.database import retried
from runware_mock.storage.models import journal


@retried
def resend(services: Services, account_id: int, entry_id: int) -> models.Queued:
    """Call a webhook again with what an earlier call carried, even if that never arrived."""
    with services.database.reading() as connection:
        chosen = Filter(kind="webhook").condition(account_id) & (journal.c.id == entry_id)
        row: Any = connection.execute(select(journal).where(chosen)).first()
    if row is None:
        raise not_found(f"the journal has no webhook {entry_id}; list them with kind=webhook", "id")
    task, bodies = msgspec.json.decode(row.task), msgspec.json.decode(row.answer)
    if not bodies or not isinstance(task["url"], str):
        raise ControlRefused(
            "the journal does not keep the bytes of an upload, nor such a long URL", "id", "conflict", 409
        )
    due_at = services.now_at(row.account_id)
    with changing(services, row.account_id) as connection:
        body = msgspec.json.encode(bodies[0])
        deliveries.add(connection, row.account_id, "POST", task["url"], "application/json", body, due_at)
    return models.Queued(url=task["url"], due_at=instant(due_at))
